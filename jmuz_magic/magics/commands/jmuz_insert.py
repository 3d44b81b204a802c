"""The code of a reply: picked, kept, and put into a new cell; never run."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from jmuz_magic.magics.line.parser import MagicParser, documented_by, read_arguments
from jmuz_magic.magics.session import CODE_NAME, REPLY_NAME, Session
from jmuz_magic.messages import CodeBlock, Reply
from jmuz_magic.text import clean_text

__all__ = ["INSERT", "InsertMagics", "pick_code", "take_code"]

INSERT = MagicParser("%jmuz_insert", "Put a code block of the last reply into a new cell below; it is not run.")
INSERT.add_argument("number", nargs="?", type=int, metavar="N", help="which block, from 1; default: all Python blocks")

NO_CODE = "the reply holds no code block"
_PYTHON = {"", "ipython", "ipython3", "py", "python", "python3"}


def pick_code(blocks: tuple[CodeBlock, ...], language: str = "") -> str:
    """The blocks of a language, one after the other; "" where there is none.

    Args:
        blocks: of a reply.
        language: "" for Python and unlabelled blocks, `all` for every block.
    """
    wanted = _PYTHON if not language else {language.lower()}
    picked = [block.code for block in blocks if language == "all" or block.language.lower() in wanted]
    return "\n".join(picked).strip("\n")


def take_code(session: Session, reply: Reply, language: str, *, insert: bool) -> None:
    """Keep the code of a reply as `_jmuz_code` and, if asked, put it into a new cell."""
    code = pick_code(reply.code_blocks, language)
    if not code:
        kind = {"": "Python ", "all": ""}.get(language, f"{language} ")
        there = ", ".join(sorted({block.language or "unlabelled" for block in reply.code_blocks}))
        session.say(f"the reply holds no {kind}code block; blocks: {there}" if there else NO_CODE)
        return
    session.bind(CODE_NAME, code)
    if insert:
        insert_cell(session, code)


def insert_cell(session: Session, code: str) -> None:
    """Put the code into a new cell below the running one, once for the same cell and code.

    A terminal has no cells, and nothing is pasted into its prompt.
    """
    if not session.is_kernel:
        session.say(f"the code is in {CODE_NAME}; %edit {CODE_NAME} opens it")
        return
    # What a reader cannot see (bidi overrides, escapes) must not hide in a cell that they are about to run.
    key = (_cell_id(session.shell), code)
    if session.once(key):
        session.shell.set_next_input(clean_text(code), replace=False)


def _cell_id(shell: Any) -> str:
    """The front end's name for the running cell; its source where the front end gives none."""
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    metadata = parent.get("metadata", {})
    return str(metadata.get("cellId") or parent.get("content", {}).get("code", ""))


@magics_class
class InsertMagics(Magics):
    """The code of the last reply."""

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell)
        self.session = session

    @no_var_expand
    @line_magic
    @documented_by(INSERT)
    def jmuz_insert(self, line: str) -> None:
        number = read_arguments(INSERT, line).number
        reply = self.session.shell.user_ns.get(REPLY_NAME)
        if not isinstance(reply, Reply):
            raise UsageError("%jmuz_insert: there is no reply yet; ask with %%jmuz first")
        if number is None:
            take_code(self.session, reply, "", insert=True)
            return
        count = len(reply.code_blocks)
        if not count:
            raise UsageError(f"%jmuz_insert: {NO_CODE}")
        if not 1 <= number <= count:
            raise UsageError(f"%jmuz_insert: expected a block from 1 to {count}, got {number}")
        code = reply.code_blocks[number - 1].code.strip("\n")
        self.session.bind(CODE_NAME, code)
        insert_cell(self.session, code)

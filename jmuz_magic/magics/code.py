"""The code of a reply: extracted, kept, and put into a new cell; never run."""

from __future__ import annotations

from jmuz_magic.magics.session import CODE_NAME, Session
from jmuz_magic.messages import CodeBlock, Reply
from jmuz_magic.text import clean_text

__all__ = ["NO_CODE", "keep_code", "pick_code", "take_code"]

NO_CODE = "the reply contains no code block"
_PYTHON = {"", "ipython", "ipython3", "py", "python", "python3"}


def pick_code(blocks: tuple[CodeBlock, ...], language: str = "") -> str:
    """The blocks in a language, concatenated; "" if there are none.

    Args:
        blocks: a reply's blocks.
        language: "" for Python and unlabelled blocks, `all` for every block.
    """
    wanted = _PYTHON if not language else {language.lower()}
    picked = [block.code for block in blocks if language == "all" or block.language.lower() in wanted]
    return "\n".join(picked)


def take_code(session: Session, reply: Reply, language: str, *, insert: bool) -> None:
    """Keep the code of a reply as `_jmuz_code` and, if asked, put it into a new cell."""
    code = pick_code(reply.code_blocks, language)
    if code.strip("\n"):
        keep_code(session, code, insert=insert)
        return
    kind = {"": "Python ", "all": ""}.get(language, f"{language} ")
    there = ", ".join(sorted({block.language or "unlabelled" for block in reply.code_blocks}))
    session.say(f"the reply contains no {kind}code block; blocks: {there}" if there else NO_CODE)


def keep_code(session: Session, code: str, *, insert: bool) -> None:
    """Keep it as `_jmuz_code` and, if asked, put it into a new cell below the running one, once for each cell and code.

    A terminal has no cells; nothing is pasted into its prompt.
    """
    code = code.strip("\n")
    session.bind(CODE_NAME, code)
    if not insert:
        return
    if not session.is_kernel:
        session.say(f"the code is in {CODE_NAME}; %edit {CODE_NAME} opens it")
    elif session.once((_running_cell(session), code)):
        # Invisible characters (bidi overrides, escapes) must not hide in a cell that the user is about to run.
        session.shell.set_next_input(clean_text(code), replace=False)


def _running_cell(session: Session) -> str:
    """The front end's id for the running cell, or its source if there is none."""
    parent = session.shell.get_parent() or {}
    return str((parent.get("metadata") or {}).get("cellId") or (parent.get("content") or {}).get("code", ""))

"""The code of a reply: extracted, kept, and put into a new cell or in place of the running one; never run."""

from __future__ import annotations

import difflib

from jmuz_magic.magics.session import CODE_NAME, Session
from jmuz_magic.messages import CodeBlock, Reply
from jmuz_magic.notebook.cells import is_own
from jmuz_magic.text import clean_text

__all__ = [
    "NO_CODE", "drop_code", "is_alone", "keep_code", "pick_code", "pick_correction", "replace_cell", "take_code",
    "unmasked",
]  # fmt: skip

MAX_LINES = 2_000  # of a correction: the time of a comparison may grow with their square
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
    drop_code(session)
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


def drop_code(session: Session) -> None:
    """Unset `_jmuz_code`: there is no code, and that of an earlier reply must not be taken for it."""
    session.shell.user_ns.pop(CODE_NAME, None)


def pick_correction(blocks: tuple[CodeBlock, ...], cell: str) -> str:
    """The Python block that corrects a cell: of several the one most like it, unless it only repeats it; "" if none."""
    codes = [pick_code((block,)).strip("\n") for block in blocks]
    codes = [code for code in codes if code.strip() and code.count("\n") < MAX_LINES]
    changed = [code for code in codes if code != cell] or codes
    return max(changed, key=lambda code: _likeness(code, cell)) if len(changed) > 1 else "".join(changed)


def _likeness(code: str, cell: str) -> float:
    return difflib.SequenceMatcher(None, cell.split("\n"), code.split("\n")).ratio()


def unmasked(code: str, cell: str, masked: str) -> str:
    """The code with the cell's own lines where it has them as they were sent, with keys masked.

    Args:
        code: what was made of `masked`.
        cell: the cell.
        masked: the cell as it was sent.
    """
    own, sent = cell.split("\n"), masked.split("\n")
    if len(own) != len(sent):  # a key of several lines
        return code
    lines: dict[str, str | None] = {}
    for line, shown in zip(own, sent, strict=True):
        lines[shown] = line if lines.get(shown, line) == line else None  # two keys that look alike stay masked
    return "\n".join(lines.get(line) or line for line in code.split("\n"))


def is_alone(session: Session) -> bool:
    """Whether the running cell is one line of this extension, so that nothing is lost if it is replaced."""
    parent = (session.shell.get_parent() if session.is_kernel else None) or {}
    code = str((parent.get("content") or {}).get("code", "")).strip()
    return "\n" not in code and is_own(code)


def replace_cell(session: Session, code: str) -> None:
    """Put it in place of the running cell; in a terminal it becomes the next input, which the user may edit and run."""
    session.shell.set_next_input(clean_text(code), replace=True)
    place = "this cell now holds" if session.is_kernel else "your next input is"
    session.say(f"{place} the corrected code, which was not run; check it, then run it")


def _running_cell(session: Session) -> str:
    """The front end's id for the running cell, or its source if there is none."""
    parent = session.shell.get_parent() or {}
    return str((parent.get("metadata") or {}).get("cellId") or (parent.get("content") or {}).get("code", ""))

"""`%jmuz_insert`: code of the last reply in a new cell, never run."""

from __future__ import annotations

from dataclasses import dataclass

from IPython.core.error import UsageError

from jmuz_magic.magics.code import NO_CODE, keep_code, take_code
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option
from jmuz_magic.magics.line.values import whole_number
from jmuz_magic.magics.session import REPLY_NAME, Session
from jmuz_magic.messages import Reply

__all__ = ["InsertOptions", "jmuz_insert"]


@dataclass(frozen=True, eq=False, repr=False)
class InsertOptions(Options):
    """The options of `%jmuz_insert`."""

    number: int | None = option("N", "which block, from 1; default: all Python blocks", read=whole_number)


@magic(InsertOptions)
def jmuz_insert(session: Session, options: InsertOptions) -> None:
    """Put a code block of the last reply into a new cell below; it is not run."""
    number = options.number
    reply = session.shell.user_ns.get(REPLY_NAME)
    if not isinstance(reply, Reply):
        raise UsageError("%jmuz_insert: there is no reply yet; ask with %%jmuz first")
    if number is None:
        take_code(session, reply, "", insert=True)
        return
    count = len(reply.code_blocks)
    if not count:
        raise UsageError(f"%jmuz_insert: {NO_CODE}")
    if not 1 <= number <= count:
        raise UsageError(f"%jmuz_insert: expected a block from 1 to {count}, got {number}")
    keep_code(session, reply.code_blocks[number - 1].code, insert=True)

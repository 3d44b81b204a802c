"""`%jmuz_fix`: the last failed cell and its error as a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from jmuz_magic.display.reply import cut_line
from jmuz_magic.magics.code import drop_code, is_alone, keep_code, pick_correction, replace_cell, unmasked
from jmuz_magic.magics.commands.jmuz import AskOptions, WhomOptions, ask, context_option, whom
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import option
from jmuz_magic.magics.session import Session
from jmuz_magic.messages import Message, Reply
from jmuz_magic.notebook.cells import FailedCell
from jmuz_magic.secret import Secret

if TYPE_CHECKING:
    from jmuz_magic.notebook.context import Context

__all__ = ["FixOptions", "jmuz_fix"]


@dataclass(frozen=True, eq=False, repr=False)
class FixOptions(WhomOptions):
    """The options of `%jmuz_fix`."""

    next: bool = option("--next", "put the corrected code into a new cell below; it is not run")
    replace: bool = option(
        "--replace",
        "turn this cell into the corrected one, or in a terminal offer that as the next input; it is not run",
    )
    context: int | None = context_option()
    dry_run: bool = option("--dry-run", "show the request instead of sending it")
    assigned: bool = option("--assigned")  # as for `%jmuz`


@magic(FixOptions, takes_prompt=True)
def jmuz_fix(session: Session, target: str | None, given: FixOptions, hint: str) -> Reply | None:
    """Ask about the last cell that failed: it is sent with its error, keys and the home directory masked.

    What follows the options is a hint for the model. The corrected cell is shown as a diff, kept as `_jmuz_code`, and
    never run. With --replace it takes the place of the cell that %jmuz_fix is in: no front end lets a kernel change
    another cell, so the one that failed stays as it is.
    """
    failed = session.cells.failed
    if failed is None:
        raise UsageError("%jmuz_fix: no cell has failed since the extension was loaded")
    _check(session, given, failed)
    options = AskOptions(dry_run=given.dry_run, assigned=True)
    endpoint, model = whom(session, given)
    secrets = endpoint.secrets if endpoint else ()
    prompt, in_part = _prompt(session, given, failed, hint, secrets)
    message: Message = {"role": "user", "content": prompt}
    typed: Message = {"role": "user", "content": f"%jmuz_fix {hint}".rstrip()}
    reply = ask(session, options, endpoint, model, message, typed, in_part, target=target)
    if not isinstance(reply, Reply):
        return None
    _take(session, given, reply, failed.source, secrets)
    return reply if given.assigned else None


def _prompt(
    session: Session, given: FixOptions, failed: FailedCell, hint: str, secrets: Sequence[Secret]
) -> tuple[str, list[str]]:
    """The prompt, and what of the notebook it holds only in part."""
    from jmuz_magic.notebook.context import MAX_SOURCE, build_fix

    prompt, size = build_fix(failed, hint, secrets=secrets), len(failed.source)
    in_part = [f"{MAX_SOURCE:,} of {size:,} characters of the cell"] if size > MAX_SOURCE else []
    if not given.context:
        return prompt, in_part
    context = _context(session, given.context, failed, secrets)
    return f"{context.text}\n\n{prompt}", [*context.sent_in_part, *in_part]


def _context(session: Session, count: int, failed: FailedCell, secrets: Sequence[Secret]) -> Context:
    """Earlier cells without the one that failed, which is sent anyway, however often it ran."""
    from jmuz_magic.notebook.context import build_context

    others = (cell for cell in session.cells.earlier() if cell.source != failed.source)
    context = build_context(others, count, secrets=secrets)
    if not context.cells:
        raise UsageError("%jmuz_fix: --context: there is no earlier cell besides the one that failed")
    return context


def _check(session: Session, given: FixOptions, failed: FailedCell) -> None:
    from jmuz_magic.notebook.context import MAX_SOURCE

    if not given.replace:
        return
    if given.next:
        raise UsageError("%jmuz_fix: --next and --replace cannot be combined")
    if len(failed.source) > MAX_SOURCE:
        raise UsageError(
            f"%jmuz_fix: --replace: the cell is sent in part, because it has over {MAX_SOURCE:,} characters"
        )
    if session.is_kernel and not is_alone(session):
        raise UsageError("%jmuz_fix: --replace replaces this whole cell; give %jmuz_fix a cell of its own")


def _take(session: Session, given: FixOptions, reply: Reply, cell: str, secrets: Sequence[Secret]) -> None:
    """Show and keep the corrected cell, and put it where the options say."""
    from jmuz_magic.display.diff import diff_bundle
    from jmuz_magic.notebook.masking import MASK, mask

    masked = mask(cell, secrets)
    code = pick_correction(reply.code_blocks, masked)
    if not code:
        drop_code(session)
        session.say("the reply contains no corrected cell")
        return
    diff = diff_bundle(masked, code)
    if diff["text/plain"]:
        session.show(diff)
    else:
        session.say("the reply leaves the cell as it is")
    code = unmasked(code, cell, masked)
    keep_code(session, code, insert=given.next)
    if MASK in code and MASK not in cell:
        session.say(f"{MASK} in the corrected cell stands for something that was masked")
    if given.replace and (cut := cut_line(reply)):
        session.say(f"the cell stays: the reply is not whole ({cut})")
    elif given.replace and diff["text/plain"]:
        replace_cell(session, code)

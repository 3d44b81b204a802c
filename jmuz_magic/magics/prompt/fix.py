"""`%jmuz_fix`: the prompt about the last failed cell."""

from __future__ import annotations

from collections.abc import Iterable

from jmuz_magic.magics.cells import FailedCell, clip
from jmuz_magic.magics.prompt.context import fenced
from jmuz_magic.magics.prompt.masking import mask
from jmuz_magic.secret import Secret

__all__ = ["build_fix"]

TASK = (
    "This cell of my notebook raised an error. Say in a few words why, then give the whole corrected cell in one "
    "Python code block."
)
MAX_SOURCE = 20_000  # characters of the cell; its error was cut when it was kept


def build_fix(failed: FailedCell, hint: str = "", *, secrets: Iterable[Secret] = ()) -> str:
    """The prompt: the cell and its error, with keys and the home directory masked, and the user's hint verbatim.

    Args:
        failed: the cell with its formatted error.
        hint: what the user adds; not masked.
        secrets: what to mask besides what looks like a key.
    """
    secrets = tuple(secrets)
    parts = [
        TASK,
        f"The cell:\n{fenced(clip(mask(failed.source, secrets), MAX_SOURCE), 'python')}",
        f"The error:\n{fenced(mask(failed.error, secrets))}",
    ]
    return "\n\n".join([*parts, hint.strip()] if hint.strip() else parts)

"""The limits of a prompt: not blank, not too large, and valid Unicode."""

from __future__ import annotations

import re

from IPython.core.error import UsageError

from jmuz_magic.content import MAX_PROMPT_BYTES

__all__ = ["check_text"]

_UNSENDABLE = re.compile("[\0\ud800-\udfff]")


def check_text(text: str, *, what: str = "prompt", max_bytes: int = MAX_PROMPT_BYTES) -> None:
    """Refuse what cannot or should not be sent, before anything is.

    Args:
        text: the complete text, with expressions replaced.
        what: what messages call it.
        max_bytes: the limit for the text in UTF-8.

    Raises:
        UsageError: the text is blank, too large, or contains NUL or half of a surrogate pair.
    """
    if not text.strip():
        raise UsageError(f"the {what} is empty, so nothing was sent; write the prompt after %jmuz or below %%jmuz")
    found = _UNSENDABLE.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        name = "a NUL character" if found[0] == "\0" else f"half of a surrogate pair (U+{ord(found[0]):04X})"
        raise UsageError(f"the {what} contains {name} in line {line}, which endpoints refuse; remove it")
    size = len(text.encode())
    if size > max_bytes:
        raise UsageError(
            f"the {what} has {size:,} bytes, more than the {max_bytes:,} that %config JmuzMagics.max_prompt_bytes "
            "allows; nothing was sent"
        )

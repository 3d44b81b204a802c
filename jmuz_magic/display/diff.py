"""Two versions of a cell as a diff: text for terminals, HTML for front ends; every word in them is untrusted."""

from __future__ import annotations

import difflib
from itertools import islice

from jmuz_magic.display.html.styles import CODE
from jmuz_magic.display.text import text_html
from jmuz_magic.text import clean_text

__all__ = ["diff_bundle"]

# Faint enough for text in the colour of any theme; the signs at the start of the lines say the same.
_STYLES = {"+": ' style="background-color:#3b53"', "-": ' style="background-color:#e443"', "@": ' style="opacity:.75"'}


def diff_bundle(before: str, after: str) -> dict[str, str]:
    """A unified diff as `text/html` and `text/plain`, without names of files; empty texts if nothing differs."""
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), lineterm="")
    cleaned = [clean_text(line) for line in islice(lines, 2, None)]
    html = "\n".join(f"<span{_STYLES.get(line[:1], '')}>{text_html(line)}</span>" for line in cleaned)
    return {
        "text/html": f'<div class="jmuz-diff"><pre><code style="{CODE}">{html}</code></pre></div>\n' if html else "",
        "text/plain": "\n".join(cleaned),
    }

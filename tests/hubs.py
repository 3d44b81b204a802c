"""A hub in a test: the configuration of docs/hub.md, image-wide, in a folder of the test's own."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["ADDRESS", "LINE", "PAGE", "blocks", "image"]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "hub.md"
ADDRESS = "https://llm.campus.example/v1"
MODELS = '"small", "large"'
LINE = "this hub asks only campus (set by its administrator)"


def blocks(first_line: str = "") -> list[str]:
    """The blocks of code of the page, or those that begin with this line."""
    found = re.findall(r"^```\w*\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [block for block in found if block.startswith(first_line)]


def image(folder: Path, api_base: str, models: str) -> Path:
    """Write the page's `ipython_config.py` into a folder, which need not exist; return that.

    Args:
        folder: of the configuration.
        api_base: instead of the page's.
        models: likewise, as they stand in the list.
    """
    (text,) = blocks("# /etc/ipython/ipython_config.py")
    for before, after in ((ADDRESS, api_base), (MODELS, models)):
        assert text.count(before) == 1
        text = text.replace(before, after)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ipython_config.py").write_text(text, encoding="utf-8")
    return folder

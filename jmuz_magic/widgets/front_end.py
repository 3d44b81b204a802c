"""A widget's front end for anywidget: modules of `front/`, joined into one script and one style sheet.

A module imports with `import { name } from "./module.js";` and exports by name what it defines; only the widget's main
module has a default export. No two modules of a widget define the same name. `front/NAME.css` styles what
`front/NAME.js` creates, and follows the style sheets of the modules that this one imports.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["joined"]

FRONT = Path(__file__).parent / "front"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default )", re.MULTILINE)
_COMMENT = re.compile(r"^ */\*.*?\*/\n|^ *//[^\n]*\n", re.MULTILINE | re.DOTALL)  # for readers, on separate lines


def joined(name: str) -> tuple[str, str]:
    """The script and style sheet of a module with everything that it imports; its own exports stay exported.

    As text: for a path, anywidget would keep every widget alive, in case the file changes.
    """
    texts: dict[str, str] = {}
    _find(name, texts)
    *others, last = (_IMPORT.sub("", text) for text in texts.values())
    sheets = (_read(f"{each}.css") for each in texts if (FRONT / f"{each}.css").exists())
    return "".join([*(_EXPORT.sub("", text) for text in others), last]), "".join(sheets)


def _find(name: str, found: dict[str, str]) -> None:
    """Add the module's text after those of the modules that it imports."""
    text = _read(f"{name}.js")
    for each in _IMPORT.findall(text):
        if each not in found:
            _find(each, found)
    found[name] = text


def _read(name: str) -> str:
    return _COMMENT.sub("", (FRONT / name).read_text(encoding="utf-8"))

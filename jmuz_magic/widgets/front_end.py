"""The front end of a widget as anywidget takes it: modules of `front/` joined into one script and one style sheet.

A module imports by `import { name } from "./module.js";` and exports what it defines by name; only a widget's own has a
default export. No name is defined by two modules of a widget. `front/NAME.css` is how that looks which `front/NAME.js`
makes, and comes after the sheets of the modules that this one imports.
"""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["joined"]

FRONT = Path(__file__).parent / "front"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default )", re.MULTILINE)
_COMMENT = re.compile(r"^ */\*.*?\*/\n|^ *//[^\n]*\n", re.MULTILINE | re.DOTALL)  # for readers, on lines of its own


def joined(name: str) -> tuple[str, str]:
    """The script and the style sheet of a module with all that it imports; what it exports itself stays exported.

    As text: of a path, anywidget keeps every widget that ever was, for when the file changes.
    """
    texts: dict[str, str] = {}
    _find(name, texts)
    *others, last = (_IMPORT.sub("", text) for text in texts.values())
    sheets = (_read(f"{each}.css") for each in texts if (FRONT / f"{each}.css").exists())
    return "".join([*(_EXPORT.sub("", text) for text in others), last]), "".join(sheets)


def _find(name: str, found: dict[str, str]) -> None:
    """Add the module's text, after those of all that it imports."""
    text = _read(f"{name}.js")
    for each in _IMPORT.findall(text):
        if each not in found:
            _find(each, found)
    found[name] = text


def _read(name: str) -> str:
    return _COMMENT.sub("", (FRONT / name).read_text(encoding="utf-8"))

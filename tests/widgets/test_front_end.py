"""The front end without a browser: its classes in node's own test runner, its modules as they are joined."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jmuz_magic.magics.code import _PYTHON
from jmuz_magic.widgets.front_end import FRONT, joined
from jmuz_magic.widgets.panel import ChatPanel
from jmuz_magic.widgets.selector import ModelSelector
from tests.widgets.node import node

HERE = Path(__file__).parent
WIDGETS: dict[str, type] = {"panel": ChatPanel, "selector": ModelSelector}
MODULES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(FRONT.glob("*.js"))}
SHEETS = {path.stem: path.read_text(encoding="utf-8") for path in FRONT.glob("*.css")}

IMPORT = re.compile(r'^import \{[\w\s,]+\} from "\./\w+\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?:(?:async )?function|class|const) (\w+)", re.MULTILINE)
DEFINITION = re.compile(r"^(?:export )?(?:(?:async )?function|class|const|let) (\w+)", re.MULTILINE)


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scripts as they are sent, `NAME.mjs`."""
    folder = tmp_path_factory.mktemp("scripts")
    for name in WIDGETS:
        (folder / f"{name}.mjs").write_text(joined(name)[0], encoding="utf-8")
    return folder


@pytest.mark.parametrize("path", sorted((HERE / "front").glob("*.test.mjs")), ids=lambda path: path.name)
def test_in_node(path: Path, scripts: Path) -> None:
    node("--test", str(path), package="jsdom", JMUZ_SCRIPTS=scripts.as_uri())


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_and_exports_as_the_joining_understands(name: str) -> None:
    left = EXPORT.sub("", IMPORT.sub("", MODULES[name]))
    own = {"protocol": ["export {};"]} | {widget: ["export default "] for widget in WIDGETS}
    assert re.findall(r"^(?:import|export (?:default )?)(?:\{.*)?", left, re.MULTILINE) == own.get(name, [])


@pytest.mark.parametrize("name", WIDGETS)
def test_what_is_sent_is_whole(name: str) -> None:
    script, sheet = joined(name)
    sent = vars(WIDGETS[name])
    assert (sent["_esm"], sent["_css"]) == (script, sheet)
    assert not re.search(r"^(?:import|\s*//|\s*/\*)|^export (?!default )", script, re.MULTILINE)
    defined = DEFINITION.findall(script)
    assert len(defined) == len(set(defined))


def test_each_widget_sends_what_it_needs_and_nothing_is_left_over() -> None:
    sent = {name: set(DEFINITION.findall(joined(name)[0])) for name in WIDGETS}
    assert {"Link", "ModelList"} <= sent["panel"] & sent["selector"]
    assert not sent["selector"] & {"Composer", "Transcript", "TurnView", "place"}
    defined = {name: set(DEFINITION.findall(text)) for name, text in MODULES.items()}
    assert [name for name in defined if not defined[name] <= sent["panel"] | sent["selector"]] == []
    classes = {name for widget in WIDGETS for name in re.findall(r"\.(jmuz-[\w-]+)", joined(widget)[1])}
    assert [name for name in SHEETS if not set(re.findall(r"\.(jmuz-[\w-]+)", SHEETS[name])) <= classes] == []


def test_a_panel_inserts_what_a_cell_takes_as_python() -> None:
    words = re.search(r"const PYTHON = new Set\(\[(.*?)\]\);", MODULES["code"])
    assert words
    assert set(re.findall(r'"(\w*)"', words[1])) == _PYTHON

"""Every example of docs/endpoints.md runs, and prints what the page shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from IPython.core import application
from traitlets.config.loader import PyFileConfigLoader

from jmuz_magic.demo import DemoServer
from jmuz_magic.magics.extension import unload
from tests.magics.loaded import UserShell, forget_all

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "endpoints.md").read_text(encoding="utf-8")
ADDRESS = "https://llm.campus.example/v1"
SYSTEM_WIDE = "# /etc/ipython/"
SECTIONS = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
WITH_EXAMPLES = [title for title, text in SECTIONS.items() if "```" in text and title != "Dialects"]


def examples(section: str) -> list[tuple[str, str, str]]:
    """Kind, text and what is printed, of each block that runs."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    shown = [*found[1:], ("", "")]
    pairs = zip(found, shown, strict=True)
    return [(kind, text, after if named == "text" else "") for (kind, text), (named, after) in pairs if kind != "text"]


@pytest.fixture
def configure(
    user: UserShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, demo_endpoint: DemoServer
) -> Callable[[str], str]:
    """Begin a session with this file; what loading prints."""
    system_wide, profile = tmp_path / "etc", tmp_path / "profile"
    monkeypatch.setattr(application, "SYSTEM_CONFIG_DIRS", [str(system_wide)])
    system_wide.mkdir()
    profile.mkdir()

    def begin(text: str) -> str:
        unload(user.shell)
        forget_all(monkeypatch)
        folder = system_wide if text.startswith(SYSTEM_WIDE) else profile
        (folder / "ipython_config.py").write_text(text, encoding="utf-8")
        loaded = PyFileConfigLoader("ipython_config.py", path=str(folder)).load_config()
        user.shell.config.pop("JmuzMagics", None)
        user.shell.config.merge(loaded)
        return user.line("import jmuz_magic; jmuz_magic.load_ipython_extension(get_ipython())")

    return begin


@pytest.mark.parametrize("title", WITH_EXAMPLES)
def test_the_examples_run_and_print_what_the_page_shows(
    user: UserShell,
    configure: Callable[[str], str],
    demo_endpoint: DemoServer,
    monkeypatch: pytest.MonkeyPatch,
    title: str,
) -> None:
    for name in ("CAMPUS_KEY", "GATEWAY_KEY", "JUPYTERHUB_USER"):
        monkeypatch.setenv(name, f"{name.lower()}-of-the-test")
    for kind, text, shown in examples(SECTIONS[title].replace(ADDRESS, demo_endpoint.api_base)):
        if "c.JmuzMagics" in text:
            said = configure(text)
        else:
            assert kind in ("", "python")
            said = user.line(text)
        assert said.startswith(shown.strip()), text


def test_the_headers_of_the_page_arrive(
    user: UserShell, configure: Callable[[str], str], demo_endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPUS_KEY", "campus-key")
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    (_, described, _), *_ = examples(SECTIONS["What an administrator says"])
    assert configure(described.replace(ADDRESS, demo_endpoint.api_base)) == ""
    said = user.line("%jmuz hello").splitlines()
    assert said[:2] == [
        "campus: stays on campus (says its administrator)",
        "each request says who you are: X-Jmuz-User sends JUPYTERHUB_USER",
    ]
    sent: dict[str, Any] = {name.lower(): value for name, value in demo_endpoint.requests[-1].headers.items()}
    assert (sent["x-jmuz-user"], sent["authorization"]) == ("ada", "Bearer campus-key")


def test_the_table_names_what_there_is() -> None:
    from jmuz_magic.magics.commands.jmuz_alias import jmuz_alias
    from jmuz_magic.magics.commands.jmuz_use import jmuz_use
    from jmuz_magic.providers.description import MEMBERS
    from jmuz_magic.providers.openai_template import OpenaiTemplate

    first = PAGE.partition("\n## ")[0]
    _, _, *rows = (line.split("|") for line in first.splitlines() if line.startswith("|"))
    assert len(rows) == 8
    for _, _, configured, typed, written, _ in rows:
        assert re.findall(r'`"(\w+)"', configured)[0] in MEMBERS
        for flag in re.findall(r"--?[a-z][\w-]*", typed):
            for magic in (jmuz_use, jmuz_alias):
                assert magic.parser.option_of(flag) or flag == "-m", flag
        for name in re.findall(r"`(\w+) =", written):
            assert hasattr(OpenaiTemplate, name), name
    named = {name for _, _, configured, *_ in rows for name in re.findall(r'`"(\w+)"', configured)}
    assert named | {"system", "options"} == set(MEMBERS)

"""Which settings are the administrator's: those of system-wide files, however they are written."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from IPython.core import application

from jmuz_magic.magics.administrator import AdministratorSettings

Write = Callable[..., Path]


@pytest.fixture
def system_wide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file of the first system-wide directory, or of another."""
    folders = [tmp_path / "local" / "ipython", tmp_path / "etc" / "ipython"]
    monkeypatch.setattr(application, "SYSTEM_CONFIG_DIRS", [str(folder) for folder in folders])

    def write(text: str, name: str = "ipython_config.py", folder: int = 1) -> Path:
        folders[folder].mkdir(parents=True, exist_ok=True)
        path = folders[folder] / name
        path.write_text(dedent(text))
        return path

    return write


@pytest.mark.usefixtures("system_wide")
def test_without_a_system_wide_file_there_is_no_administrator() -> None:
    settings = AdministratorSettings()
    assert (settings.get("only", []), settings.get("endpoints", {}), settings.problem) == (None, None, "")


def test_a_system_wide_file_is_the_administrators(system_wide: Write) -> None:
    system_wide("c = get_config()\nc.JmuzMagics.only = ['campus']")
    assert AdministratorSettings().get("only", []) == ["campus"]


def test_files_are_merged_as_ipython_merges_them(system_wide: Write) -> None:
    system_wide("c.JmuzMagics.only = ['etc']\nc.JmuzMagics.system = 'etc'\nc.JmuzMagics.model = 'etc'")
    system_wide('{"JmuzMagics": {"model": "json"}}', "ipython_config.json")
    system_wide("c.JmuzMagics.only = ['local']", folder=0)
    system_wide("c.JmuzMagics.system = 'kernel'", "ipython_kernel_config.py")
    settings = AdministratorSettings()
    assert [settings.get(name, "") for name in ("only", "system", "model")] == [["local"], "kernel", "json"]


def test_what_is_added_to_a_collection_counts(system_wide: Write) -> None:
    system_wide("c.JmuzMagics.endpoints.update({'a': 1})\nc.JmuzMagics.only.append('a')")
    system_wide("c.JmuzMagics.endpoints.update({'b': 2})", folder=0)
    settings = AdministratorSettings()
    assert settings.get("endpoints", {}) == {"a": 1, "b": 2}
    assert settings.get("only", []) == ["a"]


def test_a_file_may_load_others(system_wide: Write) -> None:
    system_wide("c.JmuzMagics.only = ['campus']", "more.py")
    system_wide("load_subconfig('more.py')")
    assert AdministratorSettings().get("only", []) == ["campus"]


@pytest.mark.parametrize("place", ["profile", "environment"])
def test_a_profile_and_an_environment_are_the_users(
    system_wide: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    system_wide("c.JmuzMagics.model = 'm'")
    folder = tmp_path / ("prefix/etc/ipython" if place == "environment" else "home/profile_default")
    folder.mkdir(parents=True)
    (folder / "ipython_config.py").write_text("c.JmuzMagics.only = []")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "prefix"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "home"))
    settings = AdministratorSettings()
    assert (settings.get("model", ""), settings.get("only", [])) == ("m", None)


def test_a_broken_file_is_named_and_the_others_count(system_wide: Write) -> None:
    system_wide("c.JmuzMagics.only = ['campus']")
    broken = system_wide("1 / 0", folder=0)
    settings = AdministratorSettings()
    assert settings.get("only", []) == ["campus"]
    assert settings.problem.startswith(f"{broken} raised ZeroDivisionError")


@pytest.mark.threat(27)
@pytest.mark.parametrize("readable", [True, False])
def test_a_file_that_may_hold_settings_and_cannot_be_executed_counts_as_unreadable(
    system_wide: Write, monkeypatch: pytest.MonkeyPatch, readable: bool
) -> None:
    system_wide("load_subconfig('more.py')" if readable else "raise PermissionError(13, 'Permission denied')")
    system_wide("1 / 0", "more.py")
    if not readable:  # as for a user; tests may run as root, whom nothing is denied

        def denied(*_: object, **__: object) -> str:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "read_text", denied)
    assert AdministratorSettings().unreadable

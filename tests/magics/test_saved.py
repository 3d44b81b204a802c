"""The file of saved choices: private, whole, and never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jmuz_magic.conversation.selection import get_selection
from jmuz_magic.magics.saved import SavedChoices
from tests.magics.loaded import UserShell


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "choices.json"


def test_what_is_saved_is_found_by_the_next_session(path: Path) -> None:
    assert SavedChoices(path).section("use") == {}
    assert SavedChoices(path).save("use", {"provider": "ollama"})
    assert SavedChoices(path).save("aliases", {"a": {"model": "é"}})
    saved = SavedChoices(path)
    assert saved.section("use") == {"provider": "ollama"}
    assert saved.section("aliases") == {"a": {"model": "é"}}


def test_reading_makes_no_file(path: Path) -> None:
    SavedChoices(path).section("use")
    assert not path.parent.exists()


@pytest.mark.threat(21)
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_only_the_user_can_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        SavedChoices(path).save("use", {"provider": "ollama"})
    finally:
        os.umask(before)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}


@pytest.mark.fault(61)
@pytest.mark.parametrize("text", ["{", "", "[1]", "null", '"x"', "\x00"])
def test_a_file_that_is_no_json_of_ours_is_set_aside(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    saved = SavedChoices(path)
    with pytest.warns(UserWarning, match="were renamed"):
        assert saved.section("use") == {}
    assert path.with_suffix(".bad").read_text("utf-8") == text
    assert saved.save("use", {"provider": "ollama"})
    assert SavedChoices(path).section("use") == {"provider": "ollama"}


@pytest.mark.fault(61)
def test_a_file_that_cannot_be_set_aside_is_left_alone(path: Path) -> None:
    path.with_suffix(".bad").mkdir(parents=True)
    path.write_text("{", "utf-8")
    saved = SavedChoices(path)
    with pytest.warns(UserWarning, match="cannot be renamed"):
        assert saved.section("use") == {}
    with pytest.warns(UserWarning, match="cannot be renamed"):
        assert not saved.save("use", {"provider": "ollama"})
    assert saved.section("use") == {"provider": "ollama"}, "it holds for this session"
    assert path.read_text("utf-8") == "{"


@pytest.mark.fault(61)
def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    text = json.dumps({"version": 99, "use": {"provider": "openai"}})
    path.write_text(text, "utf-8")
    saved = SavedChoices(path)
    with pytest.warns(UserWarning, match="newer version"):
        assert saved.section("use") == {}
    with pytest.warns(UserWarning, match="newer version"):
        assert not saved.save("use", {"provider": "ollama"})
    assert saved.section("use") == {"provider": "ollama"}, "it holds for this session"
    assert path.read_text("utf-8") == text


@pytest.mark.fault(61)
def test_sections_that_are_no_sections_are_empty(path: Path) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"version": 1, "use": [1], "aliases": "x", "version2": 3}), "utf-8")
    saved = SavedChoices(path)
    assert (saved.section("use"), saved.section("aliases"), saved.section("version")) == ({}, {}, {})
    assert saved.change("aliases", lambda section: {**section, "a": 1})
    assert json.loads(path.read_text("utf-8"))["version2"] == 3, "what is not known is kept"


@pytest.mark.fault(61)
def test_where_no_directory_can_be_made_it_costs_a_warning(path: Path) -> None:
    saved = SavedChoices(path)
    assert saved.section("use") == {}
    path.parent.write_text("a file in its place")
    with pytest.warns(UserWarning, match="not saved, valid for this session only"):
        assert not saved.save("use", {"provider": "ollama"})
    assert saved.section("use") == {"provider": "ollama"}


@pytest.mark.fault(61)
def test_a_full_disk_leaves_the_old_file_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SavedChoices(path).save("use", {"provider": "openai"})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    saved = SavedChoices(path)
    monkeypatch.setattr(Path, "replace", full)
    with pytest.warns(UserWarning, match="No space left on device"):
        assert not saved.save("use", {"provider": "ollama"})
    assert saved.section("use") == {"provider": "ollama"}
    assert SavedChoices(path).section("use") == {"provider": "openai"}
    assert {file.name for file in path.parent.iterdir()} == {"choices.json", "choices.lock"}


SAVE = """
import sys
from pathlib import Path
from jmuz_magic.magics.saved import SavedChoices

saved = SavedChoices(Path(sys.argv[1]))
for number in range(50):
    assert saved.change("aliases", lambda section: {**section, f"{sys.argv[2]}{number}": {"model": "m"}})
"""


@pytest.mark.fault(62)
def test_two_kernels_that_save_at_once_lose_nothing(path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", SAVE, str(path), name]) for name in "ab"]
    assert [process.wait(60) for process in running] == [0, 0]
    expected = {f"{name}{number}" for name in "ab" for number in range(50)}
    assert SavedChoices(path).section("aliases").keys() == expected


@pytest.mark.finding("D8")
@pytest.mark.parametrize("version", ["one", None, [1]])
def test_a_file_whose_version_is_no_number_is_set_aside(path: Path, version: object) -> None:
    path.parent.mkdir()
    path.write_text(json.dumps({"version": version, "use": {"provider": "ollama"}}), "utf-8")
    with pytest.warns(UserWarning, match="were renamed"):
        assert SavedChoices(path).section("use") == {}


@pytest.mark.finding("D8")
@pytest.mark.parametrize(
    "use",
    [
        {"provider": 3},
        {"provider": "jmuz", "model": ["m"]},
        {"provider": "jmuz", "key_env": 5},
        {"provider": "jmuz", "api_base": ["http://127.0.0.1:9"]},
    ],
)
def test_choices_edited_into_wrong_types_are_one_line_and_nobody_is_asked(
    use: dict[str, object], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    home = tmp_path / "config" / "jmuz_magic"
    home.mkdir(parents=True)
    (home / "choices.json").write_text(json.dumps({"version": 1, "use": use}), "utf-8")
    user: UserShell = request.getfixturevalue("user")
    member = list(use)[-1]
    assert user.refusal("%jmuz_use").startswith(f"%jmuz_use: choices.json: expected text as {member} of use, got ")
    assert "no endpoint is configured" in user.refusal("%%jmuz\nhi")
    assert "demo" in user.line("%jmuz_use demo")


def test_plain_http_is_allowed_by_true_alone(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    home = tmp_path / "config" / "jmuz_magic"
    home.mkdir(parents=True)
    use = {"provider": "jmuz", "api_base": "http://example.com/v1", "allow_http": "false"}
    (home / "choices.json").write_text(json.dumps({"version": 1, "use": use}), "utf-8")
    user: UserShell = request.getfixturevalue("user")
    user.line("%jmuz_use")
    choice = get_selection().choice
    assert choice
    assert not choice.allow_http

"""What `%jmuz_record` says where there is little to say."""

from __future__ import annotations

from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from tests.magics.loaded import UserShell


def test_turning_off_what_is_not_on_is_no_error(user: UserShell) -> None:
    assert user.line("%jmuz_record --off").startswith("no recording is in use")
    assert "expected a file to replay" in user.refusal("%jmuz_record --only")


def test_only_what_is_unused_is_listed(user: UserShell, tmp_path: Path) -> None:
    user.line("%jmuz_use demo:demo-echo")
    use = f"%jmuz_record {tmp_path / 'chat.jmuz.jsonl'}"
    user.line(use)
    user.line("%jmuz hi")
    assert "\n" not in user.line("%jmuz_record")
    user.line(use)
    assert "1 recorded reply not yet used:" in user.line("%jmuz_record")


def test_what_the_default_model_answered_is_listed_with_its_name(user: UserShell, tmp_path: Path) -> None:
    user.line("%jmuz_use demo")
    use = f"%jmuz_record {tmp_path / 'chat.jmuz.jsonl'}"
    user.line(use)
    user.line("%jmuz hi")
    user.line(use)
    assert "demo-chat" in user.line("%jmuz_record").splitlines()[-1]


@pytest.fixture
def asking(user: UserShell, demo_endpoint: DemoServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UserShell:
    """A user whose cells ask the demo endpoint, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    return user


@pytest.mark.finding("D7")
@pytest.mark.parametrize("before", ["", "%jmuz_record before.jmuz.jsonl", "%jmuz_record --off"])
@pytest.mark.parametrize(
    "line", ["missing.jmuz.jsonl --only", "broken.jmuz.jsonl --only", "--only missing/x.jmuz.jsonl"]
)
def test_only_that_fails_asks_nobody(
    asking: UserShell, demo_endpoint: DemoServer, tmp_path: Path, before: str, line: str
) -> None:
    (tmp_path / "broken.jmuz.jsonl").write_text("<<<<<<< HEAD\n")
    asking.run(before)
    refusal = asking.refusal(f"%jmuz_record {line}")
    assert not asking.run("%%jmuz -m demo-echo\nprivate").ok
    assert not demo_endpoint.requests
    assert "no endpoint is asked" in refusal
    asking.line("%jmuz_record --off")
    assert asking.run("%%jmuz -m demo-echo\npublic").ok


@pytest.mark.finding("D7")
def test_only_without_a_file_asks_nobody(asking: UserShell, demo_endpoint: DemoServer) -> None:
    assert "expected a file to replay" in asking.refusal("%jmuz_record --only")
    said = asking.run("%%jmuz -m demo-echo\nprivate").text
    assert not demo_endpoint.requests
    assert "no recording is named" in said


@pytest.mark.finding("D7")
def test_another_file_that_fails_while_only_replays_asks_nobody(asking: UserShell, demo_endpoint: DemoServer) -> None:
    asking.line("%jmuz_record kept.jmuz.jsonl")
    asking.line("%%jmuz -m demo-echo\nkept")
    asking.line("%jmuz_record --only")
    assert "there is no recording other.jmuz.jsonl" in asking.refusal("%jmuz_record other.jmuz.jsonl")
    assert not asking.run("%%jmuz -m demo-echo\nkept").ok
    assert len(demo_endpoint.requests) == 1


@pytest.mark.parametrize("line", ["broken.jmuz.jsonl", "missing/x.jmuz.jsonl --auto"])
def test_auto_that_fails_leaves_what_is_in_use(
    asking: UserShell, demo_endpoint: DemoServer, tmp_path: Path, line: str
) -> None:
    (tmp_path / "broken.jmuz.jsonl").write_text("<<<<<<< HEAD\n")
    asking.line("%jmuz_record kept.jmuz.jsonl")
    asking.refusal(f"%jmuz_record {line}")
    assert asking.line("%jmuz_record").startswith("kept.jmuz.jsonl: recorded replies are replayed")


@pytest.mark.finding("A24")
@pytest.mark.parametrize(
    "off", ["%jmuz_record --off", "%jmuz_record first.jmuz.jsonl --off", "%config JmuzMagics.replay = 'off'"]
)
def test_naming_a_file_ends_off(asking: UserShell, demo_endpoint: DemoServer, tmp_path: Path, off: str) -> None:
    asking.line("%jmuz_record first.jmuz.jsonl")
    asking.run(off)
    said = asking.line("%jmuz_record chat.jmuz.jsonl")
    assert said == "chat.jmuz.jsonl: recorded replies are replayed; other prompts are sent and their replies recorded"
    asking.line("%%jmuz -m demo-echo\nhello")
    assert (tmp_path / "chat.jmuz.jsonl").read_text().count("\n") == 1


@pytest.mark.finding("A24")
def test_naming_a_file_ends_the_off_of_the_environment(
    asking: UserShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JMUZ_REPLAY", "off")
    asking.line("%jmuz_record chat.jmuz.jsonl")
    asking.line("%%jmuz -m demo-echo\nhello")
    assert (tmp_path / "chat.jmuz.jsonl").exists()


def test_naming_a_file_does_not_end_only(asking: UserShell, demo_endpoint: DemoServer, tmp_path: Path) -> None:
    (tmp_path / "empty.jmuz.jsonl").touch()
    asking.line("%jmuz_record empty.jmuz.jsonl --only")
    asking.line("%jmuz_record empty.jmuz.jsonl")
    assert not asking.run("%%jmuz -m demo-echo\nhello").ok
    assert not demo_endpoint.requests

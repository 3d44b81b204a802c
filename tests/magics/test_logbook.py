"""What `%jmuz_record` says where there is little to say."""

from __future__ import annotations

from pathlib import Path

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

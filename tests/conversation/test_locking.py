from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from jmuz_magic.errors import JmuzError
from jmuz_magic.storage import locking
from jmuz_magic.storage.locking import locked
from jmuz_magic.storage.replacing import replaced


def test_threads_hold_the_lock_one_after_another(tmp_path: Path) -> None:
    path = tmp_path / "counter"
    path.write_text("0")

    def count() -> None:
        for _ in range(50):
            with locked(path):
                number = int(path.read_text())
                with replaced(path) as file:  # the file that others wait for is no longer the same
                    file.write(str(number + 1).encode())

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() == "200"


def test_a_lock_on_a_file_that_was_replaced_meanwhile_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    try_lock, tried = locking._try_lock, list[int]()

    def replace_first(descriptor: int) -> bool:
        if not tried:
            with replaced(path) as file:
                file.write(b"new")
        tried.append(os.fstat(descriptor).st_ino)
        return try_lock(descriptor)

    monkeypatch.setattr(locking, "_try_lock", replace_first)
    with locked(path):
        assert len(tried) == 2
        assert tried[-1] == path.stat().st_ino


def test_patience_ends(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path), pytest.raises(JmuzError, match="lock is in use by another process"), locked(path, patience=0.1):
        pass
    with locked(path, patience=0):
        pass


def test_a_failed_replacement_leaves_the_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail() -> None:
        with replaced(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]

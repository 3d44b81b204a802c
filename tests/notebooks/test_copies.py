"""Copies of the shipped notebooks: new ones come, edits stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from notebooks.tools.copies import refresh


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("a.ipynb", "b.ipynb", "a.jmuz.jsonl", "a.png"):
        (folder / name).write_text(f"{name}, as shipped")
    (folder / "notes.txt").write_text("no part of it")
    return folder


def test_everything_that_a_notebook_needs_is_copied(shipped: Path, tmp_path: Path) -> None:
    assert refresh(shipped, tmp_path / "demo") == []
    copied = {path.name for path in (tmp_path / "demo").iterdir() if path.is_file()}
    assert copied == {"a.ipynb", "b.ipynb", "a.jmuz.jsonl", "a.png"}


def test_an_edited_copy_stays_and_is_named_only_where_a_newer_notebook_came(shipped: Path, tmp_path: Path) -> None:
    copies = tmp_path / "demo"
    refresh(shipped, copies)
    (copies / "a.ipynb").write_text("edited")
    (copies / "b.ipynb").write_text("edited, too")
    assert refresh(shipped, copies) == []
    (shipped / "a.ipynb").write_text("newer")
    for _ in range(2):
        assert refresh(shipped, copies) == ["a.ipynb"]
        assert [(copies / name).read_text() for name in ("a.ipynb", "b.ipynb")] == ["edited", "edited, too"]


def test_a_copy_that_nobody_edited_becomes_the_newer_notebook(shipped: Path, tmp_path: Path) -> None:
    copies = tmp_path / "demo"
    refresh(shipped, copies)
    (shipped / "a.ipynb").write_text("newer")
    assert refresh(shipped, copies) == []
    assert (copies / "a.ipynb").read_text() == "newer"


def test_a_copy_that_was_deleted_comes_again(shipped: Path, tmp_path: Path) -> None:
    copies = tmp_path / "demo"
    refresh(shipped, copies)
    (copies / "a.ipynb").unlink()
    refresh(shipped, copies)
    assert (copies / "a.ipynb").read_text() == "a.ipynb, as shipped"


def test_a_file_of_the_readers_own_of_that_name_is_never_replaced(shipped: Path, tmp_path: Path) -> None:
    copies = tmp_path / "demo"
    copies.mkdir()
    (copies / "a.ipynb").write_text("mine")
    assert refresh(shipped, copies) == ["a.ipynb"]
    assert (copies / "a.ipynb").read_text() == "mine"

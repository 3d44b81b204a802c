"""Environments of their own, by name."""

from __future__ import annotations

from pathlib import Path

from notebooks.tools.environments import kept


def test_an_environment_is_not_that_of_a_longer_name(tmp_path: Path) -> None:
    for name in ("llm-0123456789ab", "llm-mock-api-0123456789ab", "llm-mock-api.lock", "llm.lock"):
        (tmp_path / name).mkdir()
    assert [each.name for each in kept(tmp_path, "llm")] == ["llm-0123456789ab"]
    assert [each.name for each in kept(tmp_path, "llm-mock-api")] == ["llm-mock-api-0123456789ab"]

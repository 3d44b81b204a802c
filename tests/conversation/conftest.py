"""A log of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jmuz_magic.log.log import ExchangeLog
from tests.conversation.exchanges import new_log


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ExchangeLog]:
    log, said = new_log(tmp_path / "data" / "exchanges.sqlite3")
    yield log
    log.close()
    assert all("is logged" in line or "are logged" in line for line in said), said

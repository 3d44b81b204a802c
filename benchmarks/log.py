"""What the exchange log costs: a delta on its way, the first one, a search, loading."""

from __future__ import annotations

import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.table import Section
from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.log.log import exchange_log
from jmuz_magic.log.rows import insert
from jmuz_magic.log.store import connect
from jmuz_magic.messages import Chunk, FinishReason
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.storage.database import transaction
from jmuz_magic.streaming.bridge import close_bridge, get_bridge

__all__ = ["log_section"]

NOTE = """\
A provider in the same process yields deltas of 4 characters; a reader takes them through the bridge as a cell does,
with the log on and off in turn, {rounds} rounds each, medians. `delta to reader` is the time from the `yield` to the
reader's hands at 200 deltas/s. The first delta waits for the log's row to be on disk, so that it is there when the
request leaves. Searches read 100,000 exchanges (415 MB, more than the log keeps by default) without an index."""
COLUMNS = ("what", "without log", "with log", "difference")
WORDS = "the of a matrix list value python data frame index plot error function returns call with and for in"
ROUNDS = 7
PACED, FLOOD = 400, 50_000
EXCHANGES = 100_000
SEARCHES = {"found last": "needle", "found nowhere": "nowhere", "two words, the second nowhere": "matrix nowhere",
            "not ASCII": "nirgendwö"}  # fmt: skip


class Source(OpenaiTemplate):
    """Yields times as deltas: when each was yielded."""

    api_base = "http://127.0.0.1:9/v1"
    deltas: ClassVar[int] = 1
    pause: ClassVar[float] = 0.0

    @classmethod
    async def create_async_generator(cls, *arguments: Any, **options: Any) -> AsyncGenerator[Chunk, None]:
        import asyncio

        for _ in range(cls.deltas):
            if cls.pause:
                await asyncio.sleep(cls.pause)
            yield f"{time.perf_counter():.6f} " if cls.pause else "text"
        yield FinishReason("stop")


def log_section(exchanges: int = EXCHANGES) -> Section:
    """The table; takes about a minute."""
    section = Section("Exchange log", NOTE.format(rounds=ROUNDS), COLUMNS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.sqlite3"
        _compare(section, path, "delta to reader, median, µs", _delay(50), 1e6)
        _compare(section, path, "delta to reader, p99, µs", _delay(99), 1e6)
        _compare(section, path, "CPU per delta in a flood of 50,000, µs", _flood, 1e6)
        _compare(section, path, "question to first delta, ms", _first, 1e3)
        section.rows.append(["`append` of one delta, ns", "", f"{_append(path) * 1e9:.0f}", ""])
        _fill(path, exchanges)
        for what, words in SEARCHES.items():
            seconds = _timed(exchange_log.search, words)
            section.rows.append(
                [f"search over {exchanges:,} exchanges, {what}, CPU ms", "", f"{seconds * 1e3:.0f}", ""]
            )
        seconds = _timed(exchange_log.search, "")
        section.rows.append([f"list the latest 20 of {exchanges:,}, CPU ms", "", f"{seconds * 1e3:.1f}", ""])
        exchange_log.close()
    section.rows.append(["`%load_ext` opens the database", "", _load_opens(), ""])
    close_bridge()
    return section


def _compare(section: Section, path: Path, what: str, measure: Callable[[], float], scale: float) -> None:
    taken: dict[bool, list[float]] = {True: [], False: []}
    measure()
    for _ in range(ROUNDS):
        for on in (False, True):
            with _log(path if on else None):
                measure()  # opens the database, warms up
                taken[on].append(measure() * scale)
    off, on_ = (statistics.median(taken[on]) for on in (False, True))
    section.rows.append([what, f"{off:.2f}", f"{on_:.2f}", f"{on_ - off:+.2f}"])


@contextmanager
def _log(path: Path | None) -> Iterator[None]:
    exchange_log.on_message = lambda _: None
    exchange_log.configure(path or "off", max_bytes=2**40)
    yield
    exchange_log.close()


def _read() -> list[tuple[float, str]]:
    """All deltas of one turn, each with the time when the reader had it."""
    turn = Conversation("any", provider=Source, api_base=Source.api_base).turn("hello")
    came: list[tuple[float, str]] = []
    with get_bridge().stream(turn.chunks) as batches:
        for batch in batches:
            now = time.perf_counter()
            came += [(now, item) for item in batch if isinstance(item, str)]
    return came


def _delay(percentile: int) -> Callable[[], float]:
    def measure() -> float:
        Source.deltas, Source.pause = PACED, 0.005
        delays = sorted(at - float(text) for at, text in _read())
        return delays[len(delays) * percentile // 100]

    return measure


def _flood() -> float:
    Source.deltas, Source.pause = FLOOD, 0.0
    gc.collect()
    before = time.process_time()
    assert len(_read()) == FLOOD
    exchange_log.flush()
    return (time.process_time() - before) / FLOOD


def _first() -> float:
    Source.deltas, Source.pause = 1, 0.0
    taken = []
    for _ in range(20):
        start = time.perf_counter()
        taken.append(_read()[0][0] - start)
    return statistics.median(taken)


def _append(path: Path) -> float:
    with _log(path):
        turn = Conversation("any", provider=Source, api_base=Source.api_base).turn("hello")
        append = exchange_log.open(turn.request).append
        start = time.perf_counter()
        for _ in range(FLOOD):
            append("text")
        return (time.perf_counter() - start) / FLOOD


def _fill(path: Path, exchanges: int) -> None:
    """Replies of 2 kB, as a year of daily use leaves them; the first one holds the word that is looked for."""
    exchange_log.configure(path.with_name("full.sqlite3"), max_bytes=2**40)
    connection, _ = connect(path.with_name("full.sqlite3"))
    words = WORDS.split()
    generator = random.Random(0)
    texts = [" ".join(generator.choices(words, k=400)) for _ in range(200)]
    row = {"asked_at": "2025-01-01T00:00:00+00:00", "state": "complete", "writer": "x 1", "heard": 0.0}
    row |= {"provider": "OpenaiTemplate", "origin": "https://api.openai.com", "model": "gpt-4o"}
    with transaction(connection):
        for number in range(exchanges):
            text = generator.choice(texts)
            prompt = text[:60] if number else "needle"
            insert(connection, row | {"text": text, "prompt": prompt, "request": json.dumps({"messages": [prompt]})})
    connection.close()


def _timed(function: Callable[[str], object], argument: str) -> float:
    """CPU seconds: what a quiet machine takes."""
    taken = []
    for _ in range(5):
        start = time.process_time()
        function(argument)
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def _load_opens() -> str:
    program = (
        "import sys\n"
        "from IPython.testing.globalipapp import start_ipython\n"
        "start_ipython().run_line_magic('load_ext', 'jmuz_magic')\n"
        "from jmuz_magic import exchange_log\n"
        "opened = exchange_log.path.exists() or 'jmuz_magic.log.store' in sys.modules\n"
        "print('yes' if opened else 'no')"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"JMUZ_LOG": f"{folder}/log.sqlite3", "IPYTHONDIR": folder}
        done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    return done.stdout.strip() or done.stderr[-200:]

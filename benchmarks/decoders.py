"""What the decoders and the cleaner cost for themselves, without a network."""

from __future__ import annotations

import contextlib
import gc
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from benchmarks.endpoint import body_of
from benchmarks.table import Budget, Section, interval
from jmuz_magic.demo.scripts import long_text
from jmuz_magic.providers.dialects.chat.reader import ReplyReader
from jmuz_magic.streaming.adverts.cleaner import AdvertCleaner
from jmuz_magic.streaming.sse import SSEDecoder

__all__ = ["decoders_section"]

NOTE = """\
CPU time in µs for each delta of 4 characters, or each event, medians and spreads of {rounds} rounds of {deltas:,}, all
in turn. The text is the demo endpoint's long one, with code, tables and links; the events are those of the first table.
The least that a cleaner can cost is a method that returns what it gets. Budget of the cleaner: 0.4 µs."""
COLUMNS = ("what", "µs")
DELTAS = 50_000
LIMIT = 0.4
CLEANER = "`AdvertCleaner.feed`"


class Nothing:
    """A cleaner that removes nothing."""

    def feed(self, delta: str) -> str:
        return delta


def decoders_section(full: bool) -> Section:
    """Measure; takes about half a minute."""
    rounds = 15 if full else 7
    section = Section("Decoders and cleaner", NOTE.format(rounds=rounds, deltas=DELTAS), COLUMNS)
    subjects = dict(all_subjects())
    taken: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, work in subjects.items():
            gc.collect()
            start = time.process_time()
            work()
            taken[name].append((time.process_time() - start) / DELTAS * 1e6)
    for name, values in taken.items():
        section.add(name, interval(values, 3))
    section.budgets.append(Budget("Cleaner, per delta", LIMIT, sorted(taken[CLEANER])[rounds // 2], "µs"))
    return section


def all_subjects() -> Iterator[tuple[str, Callable[[], object]]]:
    deltas = cut(long_text(), 4)
    advert = cut("Join for free https://discord.gg/abc\n\n" + long_text(), 4)
    body = body_of("plain", DELTAS)
    events = [event + b"\n\n" for event in body.split(b"\n\n")[:-1]]
    pieces = [body[start : start + 16384] for start in range(0, len(body), 16384)]
    yield "a method that returns its argument", lambda: feed_all(Nothing(), deltas)
    yield CLEANER, lambda: feed_all(AdvertCleaner(), deltas)
    yield f"{CLEANER}, a reply that begins with an advert", lambda: feed_all(AdvertCleaner(), advert)
    yield r"`bytes.split` at blank lines, 16 KiB a time", lambda: split_all(pieces)
    yield "`SSEDecoder.feed`, 16 KiB a time", lambda: feed_all(SSEDecoder(), pieces)
    yield "`SSEDecoder.feed`, an event a time", lambda: feed_all(SSEDecoder(), events)
    yield "`SSEDecoder` and `ReplyReader`, 16 KiB a time: bytes to text", lambda: read_all(pieces)
    yield "`json.loads` alone", lambda: load_all(events)
    with contextlib.suppress(ImportError):
        yield "httpx-sse: lines and its decoder, 16 KiB a time", httpx_sse(pieces)
    with contextlib.suppress(ImportError):
        yield "openai-python: its decoder, 16 KiB a time", openai(pieces)


def cut(text: str, size: int) -> list[str]:
    """As many deltas as are measured; the text begins again where it ends."""
    once = [text[start : start + size] for start in range(0, len(text), size)]
    return (once * (DELTAS // len(once) + 1))[:DELTAS]


def feed_all(decoder: Any, pieces: Sequence[Any]) -> None:
    feed = decoder.feed
    for piece in pieces:
        feed(piece)


def split_all(pieces: Sequence[bytes]) -> None:
    rest = b""
    for piece in pieces:
        *_, rest = (rest + piece).split(b"\n\n")


def read_all(pieces: Sequence[bytes]) -> None:
    decoder, reader = SSEDecoder(), ReplyReader("", str)
    for piece in pieces:
        reader.read(decoder.feed(piece))


def load_all(events: Sequence[bytes]) -> None:
    for event in events[:-1]:  # the last is [DONE]
        json.loads(event[6:])


def httpx_sse(pieces: Sequence[bytes]) -> Callable[[], object]:
    from httpx_sse._decoders import SSEDecoder as Decoder

    def work() -> None:
        decoder, rest = Decoder(), ""
        for piece in pieces:
            *lines, rest = (rest + piece.decode()).split("\n")
            for line in lines:
                decoder.decode(line)

    return work


def openai(pieces: Sequence[bytes]) -> Callable[[], object]:
    from openai._streaming import SSEDecoder as Decoder

    def work() -> None:
        for _ in Decoder().iter_bytes(iter(pieces)):
            pass

    return work

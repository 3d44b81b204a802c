"""Recorded streams of the dialects Responses and Messages, read by a provider from two pieces cut at any place."""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import pytest

from jmuz_magic.providers.http import transport
from jmuz_magic.providers.http.response import Response
from jmuz_magic.providers.openai_template import OpenaiTemplate
from tests.providers.asking import Answer, collect

__all__ = ["Recorded", "places", "read_cut", "recorded"]

SMALL = 10_000  # bytes; below it a stream is cut at every place
SOME = 200
STRIDE = 1 if os.environ.get("JMUZ_REQUIRE_ALL") == "1" else 11  # all places of all streams take some minutes


@dataclass(frozen=True)
class Recorded:
    """A recorded body, and what an independent reader found in it."""

    name: str
    body: bytes
    facts: dict[str, Any]


def recorded(test_data: Path, dialect: str) -> list[Recorded]:
    """All recorded streams of a dialect (`responses` or `messages`)."""
    folder = test_data / "dialects"
    facts = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    found = [each for each in facts if each["file"].startswith(f"{dialect}/")]
    return [Recorded(each["file"], (folder / each["file"]).read_bytes(), each) for each in found]


def places(body: bytes) -> list[int]:
    """Where to cut a body: everywhere if it is small, else at some places that are always the same.

    Without `JMUZ_REQUIRE_ALL=1` only a part of them, from another one on for each body.
    """
    dice = random.Random(len(body))
    everywhere = range(1, len(body))
    return sorted(everywhere if len(body) < SMALL else dice.sample(everywhere, SOME))[dice.randrange(STRIDE) :: STRIDE]


class TwoReads:
    """An answer that hands out a body in two reads, as `Response` does; a socket would join them as it likes."""

    content_type = "text/event-stream"

    def __init__(self, body: bytes, place: int) -> None:
        self._pieces = [body[:place], body[place:]]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def read(self) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""

    def touch(self) -> None: ...
    def expect_end(self, ending: bool) -> None: ...
    def close(self) -> None: ...
    def release(self) -> None: ...


def read_cut(provider: type[OpenaiTemplate], body: bytes, cuts: Iterable[int]) -> list[Answer]:
    """What the provider makes of this body, got in two reads; one answer for each place to cut it at."""
    places = list(cuts)
    ahead = iter(places)

    async def open_cut(*_: Any) -> Response:
        return cast("Response", TwoReads(body, next(ahead)))

    async def read_all() -> list[Answer]:
        return [await collect(provider, api_base="http://127.0.0.1:9/v1") for _ in places]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "open_response", open_cut)
        return asyncio.run(read_all())

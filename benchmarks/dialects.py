"""What a chunk costs in each dialect: CPU time of our readers, beside that of the packages of the services."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, ClassVar

from benchmarks.clients import KEY, MESSAGES, MODEL, AsyncClient, Openai, OursPlain, available
from benchmarks.table import Budget, Section, interval

__all__ = ["dialects_section"]

NOTE = """\
As above, for replies of {count:,} chunks: ours through `OpenaiTemplate`, without the cleaner, in each dialect, beside
`openai` and `anthropic`. Medians of {rounds} rounds, all in turn in each; `to chat` is the ratio to our reader of chat
completions (budget: 1.3), `package to ours` that of the service's package to our reader of the same dialect (budget: at
least 10)."""
COUNT = 10_000
MOST, LEAST = 1.3, 10
READS = {"pieces": "16 KiB", "events": "an event a write"}


class OpenaiResponses(Openai):
    """openai-python, Responses."""

    async def stream(self, base: str) -> AsyncGenerator[Any, None]:
        async for event in await self.client(base).responses.create(model=MODEL, input="hello", stream=True):
            if event.type == "response.output_text.delta":
                yield event.delta


class AnthropicPackage(AsyncClient):
    """anthropic-sdk-python, as its documentation shows it."""

    def __init__(self) -> None:
        import anthropic

        super().__init__()
        self._clients: dict[str, Any] = {}
        self._make: Any = anthropic.AsyncAnthropic

    async def stream(self, base: str) -> AsyncGenerator[Any, None]:
        client = self._clients.get(base)
        if client is None:
            client = self._clients[base] = self._make(api_key=KEY, base_url=base, timeout=None, max_retries=0)
        events = await client.messages.create(model=MODEL, max_tokens=COUNT, messages=MESSAGES, stream=True)
        async for event in events:
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                yield event.delta.text

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.close()


class Ours(OursPlain):
    """`OpenaiTemplate` in a dialect."""

    dialect: ClassVar[str] = ""

    def stream(self, base: str) -> AsyncGenerator[Any, None]:
        chunks: AsyncGenerator[Any, None] = self._provider.create_async_generator(
            MODEL, MESSAGES, api_base=base, dialect=self.dialect
        )
        return chunks


class OurChat(Ours):
    dialect = "chat"


class OurResponses(Ours):
    dialect = "responses"


class OurMessages(Ours):
    dialect = "anthropic"


@dataclass(frozen=True)
class Pair:
    """One dialect: what its payload is called, our reader, and the package."""

    name: str
    payload: str
    ours: type[Ours]
    package: type[AsyncClient]


PAIRS = (
    Pair("chat completions", "plain", OurChat, Openai),
    Pair("Responses", "responses", OurResponses, OpenaiResponses),
    Pair("Messages", "messages", OurMessages, AnthropicPackage),
)


def dialects_section(base: str, full: bool) -> Section:
    """Measure; takes two minutes."""
    rounds = 15 if full else 9
    columns = ("dialect, reads", "jmuz_magic", "to chat", "package", "package to ours")
    section = Section("CPU per chunk, by dialect", NOTE.format(count=COUNT, rounds=rounds), columns)
    clients = {kind: found for pair in PAIRS for kind in (pair.ours, pair.package) for found in available(kind)}
    for reads, words in READS.items():
        taken = measure(clients, base, reads, rounds)
        for pair in PAIRS:
            add_row(section, pair, words, taken)
    for client in clients.values():
        client.close()
    return section


def measure(clients: dict[Any, Any], base: str, reads: str, rounds: int) -> dict[Any, list[float]]:
    taken: dict[Any, list[float]] = {kind: [] for kind in clients}
    for number in range(rounds + 1):
        for pair in PAIRS:
            for kind in filter(clients.__contains__, (pair.ours, pair.package)):
                gc.collect()
                before = time.process_time()
                characters = clients[kind].read(f"{base}/{pair.payload}/{COUNT}/{reads}")
                assert characters == 4 * COUNT, (kind, characters)
                if number:  # the first round imports, and opens connections
                    taken[kind].append((time.process_time() - before) / COUNT * 1e6)
    return taken


def add_row(section: Section, pair: Pair, words: str, taken: dict[Any, list[float]]) -> None:
    ours, chat, package = (taken.get(kind, []) for kind in (pair.ours, OurChat, pair.package))
    to_chat = [mine / its for mine, its in zip(ours, chat, strict=True)]
    to_ours = [its / mine for its, mine in zip(package, ours, strict=bool(package))]
    cost = f"{statistics.median(package):.2f}" if package else "not had"
    section.add(
        f"{pair.name}, {words}",
        f"{statistics.median(ours):.2f}",
        interval(to_chat),
        cost,
        interval(to_ours, 1) if to_ours else "",
    )
    if pair.ours is not OurChat:
        what = f"CPU per chunk, {pair.name}, {words}"
        section.budgets.append(Budget(f"{what}: to our chat", MOST, statistics.median(to_chat)))
        share = statistics.median(1 / ratio for ratio in to_ours) if to_ours else None
        section.budgets.append(Budget(f"{what}: to the package", 1 / LEAST, share, why="the package is not installed"))

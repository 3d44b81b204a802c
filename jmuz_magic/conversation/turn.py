"""One turn: a prompt with its reply, from the request to the end of the stream."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from jmuz_magic.conversation.keepers import Keeper
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import (
    AdvertRemoved,
    Answered,
    Chunk,
    Citations,
    Fact,
    FinishReason,
    Image,
    Message,
    ModelPicked,
    Notice,
    OnNotice,
    OptionLeftOut,
    Reasoning,
    Reply,
    Retry,
    ToolCalls,
    Unshown,
    Usage,
)
from jmuz_magic.providers.base import Leaving
from jmuz_magic.request.request import Request, State

if TYPE_CHECKING:
    from jmuz_magic.log.exchange import ExchangeState
    from jmuz_magic.recordings.line import RecordedExchange
    from jmuz_magic.request.cell import Cell

__all__ = ["Turn"]


class Turn:
    """A prompt with its reply; `chunks()` runs it, once.

    Attributes:
        request: what was asked.
        prompt: the user's message, the last of the request.
        state: `waiting` before the first chunk, then `streaming`, then one of the four ends.
        error: what ended a `failed` turn.
        omitted: the number of earlier turns left out because the conversation is long.
        replacing: the turn that is removed if this one ends well, or None.
        in_place: whether the turns after `replacing` stay; otherwise they are removed with it.
        cell: the cell that asks; None if unknown, or if no cell asks.
        wording: the prompt by which an earlier turn of the cell is recognised.
        replaced: what was removed when this turn entered the conversation, in order.
        is_set_aside: whether the turn that it was to replace stayed, so that this one is not sent with later ones.
        entry: the order in which turns entered their conversations; 0 for one that has not.
        recorded: the recorded exchange that answers in place of the endpoint, or None. Before the turn runs, the one
            that would answer now.
    """

    def __init__(
        self,
        request: Request,
        *,
        on_start: Callable[[Turn], None],
        on_chunk: Callable[[Turn, Chunk | Notice], None],
        on_end: Callable[[Turn], None],
        omitted: int = 0,
        replacing: Turn | None = None,
        in_place: bool = False,
        cell: Cell | None = None,
        wording: Message | None = None,
        recorded: RecordedExchange | None = None,
        keepers: Sequence[Keeper] = (),
    ) -> None:
        self.request = request
        self.prompt = request.messages[-1]
        self.state: State = "waiting"
        self.error: JmuzError | None = None
        self.omitted = omitted
        self.replacing, self.in_place = replacing, in_place
        self.cell, self.wording = cell, wording or self.prompt
        self.replaced: tuple[Turn, ...] = ()
        self.is_set_aside = False
        self.entry = 0
        self.recorded = recorded
        self._keepers = keepers
        self._opened: list[Keeper] = []
        self._on_start, self._on_chunk, self._on_end = on_start, on_chunk, on_end
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._removed: list[str] = []
        self._facts = Reply("", messages=request.messages)
        self._started: float | None = None
        self._final: Reply | None = None

    @property
    def reply(self) -> Reply:
        """The reply so far; readable from any thread at any time, and a single object once the turn has ended."""
        return self._final or self._snapshot()

    def _snapshot(self) -> Reply:
        facts = self._facts
        if facts.finish_reason is None and self.state in ("interrupted", "failed"):
            facts = replace(facts, finish_reason="error" if self.state == "failed" else "interrupted")
        return replace(
            facts,
            text="".join(self._text),
            reasoning="".join(self._reasoning),
            removed_adverts=tuple(self._removed),
            elapsed=facts.elapsed or self._elapsed(),
        )

    @property
    def ended(self) -> bool:
        """Whether the turn is over."""
        return self.state not in ("waiting", "streaming")

    @property
    def origin(self) -> str:
        """Scheme, host and port that the reply came from, recorded or not; "" if unknown."""
        if self.recorded:
            return self.recorded.origin
        return self.request.endpoint.origin if self.request.endpoint else ""

    @property
    def is_remembered(self) -> bool:
        """Whether it may be sent with later turns.

        Not if it failed, was filtered or set aside, or has neither text nor tool calls: services refuse such messages,
        or fail again.
        """
        reply = self.reply
        if self.is_set_aside or self.state == "failed" or reply.finish_reason == "content_filter":
            return False
        return bool(reply.text.strip()) or (self.state != "interrupted" and bool(reply.tool_calls))

    @property
    def has_nothing(self) -> bool:
        """Whether it failed or was stopped before its reply began, so that all one can do is try again."""
        return self.state == "failed" or (self.state == "interrupted" and not self.reply.text)

    def give_up(self) -> None:
        """Mark a turn that was stopped before it ran as interrupted."""
        if self._started is None:
            self.state = "interrupted"

    async def chunks(self, on_notice: OnNotice | None = None) -> AsyncGenerator[Chunk, None]:
        """Ask, and yield the chunks; at the end the conversation may take the turn.

        Args:
            on_notice: is told of retries and removed adverts, on the loop's thread.

        Raises:
            JmuzError: the turn failed (`reply` keeps what had arrived), or the reply could not be recorded.
            RuntimeError: the turn has already run.
        """
        if self._started is not None:
            raise RuntimeError("a turn runs only once; create another with Conversation.turn()")
        self._started = time.monotonic()
        source: AsyncGenerator[Chunk, None] | None = None
        try:
            self._on_start(self)
            source = await self._open(on_notice)
            async for chunk in source:
                self._take(chunk)
                yield chunk
            await self._end("truncated" if self._facts.finish_reason == "truncated" else "complete")
        except JmuzError as error:
            if not self.ended:  # else the reply is complete but could not be kept
                self.error = error
                await self._end("failed")
            raise
        except (asyncio.CancelledError, GeneratorExit):
            if not self.ended:
                if source is not None:
                    await self._take_rest(source)
                await self._end("interrupted")
            raise
        finally:
            if source is not None:
                await source.aclose()
            if not self.ended:  # a bug of ours: the conversation must not stay busy
                await self._end("failed")

    async def _open(self, on_notice: OnNotice | None) -> AsyncGenerator[Chunk, None]:
        """The generator of the reply, after telling the keepers."""
        self.recorded = None
        for keeper in self._keepers:
            self._opened.append(keeper)  # first, so that a stop in the meantime closes it too
            self.recorded = await keeper.opened(self.request)
            if self.recorded:
                return self._replay(self.recorded)
        return self._ask(on_notice)

    async def _replay(self, recorded: RecordedExchange) -> AsyncGenerator[Chunk, None]:
        self._facts = replace(_without_chunks(recorded.reply), messages=self.request.messages)
        self._removed = list(recorded.reply.removed_adverts)
        for chunk in recorded.chunks():
            yield chunk

    def _ask(self, on_notice: OnNotice | None) -> AsyncGenerator[Chunk, None]:
        request = self.request
        assert request.endpoint is not None  # without an endpoint, a recording answers
        self._facts = replace(self._facts, model=request.resolved_model, provider=request.endpoint.provider_name)

        def notice(notice: Notice) -> None:
            self._note(notice)
            self._on_chunk(self, notice)
            if on_notice:
                on_notice(notice)

        return request.endpoint.provider.create_async_generator(
            model=request.model,
            messages=list(request.messages),
            stream=request.stream,
            **{"typed": {}, **request.connection.arguments, "on_notice": notice},
            **request.arguments,
        )

    def _note(self, notice: Notice) -> None:
        facts = self._facts
        match notice:
            case AdvertRemoved(text):
                self._removed.append(text)
            case Retry():
                self._facts = replace(facts, requests=facts.requests + 1)
            case OptionLeftOut(name, remembered):
                requests = facts.requests + (not remembered)
                self._facts = replace(facts, requests=requests, left_out=(*facts.left_out, name))
            case ModelPicked(model):
                self._facts = replace(facts, model=model)
                self._keep(notice)
            case _:
                assert_never(notice)

    def _take(self, chunk: Chunk) -> None:
        self.state = "streaming"
        match chunk:
            case str():
                self._text.append(chunk)
            case Reasoning(text):
                self._reasoning.append(text)
            case _:
                self._facts = _with_fact(self._facts, chunk)
        self._keep(chunk)
        self._on_chunk(self, chunk)

    def _keep(self, item: Chunk | ModelPicked) -> None:
        for keeper in self._opened:
            keeper.append(item)

    async def _take_rest(self, source: AsyncGenerator[Chunk, None]) -> None:
        """Take what was still held when the reader left: it belongs to the reply, though nobody reads it live."""
        with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, JmuzError):
            if (first := await source.athrow(Leaving())) is not None:  # None if it had not begun
                self._take(first)
            async for chunk in source:
                self._take(chunk)

    def _elapsed(self) -> float:
        return time.monotonic() - self._started if self._started is not None else 0.0

    async def _end(self, state: ExchangeState) -> None:
        """End the turn and close its keepers; every end passes through here."""
        if not self.recorded:
            self._facts = replace(self._facts, elapsed=self._elapsed())
        self.state = state
        self._final = self._snapshot()
        try:
            for keeper in reversed(self._opened):  # a recording, which may fail, is last
                await keeper.close(state, self.reply, str(self.error) if self.error else None)
        finally:
            self._on_end(self)


def _without_chunks(reply: Reply) -> Reply:
    """The reply, except for what is accumulated from chunks."""
    return replace(reply, tool_calls=(), citations=(), images=(), unshown=())


def _with_fact(reply: Reply, chunk: Fact) -> Reply:
    """The reply with what a chunk reports about it besides text and reasoning."""
    match chunk:
        case Usage():
            return replace(reply, usage=chunk)
        case FinishReason(reason, said):
            return replace(reply, finish_reason=reason, finish_said=said)
        case ToolCalls(calls):
            return replace(reply, tool_calls=reply.tool_calls + calls)
        case Answered(model, fingerprint, upstream):
            return replace(reply, answered_by=model, system_fingerprint=fingerprint, upstream=upstream)
        case Citations(citations):
            return replace(reply, citations=reply.citations + citations)
        case Image():
            return replace(reply, images=(*reply.images, chunk))
        case Unshown():
            return replace(reply, unshown=(*reply.unshown, chunk))
        case _:
            assert_never(chunk)

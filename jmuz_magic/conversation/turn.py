"""One turn: a prompt with its reply, from the request to the end of the stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import TYPE_CHECKING

from jmuz_magic.conversation.growing import GrowingReply
from jmuz_magic.conversation.keepers import Keeper, LogKeeper
from jmuz_magic.conversation.steps import (
    Sequel,
    Step,
    is_paused,
    joined,
    next_request,
    paused_follow,
    recorded_follow,
)
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import (
    Chunk,
    Message,
    ModelPicked,
    Notice,
    OnNotice,
    Reasoning,
    Reply,
)
from jmuz_magic.providers.base import Leaving
from jmuz_magic.request.request import Request, State

if TYPE_CHECKING:
    from jmuz_magic.log.exchange import ExchangeState
    from jmuz_magic.log.writer import FromLog, InLog
    from jmuz_magic.recordings.line import RecordedExchange
    from jmuz_magic.request.cell import Cell

__all__ = ["Turn"]


class Turn:
    """A prompt with its reply; `chunks()` runs it, once.

    Attributes:
        request: what was asked first.
        prompt: the user's message, the last of the request.
        state: `waiting` before the first chunk, then `streaming`, then one of the four ends.
        error: what ended a `failed` turn.
        omitted: the number of earlier turns left out because the conversation is long.
        replacing: the turn that is asked again, or None. If this one ends well, it begins a branch where that one is.
        in_place: whether it takes the place of `replacing` instead, and the turns after that stay.
        cell: the cell that asks; None if unknown, or if no cell asks.
        wording: the prompt by which an earlier turn of the cell is recognised.
        is_set_aside: whether the turn that it was to replace stayed, so that this one is not sent with later ones.
        entry: the order in which turns entered their conversations; 0 for one that has not.
        earlier: its first exchange, if it was read from the log when its conversation was resumed.
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
        sequel: Sequel | None = None,
        earlier: FromLog | None = None,
    ) -> None:
        self.request = request
        self.prompt = request.messages[-1]
        self.state: State = "waiting"
        self.error: JmuzError | None = None
        self.omitted = omitted
        self.replacing, self.in_place = replacing, in_place
        self.cell, self.wording = cell, wording or self.prompt
        self.is_set_aside = False
        self.entry = 0
        self.recorded = recorded
        self.earlier = earlier
        self._keepers, self._sequel = keepers, sequel
        self._on_start, self._on_chunk, self._on_end = on_start, on_chunk, on_end
        self._on_notice: OnNotice | None = None
        self._began = False
        # Steps, parts, and the request that runs: one tuple, so that other threads never see half of a change.
        self._progress: tuple[tuple[Step, ...], tuple[Step, ...], Request | None] = ((), (), request)
        self._replayed: RecordedExchange | None = None  # what answers the request that runs
        self._is_whole = False  # whether its reply is complete
        self._opened: list[Keeper] = []
        self._appends: list[Callable[[Chunk | ModelPicked], None]] = []  # looked up once, not for each delta
        self._growing = GrowingReply(request)
        self._source: AsyncGenerator[Chunk, None] = _nothing()
        self._unkept: JmuzError | None = None
        self._final: Reply | None = None

    @property
    def steps(self) -> tuple[Step, ...]:
        """The requests so far, each with its reply, except for the one that runs."""
        return self._progress[0]

    @property
    def parts(self) -> tuple[Step, ...]:
        """The steps whose text is part of the reply."""
        return self._progress[1]

    @property
    def reply(self) -> Reply:
        """The reply so far; readable from any thread at any time, and a single object once the turn has ended."""
        return self._final or self._so_far()

    def _so_far(self) -> Reply:
        steps, parts, running = self._progress
        current = [self._growing.reply(self.state)] if running else []
        return joined([step.reply for step in steps] + current, [step.reply for step in parts] + current)

    @property
    def ended(self) -> bool:
        """Whether the turn is over."""
        return self.state not in ("waiting", "streaming")

    @property
    def origin(self) -> str:
        """Scheme, host and port that the reply came from, recorded or not; "" if unknown."""
        if known := self.recorded or self.earlier:
            return known.origin
        return self.request.endpoint.origin if self.request.endpoint else ""

    @property
    def logged(self) -> InLog | None:
        """Its first exchange in the log; None if it is in none."""
        writers = (keeper.first for keeper in self._keepers if isinstance(keeper, LogKeeper))
        return self.earlier or next(writers, None)

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

    def take_over(
        self, steps: tuple[Step, ...], parts: tuple[Step, ...], state: State, error: JmuzError | None
    ) -> None:
        """Become a turn that ended earlier, instead of running."""
        self._began, self.state, self.error = True, state, error
        self._progress = (steps, parts, None)
        self._final = self._so_far()

    def give_up(self) -> None:
        """Mark a turn that was stopped before it ran as interrupted."""
        if not self._began:
            self.state = "interrupted"

    async def chunks(self, on_notice: OnNotice | None = None) -> AsyncGenerator[Chunk, None]:
        """Ask, and yield the chunks; at the end the conversation may take the turn.

        Args:
            on_notice: is told of retries and removed adverts, on the loop's thread.

        Raises:
            JmuzError: the turn failed (`reply` keeps what had arrived), or the reply could not be recorded.
            RuntimeError: the turn has already run.
        """
        if self._began:
            raise RuntimeError("a turn runs only once; create another with Conversation.turn()")
        self._began, self._on_notice = True, on_notice
        self._growing.start()
        try:
            self._on_start(self)
            request: Request | None = self.request
            while request is not None:
                source, enough = await self._open(request)
                gaps = self._gaps()
                async for chunk in source:
                    self._take(chunk)
                    if gaps and (gap := gaps.pop(type(chunk), None)):
                        yield gap
                    yield chunk
                    if enough and enough(chunk):
                        break
                request = await self._follow(request)
                for result in self.steps[-1].results if request else ():
                    yield result
            await self._end("truncated" if self._growing.is_cut else "complete")
        except JmuzError as error:
            if not self.ended:  # else the reply is complete but could not be kept
                self.error = error
                await self._end("failed")
            raise
        except (asyncio.CancelledError, GeneratorExit):
            await self._take_rest()
            with contextlib.suppress(JmuzError):  # a stop stays one, even if a step before it could not be kept
                await self._end("interrupted")
            raise
        finally:
            await self._source.aclose()
            await self._end("failed")  # unless it has ended: a bug of ours; the conversation must not stay busy

    def _gaps(self) -> dict[type, Chunk]:
        """What comes before text and reasoning that continue a paused reply: they are parts of their own."""
        if not (self.steps and is_paused(self.steps[-1].reply)):
            return {}
        replies = [step.reply for step in self.parts]
        gaps: dict[type, Chunk] = {str: "\n\n"} if any(reply.text.strip() for reply in replies) else {}
        return gaps | ({Reasoning: Reasoning("\n\n")} if any(reply.reasoning for reply in replies) else {})

    async def _open(self, request: Request) -> tuple[AsyncGenerator[Chunk, None], Callable[[Chunk], bool] | None]:
        """The generator of the reply to a step's request, after telling the keepers; and what ends it early."""
        if self.steps:
            self._growing = GrowingReply(request)
            self._growing.start()
        self._is_whole, self._opened, self._replayed = False, [], None
        self._progress = (self.steps, self.parts, request)
        for keeper in self._keepers:
            self._opened.append(keeper)  # first, so that a stop in the meantime closes it too
            self._replayed = await keeper.opened(request)
            if self._replayed:
                break
        self._appends = [keeper.append for keeper in self._opened]
        if not self.steps:
            self.recorded = self._replayed
        self._source = self._replay(self._replayed) if self._replayed else self._ask(request)
        return self._source, None if self._replayed or self._sequel is None else self._sequel.enough

    async def _replay(self, recorded: RecordedExchange) -> AsyncGenerator[Chunk, None]:
        self._growing.replay(recorded.reply)
        for chunk in recorded.chunks():
            yield chunk

    def _ask(self, request: Request) -> AsyncGenerator[Chunk, None]:
        assert request.endpoint is not None  # without an endpoint, a recording answers
        self._growing.ask(request.resolved_model, request.endpoint.provider_name)
        return request.endpoint.provider.create_async_generator(
            model=request.model,
            messages=list(request.messages),
            stream=request.stream,
            **{"typed": {}, **request.connection.arguments, "on_notice": self._tell},
            **request.arguments,
        )

    def _tell(self, notice: Notice) -> None:
        self._growing.note(notice)
        if isinstance(notice, ModelPicked):
            for append in self._appends:
                append(notice)
        self._on_chunk(self, notice)
        if self._on_notice:
            self._on_notice(notice)

    def _take(self, chunk: Chunk) -> None:
        self.state = "streaming"
        self._growing.take(chunk)
        for append in self._appends:
            append(chunk)
        self._on_chunk(self, chunk)

    async def _take_rest(self) -> None:
        """Take what was still held when the reader left: it belongs to the reply, though nobody reads it live."""
        with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, JmuzError):
            if (first := await self._source.athrow(Leaving())) is not None:  # None if it had not begun
                self._take(first)
            async for chunk in self._source:
                self._take(chunk)

    async def _follow(self, request: Request) -> Request | None:
        """The request of the next step; None if this one is the last, which stays open then."""
        await self._source.aclose()
        if self._growing.is_cut:
            return None
        self._is_whole = True
        step = Step(request, self._growing.reply("complete"))
        if self._replayed:
            follow = recorded_follow(self._replayed, step)
        elif is_paused(step.reply):
            follow = paused_follow((*self.steps, step))
        else:
            follow = await self._sequel.follow((*self.steps, step), self._tell) if self._sequel else None
        if follow is None:
            return None
        for result in follow.results:
            self._take(result)
        await self._close_step("complete")
        if follow.replaces:
            self._progress = (self.steps, self.parts[:-1], None)
        return next_request(self.steps[-1], follow, self.origin)

    async def _close_step(self, state: ExchangeState) -> None:
        """Close the keepers of the step that runs; a complete reply is complete, whatever ends the turn."""
        steps, parts, request = self._progress
        assert request is not None
        state = "complete" if self._is_whole else state
        error = str(self.error) if self.error and state == "failed" else None
        step = Step(request, self._growing.reply(state), tuple(self._growing.results))
        self._progress = ((*steps, step), (*parts, step), None)
        if self.ended:
            self._final = self._so_far()
        opened, self._opened = self._opened, []
        for keeper in reversed(opened):  # a recording, which may fail, is last
            try:
                await keeper.close(state, step.reply, error)
            except JmuzError as unkept:
                self._unkept = self._unkept or unkept

    async def _end(self, state: ExchangeState) -> None:
        """End the turn, once; every end passes through here.

        Raises:
            JmuzError: a complete reply could not be kept.
        """
        if self.ended:
            return
        self.state = state
        try:
            if self._progress[2] is not None:
                await self._close_step(state)
            self._final = self._final or self._so_far()
        finally:
            self._on_end(self)
        if self._unkept and not self.error:
            raise self._unkept


async def _nothing() -> AsyncGenerator[Chunk, None]:
    """The generator of the reply before anything is asked."""
    for chunk in list[Chunk]():
        yield chunk

"""A conversation: its turns in order, what is sent with the next one, and who is told of changes."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from jmuz_magic.conversation.branches import Branches
from jmuz_magic.conversation.callbacks import Callbacks
from jmuz_magic.conversation.history import History, history_of
from jmuz_magic.conversation.keepers import LogKeeper, keepers_of
from jmuz_magic.conversation.placing import entered, placed, turn_to_ask_again
from jmuz_magic.conversation.remarks import write_remarks
from jmuz_magic.conversation.selection import Choice, get_selection, pick_endpoint, pick_model
from jmuz_magic.conversation.shown import ShownTurns
from jmuz_magic.conversation.steps import Sequel
from jmuz_magic.conversation.turn import Turn
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Chunk, Message, Notice, Reply, copy_messages
from jmuz_magic.providers.allowed import checked_later
from jmuz_magic.providers.endpoint.connection import Connection, named_options
from jmuz_magic.recordings.mode import ReplayMode
from jmuz_magic.recordings.replaying import asks_nobody, get_recording, may_replay, open_recording
from jmuz_magic.request.alias import Alias
from jmuz_magic.request.cell import cell_values
from jmuz_magic.request.request import Request
from jmuz_magic.secret import Secret

if TYPE_CHECKING:
    from jmuz_magic.conversation.resuming import Earlier
    from jmuz_magic.providers.endpoint.endpoint import Endpoint, Provider
    from jmuz_magic.recordings.recording import Recording
    from jmuz_magic.request.cell import Cell

__all__ = ["Conversation", "ConversationEvent", "OnEvent"]

MAX_MESSAGES = 200  # sent with one request; real conversations stay far below
MAX_CHARS = 400_000  # about 100,000 tokens, which today's common models accept
MAX_UNDONE = 1_000  # changes that can be undone: a program that clears again and again must not keep every turn


@dataclass(frozen=True, slots=True)
class ConversationEvent:
    """A change in a conversation.

    Attributes:
        kind: `started` and `ended` (a turn), `chunk` and `notice` (in a running turn), `changed` (turns went or came
            back, or a setting changed).
        turn: the turn; None for `changed`.
        chunk: the chunk or notice, for `chunk` and `notice`.
    """

    kind: Literal["started", "chunk", "notice", "ended", "changed"]
    turn: Turn | None = None
    chunk: Chunk | Notice | None = None


OnEvent: TypeAlias = Callable[[ConversationEvent], None]
"""Called on the thread that caused the event, often the bridge's; must return at once."""


class Conversation:
    """The turns of a conversation, and how the next one is asked.

    The history sent with a turn consists of whole turns: complete and truncated ones, and interrupted ones with the
    text that had arrived. Turns that failed, were filtered, or have neither text nor tool calls stay in the
    transcript but are not sent.

    A turn that is asked again (`replacing`) begins a branch: the old one leaves the transcript with all turns after
    it, and `show` brings them back.

    Attributes:
        name: shown in lists and exports; None for a conversation without one.
        running: the turn in progress; None between turns.
        max_messages: the most messages sent with one request, not counting the system message.
        max_chars: the most characters of text sent with one request.
    """

    def __init__(
        self,
        model: str | None = None,
        system: str | None = None,
        *,
        provider: Provider | str | None = None,
        api_base: str | None = None,
        api_key: str | Secret | None = None,
        options: Mapping[str, Any] | None = None,
        name: str | None = None,
        max_messages: int = MAX_MESSAGES,
        max_chars: int = MAX_CHARS,
        recording: Recording | str | os.PathLike[str] | None = None,
        replay: ReplayMode | None = None,
    ) -> None:
        """Nothing is sent before the first turn.

        Args:
            model: id or alias; None for the selected one, else the provider's default, else one picked from its list
                when sent.
            system: the system message; None or "" for none.
            provider: class or name; None for the selected one (`get_selection()`).
            api_base: an address instead of the provider's; without a provider, any OpenAI-compatible endpoint.
            api_key: the key for that address; None to find it as the provider does.
            options: sent with every turn, such as `{"temperature": 0.2}`; None values are not sent.
            name: the conversation's name.
            max_messages: see the class.
            max_chars: see the class.
            recording: a file with recorded replies (`*.jmuz.jsonl`); None for the one in use, if any.
            replay: how the file is used, see `Recording`; None for `JMUZ_REPLAY`, else `auto`.

        Raises:
            JmuzError: the file is not a recording, or is missing in mode `only`.
        """
        self.name = name
        self._branches = Branches()
        self._past: deque[Branches] = deque(maxlen=MAX_UNDONE)
        self.running: Turn | None = None
        self.max_messages, self.max_chars = max_messages, max_chars
        self._model, self._system, self._options = model, system, dict(options or {})
        self._provider = provider
        self._recording = open_recording(recording, replay) if isinstance(recording, str | os.PathLike) else recording
        with checked_later():  # by the turn: a recording may answer it
            self._choice = _explicit_choice(provider, api_base, api_key)
        self._lock = threading.RLock()
        self._callbacks: Callbacks[ConversationEvent] = Callbacks()
        self._shown = ShownTurns()

    @classmethod
    def resume(
        cls, name: str | None = None, *, system: str | None = None, other_origin: bool = False, **settings: Any
    ) -> Conversation:
        """A conversation of the log, with the turns that it showed, to go on with.

        Args:
            name: its name: the one of this notebook that changed last is taken. Or at least eight characters of an id,
                as `%jmuz_history --all` lists them. None for a conversation without a name.
            system: the system message; None for the one before, "" for none.
            other_origin: whether its turns may be sent to another origin than before.
            settings: as for a new conversation: `model`, `provider`, `options`, …

        Raises:
            JmuzError: there is none; or the log is off, a recording is in use, or nbclient or papermill runs this; or
                nothing is configured, or another origin is.
        """
        from jmuz_magic.conversation.resuming import check_may_resume, find_earlier, read_earlier

        check_may_resume()
        logged = find_earlier(name)
        conversation = cls(system=system, name=logged.name, **settings)
        earlier, endpoint = read_earlier(logged), conversation.endpoint
        if earlier.goes_elsewhere(endpoint) and not other_origin:
            raise JmuzError(f"{earlier.question(endpoint)} If so, add other_origin=True")
        conversation.take_over(earlier)
        return conversation

    @property
    def id(self) -> str:
        """Its id in the log, by which `resume` finds it."""
        return self._shown.id

    @property
    def model(self) -> str | None:
        """Id or alias for the next turn; None for the selected model."""
        return self._model

    @property
    def chosen_model(self) -> str:
        """Id or alias for the next turn; "" for the provider's default, or one picked from its list when sent."""
        return self._model or pick_model(get_selection(), self._provider)

    @property
    def provider(self) -> str | None:
        """Name of the provider for the next turn; None for the selected endpoint."""
        provider = self._choice.provider if self._choice else self._provider
        return provider if provider is None or isinstance(provider, str) else provider.spoken_name

    @property
    def system(self) -> str | None:
        """The system message; None or "" for none."""
        return self._system

    @property
    def options(self) -> dict[str, Any]:
        """A copy of what is sent with every turn."""
        return dict(self._options)

    def configure(self, **settings: Any) -> None:
        """Change `model`, `system`, `options` or `provider` from the next turn on; the others stay."""
        unknown = settings.keys() - {"model", "system", "options", "provider"}
        if unknown:
            raise TypeError(f"expected model, system, options or provider, got {', '.join(sorted(unknown))}")
        for name, value in settings.items():
            setattr(self, f"_{name}", dict(value) if name == "options" else value)
        if "provider" in settings:
            self._choice = None
        self._tell(ConversationEvent("changed"))

    @property
    def transcript(self) -> tuple[Turn, ...]:
        """The turns that have ended, in order, without those of other branches; to set it begins a new history."""
        return self._branches.shown

    @transcript.setter
    def transcript(self, turns: tuple[Turn, ...]) -> None:
        self._branches = Branches((turns,))
        self._past.clear()

    @property
    def versions(self) -> dict[Turn, tuple[Turn, ...]]:
        """The turns of the transcript at which branches part, each with its versions in the order they were asked."""
        return self._branches.versions()

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns that are sent with later ones; `messages` may leave out the oldest."""
        return tuple(turn for turn in self.transcript if turn.is_remembered)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The system message and the history as they would be sent now, without the oldest turns if it is too long."""
        return (*self._system_messages(), *self._history(self.transcript).messages)

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint of the next turn.

        Raises:
            JmuzError: nothing is configured.
        """
        return self._choice.endpoint() if self._choice else pick_endpoint(get_selection(), self._provider)

    def turn(
        self,
        prompt: str | Message,
        *,
        stream: bool = True,
        model: str | Alias | None = None,
        endpoint: Endpoint | None = None,
        replacing: Turn | None = None,
        in_place: bool = False,
        cell: Cell | None = None,
        wording: Message | None = None,
        fresh: bool = False,
        typed: Mapping[str, str] | None = None,
        sent_in_part: Sequence[str] = (),
        sequel: Sequel | None = None,
        **options: Any,
    ) -> Turn:
        """A turn, to be run by its `chunks()`; until it ends the conversation is unchanged.

        Args:
            prompt: the user's text, or a whole user message (with images).
            stream: whether to ask for a stream.
            model: another model for this turn, or an alias, which includes its options; "" for the endpoint's default,
                or one picked from its list.
            endpoint: another endpoint for this turn.
            replacing: ask as if this turn and those after it did not exist; if the new one succeeds, it begins a
                branch there.
            in_place: take the place of `replacing` instead, and keep the turns after it.
            cell: the cell that asks. A prompt that it asked before, or a new one if other cells' turns follow, takes
                the place of its earlier turn: `replacing` and `in_place` are found.
            wording: what tells the cell's prompts apart; None for the prompt itself.
            typed: options that the user named for this turn, and how (`{"temperature": "-t"}`); None for `options`.
            sent_in_part: see `Reply`; a prompt that is asked again keeps what was said of it.
            sequel: decides what follows each step, such as the results of tools; None for a turn of one request.
            fresh: ask even if a recording has the reply; the new one replaces it.
            options: other options for this turn; None values are not sent. `images` (URLs, bytes or paths) become part
                of the prompt.

        Raises:
            JmuzError: nothing is configured; or only recordings may answer and none does; or an image is invalid.
            ValueError: `replacing` is not a turn of this conversation.
        """
        recording = self._recording or get_recording()
        given, implied = self._merged(options, model.options if isinstance(model, Alias) else {})
        message = _message(prompt, given.pop("images", None))
        transcript = self.transcript
        if cell is not None:
            replacing, in_place = turn_to_ask_again(transcript, cell, wording or message), True
        elif replacing is not None:
            cell, wording = replacing.cell, replacing.wording  # it still belongs to the cell that asked it
        if replacing is not None and message == replacing.prompt:
            sent_in_part = sent_in_part or replacing.request.sent_in_part
        history = self._history(transcript[: transcript.index(replacing)] if replacing else transcript, message)
        with checked_later(may_replay(recording)):
            asked = None if asks_nobody(recording) else endpoint or self.endpoint  # without one, nothing is asked
        connection, given = Connection.of(
            given, endpoint=asked, typed=named_options(options) if typed is None else typed
        )
        about = {"options": given, "implied": implied, "stream": stream, "sent_in_part": tuple(sent_in_part)}
        request = self._request(connection, model, history, message, **about)
        recorder = recording.ask(request, fresh=fresh) if recording else None
        return Turn(
            request,
            omitted=history.omitted,
            replacing=replacing,
            in_place=in_place,
            cell=cell,
            wording=wording,
            recorded=recorder.recorded if recorder else None,
            keepers=keepers_of(recorder, LogKeeper(cell_values(cell, wording, message), self._begin_log)),
            sequel=sequel,
            on_start=self._start,
            on_chunk=self._pass_on,
            on_end=self._end,
        )

    def ask(self, prompt: str | Message, **options: Any) -> Reply:
        """Ask, wait, and return the whole reply; works in a notebook cell too, where a loop is running.

        Raises:
            JmuzError: the turn failed; it is not sent with later ones.
        """
        from jmuz_magic.streaming.bridge import get_bridge

        turn = self.turn(prompt, **options)
        with get_bridge().stream(turn.chunks) as batches:
            for _ in batches:
                pass
        write_remarks(turn)
        return turn.reply

    def stream(self, prompt: str | Message, **options: Any) -> AsyncGenerator[Chunk, None]:
        """Ask and yield the chunks as they arrive: `async for chunk in conversation.stream("…")`.

        Raises:
            JmuzError: the turn failed; it is not sent with later ones.
        """
        turn = self.turn(prompt, **options)
        return turn.chunks(lambda _: write_remarks(turn))

    def show(self, turn: Turn) -> None:
        """Show the branch that has this turn, as it was when it was last shown; the others are not sent.

        Raises:
            JmuzError: a turn is running.
            ValueError: it is not a turn of this conversation.
        """
        self._change(lambda branches: branches.showing(turn), turn)

    def delete(self, turn: Turn) -> None:
        """Remove a turn and keep those after it; where it was the last of its branch, another branch is shown.

        Raises:
            JmuzError: a turn is running.
            ValueError: it is not a turn of this conversation.
        """
        self._change(lambda branches: branches.without(turn), turn)

    def undo(self) -> Turn | None:
        """Undo the last change to the turns: a turn that was asked, or asked again, `delete` or `clear`.

        Returns:
            The turn that was removed, else the latest of those that came back; None if there is nothing to undo.

        Raises:
            JmuzError: a turn is running.
        """
        with self._lock:
            self._check_idle()
            now = self._branches
            while self._past and self._past[-1].holds_the_same_as(now):
                self._past.pop()
            if not self._past:
                return None
            before = self._branches = self._past.pop()
        self._tell(ConversationEvent("changed"))
        changed = now.turns - before.turns or before.turns - now.turns
        return max(changed, key=lambda turn: turn.entry)

    def drop(self, turn: Turn) -> None:
        """Remove for good a turn that is not sent with later ones; any other stays."""
        with self._lock:
            if not turn.is_remembered:
                self._branches = self._branches.without(turn)
                self._forget(turn)
        self._tell(ConversationEvent("changed"))

    def clear(self) -> None:
        """Remove all turns; model, system message and options stay."""
        with self._lock:
            self._past.append(self._branches)
            self._branches = Branches()
        self._tell(ConversationEvent("changed"))

    def begin(self, turn: Turn) -> None:
        """Let a turn of another conversation be the first, instead of the one that is.

        Raises:
            JmuzError: a turn is running.
        """
        with self._lock:
            self._check_idle()
            first = self.transcript[:1]
            self._branches = self._branches.with_instead(first[0], turn) if first else Branches(((turn,),))
            self._past.clear()
        self._tell(ConversationEvent("changed"))

    def take_over(self, earlier: Earlier) -> None:
        """Go on with a conversation of the log; `resume` also asks whether it may.

        Raises:
            JmuzError: this one has turns already, a turn is running, or its recording is in use.
        """
        from jmuz_magic.conversation.resuming import refuse_beside

        with self._lock:
            if self.transcript or self.running:
                raise JmuzError(f"conversation {self.name or ''!r} has turns already; clear it to resume another")
            refuse_beside(self._recording)
            self.transcript = turns = earlier.turns
            self._past.extend(Branches((turns[:count],)) for count in range(len(turns)))  # undo takes them off again
            self._shown = ShownTurns(earlier.logged.id, earlier.turns)
            self._system = earlier.system if self._system is None else self._system
        self._tell(ConversationEvent("changed"))

    def on_change(self, callback: OnEvent) -> Callable[[], None]:
        """Call `callback(event)` for every change; return a function that undoes this."""
        return self._callbacks.add(callback)

    def _merged(self, options: Mapping[str, Any], implied: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
        """All options of a turn that have a value, and the names of those that only its alias sets."""
        named = {name for name, value in options.items() if value is not None}
        implied = {name: value for name, value in implied.items() if name not in named}
        merged = {**get_selection().options, **self._options, **options, **implied}
        return {name: value for name, value in merged.items() if value is not None}, frozenset(implied)

    def _request(
        self, connection: Connection, model: str | Alias | None, history: History, message: Message, **asked: Any
    ) -> Request:
        system = self._system_messages()
        if model is None:
            model = self.chosen_model
        return Request(
            connection,
            model.model if isinstance(model, Alias) else model,
            messages=copy_messages([*system, *history.messages, message]),
            earlier_reasoning=(*(None for _ in system), *history.reasoning, None),
            conversation=self.name,
            conversation_id=self.id,
            alias=model.name if isinstance(model, Alias) else None,
            **asked,
        )

    def _system_messages(self) -> list[Message]:
        return [{"role": "system", "content": self._system}] if self._system else []

    def _history(self, turns: tuple[Turn, ...], prompt: Message | None = None) -> History:
        return history_of(turns, prompt, max_messages=self.max_messages, max_chars=self.max_chars)

    def _change(self, change: Callable[[Branches], Branches], turn: Turn) -> None:
        with self._lock:
            self._check_idle()
            if turn not in self._branches.turns:
                raise ValueError("expected a turn of this conversation")
            before, self._branches = self._branches, change(self._branches)
            if not self._branches.holds_the_same_as(before):
                self._past.append(before)
        self._tell(ConversationEvent("changed"))

    def _forget(self, *turns: Turn) -> None:
        """Let no undo bring these back: failures that made way for another attempt."""
        if turns:
            self._past = deque((branches.without(*turns) for branches in self._past), maxlen=MAX_UNDONE)

    def _check_idle(self) -> None:
        if self.running is not None:
            raise JmuzError(
                f"conversation {self.name or ''!r} is still waiting for a reply; stop it, or wait for it to end"
            )

    def _start(self, turn: Turn) -> None:
        with self._lock:
            self._check_idle()
            self.running = turn
        self._tell(ConversationEvent("started", turn))

    def _pass_on(self, turn: Turn, chunk: Chunk | Notice) -> None:
        if self._callbacks:
            kind: Literal["chunk", "notice"] = "notice" if isinstance(chunk, Notice) else "chunk"
            self._tell(ConversationEvent(kind, turn, chunk))

    def _end(self, turn: Turn) -> None:
        with self._lock:
            if self.running is not turn:
                return  # it was refused at the start
            before, self._branches = self._branches, entered(self._branches, turn)
            self._past.append(before)
            self._forget(*(each for each in before.turns - self._branches.turns if each.has_nothing))
            self.running = None  # last: readers without the lock find the turn in one of the two
        self._tell(ConversationEvent("ended", turn))

    def _tell(self, event: ConversationEvent) -> None:
        self._callbacks.tell(event)
        if event.kind in ("ended", "changed"):
            self._tell_log()

    def _begin_log(self) -> None:
        self._shown.is_logged = True
        self._tell_log()

    def _tell_log(self) -> None:
        """Tell the log which turns are shown; a running one is, unless it may yet have to give way to another."""
        with self._lock:
            running = self.running if self.running and self.running.replacing is None else None
            self._shown.tell(self.name, placed(self.transcript, running))


def _message(prompt: str | Message, images: Sequence[Any] | None) -> Message:
    """The user's message, including images given as an option, so that later turns and exports have them too."""
    message: Message = {"role": "user", "content": prompt} if isinstance(prompt, str) else prompt
    if not images:
        return message
    from jmuz_magic.providers.dialects.sending import attach_images

    return cast("Message", attach_images([message], images)[0])


def _explicit_choice(
    provider: Provider | str | None, api_base: str | None, api_key: str | Secret | None
) -> Choice | None:
    if api_base is None and api_key is None:
        return None
    from jmuz_magic.providers.base import UNNAMED
    from jmuz_magic.providers.registry import find_provider

    if provider is None or isinstance(provider, str):
        provider = find_provider(provider or UNNAMED)
    secret = Secret(api_key) if isinstance(api_key, str) else api_key
    return Choice(provider, api_base=api_base, api_key=secret)

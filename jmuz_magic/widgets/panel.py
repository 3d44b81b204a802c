"""The chat panel: an anywidget, and with it the transcript for readers without a kernel."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import secrets
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import anywidget
from traitlets import Dict, Unicode

from jmuz_magic.content import IMAGE_TYPES
from jmuz_magic.conversation.conversation import Conversation, ConversationEvent
from jmuz_magic.conversation.selection import get_selection
from jmuz_magic.display.views.publish import publish_widget
from jmuz_magic.errors import JmuzError
from jmuz_magic.notebook.files import FILE_BYTES
from jmuz_magic.secret import Secret
from jmuz_magic.streaming.bridge import get_bridge
from jmuz_magic.text import clean_line, clean_text, raised
from jmuz_magic.widgets.actions import Actions
from jmuz_magic.widgets.answers import Answers
from jmuz_magic.widgets.files import FILES, Arrived
from jmuz_magic.widgets.front_end import joined
from jmuz_magic.widgets.protocol import (
    PANEL_MESSAGES,
    Answer,
    AnswerMessage,
    Ask,
    Attach,
    Bye,
    Describe,
    Hello,
    Offer,
    Operation,
    PanelAbout,
    PanelAction,
    PanelOperation,
    Resync,
    TurnsMessage,
    Unknown,
    queued_words,
    read,
    taken,
)
from jmuz_magic.widgets.resuming import find_offer
from jmuz_magic.widgets.settings import show_settings
from jmuz_magic.widgets.sight import looked, note_as_sent, with_values
from jmuz_magic.widgets.static import StaticTranscript
from jmuz_magic.widgets.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ChatPanel", "close_panels"]

UNSEEN_SECONDS = 5.0  # a front end that moves a panel removes its view and makes another at once
RELOAD_SECONDS = 60.0  # a page that was left may be reloading, which takes a while

INTERRUPTED = "interrupted while a variable was read; nothing was sent"

_panels: WeakSet[ChatPanel] = WeakSet()


class ChatPanel(anywidget.AnyWidget):
    """A chat in a cell's output: `ChatPanel(conversation=…)`, shown by `display` or as a cell's last expression.

    Panels and `%%jmuz --chat` cells of one conversation show the same turns. Replies stream while other cells run;
    if the front end cannot deliver what the user clicks meanwhile, it is shown as queued and served after the cell.
    A reply that nobody can see any longer is stopped.

    Attributes:
        conversation: what it shows.
    """

    _esm, _css = joined("panel")

    about = Dict().tag(sync=True)
    settings = Dict().tag(sync=True)
    page = Unicode().tag(sync=True)  # that ran the cell: only there can the transcript's outputs change
    # What is saved with a notebook, and read by a page that is opened in mid-reply.
    transcript = Dict().tag(sync=True, to_json=lambda _, panel: panel.snapshot())

    def __init__(
        self,
        conversation: Conversation | None = None,
        *,
        model: str | None = None,
        system: str | None = None,
        suggestions: Sequence[str] = (),
    ) -> None:
        """Nothing is sent before the first prompt.

        Args:
            conversation: None for a new one.
            model: the conversation's model from now on; None leaves it unchanged.
            system: its system message from now on; None leaves it unchanged.
            suggestions: prompts that the panel offers while it has no turns; a click puts one into the field.
        """
        self.conversation = conversation if conversation is not None else Conversation()
        changes = {"model": model, "system": system}
        if any(changes.values()):
            self.conversation.configure(**{name: value for name, value in changes.items() if value})
        self._context = contextvars.copy_context()
        self._transcript = Transcript(self.conversation)
        self._actions = Actions(self.conversation, self._transcript)
        self._static = StaticTranscript(self._transcript, self.conversation.name, secrets.token_hex(8))
        self._painter: asyncio.Task[None] | None = None
        self._urgent = asyncio.Event()
        self._changed = self._closed = False
        self._views: set[str] = set()
        self._answers = Answers()
        self._arrived = Arrived()
        about: PanelAbout = {
            "name": clean_line(self.conversation.name or "Chat"),
            "limits": {"types": list(IMAGE_TYPES), "each": FILE_BYTES, "files": FILES},
            "operations": queued_words(PanelOperation),
            "suggestions": [clean_text(text) for text in suggestions],
        }
        self._offer = find_offer(self.conversation)
        super().__init__(about=about, settings=show_settings(self.conversation, self._offer))
        self._unsubscribe: list[Callable[[], None]] = [
            self.conversation.on_change(self._hear),
            get_selection().on_change(lambda _: self._show_settings()),
        ]
        self.on_msg(self._receive)
        _panels.add(self)

    def show(self) -> None:
        """Display the panel and, as more outputs, the transcript that a saved notebook keeps.

        The front end hides those while the panel is present.
        """
        self.page = ""
        publish_widget(self.model_id, f"Chat panel of the conversation {self.about['name']}; its transcript follows.")
        self._static.show()

    def snapshot(self) -> TurnsMessage:
        """The transcript as saved with the widget's state: what is shown, and nothing else."""
        return self._transcript.snapshot()

    @property
    def is_seen(self) -> bool:
        """Whether a page shows the panel."""
        return bool(self._views)

    def _ipython_display_(self) -> None:
        self.show()

    def close(self) -> None:
        """Remove the panel and stop a reply that it asked for; the conversation stays."""
        if not self._closed:
            self._closed = True
            for unsubscribe in self._unsubscribe:
                unsubscribe()
            _panels.discard(self)
            self._actions.asking.end()
            self.layout.close()  # ipywidgets leaves that open
        super().close()

    # --- From the views ---

    def _receive(self, _: object, content: Any, buffers: Any) -> None:
        # On the kernel's thread, which must not wait: the bridge's does the work, except for reading variables.
        if not isinstance(content, dict) or self._closed:
            return
        message, files = read(PANEL_MESSAGES, content), [bytes(buffer) for buffer in buffers or []]
        try:
            match message:
                case Describe() | Offer():
                    _submit(self._answered(message.request, looked(message)))
                case Attach(file=file):
                    self._arrived.take(file, b"".join(files))
                case Ask():
                    files = self._arrived.given(message.files)
                    if message.chips or message.cells:
                        message, images = with_values(message, self._secrets)
                        files = images + files
                    else:
                        note_as_sent(message)
                    _submit(self._serve(message, files))
                case _:
                    _submit(self._serve(message, files))
        except BaseException as error:  # the user's own class may do anything; the view waits
            if not isinstance(message, Operation):
                raise
            _submit(self._answered(message.request, {"error": _problem(error)}))

    @property
    def _secrets(self) -> tuple[Secret, ...]:
        try:
            return self.conversation.endpoint.secrets
        except JmuzError:  # nothing is configured, which the turn will say
            return ()

    async def _answered(self, request: str, answer: Answer) -> None:
        self._answer(request, answer)

    async def _serve(self, message: PanelAction | Hello | Bye | Resync | Unknown, buffers: list[bytes]) -> None:
        match message:
            case Hello(view=view, page=page):
                self._views.add(view)
                self.page = self.page or page
            case Bye(view=view, leaving=leaving):
                self._views.discard(view)
                await self._stop_unseen(RELOAD_SECONDS if leaving else UNSEEN_SECONDS)
            case Resync(known=known, waiting=waiting):
                missing = self._transcript.missing(known)
                missing["answered"] = self._answers.given_to(waiting)
                self.send(missing)
            case operation:
                if operation.asks:
                    self.send(taken(operation.request))
                self._answer(operation.request, await self._actions.serve(operation, buffers))

    def _answer(self, request: str, answer: Answer) -> None:
        self._answers.keep(request, answer)
        message: AnswerMessage = {"type": "answer", "request": request, **answer}
        self.send(message)
        self._wake()

    async def _stop_unseen(self, seconds: float) -> None:
        """Stop a reply that nobody has seen for that time."""
        await asyncio.sleep(seconds)
        panels = [panel for panel in _panels if panel.conversation is self.conversation]
        if self._actions.asking.running_here and not any(panel.is_seen for panel in panels):
            self._actions.asking.abandon()

    # --- To the views ---

    def send(self, content: Any, buffers: Any = None) -> None:
        """Send a message to the views; see `send_state` for its context."""
        self._context.copy().run(super().send, content, buffers)

    def send_state(self, key: Any = None) -> None:
        """Send traits to the views, in the context of the cell that made the panel.

        ipykernel handles a view's next message on the thread that handled the parent of the last one, and some of
        the threads that serve the front end's own messages end. The whole state answers a page that loads slowly,
        which recognises the answer by its parent.
        """
        if key is None:
            super().send_state()
            key = "about"  # any trait: so that the last message is the cell's again
        self._context.copy().run(super().send_state, key)

    def _hear(self, event: ConversationEvent) -> None:
        """Called on any thread, for every chunk."""
        self._transcript.hear(event)
        painting = self._changed
        self._changed = True
        if event.kind != "chunk" or not painting:
            _call_soon(self._wake, event.kind == "ended")
        if event.kind == "ended":
            _call_soon(self._actions.asking.go_on)
        if event.kind == "changed":  # turns were removed, or a setting changed
            self._show_settings()

    def _show_settings(self) -> None:
        if self.conversation.transcript:
            self._offer = ""
        if not self._closed:
            self.settings = dict(show_settings(self.conversation, self._offer))

    def _wake(self, urgent: bool = True) -> None:
        """Paint now, or with the next painting if one is waiting for its time."""
        self._changed = True
        if self._painter is None or self._painter.done():
            self._urgent = asyncio.Event()
            self._painter = asyncio.get_running_loop().create_task(self._paint())
        elif urgent:
            self._urgent.set()

    async def _paint(self) -> None:
        """Bring all views up to date, and repeat until nothing changes."""
        while self._changed and not self._closed:
            self._changed = False
            # On another thread: rendering a long block must not hold up the bridge's other streams.
            await asyncio.to_thread(self._paint_once)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._urgent.wait(), self._transcript.pace)
            self._urgent.clear()

    def _paint_once(self) -> None:
        messages = self._transcript.catch_up()
        for message in messages:
            self.send(message)
        if any(message["type"] == "turns" for message in messages):
            self._static.refresh(extend=self.is_seen)


def _problem(error: BaseException) -> str:
    """Why nothing was sent."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return clean_line(str(error)) if isinstance(error, JmuzError) else f"reading a variable {raised(error)}"


# In an empty context: what keeps running must not write into the output of the cell or message that started it.


def _submit(work: Coroutine[Any, Any, None]) -> None:
    contextvars.Context().run(get_bridge().submit, work)


def _call_soon(function: Callable[..., object], *args: object) -> None:
    contextvars.Context().run(get_bridge().call_soon, function, *args)


def close_panels() -> None:
    """Close all panels of this process."""
    for panel in tuple(_panels):
        panel.close()

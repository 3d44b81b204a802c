"""A conversation at a demo endpoint, and what a panel of it sends to its views."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.conversation.selection import Choice, get_selection
from jmuz_magic.demo import DemoServer
from jmuz_magic.providers.catalog import Demo
from jmuz_magic.widgets.panel import ChatPanel, close_panels
from tests.waiting import wait_until


@pytest.fixture
def slow_endpoint() -> Iterator[DemoServer]:
    """A demo endpoint whose replies take long enough to be stopped."""
    with DemoServer(deltas_per_second=50, keep_requests=1000) as server:
        yield server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


@pytest.fixture
def selected(demo_endpoint: DemoServer) -> Iterator[DemoServer]:
    """The fast demo endpoint, selected."""
    with selecting(demo_endpoint):
        yield demo_endpoint


@pytest.fixture
def selected_slow(slow_endpoint: DemoServer) -> Iterator[DemoServer]:
    """The slow demo endpoint, selected."""
    with selecting(slow_endpoint):
        yield slow_endpoint


class selecting:  # noqa: N801  # read as a word: `with selecting(server):`
    """Select a demo endpoint; afterwards all panels are closed and nothing is selected."""

    def __init__(self, server: DemoServer) -> None:
        self._server = server

    def __enter__(self) -> None:
        get_selection().set(choice=Choice(Demo, api_base=self._server.api_base), model=None, options={})

    def __exit__(self, *_: object) -> None:
        close_panels()
        get_selection().set(choice=None, model=None, options={})


class Driver:
    """A panel, and one view of it without a browser: sends operations, keeps what comes back."""

    _requests = itertools.count(1)

    def __init__(self, conversation: Conversation | None = None) -> None:
        self.panel = ChatPanel(conversation or Conversation(name="main"))
        self.messages: list[dict[str, Any]] = []
        object.__setattr__(self.panel, "send", self._keep)

    def _keep(self, content: dict[str, Any], buffers: object = None) -> None:
        self.messages.append(content)

    def send(self, op: str, *buffers: bytes, **fields: Any) -> dict[str, Any]:
        """Do an operation as a click does it; the kernel's answer."""
        request = f"request-{next(self._requests)}"
        if op == "ask":
            fields["files"] = [self._attach(data, *about) for data, about in zip(buffers, _about(fields), strict=False)]
        self.panel._handle_custom_msg({"op": op, "request": request, **fields}, [])
        answers: list[dict[str, Any]] = []

        def answered() -> bool:
            given = [message for message in tuple(self.messages) if message.get("request") == request]
            answers.extend(message for message in given if message["type"] != "taken")
            return bool(answers)

        wait_until(answered, f"{op} is answered")
        return {name: value for name, value in answers[0].items() if name not in ("type", "request")}

    def _attach(self, data: bytes, name: str, thumbnail: str) -> dict[str, str]:
        file = f"file-{next(self._requests)}"
        self.panel._handle_custom_msg({"op": "attach", "file": file}, [data])
        return {"id": file, "name": name, "thumbnail": thumbnail}

    def say(self, op: str, **fields: Any) -> None:
        """Say what needs no answer."""
        self.panel._handle_custom_msg({"op": op, **fields}, [])

    def ask(self, text: str, *buffers: bytes, **fields: Any) -> dict[str, Any]:
        """Send a prompt and wait for the end of its reply."""
        before = self.ends()
        answer = self.send("ask", *buffers, text=text, **fields)
        if not answer:
            wait_until(lambda: self.ends() > before, "the turn has ended in the transcript")
        return answer

    def wait_for_text(self, blocks: int = 1) -> None:
        """Until the last reply has that many finished blocks."""
        wait_until(lambda: self.turns and len(self.turns[-1]["parts"]) >= blocks, f"{blocks} blocks have come")

    def ends(self) -> int:
        """How often a turn was sent as ended."""
        sent = [turn for message in tuple(self.messages) for turn in message.get("turns", ())]
        return sum(bool(turn["ended"]) for turn in sent)

    @property
    def turns(self) -> list[dict[str, Any]]:
        """The transcript as a page that is opened now would show it."""
        turns: list[dict[str, Any]] = self.panel.get_state("transcript")["transcript"]["turns"]
        return turns

    @property
    def prompts(self) -> list[str]:
        return [turn["prompt"] for turn in self.turns]

    def html(self, index: int = -1) -> str:
        """The text of a reply as HTML."""
        turn = self.turns[index]
        return "".join(html for kind, html in turn["parts"] if kind == "text") + str(turn["open"]["text"])


def _about(fields: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and thumbnails of the files of a prompt, without end."""
    names, thumbnails = fields.pop("names", []), fields.pop("thumbnails", [])
    for number in itertools.count():
        yield "".join(names[number : number + 1]), "".join(thumbnails[number : number + 1])

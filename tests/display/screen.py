"""A front end in memory: keeps display messages, applies updates, and has a clock that tests move."""

from __future__ import annotations

from typing import Any, NamedTuple

from jmuz_magic.display.reply import framed_html
from jmuz_magic.display.views.live import HtmlView
from jmuz_magic.display.views.view import View
from tests.allow_list import without_buttons

__all__ = ["Screen", "Sent", "unframed"]

FRAME, FRAME_END = framed_html("|").split("|")


def unframed(html: str) -> str:
    """What is right of the rule, without buttons."""
    html = without_buttons(html)
    assert not html or (html.startswith(FRAME) and html.endswith(FRAME_END))
    return html.removeprefix(FRAME).removesuffix(FRAME_END)


class Sent(NamedTuple):
    """One display message and the time at which it came."""

    at: float
    data: dict[str, Any]
    metadata: dict[str, Any]
    update: bool
    display_id: str


class Screen:
    """What a notebook would hold.

    Attributes:
        now: the clock, in seconds.
        sent: every message in order.
        outputs: display id to the data shown now, in the order of their first message.
        metadata: likewise.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.sent: list[Sent] = []
        self.outputs: dict[str, dict[str, Any]] = {}
        self.metadata: dict[str, dict[str, Any]] = {}

    def view(self, **options: Any) -> HtmlView:
        return HtmlView(publish=self.publish, clock=lambda: self.now, **options)

    def publish(self, data: dict[str, Any], metadata: dict[str, Any], transient: dict[str, Any], update: bool) -> None:
        display_id = transient.get("display_id", f"no id, message {len(self.sent)}")
        assert update == (display_id in self.outputs), "updates follow the first message of their display"
        self.sent.append(Sent(self.now, data, metadata, update, display_id))
        self.outputs[display_id], self.metadata[display_id] = data, metadata

    def stream(self, view: View, text: str, *, size: int = 4, per_second: float = 1000.0) -> None:
        """Feed `text` in deltas, ticking after each."""
        for start in range(0, len(text), size):
            view.append(text[start : start + size])
            view.tick()
            self.now += 1 / per_second

    @property
    def html(self) -> str:
        return "".join(unframed(data["text/html"]) for data in self.outputs.values())

    @property
    def html_of_text(self) -> str:
        """The same where some outputs are images."""
        return "".join(unframed(data.get("text/html", "")) for data in self.outputs.values())

    @property
    def plain(self) -> str:
        return "".join(data.get("text/plain", "") for data in self.outputs.values())

    @property
    def size(self) -> int:
        """Characters sent in all."""
        return sum(len(value) for message in self.sent for value in message.data.values())

"""The view of a reply that is not streamed but there already: one output, sent once."""

from __future__ import annotations

from typing import Any

from jmuz_magic.display.reply import reply_bundle, reply_metadata
from jmuz_magic.display.view import Publish
from jmuz_magic.messages import Chunk, Reply

__all__ = ["ReplayView"]


def _publish(data: dict[str, Any], metadata: dict[str, Any], transient: dict[str, Any], update: bool) -> None:
    from IPython.display import publish_display_data

    publish_display_data(data, metadata)  # type: ignore[no-untyped-call]  # IPython leaves it unannotated


class ReplayView:
    """Shows a recorded reply; only its metadata say so.

    Tools that compare a notebook's outputs look at the first state of a display, so there is no other.

    Args:
        date: of the recording, ISO 8601.
        show_reasoning: whether reasoning is shown, folded.
        publish: sends the message; None sends it through IPython.
    """

    def __init__(self, date: str, *, show_reasoning: bool = True, publish: Publish | None = None) -> None:
        self._date = date
        self._show_reasoning = show_reasoning
        self._publish = publish or _publish

    def wait(self, line: str) -> None: ...

    def append(self, chunk: Chunk) -> None: ...

    def tick(self) -> None: ...

    def close(self, reply: Reply, error: str | None = None) -> None:
        metadata = reply_metadata(reply)
        metadata["jmuz"] |= {"replayed": True, "date": self._date}
        bundle = reply_bundle(reply, show_reasoning=self._show_reasoning, error=error)
        self._publish(bundle, metadata, {}, False)

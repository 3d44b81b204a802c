"""The view of a reply that is sent whole: one output, sent once."""

from __future__ import annotations

from jmuz_magic.display.bundle import reply_bundle
from jmuz_magic.display.pictures import image_bundles
from jmuz_magic.display.reply import reply_metadata
from jmuz_magic.display.views.publish import Publish, publish
from jmuz_magic.messages import Chunk, Reply
from jmuz_magic.text import clean_line

__all__ = ["OnceView"]


class OnceView:
    """Shows a reply when it is complete, in one output that never changes; each of its images is another.

    So it is complete even where updates are ignored or added to what they should replace, and tools that compare
    notebooks by the first state of an output find a replayed reply the same each time.

    Args:
        date: when a replayed reply was recorded, in ISO 8601; None if it was not replayed.
        show_reasoning: whether reasoning is shown, folded.
        show_footer: whether who answered, tokens and seconds are shown below the reply.
        publish: sends the messages.
    """

    def __init__(
        self,
        date: str | None = None,
        *,
        show_reasoning: bool = True,
        show_footer: bool = True,
        publish: Publish = publish,
    ) -> None:
        self._date = date
        self._show_reasoning = show_reasoning
        self._show_footer = show_footer
        self._publish = publish

    def wait(self, line: str) -> None: ...

    def append(self, chunk: Chunk) -> None: ...

    def tick(self) -> None: ...

    def close(self, reply: Reply, error: str | None = None) -> None:
        thought = reply.reasoning if self._show_reasoning else ""
        if error is not None and not (reply.text or thought or reply.images or reply.unshown):
            return  # the error says it all
        metadata = reply_metadata(reply)
        if self._date is not None:
            metadata["jmuz"] |= {"replayed": True, "date": clean_line(self._date)}
        bundle = reply_bundle(
            reply,
            show_reasoning=self._show_reasoning,
            show_footer=self._show_footer,
            error=error,
            images_shown=True,
            recorded=self._date,
        )
        self._publish(bundle, metadata, {}, False)
        for image in image_bundles(reply.images):
            self._publish(image, {}, {}, False)

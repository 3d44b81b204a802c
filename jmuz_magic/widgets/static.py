"""The transcript as an ordinary output: what a saved notebook, nbconvert and code-hosting sites show of a panel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jmuz_magic.display.text import clean_text

if TYPE_CHECKING:
    from jmuz_magic.widgets.transcript import Transcript

__all__ = ["StaticTranscript"]


class StaticTranscript:
    """A display output that is brought up to date after each turn.

    Args:
        transcript: what it shows.
        display_id: of the output.
    """

    def __init__(self, transcript: Transcript, display_id: str) -> None:
        self._transcript = transcript
        self._display_id = display_id
        self._sent: dict[str, str] | None = None

    def show(self) -> None:
        """Display it in the running cell."""
        self._publish(self._bundle(), update=False)

    def refresh(self) -> None:
        """Bring it up to date, from any thread; does nothing before it was shown or where nothing changed."""
        if self._sent is not None and self._in_kernel():
            bundle = self._bundle()
            if bundle != self._sent:
                self._publish(bundle, update=True)

    def _publish(self, bundle: dict[str, str], *, update: bool) -> None:
        from IPython.display import publish_display_data

        self._sent = bundle
        publish: Any = publish_display_data  # not annotated there
        publish(dict(bundle), transient={"display_id": self._display_id}, update=update)

    @staticmethod
    def _in_kernel() -> bool:
        # A terminal would print the transcript once more.
        from IPython.core.getipython import get_ipython

        return hasattr(get_ipython(), "kernel")

    def _bundle(self) -> dict[str, str]:
        entries = [entry for entry in self._transcript.entries if entry.ended]
        html = "".join(entry.static_html() for entry in entries) or "<p><em>no turns yet</em></p>\n"
        text = "\n\n".join(entry.static_text() for entry in entries) or "no turns yet"
        return {"text/html": f'<div class="jmuz-transcript">\n{html}</div>', "text/plain": clean_text(text)}

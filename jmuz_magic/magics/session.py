"""What the magics of a shell share."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.continuing import LoneReplies
from jmuz_magic.magics.endpoints import Endpoints
from jmuz_magic.magics.settings import JmuzMagics
from jmuz_magic.notebook.cells import CellLog
from jmuz_magic.text import clean_text

if TYPE_CHECKING:
    from jmuz_magic.conversation.conversation import Conversation
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.messages import Reply
    from jmuz_magic.providers.endpoint.endpoint import Provider

__all__ = ["CODE_NAME", "MAIN", "REPLY_NAME", "Session", "usage_errors"]

REPLY_NAME = "_jmuz"
CODE_NAME = "_jmuz_code"
MAIN = "main"


# Conversations belong to the user, like the shell's variables: reloading the extension keeps them.
_conversations: WeakKeyDictionary[InteractiveShell, dict[str, Conversation]] = WeakKeyDictionary()


class Session:
    """One shell with the extension loaded.

    Attributes:
        shell: IPython's shell.
        endpoints: the endpoints that cells ask.
        conversations: by name, created by `--chat` and the panel; they outlive `%reload_ext`.
        cells: what the notebook's cells did.
        lone_replies: replies that belong to no conversation.
        settings: what `%config JmuzMagics` shows.
        pending: lines from other threads, for a cell to print.
        remarks: the same for things that matter only the first time.
        undo: closed on unload; removes whatever loading added to the shell, in reverse order.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell: Any = shell  # IPython annotates attributes as Optional that a running shell always has
        self.undo = ExitStack()
        self.endpoints = Endpoints(shell, self.undo)
        self.settings = JmuzMagics(shell, self.endpoints, self.say)
        self.conversations = _conversations.setdefault(shell, {})
        self.cells = CellLog(shell)
        self.lone_replies = LoneReplies()
        self.pending: deque[str] = deque()
        self.remarks: deque[str] = deque()
        self._said: set[object] = set()

    @property
    def is_kernel(self) -> bool:
        """Whether a kernel with a front end is running, rather than terminal IPython."""
        return hasattr(self.shell, "kernel")

    def keep(self, reply: Reply) -> None:
        """Keep the reply as `_jmuz`."""
        self.bind(REPLY_NAME, reply)

    def bind(self, name: str, value: object) -> None:
        """Set a variable of the user's namespace."""
        self.shell.push({name: value}, interactive=False)

    def say(self, text: str) -> None:
        """Print lines; makes text from outside inert."""
        print(clean_text(text))  # noqa: T201  # magics print only here and in `_remark`

    def say_pending(self) -> None:
        """Print the lines of other threads, such as where the new log is."""
        while self.pending:
            self.say(self.pending.popleft())
        while self.remarks:
            self._remark(self.remarks.popleft())

    def _remark(self, text: str) -> None:
        """Print a line that is not a result; if nobody watches, as in scripts and nbclient, on stderr."""
        print(clean_text(text), file=sys.stdout if self.is_watched else sys.stderr)  # as `say`

    @property
    def is_watched(self) -> bool:
        """Whether a user may be watching: front ends allow input; nbclient, papermill and nbval do not."""
        request = self.shell.get_parent() if self.is_kernel else None
        return bool(((request or {}).get("content") or {}).get("allow_stdin"))

    def show(self, bundle: dict[str, str]) -> None:
        """Display a bundle of `text/html` and `text/plain` in a front end, else print its text."""
        if self.is_kernel:
            display(bundle, raw=True)  # type: ignore[no-untyped-call]  # unannotated in IPython
        else:
            self.say(bundle["text/plain"])

    def once(self, topic: object) -> bool:
        """Whether this is the first call for a topic (anything hashable)."""
        if topic in self._said:
            return False
        self._said.add(topic)
        return True

    def announce(self, turn: Turn) -> None:
        """Say what must be said once before prompts are sent: who reads them, and how much history is left out."""
        if turn.recorded:
            return  # nothing is sent
        request = turn.request
        if (endpoint := request.endpoint) is not None:
            self.introduce(endpoint.provider)
            plain = f"{endpoint.origin} uses plain http: prompts and replies can be read on the way"
            notices = (plain if endpoint.unencrypted else endpoint.third_party, endpoint.promise, endpoint.identity)
            for notice in filter(None, notices):
                if self.once(("notice", endpoint.origin, notice)):
                    self.say(notice)
        if turn.omitted and self.once(("omitted", request.conversation)):
            oldest = "turn is" if turn.omitted == 1 else f"{turn.omitted} turns are"
            self.say(f"the conversation is long: its oldest {oldest} no longer sent")

    def introduce(self, provider: Provider) -> None:
        """Say once which package a provider comes from if it is not ours."""
        from jmuz_magic.providers.registry import source_of

        if (source := source_of(provider)) and self.once(("source", provider)):
            self._remark(f"the provider {provider.spoken_name} comes from the package {source}")

    def close(self) -> None:
        """Remove everything."""
        self.undo.close()


@contextmanager
def usage_errors() -> Iterator[None]:
    """Turn a `JmuzError` inside into IPython's one-line `UsageError`: nothing was sent, the line was wrong."""
    try:
        yield
    except JmuzError as error:
        raise UsageError(clean_text(str(error))) from None

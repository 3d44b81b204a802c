"""Builds the message to send from what the user wrote and what the notebook contains."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from IPython.core.error import UsageError

from jmuz_magic.content import text_part
from jmuz_magic.magics.prompt.attachments import attach, load_image
from jmuz_magic.magics.prompt.expander import Expander
from jmuz_magic.magics.prompt.limits import check_text
from jmuz_magic.magics.prompt.scope import Scope
from jmuz_magic.magics.request_options import read_option_values
from jmuz_magic.magics.session import Session
from jmuz_magic.messages import Message
from jmuz_magic.notebook.context import build_context
from jmuz_magic.notebook.images import Image
from jmuz_magic.secret import Secret
from jmuz_magic.text import clean_line

__all__ = ["PromptBuilder"]


class PromptBuilder:
    """Builds the message of one cell; whatever is wrong is a `UsageError` before anything is sent.

    Args:
        session: the session whose notebook the prompt may refer to.
        scope: the variables that `{{expressions}}` name.
        raw: whether to send those verbatim.
        max_bytes: the limit for the prompt and for the system message.

    Attributes:
        wording: the message without earlier cells, which change with each run; set if it was built with some.
    """

    def __init__(self, session: Session, scope: Scope, *, raw: bool = False, max_bytes: int) -> None:
        self._session, self._scope, self._max_bytes = session, scope, max_bytes
        self.wording: Message | None = None
        self._cells_in_part: tuple[str, ...] = ()
        self._expander = None if raw else Expander(scope.namespace, check=scope.check)

    @property
    def sent_in_part(self) -> tuple[str, ...]:
        """See `Reply`; known once everything is built."""
        return (*self._cells_in_part, *(self._expander.sent_in_part if self._expander else ()))

    def expanded(self, text: str, flag: str) -> str:
        """The value of an option with its expressions replaced."""
        return self._expander.text(text, what=f"value of {flag}") if self._expander else text

    def check_system(self, text: str | None) -> None:
        """Refuse a system message that cannot or should not be sent."""
        if text:
            check_text(text, what="system message", max_bytes=self._max_bytes)

    def message(
        self,
        prompt: str,
        *,
        attached: Iterable[str] = (),
        context: int | None = None,
        secrets: Iterable[Secret] = (),
    ) -> Message:
        """The user's message: earlier cells if requested, then the prompt with its images.

        Args:
            prompt: as the user wrote it.
            attached: files and variables with images.
            context: how many earlier cells to send.
            secrets: what to mask in earlier cells.

        Raises:
            UsageError: an expression, an attachment or the size is wrong.
        """
        check_text(prompt, max_bytes=self._max_bytes)
        text = self._expander.text(prompt, images=True) if self._expander else prompt
        images = [*(self._expander.images if self._expander else ()), *map(self._attached, attached)]
        if context:
            self.wording = _message(text, images)
            text = f"{self._context(context, secrets)}\n\n{text}"
        check_text(text, max_bytes=self._max_bytes)
        return _message(text, images)

    def body(self, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """What the given `-o KEY VALUE` options put into the request's body.

        Raises:
            UsageError: a key is used for something else.
        """
        return read_option_values((key, self._json(key, value)) for key, value in pairs)

    def _json(self, key: str, text: str) -> str:
        """The JSON value of one expression if it has one: a list stays a list."""
        if self._expander is None or "{{" not in text:
            return text
        what = f"value of -o {key}"
        value = self._expander.value(text, what=what)
        try:
            return value if isinstance(value, str) else json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            return self._expander.text(text, what=what)

    def _attached(self, word: str) -> Image:
        namespace = self._scope.namespace
        if self._expander is None or "{{" not in word:
            self._scope.check(frozenset([word]))
            return load_image(word, namespace)
        value = self._expander.value(word, what="value of -a")
        return load_image(value, namespace) if isinstance(value, str) else attach(value, clean_line(word, 200))

    def _context(self, count: int, secrets: Iterable[Secret]) -> str:
        context = build_context(self._session.cells.earlier(), count, secrets=secrets)
        if not context.cells:
            raise UsageError("%jmuz: --context: there is no earlier cell in this session; run one first")
        self._cells_in_part = context.sent_in_part
        return context.text


def _message(text: str, images: Sequence[Image]) -> Message:
    if not images:
        return {"role": "user", "content": text}
    return {"role": "user", "content": [text_part(text), *(image.part for image in images)]}

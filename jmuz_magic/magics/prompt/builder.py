"""Builds the message to send from what the user wrote and what the notebook contains."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from IPython.core.error import UsageError

from jmuz_magic.content import text_part
from jmuz_magic.magics.prompt.attachments import attach, load_file
from jmuz_magic.magics.prompt.expander import Expander
from jmuz_magic.magics.prompt.limits import check_text
from jmuz_magic.magics.prompt.scope import Scope
from jmuz_magic.magics.request_options import read_option_values
from jmuz_magic.magics.session import Session
from jmuz_magic.messages import Message
from jmuz_magic.notebook.context import build_context
from jmuz_magic.notebook.files import Document, parts_sent
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
        self._files_in_part: tuple[str, ...] = ()
        self._expander = None if raw else Expander(scope.namespace, check=scope.check)

    @property
    def sent_in_part(self) -> tuple[str, ...]:
        """See `Reply`; known once everything is built."""
        values = self._expander.sent_in_part if self._expander else ()
        return (*self._cells_in_part, *values, *self._files_in_part)

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
        takes_pdf: bool = False,
    ) -> Message:
        """The user's message: earlier cells if requested, then the prompt with its files.

        Args:
            prompt: as the user wrote it.
            attached: files, and variables with images.
            context: how many earlier cells to send.
            secrets: what to mask in earlier cells.
            takes_pdf: whether the endpoint takes PDFs.

        Raises:
            UsageError: an expression, an attachment or the size is wrong.
        """
        check_text(prompt, max_bytes=self._max_bytes)
        text = self._expander.text(prompt, images=True) if self._expander else prompt
        files = [
            *(self._expander.images if self._expander else ()),
            *(self._attached(word, takes_pdf) for word in attached),
        ]
        if context:
            self.wording = _message(text, files)
            text = f"{self._context(context, secrets)}\n\n{text}"
        check_text(text, max_bytes=self._max_bytes)
        message = _message(text, files)
        self._files_in_part = parts_sent(message)
        return message

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

    def _attached(self, word: str, takes_pdf: bool) -> Image | Document:
        namespace = self._scope.namespace
        if self._expander is None or "{{" not in word:
            self._scope.check(frozenset([word]))
            return load_file(word, namespace, takes_pdf=takes_pdf)
        value = self._expander.value(word, what="value of -a")
        if isinstance(value, str):
            return load_file(value, namespace, takes_pdf=takes_pdf)
        return attach(value, clean_line(word, 200), takes_pdf=takes_pdf)

    def _context(self, count: int, secrets: Iterable[Secret]) -> str:
        context = build_context(self._session.cells.earlier(), count, secrets=secrets)
        if not context.cells:
            raise UsageError("%jmuz: --context: there is no earlier cell in this session; run one first")
        self._cells_in_part = context.sent_in_part
        return context.text


def _message(text: str, files: Sequence[Image | Document]) -> Message:
    if not files:
        return {"role": "user", "content": text}
    return {"role": "user", "content": [text_part(text), *(file.part for file in files)]}

"""`{{expression}}` in a prompt: evaluated in the notebook, once, before anything is sent."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any

from IPython.core.error import UsageError

from jmuz_magic.content import MAX_IMAGE_BYTES
from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.prompt.expressions import BraceError, Expression, braced, split
from jmuz_magic.magics.wording import did_you_mean
from jmuz_magic.notebook.images import Image, image_of
from jmuz_magic.notebook.summary import part_of, summarise
from jmuz_magic.text import clean_line, raised

__all__ = ["Expander"]

HINT = "--raw sends braces verbatim"


class Expander:
    """Replaces the expressions in one request: in its prompt, its system message and its option values.

    Each expression is evaluated once, however often it occurs. What is put in is not expanded again: a value that
    contains `{{other}}` is sent verbatim. Single braces, `$`, `%` and backslashes are text.

    Attributes:
        images: the values that are images, in the order of their first occurrence.
        sent_in_part: see `Reply`.
    """

    def __init__(
        self,
        namespace: Mapping[str, Any],
        *,
        check: Callable[[frozenset[str]], None] | None = None,
        max_image_bytes: int = MAX_IMAGE_BYTES,
    ) -> None:
        """Expressions are evaluated in `namespace`; `check` may refuse their names before that."""
        # eval needs a real dict for globals, preferably the user's own: `{{n := 3}}` sets a variable.
        self._namespace = namespace if isinstance(namespace, dict) else dict(namespace)
        self._check = check
        self._max_image_bytes = max_image_bytes
        self._values: dict[str, object] = {}
        self._texts: dict[str, str | Image] = {}
        self.images: list[Image] = []
        self.sent_in_part: list[str] = []

    def text(self, template: str, *, what: str = "prompt", images: bool = False) -> str:
        """`template` with every expression replaced.

        Args:
            template: what the user wrote.
            what: what messages call it.
            images: whether it may contain images; otherwise one is an error.

        Raises:
            UsageError: the exact class; one line names the expression and `--raw`. Nothing was sent.
        """
        parts = _parts(template, what)
        return "".join(part if isinstance(part, str) else self._shown(part, what, images) for part in parts)

    def value(self, template: str, *, what: str) -> object:
        """The value itself if `template` is a single expression, else its expanded text.

        Raises:
            UsageError: see `text`.
        """
        parts = _parts(template.strip(), what)
        if len(parts) == 1 and isinstance(parts[0], Expression):
            return self._evaluated(parts[0], what)
        return self.text(template, what=what)

    def _shown(self, expression: Expression, what: str, images: bool) -> str:
        source = expression.source
        if source not in self._texts:
            self._texts[source] = self._text_or_image(self._evaluated(expression, what), source)
        shown = self._texts[source]
        if isinstance(shown, str):
            return shown
        if not images:
            raise _refusal(braced(source), what, "this is an image, which is only allowed in the prompt")
        if shown not in self.images:
            self.images.append(shown)
        return f"[image {self.images.index(shown) + 1}]"

    def _text_or_image(self, value: object, source: str) -> str | Image:
        short = clean_line(source, 60)
        name = braced(short)
        try:
            if image := image_of(value, name, max_bytes=self._max_image_bytes):
                return image
            text = summarise(value, name)
            if part := part_of(value, text):
                self.sent_in_part.append(f"{part} of `{short}`")
            return text
        except JmuzError as error:
            line = f"{error} ({HINT})"
        raise UsageError(line)

    def _evaluated(self, expression: Expression, what: str) -> object:
        source = expression.source
        if source not in self._values:
            if self._check:
                self._check(expression.names)
            try:
                self._values[source] = eval(expression.code, self._namespace)  # noqa: S307  # the user's own code
            except NameError as error:
                line = self._unknown(error, expression)
            except (Exception, SystemExit) as error:  # noqa: BLE001  # the user's own code may do anything
                line = raised(error)
            else:
                return self._values[source]
            raise _refusal(braced(source), what, line)
        return self._values[source]

    def _unknown(self, error: NameError, expression: Expression) -> str:
        name = error.name
        if name is None or name in self._namespace or name not in expression.names:
            return raised(error)  # raised in a function that the expression calls
        return f"there is no {name!r}" + did_you_mean(name, [*self._namespace, *dir(builtins)])


def _parts(template: str, what: str) -> list[str | Expression]:
    try:
        return list(split(template))  # everything is parsed before anything is evaluated
    except BraceError as error:
        refusal = _refusal(error.shown, what, str(error))
    raise refusal


def _refusal(shown: str, what: str, reason: str) -> UsageError:
    return UsageError(f"{clean_line(shown, 64)} in the {what}: {reason} ({HINT})")

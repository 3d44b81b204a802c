"""Keys that do not show, and texts in which none is left."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

__all__ = ["SHORTEST_SECRET", "Secret", "looks_like_key", "model_looks_like_key", "redact"]


class Secret:
    """A key that shows as `***` wherever it is printed, formatted, logged or pickled by mistake.

    `reveal()` is called in one place only: where the header is built.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a Secret is not pickled")


SHORTEST_SECRET = 6  # dummy keys such as "x" or "none" are parts of ordinary words


def redact(text: str, secret: Secret) -> str:
    """`text` without the secret, also as JSON or an address would spell it."""
    value = secret.reveal()
    if len(value) < SHORTEST_SECRET:
        return text
    spellings = {value, json.dumps(value)[1:-1], quote(value, safe=""), quote(value)}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, "***")
    return text


# Names of models are long, too, but made of words, short numbers and dates.
_KEY = re.compile(r"(?<![A-Za-z0-9])(?:sk-|AIza\S{20}|(?=[A-Za-z]*\d[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{24})")


# In the place of a model: what begins as services' keys do. Names hold such letters too (mistral-sk-7b, xai-grok-2),
# so a prefix counts at the beginning of a word, and a short one only with a secret after it.
_KEY_PREFIX = re.compile(
    r"(?:^|[\s:=/'\"`])(?:sk-|sk_|AIza\S{20}|eyJ[\w-]{20}|AKIA[A-Z0-9]{16}"
    r"|(?:gsk|hf|r8|fw|nvapi|pplx|xai|csk|tgp_v1|ghp|gho|glpat|github_pat)[-_](?=[a-z]*[\dA-Z])\w{16})"
)


_LONG_WORD = re.compile(r"[A-Za-z0-9]{24,}")


_DIGEST = re.compile(r"[0-9a-f]{40,64}|[0-9A-F]{40,64}")  # of git and of SHA-1 to SHA-256


_NAMED_DIGEST = re.compile(r"\bsha\d+:[0-9A-Fa-f]+")


def looks_like_key(text: str) -> bool:
    """Whether a word in the place of a name seems to be a key, which is not to be repeated anywhere."""
    return _KEY.search(text) is not None


def model_looks_like_key(text: str) -> bool:
    """The same for a word in the place of a model, whose id may hold a digest or an organisation's number.

    A key of 40 to 64 hexadecimal digits and nothing else is taken for a digest; those in the place of a provider
    or a variable's name are not (`looks_like_key`).
    """
    if _KEY_PREFIX.search(text):
        return True
    if text.startswith("ft:"):  # OpenAI's fine-tunes: ft:MODEL:ORGANISATION:SUFFIX:ID
        return False
    words = [word for word in _LONG_WORD.findall(_NAMED_DIGEST.sub("", text)) if not _DIGEST.fullmatch(word)]
    return any(_KEY.search(word) for word in words)

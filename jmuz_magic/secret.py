"""Keys that never show, texts redacted of them, and words that look like one."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

__all__ = ["SHORTEST_SECRET", "Secret", "looks_like_key", "model_looks_like_key", "redact"]


class Secret:
    """A key that shows as `***` wherever it is printed, formatted or logged, and refuses to be pickled.

    Code calls `reveal()` only to send the key, store it, check it, or redact it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The key in the clear."""
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

    def __deepcopy__(self, memo: object) -> Secret:
        return self  # it cannot change; a copy of a setting may hold one

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a Secret cannot be pickled")


SHORTEST_SECRET = 6  # dummy keys such as "x" or "none" occur in ordinary words


def redact(text: str, secret: Secret) -> str:
    """`text` without the secret, whether plain or escaped as in JSON or a URL."""
    value = secret.reveal()
    if len(value) < SHORTEST_SECRET:
        return text
    spellings = {value, json.dumps(value)[1:-1], quote(value, safe=""), quote(value)}
    for spelling in sorted(spellings, key=len, reverse=True):
        text = text.replace(spelling, "***")
    return text


# Model names can be long too, but consist of words, short numbers and dates.
_KEY = re.compile(r"(?<![A-Za-z0-9])(?:sk-|AIza\S{20}|(?=[A-Za-z]*\d[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{24})")


# Where a model is expected: words that begin as services' keys do. Names contain such letters too (mistral-sk-7b,
# xai-grok-2), so a prefix counts only at the start of a word, and a short one only if a secret follows.
_KEY_PREFIX = re.compile(
    r"(?:^|[\s:=/'\"`])(?:sk-|sk_|AIza\S{20}|eyJ[\w-]{20}|AKIA[A-Z0-9]{16}"
    r"|(?:gsk|hf|r8|fw|nvapi|pplx|xai|csk|tgp_v1|ghp|gho|glpat|github_pat)[-_](?=[a-z]*[\dA-Z])\w{16})"
)


_LONG_WORD = re.compile(r"[A-Za-z0-9]{24,}")


_DIGEST = re.compile(r"[0-9a-f]{40,64}|[0-9A-F]{40,64}")  # of git and of SHA-1 to SHA-256


_NAMED_DIGEST = re.compile(r"\bsha\d+:[0-9A-Fa-f]+")


def looks_like_key(text: str) -> bool:
    """Whether a word given as a name seems to be a key, which must not be repeated anywhere."""
    return _KEY.search(text) is not None


def model_looks_like_key(text: str) -> bool:
    """The same for a word given as a model, whose id may contain a digest or an organisation's number.

    A key of nothing but 40 to 64 hexadecimal digits is taken for a digest here, though not by `looks_like_key`.
    """
    if _KEY_PREFIX.search(text):
        return True
    if text.startswith("ft:"):  # OpenAI's fine-tunes: ft:MODEL:ORGANISATION:SUFFIX:ID
        return False
    words = [word for word in _LONG_WORD.findall(_NAMED_DIGEST.sub("", text)) if not _DIGEST.fullmatch(word)]
    return any(_KEY.search(word) for word in words)

"""What was asked, in the form that recordings use: the key of a request, and how two requests differ."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import cached_property
from typing import TYPE_CHECKING, Any

from jmuz_magic.content import text_of
from jmuz_magic.secret import Secret

if TYPE_CHECKING:
    from jmuz_magic.request.request import Request

__all__ = ["Asked"]

_DATA_URL = re.compile(r"data:(?P<kind>[\w.+/-]*)(?:;[\w.+=-]+)*;base64,(?P<payload>.*)", re.DOTALL)
_COMPARED = 2_000  # characters compared of a prompt; enough to tell which one was meant
_EXCERPT = 40  # characters shown of each side of a difference


@dataclass(frozen=True)
class Asked:
    """Model, messages and options as asked: aliases unresolved, the system message in its place, attachments hashed."""

    model: str
    messages: list[dict[str, Any]] = field(hash=False)
    options: dict[str, Any] = field(hash=False)

    @classmethod
    def of(cls, request: Request) -> Asked:
        """What the request asks, regardless of the endpoint and of how it travels."""
        options = {name: value for name, value in request.options.items() if name not in request.implied}
        return cls(request.alias or request.model, _hashed(request.messages), _hashed(options))

    @cached_property
    def key(self) -> str:
        """SHA-256 in hexadecimal over the canonical JSON."""
        return _sha256({"messages": self.messages, "model": self.model, "options": self.options})

    @cached_property
    def key_without_model(self) -> str:
        """The same key, regardless of the model."""
        return _sha256({"messages": self.messages, "options": self.options})

    @property
    def prompt(self) -> str:
        """The text of the last message."""
        return text_of(self.messages[-1]) if self.messages else ""

    def nearest(self, others: Iterable[Asked]) -> int | None:
        """The position of the most similar request; None if there are no others."""
        best, where = -1.0, None
        for position, other in enumerate(others):
            likeness = self._likeness(other, best)
            if likeness > best:
                best, where = likeness, position
        return where

    def differences(self, recorded: Asked) -> list[str]:
        """How this request differs from a recorded one, one short phrase each."""
        found = []
        if self.model != recorded.model:
            found.append(f"model {self.model or '(default)'} instead of {recorded.model or '(default)'}")
        if self.prompt != recorded.prompt:
            found.append("prompt {} instead of {}".format(*_excerpts(self.prompt, recorded.prompt)))
        for name in sorted(self.options.keys() | recorded.options.keys()):
            asked, before = (_value(options, name) for options in (self.options, recorded.options))
            if asked != before:
                found.append(f"option {name} {asked} instead of {before}")
        return found + self._other_messages(recorded, bool(found))

    def _other_messages(self, recorded: Asked, known: bool) -> list[str]:
        system, before = self._system(), recorded._system()
        if system != before:
            return ["system message {} instead of {}".format(*_excerpts(system, before))]
        if len(self.messages) != len(recorded.messages):
            return [f"{len(self.messages)} messages instead of {len(recorded.messages)}"]
        if self.messages[:-1] != recorded.messages[:-1]:
            return ["earlier messages of the conversation"]
        return [] if known or self.messages == recorded.messages else ["attachments"]

    def _system(self) -> str:
        return "\n".join(
            text_of(message) for message in self.messages if message.get("role") in ("system", "developer")
        )

    def _likeness(self, other: Asked, best: float) -> float:
        same = (
            (self.model == other.model)
            + (self.options == other.options)
            + (len(self.messages) == len(other.messages))
            + (self.messages[:-1] == other.messages[:-1])
        )
        prompts = SequenceMatcher(None, self.prompt[:_COMPARED], other.prompt[:_COMPARED], autojunk=False)
        if 8 * prompts.real_quick_ratio() + same <= best or 8 * prompts.quick_ratio() + same <= best:
            return -1.0  # cannot win, and a letter-by-letter comparison is slow
        return 8 * prompts.ratio() + same


def _sha256(value: Any) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _hashed(value: Any) -> Any:
    """A JSON-like copy with attachments replaced by hashes, since recordings are read in diffs."""
    if isinstance(value, str):
        return _hashed_url(value)
    if isinstance(value, bytes | bytearray):
        return f"sha256:{hashlib.sha256(value).hexdigest()}"
    if isinstance(value, Mapping):
        return {str(name): _hashed(item) for name, item in value.items() if not _is_elsewhere(value, name)}
    if isinstance(value, list | tuple):
        return [_hashed(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return "***" if isinstance(value, Secret) else f"{type(value).__name__} object"


def _is_elsewhere(value: Mapping[Any, Any], name: Any) -> bool:
    """Whether a member of a part says what is already known: the text of a file has a hash, an image needs no name."""
    kind = value.get("type")
    return (kind == "text" and name == "text" and "file" in value) or (kind == "image_url" and name == "filename")


def _hashed_url(text: str) -> str:
    found = _DATA_URL.fullmatch(text)
    if not found:
        return text
    try:
        payload = base64.b64decode(found["payload"], validate=True)
    except (binascii.Error, ValueError):
        payload = found["payload"].encode("utf-8", "surrogatepass")
    return f"data:{found['kind']};sha256,{hashlib.sha256(payload).hexdigest()}"


def _value(options: Mapping[str, Any], name: str) -> str:
    if name not in options:
        return "none"
    text = json.dumps(options[name], ensure_ascii=False)
    return text if len(text) <= _EXCERPT else text[:_EXCERPT] + "…"


def _excerpts(one: str, other: str) -> tuple[str, str]:
    """Both texts around the first place where they differ."""
    same = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    start = max(0, same - _EXCERPT // 2)
    return _excerpt(one, start), _excerpt(other, start)


def _excerpt(text: str, start: int) -> str:
    piece = " ".join(text[start : start + _EXCERPT].split())
    return f"“{'…' if start else ''}{piece}{'…' if len(text) > start + _EXCERPT else ''}”"

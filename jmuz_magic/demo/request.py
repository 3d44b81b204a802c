"""What is asked, in the form of the OpenAI chat completions API, and checked as that checks it.

Requests in the other dialects are read into the same form, so that one script answers all.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jmuz_magic.demo.fields import boolean, integer, member, model_of, object_of
from jmuz_magic.demo.options import CHAT, check_options
from jmuz_magic.demo.request_error import RequestError

__all__ = ["ChatRequest", "Image"]

ROLES = ("assistant", "developer", "function", "system", "tool", "user")
MAX_CHOICES = 128
MAX_STOPS = 4


class Image(NamedTuple):
    """An attached image: its media type and size, or the address of one that is not fetched."""

    description: str

    @classmethod
    def from_url(cls, url: str) -> Image:
        if not url.startswith("data:"):
            return cls(f"at {url}, not fetched")
        media_type, comma, data = url.removeprefix("data:").partition(";base64,")
        try:
            size = len(base64.b64decode(data, validate=True)) if comma else -1
        except binascii.Error:
            size = -1
        if size < 0:
            raise RequestError("expected an image as data:TYPE;base64,DATA, got broken base64", param="messages")
        return cls(f"{media_type}, {size} bytes")


class ChatRequest(NamedTuple):
    """The body of `POST /v1/chat/completions`, as far as this endpoint uses it.

    Attributes:
        model: the id, not yet looked up.
        messages: as sent; each has a known role and a content of text, parts or None.
        include_usage: whether a stream ends with the counts of tokens.
        max_tokens: the smaller of `max_tokens` and `max_completion_tokens`; None without either.
        stop: sequences before which the text ends.
        thinks: False if the request asks for no reasoning.
    """

    model: str
    messages: tuple[Mapping[str, Any], ...]
    stream: bool = False
    include_usage: bool = False
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    n: int = 1
    thinks: bool = True

    @classmethod
    def parse(cls, body: object) -> ChatRequest:
        """Read a decoded JSON body.

        Raises:
            RequestError: OpenAI's API would not accept it; the message names the parameter.
        """
        given = object_of(body)
        check_options(given, CHAT)
        limits = [integer(given, name) for name in ("max_tokens", "max_completion_tokens")]
        return cls(
            model=model_of(given),
            messages=_messages(given),
            stream=boolean(given, "stream"),
            include_usage=boolean(member(given, "stream_options"), "include_usage"),
            max_tokens=min((limit for limit in limits if limit is not None), default=None),
            stop=_stop(given),
            n=integer(given, "n", maximum=MAX_CHOICES) or 1,
            thinks=given.get("reasoning_effort") != "none",
        )

    @property
    def prompt(self) -> str:
        """Text of the last user message; "" without one."""
        return message_text(self._last_user_message)

    @property
    def images(self) -> tuple[Image, ...]:
        """Images of the last user message."""
        return tuple(
            Image.from_url(str(part["image_url"]["url"]))
            for part in _parts(self._last_user_message)
            if part["type"] == "image_url"
        )

    @property
    def _last_user_message(self) -> Mapping[str, Any]:
        return next((message for message in reversed(self.messages) if message["role"] == "user"), {})


def message_text(message: Mapping[str, Any]) -> str:
    """The text parts of a message, joined without a separator."""
    return "".join(str(part["text"]) for part in _parts(message) if part["type"] == "text")


def _parts(message: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    content = message.get("content")
    return [{"type": "text", "text": content}] if isinstance(content, str) else content or []


def _messages(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise RequestError("expected a list of at least one message", param="messages")
    for index, message in enumerate(messages):
        _check_message(message, f"messages[{index}]")
    return tuple(messages)


def _check_message(message: object, param: str) -> None:
    if not isinstance(message, dict):
        raise RequestError(f"expected an object, got {type(message).__name__}", param=param)
    if message.get("role") not in ROLES:
        raise RequestError(f"expected a role of {', '.join(ROLES)}", param=f"{param}.role")
    content = message.get("content")
    if isinstance(content, list):
        for index, part in enumerate(content):
            _check_part(part, f"{param}.content[{index}]")
    elif not (isinstance(content, str) or (content is None and message["role"] == "assistant")):
        raise RequestError("expected content as text or a list of parts", param=f"{param}.content")


def _check_part(part: object, param: str) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    match part:
        case {"type": "text", "text": str()} | {"type": "image_url", "image_url": {"url": str()}}:
            return
        case _:
            raise RequestError(f"expected a part of type text or image_url, got {kind!r}", param=param)


def _stop(body: Mapping[str, Any]) -> tuple[str, ...]:
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else stop or []
    if not (isinstance(stops, list) and len(stops) <= MAX_STOPS and all(isinstance(s, str) and s for s in stops)):
        raise RequestError(f"expected text or a list of at most {MAX_STOPS} texts", param="stop")
    return tuple(stops)

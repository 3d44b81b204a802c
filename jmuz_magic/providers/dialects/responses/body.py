"""The JSON body of a request for `responses`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from jmuz_magic.content import parts_of, text_of, texts_of
from jmuz_magic.messages import EarlierReasoning
from jmuz_magic.providers.dialects.dialect import Service, items_by_message
from jmuz_magic.providers.dialects.responses.items import SENT_BACK
from jmuz_magic.providers.dialects.responses.options import translated
from jmuz_magic.providers.dialects.sending import SYSTEM_ROLES, Image, attach_images, copied

__all__ = ["build_body"]

ENCRYPTED = "reasoning.encrypted_content"

# Models that never think refuse to be asked for encrypted thoughts (ShishirPatil/gorilla#1148, 2025-08); the names of
# these families are final.
_NEVER_THINKS = re.compile(r"(?:^|/)(?:gpt-[34]|chatgpt-)|-chat\b")
# Members of a call that are the service's own (`items.py`).
_OF_CALLS = ("caller", "namespace")


def build_body(
    service: Service,
    model: str,
    messages: Sequence[Any],
    stream: bool = True,
    *,
    images: Sequence[Image] | None = None,
    extra_body: Mapping[str, Any] | None = None,
    earlier_reasoning: Sequence[EarlierReasoning | None] = (),
    **options: Any,
) -> dict[str, Any]:
    """The body for `responses`; see `OpenaiTemplate.build_request`.

    Nothing is stored at the service, so it is asked for what it wants back with the next request.

    Raises:
        JmuzError: a message or an image is invalid.
    """
    asked = service.get_model(model)
    sent = copied(messages, service.takes_pdf)
    if images:
        sent = attach_images(sent, images)
    back = items_by_message(messages, earlier_reasoning, asked, "responses")
    first = next((n for n, message in enumerate(sent) if message["role"] not in SYSTEM_ROLES), 0)
    instructions = "\n\n".join(text for message in sent[:first] for text in texts_of(message))
    given = {name: value for name, value in options.items() if value is not None} | dict(extra_body or {})
    include = {} if _NEVER_THINKS.search(asked) else {"include": [ENCRYPTED]}
    return {
        "model": asked,
        **({"instructions": instructions} if instructions else {}),
        "input": [item for pair in zip(sent[first:], back[first:], strict=True) for item in _items(*pair)],
        "stream": stream,
        "store": False,
        **include,
        **translated(given),
    }


def _items(message: dict[str, Any], back: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The items that a message becomes, with those that go back with it."""
    if message["role"] == "tool":
        parts = _parts(message)
        return [{"type": "function_call_output", "call_id": message.get("tool_call_id", ""), "output": parts or ""}]
    if message["role"] != "assistant":
        return [{"role": message["role"], "content": _parts(message)}]
    given = message.get("tool_calls")
    calls = [_call(call) for call in given if isinstance(call, Mapping)] if isinstance(given, list | tuple) else []
    if not back:
        return [*_said(text_of(message)), *calls]
    return _in_place(message, calls, back)


def _in_place(
    message: dict[str, Any], calls: list[dict[str, Any]], back: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What goes back, with the texts and calls of the message at their marks; what has none comes last."""
    items: list[dict[str, Any]] = []
    said = _texts(text_of(message), [mark for mark in back if mark["type"] == "message"])
    waiting = {str(call["call_id"]): call for call in calls}
    for mark in back:
        match mark["type"]:
            case "message":
                items += _said(said.pop(0), mark)
            case "function_call":
                id_ = str(mark.get("call_id"))
                items += [waiting.pop(id_)] if id_ in waiting else []
            case kind if kind in SENT_BACK:
                items.append(dict(mark))
    return [*items, *_said("".join(said)), *waiting.values()]


def _texts(text: str, marks: Sequence[Mapping[str, Any]]) -> list[str]:
    """The text of a reply as the messages that it came as; all of it in the last if their lengths do not fit."""
    texts, start = [], 0
    for mark in marks:
        given = mark.get("length")
        length = given if isinstance(given, int) else 0
        texts.append(text[start : start + length])
        start += length + (2 if length else 0)  # the blank line between paragraphs
    fits = "\n\n".join(filter(None, texts)) == text
    return texts if fits else [*("" for _ in marks[1:]), text]


def _said(text: str, mark: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """A message of the model, unless it is empty.

    As plain text: its own form, `output_text`, needs the id that only a stored message has (OpenAI's types, 2026-11).
    """
    phase = {"phase": mark["phase"]} if mark and "phase" in mark else {}
    return [{"role": "assistant", "content": text, **phase}] if text else []


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    function = _object(call.get("function"))
    own = {name: call[name] for name in _OF_CALLS if name in call}
    return {
        "type": "function_call",
        "call_id": call.get("id", ""),
        "name": function.get("name", ""),
        "arguments": function.get("arguments", ""),
        **own,
    }


def _parts(message: Mapping[str, Any]) -> str | list[dict[str, Any]]:
    """The content of a message: text stays text."""
    content = message.get("content")
    return content if isinstance(content, str) else [_part(part) for part in parts_of(message)]


def _part(part: Any) -> Any:
    """A part in the words of Responses; one of a type that chat does not have is already.

    What is malformed, the service says better.
    """
    match _object(part).get("type"):
        case "text":
            return {"type": "input_text", "text": part.get("text")}
        case "image_url":
            given = part.get("image_url")
            image = given if isinstance(given, Mapping) else {"url": given}
            return {"type": "input_image", "image_url": image.get("url"), "detail": image.get("detail", "auto")}
        case "file":
            return {"type": "input_file", **_object(part.get("file"))}
    return part


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

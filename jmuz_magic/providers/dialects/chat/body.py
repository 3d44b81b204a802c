"""The JSON body of a request: messages, options, images."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jmuz_magic.content import data_url, file_words, files_of, image_part, image_type, parts_of, text_part, texts_of
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import EarlierReasoning
from jmuz_magic.providers.dialects.dialect import Service

__all__ = [
    "Image",
    "attach_images",
    "build_body",
]

Image = str | bytes | Path
"""A URL (`https:` or `data:`), the bytes of a PNG, JPEG, GIF or WebP file, or a path to one."""

SYSTEM_ROLES = ("system", "developer")


def build_body(
    service: Service,
    model: str,
    messages: Sequence[Any],
    stream: bool = True,
    *,
    max_tokens: int | None = None,
    images: Sequence[Image] | None = None,
    extra_body: Mapping[str, Any] | None = None,
    earlier_reasoning: Sequence[EarlierReasoning | None] = (),
    **options: Any,
) -> dict[str, Any]:
    """The body for `chat/completions`; see `OpenaiTemplate.build_request`.

    Raises:
        JmuzError: a message or an image is invalid.
    """
    sent = [_without_our_own(message, service.takes_pdf) for message in _copy_all(messages)]
    if service.reasoning_field and earlier_reasoning:
        sent = _join_reasoning(sent, earlier_reasoning, service.reasoning_field, service.get_model(model))
    if not service.supports_system_message:
        sent = _fold_system_messages(sent)
    if images:
        sent = attach_images(sent, images)
    body: dict[str, Any] = {"model": service.get_model(model), "messages": sent, "stream": stream}
    if stream and service.asks_stream_usage and "stream_options" not in options:
        body["stream_options"] = {"include_usage": True}
    limit = service.max_tokens_field
    options[limit] = max_tokens if max_tokens is not None else options.get(limit)
    body.update((name, value) for name, value in options.items() if value is not None)
    body.update(extra_body or {})
    return body


def _copy_all(messages: Sequence[Any]) -> list[dict[str, Any]]:
    """Copies of the messages as dictionaries.

    Raises:
        JmuzError: there are none, or one is invalid.
    """
    copies = [dict(message) for message in messages if isinstance(message, Mapping) and "role" in message]
    if not copies or len(copies) != len(messages):
        raise JmuzError('expected messages such as [{"role": "user", "content": "Hello"}], got something else')
    return copies


def _without_our_own(message: dict[str, Any], takes_pdf: bool) -> dict[str, Any]:
    """The message as services know it: what only we say of a file is left out, and a PDF that cannot be sent is named.

    Texts alone are joined, because many local servers take nothing but a string.
    """
    if not any("filename" in part or "file" in part for part in files_of(message)):
        return message
    parts = [_part_as_sent(part, takes_pdf) for part in parts_of(message)]
    if all(part.get("type") == "text" for part in parts):
        return {**message, "content": "\n\n".join(texts_of({"content": parts}))}
    return {**message, "content": parts}


def _part_as_sent(part: dict[str, Any], takes_pdf: bool) -> dict[str, Any]:
    match part.get("type"):
        case "text":
            return text_part(part["text"])
        case "image_url":
            return {name: value for name, value in part.items() if name != "filename"}
        case "file" if not takes_pdf:
            return text_part(f"[file: {file_words(part)}; not sent, since this service takes no PDF]")
    return part


def _fold_system_messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages for a service without system messages, whose text is prepended to the first user message."""
    system = "\n\n".join(text for each in messages if each.get("role") in SYSTEM_ROLES for text in texts_of(each))
    others = [dict(message) for message in messages if message.get("role") not in SYSTEM_ROLES]
    if not system:
        return others
    first = next((message for message in others if message.get("role") == "user"), None)
    if first is None:
        return [{"role": "user", "content": system}, *others]
    content = first.get("content") or ""
    if isinstance(content, str):
        first["content"] = f"{system}\n\n{content}" if content else system
    else:
        first["content"] = [text_part(system), *content]
    return others


def attach_images(messages: Iterable[Mapping[str, Any]], images: Sequence[Image]) -> list[dict[str, Any]]:
    """The messages with the images as parts of the last user message.

    Raises:
        JmuzError: there is no user message, or an image is invalid.
    """
    copies = [dict(message) for message in messages]
    last = next((message for message in reversed(copies) if message.get("role") == "user"), None)
    if last is None:
        raise JmuzError("images belong to a user message, but there is no user message")
    last["content"] = parts_of(last) + [image_part(_image_url(image)) for image in images]
    return copies


def _join_reasoning(
    messages: Sequence[dict[str, Any]], earlier: Sequence[EarlierReasoning | None], member: str, model: str
) -> list[dict[str, Any]]:
    """The messages, each with the reasoning that this same model produced with it, as the member `member`."""
    pairs = zip(messages, earlier, strict=True)
    return [message | {member: each.text} if each and each.model == model else message for message, each in pairs]


def _image_url(image: Image) -> str:
    if isinstance(image, str):
        if image.startswith(("https://", "http://", "data:image/")):
            return image
        raise JmuzError("expected an image as a URL, bytes or a Path, got other text")
    if isinstance(image, Path):
        image = _read(image)
    kind = image_type(image)
    if not kind:
        raise JmuzError("expected a PNG, JPEG, WebP or GIF image, got something else")
    return data_url(image, kind)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        problem = error.strerror
    raise JmuzError(f"cannot read the image {path.name}: {problem}")

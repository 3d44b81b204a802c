"""The JSON body of a request for `chat/completions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jmuz_magic.content import text_part, texts_of
from jmuz_magic.messages import EarlierReasoning
from jmuz_magic.providers.dialects.dialect import Service
from jmuz_magic.providers.dialects.sending import SYSTEM_ROLES, Image, attach_images, copied

__all__ = ["build_body"]


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
    sent = copied(messages, service.takes_pdf and service.dialect == "chat")
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


def _join_reasoning(
    messages: Sequence[dict[str, Any]], earlier: Sequence[EarlierReasoning | None], member: str, model: str
) -> list[dict[str, Any]]:
    """The messages, each with the reasoning that this same model produced with it, as the member `member`."""
    pairs = zip(messages, earlier, strict=True)
    return [
        message | {member: each.text} if each and each.text and each.model == model else message
        for message, each in pairs
    ]

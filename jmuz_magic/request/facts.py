"""What is known about a reply besides its text, as JSON: who answered, cost, sources, images.

Log and recordings keep it apart from what version 0.1 reads, which refuses members it does not know.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import msgspec

from jmuz_magic.messages import Citation, Image, ReasoningItems, Reply, ToolCall, Unshown, Usage
from jmuz_magic.providers.dialects.pictures import MOST_IMAGES, read_image

__all__ = ["call_values", "facts_of", "usage_values", "with_facts"]

COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
MAX_IMAGE_BYTES = 8 * 2**20  # for all images of a reply; recordings are kept beside notebooks, often in git
MAX_UNSHOWN_CHARS = 64_000  # of JSON, for each part that is kept but not shown


@dataclass(frozen=True)
class _KeptImage:
    data: str  # base64; the media type is for readers: it is determined from the data again


@dataclass(frozen=True)
class _Facts:
    """The JSON object; unlisted members are ignored."""

    answered_by: str = ""
    system_fingerprint: str = ""
    upstream: str = ""
    usage: Usage = field(default_factory=Usage)
    tool_calls: tuple[dict[str, Any], ...] = ()  # `ToolCall.extra`, in the order of the calls
    citations: tuple[Citation, ...] = ()
    images: tuple[_KeptImage, ...] = ()
    unshown: tuple[Unshown, ...] = ()
    left_out: tuple[str, ...] = ()
    sent_in_part: tuple[str, ...] = ()
    requests: int = 1
    finish_said: str = ""
    reasoning_items: ReasoningItems | None = None


def facts_of(reply: Reply) -> dict[str, Any]:
    """The facts as JSON values, without those that did not come.

    Images are kept up to 8 MiB in total; of any beyond that, and of large parts that cannot be shown, only the kind is
    kept.
    """
    images, too_large = _images(reply.images)
    extras = [dict(call.extra) for call in reply.tool_calls]
    usage = reply.usage.as_dict() if reply.usage else {}
    values = {
        "answered_by": reply.answered_by,
        "system_fingerprint": reply.system_fingerprint,
        "upstream": reply.upstream,
        "usage": {name: value for name, value in usage.items() if name not in COUNTS},
        "tool_calls": extras if any(extras) else [],
        "citations": [asdict(citation) for citation in reply.citations],
        "images": images,
        "unshown": [*map(_unshown, reply.unshown), *too_large],
        "left_out": list(reply.left_out),
        "sent_in_part": list(reply.sent_in_part),
        "requests": reply.requests if reply.requests > 1 else None,
        "finish_said": reply.finish_said,
        "reasoning_items": reply.reasoning_items and asdict(reply.reasoning_items),
    }
    return {name: value for name, value in values.items() if value}


def with_facts(reply: Reply, values: object) -> Reply:
    """The reply with what `facts_of` kept.

    Raises:
        msgspec.ValidationError: a member has another type.
    """
    facts = msgspec.convert(values, _Facts)
    # A recording may come from somebody else, so images are checked again as if they came from a service.
    images = [read_image({"b64_json": image.data}) for image in facts.images[:MOST_IMAGES]]
    extras = dict(enumerate(facts.tool_calls))
    return replace(
        reply,
        usage=_joined(reply.usage, facts.usage),
        tool_calls=tuple(replace(call, extra=extras.get(n, {})) for n, call in enumerate(reply.tool_calls)),
        answered_by=facts.answered_by,
        system_fingerprint=facts.system_fingerprint,
        upstream=facts.upstream,
        citations=facts.citations,
        images=tuple(image for image in images if isinstance(image, Image)),
        unshown=(*facts.unshown, *(image for image in images if isinstance(image, Unshown))),
        left_out=facts.left_out,
        sent_in_part=facts.sent_in_part,
        requests=facts.requests,
        finish_said=facts.finish_said,
        reasoning_items=facts.reasoning_items,
    )


def usage_values(usage: Usage | None) -> dict[str, Any] | None:
    """The three counts that 0.1 knows; None if nothing was counted."""
    return {name: getattr(usage, name) for name in COUNTS} if usage else None


def call_values(calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    """The calls with the members that 0.1 knows."""
    return [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in calls]


def _joined(usage: Usage | None, further: Usage) -> Usage | None:
    if further == Usage():
        return usage
    counts: Mapping[str, Any] = usage_values(usage) or {}
    return replace(further, **counts)


def _images(images: Sequence[Image]) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """The images that are kept, and a note for each that is too large."""
    kept: list[dict[str, str]] = []
    left, too_large = MAX_IMAGE_BYTES, 0
    for image in images:
        if len(image.data) <= left:
            left -= len(image.data)
            kept.append({"data": base64.b64encode(image.data).decode(), "media_type": image.media_type})
        else:
            too_large += 1
    return kept, [{"kind": "image too large to keep", "value": None}] * too_large


def _unshown(unshown: Unshown) -> dict[str, Any]:
    try:
        fits = len(json.dumps(unshown.value, allow_nan=False)) <= MAX_UNSHOWN_CHARS
    except (TypeError, ValueError, RecursionError):
        fits = False
    return {"kind": unshown.kind, "value": unshown.value if fits else None}

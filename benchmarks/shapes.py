"""The events of a reply in the dialects Responses and Messages, as recorded; `@` stands for the text."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["SHAPES"]


def event(kind: str, **members: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **members}, separators=(',', ':'))}\n\n".encode()


RESPONSE = {"id": "resp_0123456789", "object": "response", "created_at": 1735689600, "model": "gpt-5.4-2026-03-05",
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}  # fmt: skip
ITEM = {"id": "msg_0123456789abcdef0123456789abcdef", "type": "message", "role": "assistant"}
PART = {"type": "output_text", "text": "", "annotations": []}
AT = {"item_id": ITEM["id"], "output_index": 0, "content_index": 0, "sequence_number": 7}
COUNTS = {"input_tokens": 11, "output_tokens": 2000}
DETAILS = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
USAGE = {**COUNTS, **DETAILS, "total_tokens": 2011}
MESSAGE: dict[str, Any] = {
    "id": "msg_0123456789", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6", "content": [],
    "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 11, "output_tokens": 1},
}  # fmt: skip

SHAPES: dict[str, tuple[list[bytes], bytes, list[bytes]]] = {
    "responses": (
        [
            event("response.created", response={**RESPONSE, "status": "in_progress", "output": []}, sequence_number=0),
            event("response.output_item.added", output_index=0, sequence_number=1,
                  item={**ITEM, "status": "in_progress", "content": []}),
            event("response.content_part.added", **AT, part=PART),
        ],
        event("response.output_text.delta", **AT, delta="@", logprobs=[], obfuscation="xK3v9QmZ2p"),
        [event("response.completed", sequence_number=9,
               response={**RESPONSE, "status": "completed", "output": [], "usage": USAGE})],
    ),
    "messages": (
        [
            event("message_start", message=MESSAGE),
            event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
            event("ping"),
        ],
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "@"}),
        [
            event("content_block_stop", index=0),
            event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage=COUNTS),
            event("message_stop"),
        ],
    ),
}  # fmt: skip
"""By path: the events before the text, one delta, and the events after it."""

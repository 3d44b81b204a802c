"""Events and items of the Responses dialect, for tests."""

from __future__ import annotations

from typing import Any

from tests.fault_server import event
from tests.providers.asking import Patient


class Plain(Patient):
    """Speaks Responses everywhere."""

    dialect = "responses"


def happened(kind: str, **members: Any) -> bytes:
    return event({"type": f"response.{kind}", **members})


def added(index: int, **item: Any) -> bytes:
    return happened("output_item.added", output_index=index, item=item)


def ended(index: int, **item: Any) -> bytes:
    return happened("output_item.done", output_index=index, item=item)


def text(delta: str, index: int = 0, **members: Any) -> bytes:
    return happened("output_text.delta", **{"output_index": index, "content_index": 0, "delta": delta} | members)


def completed(*output: Any, status: str = "completed", **members: Any) -> bytes:
    response = {"object": "response", "status": status, "model": "m-1", "output": list(output), **members}
    return happened(status, response=response)


def message(*texts: str, **members: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content, **members}


def call(index: int, arguments: str = "", **members: Any) -> dict[str, Any]:
    return {"type": "function_call", "id": f"fc_{index}", "call_id": f"call_{index}", "name": f"f{index}",
            "arguments": arguments, **members}  # fmt: skip


def arguments(index: int, delta: str) -> bytes:
    return happened("function_call_arguments.delta", item_id=f"fc_{index}", output_index=index, delta=delta)


def said(text: str, **members: Any) -> dict[str, Any]:
    """What the model said, as it goes back."""
    return {"role": "assistant", "content": text, **members}


def mark(length: int, **members: Any) -> dict[str, Any]:
    return {"type": "message", "length": length, **members}


USAGE = {
    "input_tokens": 9, "output_tokens": 5, "total_tokens": 14,
    "input_tokens_details": {"cached_tokens": 4}, "output_tokens_details": {"reasoning_tokens": 3},
}  # fmt: skip


THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [],
    "encrypted_content": "gAAA",
    "new": {"member": [None, 1.0]},
}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}

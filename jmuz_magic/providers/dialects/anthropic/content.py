"""Messages of a chat as the Messages API takes them: two roles that alternate, and blocks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from jmuz_magic.content import parts_of, text_part, texts_of
from jmuz_magic.providers.dialects.anthropic.places import in_their_places

__all__ = ["system_of", "turns_of"]

Block: TypeAlias = dict[str, Any]
Items: TypeAlias = Sequence[Mapping[str, Any]]
SYSTEM_ROLES = ("system", "developer")


def system_of(messages: Iterable[Mapping[str, Any]]) -> str:
    """The text of all system messages, which stand beside the others; "" without any."""
    return "\n\n".join(text for each in messages if each.get("role") in SYSTEM_ROLES for text in texts_of(each))


def turns_of(messages: Sequence[Mapping[str, Any]], items: Sequence[Items]) -> list[dict[str, Any]]:
    """The other messages, those of one role in a row joined into one.

    Args:
        messages: the conversation.
        items: by message, what the service wants back in it.
    """
    turns: list[tuple[str, list[Block]]] = []
    for message, opaque in zip(messages, items, strict=True):
        if message.get("role") in SYSTEM_ROLES:
            continue
        role = "assistant" if message.get("role") == "assistant" else "user"
        blocks = in_their_places(opaque, _blocks(message)) if opaque else _blocks(message)
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        elif blocks:
            turns.append((role, blocks))
    return [{"role": role, "content": _simplest(blocks)} for role, blocks in turns]


def _simplest(blocks: list[Block]) -> str | list[Block]:
    """Text alone as text, which is easier to read in a dry run."""
    alone = len(blocks) == 1 and blocks[0].keys() == {"type", "text"}
    return str(blocks[0]["text"]) if alone else blocks


def _blocks(message: Mapping[str, Any]) -> list[Block]:
    if message.get("role") == "tool":
        return [_result(message)]
    blocks = [block for part in parts_of(message) if (block := _block(part))]
    calls = message.get("tool_calls")
    return blocks + [_call(call) for call in calls if isinstance(call, Mapping)] if isinstance(calls, list) else blocks


def _block(part: Any) -> Block | None:
    """A part of a message as a block, in its own words as it is; None for blank text, which the service refuses."""
    if not isinstance(part, Mapping):
        return None
    match part.get("type"):
        case "text":
            return dict(part) if str(part.get("text") or "").strip() else None
        case "image_url":
            image = part.get("image_url")
            url = image if isinstance(image, str) else _object(image).get("url")
            return {"type": "image", "source": _source(str(url or ""))}
        case "file":
            return _document(_object(part.get("file")))
        case "refusal":
            return text_part(str(part.get("refusal") or "")) if part.get("refusal") else None
    return dict(part)


def _document(file: Mapping[str, Any]) -> Block:
    block: Block = {"type": "document", "source": _source(str(file.get("file_data") or ""))}
    return block | {"title": file["filename"]} if file.get("filename") else block


def _source(url: str) -> Block:
    """Where a file is: in the request, or at an address."""
    head, comma, data = url.partition(",")
    if not (head.startswith("data:") and comma):
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": head.removeprefix("data:").partition(";")[0], "data": data}


def _result(message: Mapping[str, Any]) -> Block:
    content = message.get("content")
    if not isinstance(content, str):
        content = [block for part in parts_of(message) if (block := _block(part))]
    return {"type": "tool_result", "tool_use_id": message.get("tool_call_id", ""), "content": content}


def _call(call: Mapping[str, Any]) -> Block:
    function = _object(call.get("function"))
    return {
        "type": "tool_use",
        "id": call.get("id", ""),
        "name": function.get("name", ""),
        "input": _input(function.get("arguments")),
    }


def _object(value: Any) -> Mapping[str, Any]:
    """`value` if it is an object, else an empty one: what is malformed, the service says better."""
    return value if isinstance(value, Mapping) else {}


def _input(arguments: Any) -> dict[str, Any]:
    """A call's arguments as an object, which the service demands; what is none is kept as text in one."""
    try:
        read = json.loads(arguments) if isinstance(arguments, str) and arguments.strip() else arguments or {}
    except (ValueError, RecursionError):
        read = None
    return read if isinstance(read, dict) else {"arguments": arguments}

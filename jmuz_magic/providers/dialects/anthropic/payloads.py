"""The typed path of the Messages dialect: deltas of text, of thoughts and of a call's arguments."""

from __future__ import annotations

import msgspec

__all__ = ["Arguments", "Text", "Thought", "decode"]


class Text(msgspec.Struct, gc=False, tag_field="type", tag="text_delta"):
    """A delta of text."""

    text: str


class Thought(msgspec.Struct, gc=False, tag_field="type", tag="thinking_delta"):
    """A delta of a thought."""

    thinking: str


class Arguments(msgspec.Struct, gc=False, tag_field="type", tag="input_json_delta"):
    """A delta of the arguments of a call, which may be for one of the service's own tools."""

    partial_json: str


class _Delta(msgspec.Struct, gc=False, tag_field="type", tag="content_block_delta"):
    delta: Text | Thought | Arguments
    index: int


decode = msgspec.json.Decoder(_Delta).decode
"""For payloads with one of these deltas; raises for all others, which take the walk."""

"""A reply in the JSON of OpenAI's Responses dialect: whole, or as a stream of events.

After https://platform.openai.com/docs/api-reference/responses-streaming (2026-11); the order of events is that of
recorded streams.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from jmuz_magic.demo.dialect import Dialect
from jmuz_magic.demo.reply import CREATED, Kind, Reply
from jmuz_magic.demo.request import ChatRequest
from jmuz_magic.demo.responses import request
from jmuz_magic.demo.seal import seal

__all__ = ["Response"]


class Form(NamedTuple):
    """How one kind of delta is written.

    Attributes:
        parts: the member of the item that holds its parts.
        part: the type of the part.
        field: the member of the part that holds the text.
        part_event: begins the type of the events that open and close the part.
        text_event: begins the type of the events with the text.
        part_more: further members of the part.
        text_more: further members of those events.
    """

    parts: str
    part: str
    field: str
    part_event: str
    text_event: str
    part_more: Mapping[str, Any]
    text_more: Mapping[str, Any]


SUMMARY = "response.reasoning_summary"
LOGPROBS: Mapping[str, Any] = {"logprobs": []}
FORMS: Mapping[Kind, Form] = {
    "reasoning": Form("summary", "summary_text", "text", f"{SUMMARY}_part", f"{SUMMARY}_text", {}, {}),
    "text": Form(
        "content",
        "output_text",
        "text",
        "response.content_part",
        "response.output_text",
        {"annotations": [], **LOGPROBS},
        LOGPROBS,
    ),
    "refusal": Form("content", "refusal", "refusal", "response.content_part", "response.refusal", {}, {}),
}


class Response(Dialect):
    """Responses, as the demo speaks it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply)
        (self._choice,) = reply.choices
        self._number = 0

    @classmethod
    def read(cls, body: object, headers: Mapping[str, str]) -> ChatRequest:
        return request.read(body)

    def as_json(self) -> dict[str, Any]:
        return self._response(self._status)

    def events(self) -> Iterator[dict[str, Any]]:
        for status in ("created", "in_progress"):
            yield self._event(f"response.{status}", response=self._response("in_progress"))
        for index, kind in enumerate(self._kinds):
            yield from self._item_events(index, kind)
        yield self._event(f"response.{self._status}", response=self._response(self._status))

    @property
    def _status(self) -> str:
        return "failed" if self._reply.error else "incomplete" if self._choice.is_cut else "completed"

    @property
    def _kinds(self) -> list[Kind]:
        """One item each."""
        return [kind for kind in FORMS if self._choice.tokens(kind)]

    def _item_events(self, index: int, kind: Kind) -> Iterator[dict[str, Any]]:
        """An item begins empty, its one part grows, and both are told once more when they are complete."""
        form, item = FORMS[kind], self._item(kind)
        begun = {**item, form.parts: [], "status": "in_progress"}
        yield self._event("response.output_item.added", output_index=index, item=begun)
        at = {"item_id": item["id"], "output_index": index, f"{form.parts}_index": 0}
        yield self._event(f"{form.part_event}.added", **at, part=_part(form, ""))
        for each, text in self._choice.deltas:
            if each == kind:
                yield self._event(f"{form.text_event}.delta", **at, delta=text, **form.text_more)
        if self._reply.error:
            return
        text = self._choice.joined(kind)
        yield self._event(f"{form.text_event}.done", **at, **{form.field: text}, **form.text_more)
        yield self._event(f"{form.part_event}.done", **at, part=_part(form, text))
        yield self._event("response.output_item.done", output_index=index, item=item)

    def _item(self, kind: Kind) -> dict[str, Any]:
        text, form = self._choice.joined(kind), FORMS[kind]
        is_last = kind == self._kinds[-1]
        status = "incomplete" if is_last and self._choice.is_cut else "completed"
        item = {"status": status, form.parts: [_part(form, text)]}
        if kind == "reasoning":
            return {"type": "reasoning", "id": f"rs-{self._reply.id}", **item, "encrypted_content": seal(text)}
        return {"type": "message", "id": f"msg-{self._reply.id}", "role": "assistant", **item}

    def _event(self, kind: str, **members: Any) -> dict[str, Any]:
        self._number += 1
        return {"type": kind, "sequence_number": self._number - 1, **members}

    def _response(self, status: str) -> dict[str, Any]:
        """The whole response as far as it is known at this status."""
        has_begun, asked = status != "in_progress", self._reply.request
        reason = {"reason": "max_output_tokens"} if status == "incomplete" else None
        error = {"code": "server_error", "message": self._reply.error} if status == "failed" else None
        return {
            "id": f"resp-{self._reply.id}",
            "object": "response",
            "created_at": CREATED,
            "status": status,
            "error": error,
            "incomplete_details": reason,
            "instructions": None,
            "max_output_tokens": asked.max_tokens,
            "metadata": {},
            "model": self._reply.model,
            "output": [self._item(kind) for kind in self._kinds] if has_begun else [],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "store": False,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": self._usage() if has_begun else None,
        }

    def _usage(self) -> dict[str, Any]:
        reply = self._reply
        return {
            "input_tokens": reply.prompt_tokens,
            "input_tokens_details": {"cached_tokens": reply.cached_tokens, "cache_write_tokens": 0},
            "output_tokens": reply.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": reply.reasoning_tokens},
            "total_tokens": reply.prompt_tokens + reply.completion_tokens,
        }


def _part(form: Form, text: str) -> dict[str, Any]:
    return {"type": form.part, form.field: text, **form.part_more}

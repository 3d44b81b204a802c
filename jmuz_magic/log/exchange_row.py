"""One exchange as the log's thread writes it: the contents of its row, now and at the end."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import asdict, replace
from typing import Any, assert_never, cast

from jmuz_magic.content import text_of, without_files
from jmuz_magic.log import rows as log_rows
from jmuz_magic.log.exchange import this_process
from jmuz_magic.log.writer import ExchangeWriter
from jmuz_magic.messages import (
    Answered,
    Citations,
    FinishReason,
    Image,
    Message,
    ModelPicked,
    Reasoning,
    ReasoningItems,
    ToolCalls,
    ToolResult,
    Unshown,
    Usage,
)
from jmuz_magic.request.facts import call_values, facts_of, usage_values
from jmuz_magic.request.written import without_key
from jmuz_magic.text import storable

__all__ = ["ExchangeRow"]

HEARTBEAT = 10.0  # seconds; `exchange.SILENCE` allows for two missed ones


class ExchangeRow:
    """One exchange as the thread sees it: what it has taken from the writer, and its number once it has one."""

    def __init__(self, writer: ExchangeWriter) -> None:
        self.writer = writer
        self.number: int | None = None
        self.attempts = 0
        self.is_changed = False
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._results: list[ToolResult] = []
        self._heard = 0.0
        # The log keeps what a file is, not the file.
        self._request = replace(writer.request, messages=_without_files(writer.request.messages))
        self._model = writer.request.model  # as asked for; the picked one once it is known
        self._was_picked = False  # after the row was written

    def take(self) -> None:
        """Take what was appended since the last call."""
        # The end is read first, because it is set after the last chunk.
        self.is_changed |= self.writer.end is not None
        items = self.writer.items
        while items:
            item = items.popleft()
            self.is_changed = True
            match item:
                case str():
                    self._text.append(item)
                case Reasoning(text):
                    self._reasoning.append(text)
                case ToolResult():
                    self._results.append(item)
                case ModelPicked(model):
                    self._model, self._was_picked = model, True
                case Usage() | FinishReason() | ToolCalls() | Answered() | Citations() | Image() | Unshown():
                    pass  # the reply at the end has them
                case ReasoningItems():
                    pass  # likewise
                case _:
                    assert_never(item)

    def write(self, connection: sqlite3.Connection) -> int:
        """Insert or update the row; return its number."""
        now = time.time()
        number = self.number
        if number is None:
            number = self.writer.number = log_rows.insert(connection, self._beginning() | {"heard": now})
        if self.is_changed or now - self._heard > HEARTBEAT:
            log_rows.update(connection, number, self._state() | {"heard": now})
            self._heard = now
        return number

    def _beginning(self) -> dict[str, Any]:
        request = self.writer.request
        endpoint = request.endpoint
        assert endpoint is not None  # without an endpoint it is a replay, which is not logged
        return {
            "asked_at": self.writer.asked_at.isoformat(timespec="milliseconds"),
            "state": "streaming",
            "writer": this_process(),
            "provider": endpoint.provider_name,
            "origin": endpoint.origin,
            "turn": self.writer.first.number if self.writer.first else None,
            "conversation": request.conversation,
            "conversation_id": request.conversation_id,
            "cell": self._json(self.writer.cell) if self.writer.cell else None,
            "notebook": self.writer.notebook,
            "prompt": self._clean(_prompt_of(request.messages)),
            **self._asked(),
        }

    def _asked(self) -> dict[str, Any]:
        """Model and body as far as they are known: a picked model is known only after the row exists."""
        self._was_picked = False
        endpoint = self.writer.request.endpoint
        body, messages = without_key(self._body(), endpoint), without_key(list(self._request.messages), endpoint)
        return {
            "model": self._clean(self._model),
            "request": _as_json(body),
            # If the body contains them as asked, once is enough.
            "messages": None if messages == body.get("messages") else _as_json(messages),
        }

    def _body(self) -> dict[str, Any]:
        """What the provider sends; what was asked if it does not say."""
        request = self._request
        try:
            return dict(request.terms(self._model).body)
        except Exception:  # noqa: BLE001  # a user's own class may raise anything; the log goes on
            asked = {"model": self._model, "messages": list(request.messages), "stream": request.stream}
            return {**asked, **request.options}

    def _state(self) -> dict[str, Any]:
        end = self.writer.end
        reply = end.reply if end else None
        # Joined parts stay joined, so that a long reply is not reassembled from its deltas every time.
        self._text, self._reasoning = ["".join(self._text)], ["".join(self._reasoning)]
        text, reasoning = (reply.text, reply.reasoning) if reply else (self._text[0], self._reasoning[0])
        values: dict[str, Any] = {"text": self._clean(text), "reasoning": self._clean(reasoning)}
        if self._results:
            values["tool_results"] = self._json([asdict(result) for result in self._results])
        if self._was_picked or (reply and reply.requests > 1):  # … or options were left out
            values |= self._asked()
        if end:
            values |= {"state": end.state, "error": self._clean(end.error) if end.error else None}
        if reply:
            values |= {
                "model": self._clean(reply.model or self._model),
                "finish_reason": reply.finish_reason,
                "seconds": round(reply.elapsed, 3),
                "usage": json.dumps(usage_values(reply.usage)) if reply.usage else None,
                "removed_adverts": self._json(list(reply.removed_adverts)),
                "tool_calls": self._json(call_values(reply.tool_calls)),
                "facts": self._json(facts_of(reply)),
            }
        return values

    def _clean(self, text: str) -> str:
        return storable(str(without_key(text, self.writer.request.endpoint)))

    def _json(self, values: list[Any] | dict[str, Any]) -> str | None:
        return json.dumps(without_key(values, self.writer.request.endpoint)) if values else None


def _as_json(value: Any) -> str:
    return storable(json.dumps(value, ensure_ascii=False, default=str))


def _without_files(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return tuple(cast("Message", without_files(message)) for message in messages)


def _prompt_of(messages: tuple[Message, ...]) -> str:
    """The text of the last user message; "" without one."""
    return next((text_of(message) for message in reversed(messages) if message["role"] == "user"), "")

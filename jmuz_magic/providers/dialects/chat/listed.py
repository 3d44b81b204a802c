"""What an endpoint lists: the entries of its answer, read tolerantly."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

__all__ = ["Listed", "Page", "read_page"]

_NOT_FOR_CHAT = re.compile(
    r"embed|rerank|whisper|\btts|speech|audio|voice|transcri|realtime|\blive|image|video|dall-e|imagen|\bsora|\bveo"
    r"|moderation|guard\b|\bocr|search|codex|computer-use|robotics|babbage|davinci",
    re.I,
)
"""Words in ids of models that answer no chat prompt, or were made for one kind of work."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One model of a list.

    Attributes:
        id: as the endpoint wrote it, storable.
        shutdown: the day when the service switches it off; None where it says none. OpenAI's lists carry it
            (`shutdown_date`, https://developers.openai.com/api/reference/resources/models, 2026-11).
        adapter: it is a fine-tune of another listed model (vLLM names the other one as `parent`).
        loaded: the server holds it in memory and says so, as llama.cpp's router does (`status.value`, 2026-11).
    """

    id: str
    shutdown: date | None = None
    adapter: bool = False
    loaded: bool = False

    @property
    def chats(self) -> bool:
        """Whether its id reads like that of a model for general chat; a guess, for suggestions only."""
        return not self.adapter and not _NOT_FOR_CHAT.search(self.id) and not self.id.startswith("ft:")


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Attributes:
        models: each once, in the endpoint's order.
        after: the id after which the rest begins; "" where this is all.
    """

    models: tuple[Listed, ...]
    after: str = ""


def read_page(body: bytes) -> Page | None:
    """The models in a body such as `{"data": [{"id": …}]}`; None where it is something else.

    Knows bare lists, lists of strings, `{"models": …}`, and `{"data": null}` of servers that have none yet.
    `{"has_more": true, "last_id": …}` says that there are more (Anthropic and OpenAI, 2026-11).
    """
    payload = load_json(body)
    entries = payload
    if isinstance(payload, dict):
        entries = payload.get("data", payload.get("models", payload))
        if entries is None:
            return Page(())
    if not isinstance(entries, list):
        return None
    models = {model.id: model for entry in entries if (model := _listed(entry)).id}
    return Page(tuple(models.values()), _after(payload, list(models)))


def load_json(body: bytes) -> Any:
    """What a body holds; None where it is no JSON."""
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return None


def _after(payload: Any, ids: list[str]) -> str:
    if not isinstance(payload, dict) or payload.get("has_more") is not True or not ids:
        return ""
    last = payload.get("last_id")
    return last if isinstance(last, str) and last else ids[-1]


def _listed(entry: Any) -> Listed:
    if not isinstance(entry, dict):
        return Listed(_id(entry))
    id_ = next((entry[name] for name in ("id", "name", "model") if isinstance(entry.get(name), str)), "")
    status = entry.get("status")
    loaded = isinstance(status, dict) and status.get("value") == "loaded"
    return Listed(_id(id_), _date(entry.get("shutdown_date")), bool(entry.get("parent")), loaded)


def _id(value: Any) -> str:
    # Ids go to files and sockets: neither a NUL nor half a surrogate passes them.
    return value.replace("\0", "").encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _date(value: Any) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None

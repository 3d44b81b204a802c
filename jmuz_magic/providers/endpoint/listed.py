"""A model as an endpoint lists it, in any dialect."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

__all__ = ["Listed"]

_NOT_FOR_CHAT = re.compile(
    r"embed|rerank|whisper|\btts|speech|audio|voice|transcri|realtime|\blive|image|video|dall-e|imagen|\bsora|\bveo"
    r"|moderation|guard\b|\bocr|search|codex|computer-use|robotics|babbage|davinci",
    re.I,
)
"""Words in ids of models that do not chat, or are specialised in one kind of work."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One model of a list.

    Attributes:
        id: as the endpoint wrote it, made storable.
        shutdown: the day when the service will switch it off; None if not stated. OpenAI's lists contain it
            (`shutdown_date`, https://developers.openai.com/api/reference/resources/models, 2026-11), and Anthropic's
            (`retires_at`).
        adapter: whether it is a fine-tune of another listed model (vLLM names that one as `parent`).
        root: the id of the model that answers, if it has another name (`root` of vLLM, docs.vllm.ai, 2026-11).
        loaded: whether the server says that it is in memory, as llama.cpp's router does (`status.value`, 2026-11).
        max_tokens: the longest reply that it writes, in tokens; None if not stated. Anthropic's lists contain it
            (platform.claude.com/docs/en/api/models/list, 2026-11).
    """

    id: str
    shutdown: date | None = None
    adapter: bool = False
    loaded: bool = False
    root: str = ""
    max_tokens: int | None = None

    @property
    def chats(self) -> bool:
        """Whether its id looks like that of a model for general chat; a guess, for suggestions only."""
        return not self.adapter and not _NOT_FOR_CHAT.search(self.id) and not self.id.startswith("ft:")

"""The latest answers to views: a view whose answer was lost on the way gets it again."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable

from jmuz_magic.widgets.protocol import Answer

__all__ = ["Answers"]

_KEPT = 1_000
_KEPT_CHARS = 8 * 2**20  # exports are answers, too
_LOST: Answer = {"error": "the kernel's answer was lost; try again"}


class Answers:
    """The answers to the latest requests; beyond 8 MB only the fact that they were given is kept."""

    def __init__(self) -> None:
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._chars: OrderedDict[str, int] = OrderedDict()

    def keep(self, request: str, answer: Answer) -> None:
        """Remember an answer as it is sent."""
        self._answers[request] = answer
        self._chars[request] = len(json.dumps(answer))
        while sum(self._chars.values()) > _KEPT_CHARS:
            oldest, _ = self._chars.popitem(last=False)
            self._answers[oldest] = _LOST
        while len(self._answers) > _KEPT:
            oldest, _ = self._answers.popitem(last=False)
            self._chars.pop(oldest, None)

    def given_to(self, waiting: Iterable[str]) -> dict[str, Answer]:
        """The answers to those of the requests `waiting` that have been answered."""
        return {request: self._answers[request] for request in waiting if request in self._answers}

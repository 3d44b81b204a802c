"""What is conceded to an endpoint that refuses an option: it is asked without it, or under another name.

Only options that set how a reply is drawn, and two of form, may be left out, and only where the user did not name
them for this very request: who types `-t 0` wants 0 or an error. What an endpoint and a model refused is kept for the
session, so that the same question is not refused twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from jmuz_magic.errors import ResponseStatusError
from jmuz_magic.messages import OnNotice, OptionLeftOut, Retry
from jmuz_magic.providers.http.refusals import strict_places

__all__ = ["Terms", "named_options"]

MOST = 3  # further requests for one turn
# … and whatever is called a penalty.
DISPENSABLE = frozenset({"reasoning_effort", "seed", "stream_options", "strict", "temperature", "top_k", "top_p"})
OLD_LIMIT, NEW_LIMIT = "max_tokens", "max_completion_tokens"

# The endpoint knows no such option, as against: not this value of it.
_UNSUPPORTED = re.compile(
    r"unsupported|deprecated|unknown|unrecogni|unexpected|extra inputs|cannot find|no longer"
    r"|(?:not|n't|cannot)(?: be)?(?: currently)? (?:accept|allow|available|enabled|permit|recogni|support|take|use)",
    re.IGNORECASE,
)
_OTHER_VALUES = re.compile(
    r"(?:supported|allowed|valid|possible) values (?:are|include)|\b(?:must|should) be\b", re.IGNORECASE
)
# As against "'max_tokens' or 'max_completion_tokens' is too large", which vLLM says (2026-11-28).
_NEW_INSTEAD = re.compile(rf"(?<!or )(?<!or [`'\"]){NEW_LIMIT}")
_CONFLICT = re.compile(r"\b(?:both|combin\w+|either|mutually|only one|same time|simultan\w+|together)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Refused:
    """An option that was refused.

    Attributes:
        name: of the option.
        value: that was refused, as JSON; None for any.
        beside: options without which it might be taken.
    """

    name: str
    value: str | None = None
    beside: frozenset[str] = frozenset()

    def holds(self, body: Mapping[str, Any]) -> bool:
        return (
            _has(body, self.name)
            and (self.value is None or self.value == _as_json(body, self.name))
            and self.beside <= body.keys()
        )


_refused: dict[tuple[str, Any], list[_Refused]] = {}  # by origin and model


class Terms:
    """One request as its endpoint takes it.

    Attributes:
        body: the JSON body to send.
        left_out: options that are not in it from the start, since the service refused them before.
    """

    def __init__(
        self, origin: str, body: dict[str, Any], typed: Mapping[str, str], on_notice: OnNotice | None = None
    ) -> None:
        """Begin with what the session knows.

        Args:
            origin: of the endpoint.
            body: as the provider built it.
            typed: options that the user named for this request, and how.
            on_notice: is told of what is left out, and that it is asked again.
        """
        self.body, self.left_out = _known_terms(origin, body, typed)
        self._origin, self._typed, self._on_notice = origin, typed, on_notice
        self._conceded = 0
        for name in self.left_out:
            self._tell(OptionLeftOut(name, remembered=True))

    def concede(self, error: ResponseStatusError) -> None:
        """Change the body so that it may be sent once more.

        Raises:
            ResponseStatusError: nothing can be conceded; the error, with what to do about an option that it names.
        """
        names = error.refused if _CONFLICT.search(str(error)) else error.refused[:1]
        if names and self._conceded < MOST and (self._rename(error) or self._leave_out(names, error)):
            self._conceded += 1
            return
        if names and (hint := self._hint(names, error)):
            error.args = (f"{error} ({hint})",)
        raise error

    def _rename(self, error: ResponseStatusError) -> bool:
        old_name = error.refused[0] == OLD_LIMIT and NEW_LIMIT not in self.body
        if not old_name or not (_is_unsupported(error) or _NEW_INSTEAD.search(str(error))):
            return False
        self.body = _renamed(self.body)
        self._remember(_Refused(OLD_LIMIT))
        self._tell(Retry(f"{self._origin} wants {NEW_LIMIT} in place of {OLD_LIMIT}", 0.0, self._conceded + 2))
        return True

    def _leave_out(self, names: tuple[str, ...], error: ResponseStatusError) -> bool:
        name = next((name for name in names if _is_dispensable(name) and not _how_typed(name, self._typed)), None)
        if name is None:
            return False
        value = None if len(names) > 1 or _is_unsupported(error) else _as_json(self.body, name)
        self._remember(_Refused(name, value, frozenset(names) - {name}))
        self.body = _without(self.body, name)
        self._tell(OptionLeftOut(name))
        return True

    def _hint(self, names: tuple[str, ...], error: ResponseStatusError) -> str:
        """What to do about the option that the error names; "" where it is one that could have been left out."""
        name = next((name for name in names if _how_typed(name, self._typed)), names[0])
        typed = _how_typed(name, self._typed)
        if not typed and _is_dispensable(name):
            return ""
        if len(names) > 1:
            return f"this model takes {names[0]} or {names[1]}, not both; leave {typed} out"
        source = "an alias, a setting or the conversation says so"
        if _is_unsupported(error):
            return f"this model takes no {name}; {f'leave {typed} out' if typed else source}"
        return f"this model does not take this {name}; {f'change {typed}, or leave it out' if typed else source}"

    def _remember(self, refused: _Refused) -> None:
        known = _refused.setdefault((self._origin, str(self.body.get("model"))), [])
        if refused not in known:
            known.append(refused)

    def _tell(self, notice: OptionLeftOut | Retry) -> None:
        if self._on_notice:
            self._on_notice(notice)


def _known_terms(origin: str, body: dict[str, Any], typed: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """The body as the session knows that the endpoint takes it, and the options that are left out of it."""
    refused = _refused.get((origin, str(body.get("model"))))
    if not refused:
        return body, []
    names = list(dict.fromkeys(each.name for each in refused if each.holds(body)))
    left_out = [name for name in names if name != OLD_LIMIT and not _how_typed(name, typed)]
    for name in left_out:
        body = _without(body, name)
    return _renamed(body) if OLD_LIMIT in names and NEW_LIMIT not in body else body, left_out


def named_options(options: Mapping[str, Any]) -> dict[str, str]:
    """Options given in Python, which count as typed, each with how it was written."""
    named = {name: f"{name}=" for name, value in options.items() if value is not None}
    extra = options.get("extra_body")
    return named | {name: f"extra_body[{name!r}]" for name in (extra if isinstance(extra, Mapping) else ())}


def _is_dispensable(name: str) -> bool:
    return name in DISPENSABLE or name.endswith("_penalty")


def _is_unsupported(error: ResponseStatusError) -> bool:
    return bool(_UNSUPPORTED.search(str(error))) and not _OTHER_VALUES.search(str(error))


def _how_typed(name: str, typed: Mapping[str, str]) -> str:
    """How the user named it for this request; "" where they did not."""
    under = {"strict": ("strict", "response_format", "tools"), NEW_LIMIT: (NEW_LIMIT, OLD_LIMIT)}
    return next((typed[each] for each in under.get(name, (name,)) if each in typed), "")


def _has(body: Mapping[str, Any], name: str) -> bool:
    return name in body or (name == "strict" and any(strict_places(body)))


def _as_json(body: Mapping[str, Any], name: str) -> str:
    return json.dumps(body.get(name), sort_keys=True)


def _renamed(body: Mapping[str, Any]) -> dict[str, Any]:
    return {NEW_LIMIT if name == OLD_LIMIT else name: value for name, value in body.items()}


def _without(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    rest = {member: value for member, value in body.items() if member != name}
    if name == "strict":
        rest = deepcopy(rest)
        for place in strict_places(rest):
            del place["strict"]
    return rest

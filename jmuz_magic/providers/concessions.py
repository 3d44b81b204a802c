"""Concessions to an endpoint that refuses an option: the request goes without it, or with its other name.

Only options that set how a reply is sampled, and two of form, may be left out, and only if the user did not name them
for this request: whoever types `-t 0` wants 0 or an error. What an endpoint refuses for a model is remembered for the
session, so that the same request is not refused twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jmuz_magic.errors import ResponseStatusError
from jmuz_magic.messages import OnNotice, OptionLeftOut, Retry
from jmuz_magic.providers.http.members import Members, members_at, without_member

if TYPE_CHECKING:
    from jmuz_magic.providers.dialects.dialect import Dialect

__all__ = ["Terms"]

MOST = 3  # extra requests for one turn
# … and any option whose name ends in `_penalty`.
DISPENSABLE = frozenset(
    {
        *("include", "reasoning.summary", "reasoning_effort", "seed", "stream_options", "strict", "temperature"),
        *("top_k", "top_p"),
    }
)
OLD_LIMIT, NEW_LIMIT = "max_tokens", "max_completion_tokens"

# The endpoint does not support the option, as opposed to this value of it.
_UNSUPPORTED = re.compile(
    r"unsupported|deprecated|unknown|unrecogni|unexpected|extra inputs|cannot find|no longer"
    r"|(?:not|n't|cannot)(?: be)?(?: currently)? (?:accept|allow|available|enabled|permit|recogni|support|take|use)",
    re.IGNORECASE,
)
_OTHER_VALUES = re.compile(
    r"(?:supported|allowed|valid|possible) values (?:are|include)|\b(?:must|should) be\b", re.IGNORECASE
)
# As opposed to vLLM's "'max_tokens' or 'max_completion_tokens' is too large" (2026-11-28).
_NEW_INSTEAD = re.compile(rf"(?<!or )(?<!or [`'\"]){NEW_LIMIT}")
_CONFLICT = re.compile(r"\b(?:both|combin\w+|either|mutually|only one|same time|simultan\w+|together)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Refused:
    """An option that was refused.

    Attributes:
        name: the option's name, as users write it.
        value: the value refused, as JSON; None for any value.
        beside: options without which it might be accepted.
    """

    name: str
    value: str | None = None
    beside: frozenset[str] = frozenset()

    def holds(self, body: Mapping[str, Any], members: Members) -> bool:
        return (
            _has(body, self.name, members)
            and (self.value is None or self.value == _as_json(body, self.name, members))
            and all(_has(body, name, members) for name in self.beside)
        )


_refused: dict[tuple[str, str, str], list[_Refused]] = {}  # by origin, dialect and model


class Terms:
    """One request in the form that its endpoint accepts.

    Attributes:
        body: the JSON body to send.
        left_out: options that are not in it from the start, since the service refused them before.
    """

    def __init__(
        self,
        origin: str,
        dialect: Dialect,
        body: dict[str, Any],
        typed: Mapping[str, str],
        on_notice: OnNotice | None = None,
    ) -> None:
        """Start with what the session knows.

        Args:
            origin: the endpoint's origin.
            dialect: that of the body.
            body: the body as built.
            typed: options that the user named for this request, and how.
            on_notice: is told what is left out, and that the request is sent again.
        """
        self._members = dialect.options
        self._known = _refused.setdefault((origin, dialect.name, str(body.get("model"))), [])
        self.body, self.left_out = _known_terms(self._known, body, self._members, typed)
        self._origin, self._typed, self._on_notice = origin, typed, on_notice
        self._conceded = 0
        for name in self.left_out:
            self._tell(OptionLeftOut(name, remembered=True))

    def concede(self, error: ResponseStatusError) -> None:
        """Change the body so that it can be sent again.

        Raises:
            ResponseStatusError: nothing can be conceded; it is `error`, with advice about an option that it names.
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
        if not old_name or self._members or not (_is_unsupported(error) or _NEW_INSTEAD.search(str(error))):
            return False
        self.body = _renamed(self.body)
        self._remember(_Refused(OLD_LIMIT))
        self._tell(Retry(f"{self._origin} wants {NEW_LIMIT} instead of {OLD_LIMIT}", 0.0, self._conceded + 2))
        return True

    def _leave_out(self, names: tuple[str, ...], error: ResponseStatusError) -> bool:
        name = next((name for name in names if _is_dispensable(name) and not self._how_typed(name)), None)
        if name is None:
            return False
        value = None if len(names) > 1 or _is_unsupported(error) else _as_json(self.body, name, self._members)
        self._remember(_Refused(name, value, frozenset(names) - {name}))
        self.body = _without(self.body, name, self._members)
        self._tell(OptionLeftOut(name))
        return True

    def _hint(self, names: tuple[str, ...], error: ResponseStatusError) -> str:
        """What to do about the option that the error names; "" if it could have been left out."""
        name = next((name for name in names if self._how_typed(name)), names[0])
        typed = self._how_typed(name)
        if not typed and _is_dispensable(name):
            return ""
        if len(names) > 1:
            return f"this model takes {names[0]} or {names[1]}, not both; leave {typed} out"
        source = "it comes from an alias, a setting or the conversation"
        if _is_unsupported(error):
            return f"this model does not support {name}; {f'leave {typed} out' if typed else source}"
        advice = f"change {typed}, or leave it out" if typed else source
        return f"this model does not accept this value of {name}; {advice}"

    def _remember(self, refused: _Refused) -> None:
        if refused not in self._known:
            self._known.append(refused)

    def _how_typed(self, name: str) -> str:
        return _how_typed(name, self._members, self._typed)

    def _tell(self, notice: OptionLeftOut | Retry) -> None:
        if self._on_notice:
            self._on_notice(notice)


def _known_terms(
    refused: list[_Refused], body: dict[str, Any], members: Members, typed: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """The body in the form that the session knows the endpoint accepts, and the options left out of it."""
    names = list(dict.fromkeys(each.name for each in refused if each.holds(body, members)))
    left_out = [name for name in names if name != OLD_LIMIT and not _how_typed(name, members, typed)]
    for name in left_out:
        body = _without(body, name, members)
    return _renamed(body) if OLD_LIMIT in names and NEW_LIMIT not in body else body, left_out


def _is_dispensable(name: str) -> bool:
    return name in DISPENSABLE or name.endswith("_penalty")


def _is_unsupported(error: ResponseStatusError) -> bool:
    return bool(_UNSUPPORTED.search(str(error))) and not _OTHER_VALUES.search(str(error))


def _how_typed(name: str, members: Members, typed: Mapping[str, str]) -> str:
    """How the user named it for this request; "" if they did not."""
    under = {"strict": ("strict", "response_format", "tools"), NEW_LIMIT: (NEW_LIMIT, OLD_LIMIT)}
    places = members.get(name, ())
    others = [other for other, shared in members.items() if not set(places).isdisjoint(shared)]
    outer = [place.partition(".")[0] for place in places]
    return next((typed[each] for each in (*under.get(name, (name,)), *others, *outer) if each in typed), "")


def _places(name: str, members: Members) -> tuple[str, ...]:
    return members.get(name, (name,))


def _has(body: Mapping[str, Any], name: str, members: Members) -> bool:
    from jmuz_magic.providers.http.refusals import strict_parts  # only after a refusal

    return bool(members_at(body, _places(name, members))) or (name == "strict" and any(strict_parts(body)))


def _as_json(body: Mapping[str, Any], name: str, members: Members) -> str:
    return json.dumps(members_at(body, _places(name, members)), sort_keys=True)


def _renamed(body: Mapping[str, Any]) -> dict[str, Any]:
    return {NEW_LIMIT if name == OLD_LIMIT else name: value for name, value in body.items()}


def _without(body: dict[str, Any], name: str, members: Members) -> dict[str, Any]:
    for place in _places(name, members):
        body = without_member(body, place)
    if name == "strict":
        from jmuz_magic.providers.http.refusals import strict_parts

        body = deepcopy(body)
        for part in strict_parts(body):
            del part["strict"]
    return body

"""What is said once about a turn: that its model was picked, or will soon be switched off, and how it was asked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from jmuz_magic.providers.advice import list_advice
from jmuz_magic.text import clean_line

if TYPE_CHECKING:
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["new_remarks", "write_remarks"]

NOTICE_DAYS = 30  # how many days before a model is switched off to say so

_said: set[tuple[str, str]] = set()  # addresses, and lines about them


def new_remarks(turn: Turn, how: str = "") -> list[str]:
    """Lines about this turn that this process has not said yet; none if a recording answered.

    Args:
        turn: a turn that has run.
        how: how to choose another model; "" for the magic or option that does.
    """
    endpoint = turn.request.endpoint
    if endpoint is None or turn.recorded or not turn.reply.model:
        return []
    from jmuz_magic.providers.dialects.choosing import missing_line  # imported by now

    lines = filter(None, [_picked(turn, endpoint, how), _shutdown(turn, endpoint), missing_line(endpoint)])
    new = [line for line in lines if (endpoint.api_base, line) not in _said]
    _said.update((endpoint.api_base, line) for line in new)
    return new


def write_remarks(turn: Turn) -> None:
    """The same on stderr, for scripts, whose stdout is theirs alone."""
    from jmuz_magic.providers.picking import IN_PYTHON

    for line in new_remarks(turn, IN_PYTHON) if sys.stderr else ():  # None in a program without a console
        sys.stderr.write(f"{clean_line(line)}\n")


def _picked(turn: Turn, endpoint: Endpoint, how: str) -> str:
    from jmuz_magic.providers.picking import how_to_choose

    if turn.request.resolved_model:
        return ""
    return f"using {turn.reply.model}, picked from the list; choose another with {how or how_to_choose(endpoint)}"


def _shutdown(turn: Turn, endpoint: Endpoint) -> str:
    """When the model will be switched off, if a list fetched earlier says so; nothing is fetched for this."""
    from jmuz_magic.providers.picking import days_left, shutdown_text

    listed = next((each for each in endpoint.provider.listed_models(endpoint) if each.id == turn.reply.model), None)
    if listed is None or listed.shutdown is None or days_left(endpoint, listed.shutdown) > NOTICE_DAYS:
        return ""
    lists = f"{list_advice()} lists the alternatives"
    return f"{listed.id} {shutdown_text(endpoint, listed.shutdown)}; {lists}"

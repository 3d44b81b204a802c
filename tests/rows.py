"""The fault and threat tables: what can go wrong, and where a test has to show what happens then.

A test names its rows with `@pytest.mark.fault(…)` or `@pytest.mark.threat(…)`; `make rows` lists both sides. A row
that no test can prove stands in `tests/README.md` with the reason.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["TABLES", "UNEXPLAINED", "Row", "excuses", "report"]

Place: TypeAlias = Literal["", "K", "B", "K/B", "K+B"]


class Row(NamedTuple):
    """One row of a table.

    Attributes:
        what: can go wrong, or what is done about a threat.
        place: "K", a real kernel; "B", a real browser; "K/B", one of the two; "K+B", both. Others are shown without,
            at a loopback socket or below it.
    """

    what: str
    place: Place = ""


FAULTS = {
    1: Row("a host name that does not resolve"),
    2: Row("connection refused"),
    3: Row("a connection that hangs before it stands"),
    4: Row("accepted, and no response"),
    5: Row("headers, then no data"),
    6: Row("data, then silence"),
    7: Row("a slow but steady stream"),
    8: Row("a reset in the middle of an unframed body"),
    9: Row("an early end of a framed body"),
    10: Row("a connection that drops before any byte"),
    11: Row("a certificate that is not accepted"),
    12: Row("https to a port that speaks plain http"),
    13: Row("a proxy in the environment"),
    14: Row("a .netrc entry for the host"),
    15: Row("IPv6 only, or a dead IPv6 address"),
    16: Row("a redirect to another host"),
    17: Row("a redirect on the same origin"),
    18: Row("a payload cut at any place"),
    19: Row("line ends, comments, fields of Server-Sent Events"),
    20: Row("a last event without its blank line or [DONE]"),
    21: Row("an end with neither [DONE] nor a finish reason"),
    22: Row("data behind [DONE], a body kept open"),
    23: Row("an event that is no JSON"),
    24: Row("deltas of odd shapes"),
    25: Row("an error inside a stream with status 200"),
    26: Row("plain JSON for a stream, and the reverse"),
    27: Row("an HTML page with status 200"),
    28: Row("an event or stream without end; an event of 5 MB"),
    29: Row("what is no HTTP, or broken HTTP"),
    30: Row("broken characters, NaN, nesting without end", "K"),
    31: Row("401 and 403"),
    32: Row("an unknown model, a context that is too long"),
    33: Row("429 with every kind of Retry-After"),
    34: Row("429 for an exhausted quota"),
    35: Row("a server error, then success"),
    36: Row("all attempts fail"),
    37: Row("an empty reply"),
    38: Row("adverts at every place, however cut"),
    39: Row("lists of models of every shape, or none"),
    40: Row("an endpoint that is down while the extension loads", "K"),
    41: Row("an interrupt at each stage of a reply", "K"),
    42: Row("two interrupts at once", "K"),
    43: Row("an interrupt, and the next cell at once", "K"),
    44: Row("Run All with a failing or interrupted cell", "K"),
    45: Row("Stop in the panel while the kernel is busy", "K+B"),
    46: Row("restart or kill in the middle of a stream", "K"),
    47: Row("a request in a forked child"),
    48: Row("the bridge's thread has died"),
    49: Row("reload, unload, autoreload with an edit", "K"),
    50: Row("two notebooks, threads or loops at once", "K"),
    51: Row("a hundred requests in a row"),
    52: Row("an exit with a stream in flight"),
    53: Row("no front end for widgets"),
    54: Row("no key and no way to ask for one", "K"),
    55: Row("a slow front end and a flood of deltas", "K"),
    56: Row("a prompt that is empty, too large or unsendable"),
    57: Row("wrong options", "K"),
    58: Row("addresses in every spelling"),
    59: Row("keys in every spelling"),
    60: Row("{{expressions}} that cannot be evaluated or shown", "K"),
    61: Row("files that cannot be written or read"),
    62: Row("two kernels write at once"),
    63: Row("a saved notebook without a kernel", "K+B"),
    64: Row("a conversation that grows"),
}

THREATS = {
    1: Row("a script in a reply", "B"),
    2: Row("raw Markdown beside the safe HTML"),
    3: Row("pictures and styles that tell somebody", "B"),
    4: Row("links with a hostile scheme"),
    5: Row("attributes and classes that the front end obeys"),
    6: Row("a link text that lies"),
    7: Row("hostile maths", "B"),
    8: Row("control characters in a terminal"),
    9: Row("code of a reply is run", "K+B"),
    10: Row("a key on the line", "K"),
    11: Row("a key in errors, tracebacks and logs", "K"),
    12: Row("a key in the state of a widget"),
    13: Row("a key in settings or a repr"),
    14: Row("a key that goes to another host"),
    15: Row("a redirect that carries key or prompt"),
    16: Row("a key over plain http"),
    17: Row("certificate checks turned off"),
    18: Row("a third party reads prompts unasked", "K"),
    19: Row("a prompt sends more than was meant"),
    20: Row("a history that carries instructions on"),
    21: Row("keys or prompts that others can read"),
    22: Row("an advert that lures"),
    23: Row("a cleaner that removes true text"),
    24: Row("text that costs time or memory without end"),
    25: Row("ids of models as HTML", "B"),
    26: Row("packages that nobody declared"),
    27: Row("an endpoint that an administrator does not allow", "K"),
}

UNEXPLAINED = "not explained"

TABLES: dict[str, dict[int, Row]] = {"fault": FAULTS, "threat": THREATS}


def report(places: dict[tuple[str, int], set[str]]) -> list[str]:
    """The end of `make rows`: what is not proved, and why.

    Args:
        places: where each row has tests ("K", "B" or "").
    """
    reasons = excuses()
    missing = {key: lack for key in _keys() if (lack := _lack(key, places.get(key, set())))}
    lines = [f"not proved: {_name(key)}: {lack} ({reasons.get(key, UNEXPLAINED)})" for key, lack in missing.items()]
    lines += [f"not proved: {_name(key)}: {UNEXPLAINED}, it is in no table" for key in places.keys() - set(_keys())]
    lines += [f"{UNEXPLAINED} any more: {_name(key)} has its test" for key in reasons.keys() - missing.keys()]
    proved = len(_keys()) - len(missing)
    return [*lines, f"{proved} of {len(_keys())} rows are proved where they have to be"]


def _keys() -> list[tuple[str, int]]:
    return [(table, number) for table, rows in TABLES.items() for number in rows]


def _name(key: tuple[str, int]) -> str:
    row = TABLES.get(key[0], {}).get(key[1])
    return f"{key[0]} {key[1]}" + (f", {row.what}" if row else "")


def _lack(key: tuple[str, int], found: set[str]) -> str:
    place = TABLES[key[0]][key[1]].place
    wanted = set(place) & {"K", "B"}
    shown = bool(wanted & found) if "/" in place else wanted <= found
    if not found:
        return "no test"
    return "" if shown or not place else f"no test at {place}"


def excuses() -> dict[tuple[str, int], str]:
    """The rows that `tests/README.md` says cannot be proved, with its reasons."""
    text = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| (fault|threat) (\d+) \| (.+?) \|$", text, re.MULTILINE)
    return {(table, int(number)): reason for table, number, reason in found}

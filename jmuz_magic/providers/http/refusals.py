"""Finds the options of a request that a service's error names.

The name is taken from the error's `param` or `loc`, else from its text, where it must stand out: in quotes or
backticks, after `parameter:`, or as a path at the start. Services repeat prompts in their errors, so text that
occurs in the prompt names nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from jmuz_magic.providers.http.error_text import error_message, load_json
from jmuz_magic.providers.http.members import Members, members_at

__all__ = ["refused_by", "refused_options", "strict_parts"]

NO_MEMBERS: Members = MappingProxyType({})
REFUSING_STATUSES = frozenset({400, 422})
LONGEST_TEXT = 20_000  # characters of an error that are searched
CONTEXT = 8  # characters on either side of a name that tell whether it is quoted from the prompt
PROMPTS = ("messages", "input", "instructions", "system")
"""Members that hold the prompt, in any dialect."""
NOT_OPTIONS = frozenset({"model", "stream", *PROMPTS})

# Outermost quotations only: what is quoted inside one is not a name. An apostrophe inside a word opens none.
_QUOTED = re.compile(r"""`([^`]*)`|"([^"]*)"|(?<!\w)'([^']*)'(?!\w)|“([^”]*)”|‘([^’]*)’""")
_SPELLED = re.compile(r"\b(?:parameter|argument|option|field)s?(?: supplied| name)?:? ([\w.\[\]]+)", re.IGNORECASE)
_PATH = re.compile(r"^([\w.\[\]]+): ")


def refused_by(status: int, answer: bytes, request: bytes | None, members: Members = NO_MEMBERS) -> tuple[str, ...]:
    """`refused_options` for raw bodies; empty for a status that refuses no option."""
    if status not in REFUSING_STATUSES:
        return ()
    sent = _read(request or b"")
    return refused_options(_read(answer), sent, members) if isinstance(sent, dict) else ()


def refused_options(answer: Any, request: Mapping[str, Any], members: Members = NO_MEMBERS) -> tuple[str, ...]:
    """Options of the request that an error names, its `param` first; never what holds the prompt.

    Args:
        answer: the decoded body of the error, or its text.
        request: the body that was sent.
        members: where the options stand in it.
    """
    names = _Names(request, members)
    params = [names.find(path) or path for path in _params(answer)]
    if params and params[0] in NOT_OPTIONS:
        return ()
    found = list(dict.fromkeys([*params, *_named(error_message(answer), request, names)]))
    if found and found[0] in PROMPTS:
        return ()  # what the text names further is about a place in the prompt
    return tuple(name for name in found if name in names.known)


def strict_parts(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of a request (reply schema and tools) that contain `strict`."""
    tools = request.get("tools")
    parts = list(members_at(request, ("response_format.json_schema", "text.format")).values())
    for tool in tools if isinstance(tools, list) else []:
        parts += [tool, tool.get("function")] if isinstance(tool, dict) else []
    return [part for part in parts if isinstance(part, dict) and "strict" in part]


def _params(answer: Any) -> Iterator[str]:
    """The members that the error names in a field for it: OpenAI's `param`, pydantic's `loc`."""
    if isinstance(answer, list):
        for entry in answer[:5]:
            yield from _params(entry)
    if not isinstance(answer, dict):
        return
    if isinstance(param := answer.get("param"), str) and param:
        yield param
    if isinstance(loc := answer.get("loc"), list):
        yield ".".join(str(part) for part in loc if part != "body")
    for name in ("error", "detail", "message", "errors"):
        yield from _params(answer.get(name))
    metadata = answer.get("metadata")
    if isinstance(metadata, dict) and isinstance(raw := metadata.get("raw"), str):  # what a gateway passes on
        yield from _params(_read(raw.encode("utf-8", "replace")))


def _named(text: str, request: Mapping[str, Any], names: _Names) -> Iterator[str]:
    text = _plain(text[:LONGEST_TEXT])
    found = [(match.start(), match.end(), _content(match)) for match in _matches(text)]
    candidates = [(start, end, name) for start, end, path in sorted(found) if (name := names.find(path))]
    if candidates:
        prompts = [_plain(prompt) for member in PROMPTS for prompt in _texts(request.get(member))]
        told: set[str] = set()
        for start, end, name in candidates:
            if name in told or name in prompts:
                continue
            if not any(_is_repeated(text, start, end, prompt) for prompt in prompts):
                told.add(name)  # prompts are long: search for each name once
                yield name


def _matches(text: str) -> Iterator[re.Match[str]]:
    for opening, closing in ("“”", "‘’"):  # an unclosed one opens nothing, and searching for its end is slow
        closed = text.rfind(closing) + 1
        text = text[:closed] + text[closed:].replace(opening, " ")
    yield from _QUOTED.finditer(text)
    yield from _SPELLED.finditer(_QUOTED.sub(lambda match: " " * len(match[0]), text))
    yield from _PATH.finditer(text)


def _content(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None).strip()


def _is_repeated(text: str, start: int, end: int, prompt: str) -> bool:
    """Whether this text, together with some of its surroundings, also occurs in the prompt."""
    pieces = (text[max(0, start - CONTEXT) : end], text[start : end + CONTEXT])
    return any(len(piece) > end - start and piece in prompt for piece in pieces)


class _Names:
    """The names by which a service may mean what stands in a request.

    Attributes:
        known: what they lead to: options as the user writes them, and members that no option explains.
    """

    def __init__(self, request: Mapping[str, Any], members: Members) -> None:
        self._strict = bool(strict_parts(request))
        self._meant = {_loose(said): name for said, name in _spelled(request, members)}
        self.known = {*self._meant.values(), *(["strict"] if self._strict else [])} - NOT_OPTIONS

    def find(self, path: str) -> str:
        """What a path such as `stream_options.include_usage` leads to; "" if it leads nowhere."""
        parts = [part for part in re.split(r"[.\[\]]+", path) if part]
        if not parts or not all(part.isidentifier() or part.isdigit() for part in parts):
            return ""
        if parts[-1] == "strict" and self._strict:
            return "strict"
        spans = [".".join(parts[start:end]) for start in range(len(parts)) for end in range(start + 2, start, -1)]
        return next((self._meant[_loose(span)] for span in spans if _loose(span) in self._meant), "")


def _spelled(request: Mapping[str, Any], members: Members) -> Iterator[tuple[str, str]]:
    """How each option or member may be spelled; of what is spelled alike, the last is meant."""
    there = {name: places for name, places in members.items() if members_at(request, places)}
    # If two options have a place in common, the one that is there whole is meant, and of these the larger.
    likely = sorted(there, key=lambda name: _presence(request, there[name]))
    places = [(place, name) for name in likely for place in there[name]]
    yield from ((name, name) for name in (*request, *there))
    for outer in {place.partition(".")[0] for place, _ in places if "." in place}:
        inner = request.get(outer)
        yield from ((f"{outer}.{name}", f"{outer}.{name}") for name in (inner if isinstance(inner, dict) else ()))
    yield from ((said, name) for place, name in places for said in (*place.split("."), place))


def _presence(request: Mapping[str, Any], places: tuple[str, ...]) -> tuple[bool, int]:
    count = len(members_at(request, places))
    return count == len(places), count


def _loose(name: str) -> str:
    return name.replace("_", "").lower()  # some services say presencePenalty


def _plain(text: str) -> str:
    """The text without line breaks and escapes, which an error may add to a prompt that it repeats."""
    return " ".join(re.sub(r"\\[nrt]", " ", text).replace("\\", "").split())


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        value = [item for name, item in value.items() if name not in ("role", "type")]
    items = value if isinstance(value, list) else ()
    return (text for item in items for text in _texts(item))


def _read(body: bytes) -> Any:
    payload = load_json(body)
    return body.decode("utf-8", "replace") if payload is None else payload

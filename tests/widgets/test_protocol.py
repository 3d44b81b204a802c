"""Both sides of the protocol together: the types of each, and what a kernel sends of real turns to the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal, NotRequired, TypeAlias, get_args, get_origin, get_type_hints, is_typeddict

from msgspec import Struct
from msgspec.structs import fields as struct_fields

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.demo import DemoServer
from jmuz_magic.providers.catalog import Demo
from jmuz_magic.widgets import protocol
from jmuz_magic.widgets.front_end import FRONT
from tests.widgets.conftest import Driver, selecting
from tests.widgets.node import node

PLAY = """
import { readFileSync } from "node:fs";
import { Transcript } from "../../jmuz_magic/widgets/front/transcript.js";
const { messages, plays } = JSON.parse(readFileSync(0, "utf8"));
const ends = plays.map((play) => {
  const transcript = new Transcript();
  for (const index of play) transcript.take(messages[index]);
  return transcript.list;
});
process.stdout.write(JSON.stringify(ends));
"""


TYPEDEF = re.compile(r"@typedef \{(.+)\} (\w+)")
PROPERTY = re.compile(r"@property \{(.+)\} (\[?)(\w+)")
OF_THE_KERNEL = {"Struct", "Operation", "PartChange", "Unknown"}  # parts of messages, and what is not one of ours
Shape: TypeAlias = str | dict[str, tuple[str, bool]]
"""A type in TypeScript's words, or members with their types and whether they may be missing."""


def typed_in_the_browser() -> dict[str, Shape]:
    shapes: dict[str, Shape] = {}
    for comment in re.findall(r"/\*\*.*?\*/", (FRONT / "protocol.js").read_text(encoding="utf-8"), re.DOTALL):
        ((type_, name),) = TYPEDEF.findall(comment)
        members = {member: (type_, bool(bracket)) for type_, bracket, member in PROPERTY.findall(comment)}
        shapes[name] = members if type_ == "object" else type_
    aliases = {name: shape for name, shape in shapes.items() if isinstance(shape, str)}

    def spelt_out(type_: str) -> str:
        new = re.sub(r"\w+", lambda name: aliases.get(name[0], name[0]), type_)
        return new if new == type_ else spelt_out(new)

    return {
        name: spelt_out(shape)
        if isinstance(shape, str)
        else {member: (spelt_out(type_), optional) for member, (type_, optional) in shape.items()}
        for name, shape in shapes.items()
    }


def typed_in_the_kernel() -> dict[str, Shape]:
    aliases = {name for name, annotation in protocol.__annotations__.items() if annotation == "TypeAlias"} | {"State"}
    shapes: dict[str, Shape] = {name: in_typescript(getattr(protocol, name)) for name in aliases}
    for name, kind in vars(protocol).items():
        if name in OF_THE_KERNEL or name.startswith("_"):
            continue
        if is_typeddict(kind):
            shapes[name] = dict(members(kind))
        elif isinstance(kind, type) and issubclass(kind, Struct):
            sent = {each.name: (in_typescript(each.type), not each.required) for each in struct_fields(kind)}
            shapes[name] = {"op": (json.dumps(protocol.name_of(kind)), False), **sent}
    return shapes


def members(kind: Any) -> Iterator[tuple[str, tuple[str, bool]]]:
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if get_origin(hint) is NotRequired:
            yield name, (in_typescript(get_args(hint)[0]), True)
        else:
            yield name, (in_typescript(hint), name in kind.__optional_keys__)


def in_typescript(hint: Any) -> str:
    simple = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
    inner = get_args(hint)
    match get_origin(hint):
        case None:
            return simple.get(hint) or str(hint.__name__)
        case origin if origin is Literal:
            return " | ".join(map(json.dumps, inner))
        case origin if origin is list:
            return f"{in_typescript(inner[0])}[]"
        case origin if origin is dict:
            return f"Record<string, {in_typescript(inner[1])}>"
        case origin if origin is tuple:
            return f"[{', '.join(map(in_typescript, inner))}]"
    return " | ".join(map(in_typescript, inner))


def test_both_sides_type_the_same_messages() -> None:
    assert typed_in_the_kernel() == typed_in_the_browser()


def play(messages: list[dict[str, Any]], plays: list[list[int]]) -> list[list[dict[str, Any]]]:
    """The transcripts that the front end has after each way of delivering the messages."""
    given = json.dumps({"messages": messages, "plays": plays})
    ends: list[list[dict[str, Any]]] = json.loads(node("--input-type=module", "--eval", PLAY, given=given))
    return ends


def shown(turns: list[dict[str, Any]]) -> list[tuple[str, str, list[Any]]]:
    return [(turn["prompt"], turn["state"], [list(part) for part in turn["parts"]]) for turn in turns]


def test_a_lossy_way_ends_in_the_same_transcript_as_a_perfect_one() -> None:
    with DemoServer(deltas_per_second=400) as server, selecting(server):
        driver = Driver(Conversation(provider=Demo, model="demo-markdown", api_base=server.api_base))
        driver.ask("All")
        driver.ask("Again")
    messages = [message for message in driver.messages if message["type"] != "answer"]
    count = len(messages)
    parts = [index for index, message in enumerate(messages) if message["type"] == "part"]
    assert len(parts) > 4, "the reply came in several messages"
    everything = list(range(count))
    lossy = [index for index in everything if index not in parts[::3]]
    doubled = sorted([*everything, *everything])
    swapped = [*everything[:-1]]
    for index in range(1, len(swapped) - 1, 2):
        swapped[index], swapped[index + 1] = swapped[index + 1], swapped[index]
    ends = play(messages, [everything, lossy, doubled, [*swapped, count - 1]])
    wanted = json.loads(json.dumps(shown(driver.turns)))
    assert all(json.loads(json.dumps(shown(end))) == wanted for end in ends[:3])
    assert json.loads(json.dumps(shown(ends[3])))[-1] == wanted[-1]


def test_the_bytes_of_a_reply_grow_with_its_length_only() -> None:
    def cost(deltas: int) -> int:
        driver = Driver(Conversation(model="demo-long", options={"max_tokens": deltas}))
        driver.ask("Long")
        return len(json.dumps(driver.messages))

    with DemoServer(deltas_per_second=4000) as server, selecting(server):
        small, large = cost(1_000), cost(8_000)
    assert large < 16 * small


def test_what_a_browser_may_send_is_read_as_far_as_it_can_be() -> None:
    known: dict[str, protocol.Known] = {"a": "ended", "b": 3}
    assert protocol.read(protocol.PANEL_MESSAGES, {"op": "resync", "known": known}) == protocol.Resync(known=known)
    ask = {"op": "ask", "request": "r", "text": 5, "names": "x", "thumbnails": None, "queued": 1, "later": {}}
    assert protocol.read(protocol.PANEL_MESSAGES, ask) == protocol.Ask(request="r", text="5")
    half = {"op": "export", "request": "r", "format": "\ud83d"}
    assert protocol.read(protocol.PANEL_MESSAGES, half) == protocol.Export(request="r")
    number = {"op": "set", "temperature": 0.5, "system": None}
    assert protocol.read(protocol.PANEL_MESSAGES, number) == protocol.SetSettings(temperature="0.5")
    for unknown in ({"op": "explode", "request": "r"}, {"op": ["ask"], "request": "r"}, {"request": "r"}):
        assert protocol.read(protocol.PANEL_MESSAGES, unknown) == protocol.Unknown(request="r")
    assert isinstance(protocol.read(protocol.SELECTOR_MESSAGES, {"op": "ask"}), protocol.Unknown)

"""Both sides of the protocol together: what a kernel sends of real turns, played to the front end's transcript."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.demo import DemoServer
from jmuz_magic.providers.catalog import Demo
from tests.widgets.conftest import Driver, selecting

HERE = Path(__file__).parent
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


def node(*arguments: str, given: str = "") -> str:
    if shutil.which("node") is None:
        pytest.skip("no node")
    done = subprocess.run(["node", *arguments], input=given, capture_output=True, text=True, cwd=HERE, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_front_ends_transcript() -> None:
    node("--test", "transcript.test.mjs")


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

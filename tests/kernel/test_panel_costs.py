"""What a turn of a panel costs on iopub, and where its transcript's outputs appear, in a real kernel."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from jmuz_magic.widgets.static import TURNS
from tests.kernel.kernel import Execution, Kernel, Received
from tests.kernel.test_panel import View

pytestmark = pytest.mark.kernel

PROMPT = "prompt-{number:03}- " + "word " * 120
FILL = """
panel.conversation.max_messages = 2
for number in range({start}, {stop}):
    panel.conversation.ask({prompt!r}.format(number=number))
"""


class Talk:
    """A conversation in a panel that a page shows."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.view = View(kernel, "demo-echo")
        self.cell: Execution = kernel.run("panel")

    def fill(self, start: int, stop: int) -> None:
        """Ask from a cell."""
        self.kernel.run(FILL.format(start=start, stop=stop, prompt=PROMPT), timeout=120)
        self.wait(stop - 1)

    def ask(self, number: int) -> int:
        """Ask in the panel; the bytes that the kernel sent for it."""
        before = len(self.received)
        self.view.send("ask", text=PROMPT.format(number=number))
        self.wait(number)
        self.kernel.settle(0.1)
        return sum(len(json.dumps(message.content)) for message in self.received[before:])

    def wait(self, number: int) -> None:
        # All of them: an output that is full may have its last update after the first of the next output.
        turns = list(range(1, number + 1))
        self.kernel.wait(self.cell, lambda: self.prompts == turns, "the transcript shows the turns")

    @property
    def prompts(self) -> list[int]:
        """The numbers of the prompts in the outputs of the panel's cell."""
        return [int(number) for number in re.findall(r"<blockquote><p>prompt-(\d+)-", self.cell.html)]

    @property
    def received(self) -> list[Received]:
        """All messages on iopub so far, in order."""
        messages = itertools.chain(self.kernel.orphans, *(each.messages for each in self.kernel.executions.values()))
        return sorted(messages, key=lambda message: message.at)


@pytest.mark.finding("D10")
def test_a_turn_costs_the_same_at_the_beginning_and_after_300(jmuz_kernel: Kernel) -> None:
    talk = Talk(jmuz_kernel)
    cost = {}
    for start in (1, 1 + 12 * TURNS, 1 + 37 * TURNS):
        talk.fill(len(talk.prompts) + 1, start) if start > 1 else None
        cost[start] = [talk.ask(number) for number in range(start, start + TURNS)]
    first, *later = (sum(each) for each in cost.values())
    assert all(each < 1.5 * first for each in later), cost
    assert max(map(max, cost.values())) < 2 * TURNS * cost[1][0], cost
    assert talk.prompts == list(range(1, 38 * TURNS + 1))
    heading, *outputs = (output for output in talk.cell.outputs if "text/latex" in output["data"])
    assert heading["data"]["text/plain"] == "Conversation\n\nthe log is off: this output is the only copy"
    assert len(outputs) == 38


def test_a_transcript_that_grows_while_another_cell_runs_stays_in_its_own_cell(jmuz_kernel: Kernel) -> None:
    talk = Talk(jmuz_kernel)
    talk.fill(1, TURNS + 3)
    other = jmuz_kernel.executions[next(reversed(jmuz_kernel.executions))]
    assert talk.prompts == list(range(1, TURNS + 3))
    assert "jmuz-transcript" not in other.html


def test_where_no_page_shows_the_panel_its_outputs_stay_as_many_as_they_were(jmuz_kernel: Kernel) -> None:
    talk = Talk(jmuz_kernel)
    talk.view.send("bye")
    talk.fill(1, 2 * TURNS + 1)
    assert talk.prompts == list(range(1, 2 * TURNS + 1))
    assert len([output for output in talk.cell.outputs if "text/latex" in output["data"]]) == 2

"""The transcript as ordinary outputs: whole and in order, at a cost per turn that hardly grows."""

from __future__ import annotations

import re
from statistics import median
from types import SimpleNamespace

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.demo import DemoServer
from tests.waiting import wait_until
from tests.widgets.conftest import Driver


class FrontEnd:
    """Keeps outputs as a front end does, and counts what is sent."""

    def __init__(self) -> None:
        self.outputs: dict[str, dict[str, str]] = {}
        self.chars: list[int] = []

    def publish(self, data: dict[str, str], _: dict[str, str], *, transient: dict[str, str], update: bool) -> None:
        if transient:  # else it is the widget
            assert update == (transient["display_id"] in self.outputs)
            self.outputs[transient["display_id"]] = data
            self.chars[-1] += sum(map(len, data.values()))

    @property
    def prompts(self) -> list[str]:
        html = "".join(data["text/html"] for data in self.outputs.values())
        return re.findall(r"prompt-\d+-", html.replace("<blockquote>", ""))[::2]  # each is echoed


@pytest.fixture
def front_end(monkeypatch: pytest.MonkeyPatch) -> FrontEnd:
    """In the place of IPython's display: a kernel is more than this needs."""
    shown = FrontEnd()
    monkeypatch.setattr("IPython.display.publish_display_data", shown.publish)
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: SimpleNamespace(kernel=True))
    return shown


def talk(driver: Driver, front_end: FrontEnd, turns: range, size: int) -> None:
    for number in turns:
        front_end.chars.append(0)
        driver.ask(f"prompt-{number:04}- {'word ' * (size // 5)}")
        wait_until(lambda: front_end.chars[-1], "the transcript has been sent")


@pytest.mark.finding("D10")
@pytest.mark.parametrize(("turns", "size"), [(100, 2_000), (60, 5_000), (200, 600)])
def test_what_a_turn_costs_hardly_grows(selected: DemoServer, front_end: FrontEnd, turns: int, size: int) -> None:
    driver = Driver(Conversation(name="main", model="demo-echo", max_messages=2))
    front_end.chars.append(0)
    driver.panel.show()
    talk(driver, front_end, range(turns), size)
    whole = sum(len(data["text/html"]) + len(data["text/plain"]) for data in front_end.outputs.values())
    assert sum(front_end.chars) < turns / 4 * whole  # sent whole each time, it would be half of the turns
    assert median(front_end.chars[-20:]) < whole / 2
    assert front_end.prompts == [f"prompt-{number:04}-" for number in range(turns)]


def test_undo_and_clear_take_turns_out_of_every_output(selected: DemoServer, front_end: FrontEnd) -> None:
    driver = Driver(Conversation(name="main", model="demo-echo", max_messages=2))
    front_end.chars.append(0)
    driver.panel.show()
    talk(driver, front_end, range(12), 2_000)
    driver.send("undo")
    wait_until(lambda: front_end.prompts == [f"prompt-{number:04}-" for number in range(11)], "the last turn is gone")
    driver.ask("prompt-0077-", replaces=driver.turns[2]["id"])
    shorter = [*(f"prompt-{number:04}-" for number in (0, 1)), "prompt-0077-"]
    wait_until(lambda: front_end.prompts == shorter, "a turn in the middle is edited")
    driver.send("clear")
    wait_until(lambda: front_end.prompts == [], "all turns are gone")
    assert "no turns yet" in list(front_end.outputs.values())[-1]["text/plain"]

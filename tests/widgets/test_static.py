"""The transcript as ordinary outputs: whole and in order, at a cost per turn that does not grow."""

from __future__ import annotations

import contextvars
import re
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.demo import DemoServer
from jmuz_magic.log.log import exchange_log
from jmuz_magic.widgets.entry import Entry
from jmuz_magic.widgets.static import TURNS, arranged
from tests.waiting import wait_until
from tests.widgets.conftest import Driver

CELL = contextvars.ContextVar("CELL", default="")


class FrontEnd:
    """Keeps outputs as a front end does, and counts what is sent."""

    def __init__(self) -> None:
        self.outputs: dict[str, dict[str, str]] = {}
        self.chars: list[int] = [0]
        self.cells: set[str] = set()

    def publish(self, data: dict[str, str], _: dict[str, str], *, transient: dict[str, str], update: bool) -> None:
        if transient:  # else it is the widget
            assert update == (transient["display_id"] in self.outputs)
            self.outputs[transient["display_id"]] = data
            self.chars[-1] += sum(map(len, data.values()))
            if not update:
                self.cells.add(CELL.get())

    @property
    def prompts(self) -> list[str]:
        html = "".join(data["text/html"] for data in self.outputs.values())
        return re.findall(r"prompt-\d+-", html.replace("<blockquote>", ""))[::2]  # each is echoed

    def talk(self, driver: Driver, turns: range, size: int = 20) -> None:
        for number in turns:
            self.chars.append(0)
            driver.ask(f"prompt-{number:04}- {'word ' * (size // 5)}")
            wait_until(partial(self.shows, number), "the transcript has been sent")

    def shows(self, number: int) -> bool:
        return named(number) in self.prompts


def named(number: int) -> str:
    return f"prompt-{number:04}-"


@pytest.fixture
def front_end(monkeypatch: pytest.MonkeyPatch) -> FrontEnd:
    """In the place of IPython's display: a kernel is more than this needs."""
    shown = FrontEnd()
    monkeypatch.setattr("IPython.display.publish_display_data", shown.publish)
    monkeypatch.setattr("IPython.core.getipython.get_ipython", lambda: SimpleNamespace(kernel=True))
    monkeypatch.setattr("jmuz_magic.widgets.static.displays_follow_context", lambda: True)
    return shown


def driven(*, seen: bool = True) -> Driver:
    """A panel that was shown."""
    driver = Driver(Conversation(name="main", model="demo-echo", max_messages=2))
    if seen:
        driver.say("hello", view="v")
    token = CELL.set("the panel's")
    driver.panel.show()
    CELL.reset(token)
    return driver


@pytest.mark.finding("D10")
@pytest.mark.parametrize("size", [600, 5_000])
def test_a_turn_costs_the_same_however_many_there_are(selected: DemoServer, front_end: FrontEnd, size: int) -> None:
    driver = driven()
    front_end.talk(driver, range(TURNS * 5), size)
    rounds = [front_end.chars[start : start + TURNS] for start in range(1, TURNS * 5, TURNS)]
    first, *later = map(sum, rounds)
    assert all(0.8 * first < each < 1.2 * first for each in later)
    assert max(front_end.chars) < 1.2 * TURNS * front_end.chars[1]
    assert front_end.prompts == [named(number) for number in range(TURNS * 5)]
    assert len(front_end.outputs) == 1 + 5
    assert front_end.cells == {"the panel's"}


@pytest.mark.parametrize("follows", [True, False])
def test_what_nobody_sees_or_could_land_in_another_cell_opens_no_output(
    selected: DemoServer, front_end: FrontEnd, monkeypatch: pytest.MonkeyPatch, follows: bool
) -> None:
    monkeypatch.setattr("jmuz_magic.widgets.static.displays_follow_context", lambda: follows)
    driver = driven(seen=not follows)
    front_end.talk(driver, range(TURNS + 2))
    assert len(front_end.outputs) == 2
    assert front_end.prompts == [named(number) for number in range(TURNS + 2)]


def test_a_panel_shown_again_shows_all_turns(selected: DemoServer, front_end: FrontEnd) -> None:
    driver = driven()
    front_end.talk(driver, range(TURNS + 3))
    front_end.outputs.clear()
    driver.panel.show()
    assert front_end.prompts == [named(number) for number in range(TURNS + 3)]
    front_end.outputs.clear()
    again = Driver(driver.panel.conversation)
    again.panel.show()
    assert front_end.prompts == [named(number) for number in range(TURNS + 3)]


def test_the_page_that_shows_a_panel_first_is_the_one_whose_outputs_change(
    selected: DemoServer, front_end: FrontEnd
) -> None:
    driver = driven(seen=False)
    assert driver.panel.page == ""
    for page in ("first", "reloaded"):
        driver.say("hello", view=page, page=page)
        wait_until(lambda: driver.panel.is_seen, "the page is there")
        driver.say("bye", view=page)
        wait_until(lambda: not driver.panel.is_seen, "the page has gone")
    assert driver.panel.page == "first"
    front_end.outputs.clear()
    driver.panel.show()
    driver.say("hello", view="reloaded", page="reloaded")
    wait_until(lambda: driver.panel.page == "reloaded", "it ran the cell again")


def test_undo_edit_and_clear_change_the_outputs_that_hold_the_turns(selected: DemoServer, front_end: FrontEnd) -> None:
    driver = driven()
    front_end.talk(driver, range(TURNS + 4))
    driver.send("undo")
    wait_until(lambda: front_end.prompts == [named(number) for number in range(TURNS + 3)], "the last turn is gone")
    driver.ask("prompt-0077-", replaces=driver.turns[2]["id"])
    shorter = [named(0), named(1), named(77)]
    wait_until(lambda: front_end.prompts == shorter, "a turn in the middle is edited")
    driver.send("clear")
    wait_until(lambda: front_end.prompts == [], "all turns are gone")
    texts = [data["text/plain"] for data in front_end.outputs.values()]
    assert texts == ["Conversation main\n\nno turns yet", "", ""]


def test_the_heading_hides_the_front_ends_error_once_there_are_turns(selected: DemoServer, front_end: FrontEnd) -> None:
    driver = driven()
    (heading, _) = front_end.outputs
    assert "<style>" not in front_end.outputs[heading]["text/html"]
    assert "no turns yet" in front_end.outputs[heading]["text/html"]
    front_end.talk(driver, range(1))
    html = front_end.outputs[heading]["text/html"]
    assert "<style>" in html
    assert "<h3>Conversation main</h3>" in html
    assert "no turns yet" not in "".join(data["text/html"] for data in front_end.outputs.values())


def test_the_heading_says_how_to_go_on_without_this_kernel(
    selected: DemoServer, front_end: FrontEnd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def heading(conversation: Conversation) -> dict[str, str]:
        front_end.outputs.clear()
        Driver(conversation).panel.show()
        return next(iter(front_end.outputs.values()))

    talk = Conversation("demo-echo", name="main")
    talk.ask("one")
    off = heading(talk)
    for kind in ("text/html", "text/latex", "text/plain"):
        assert "the log is off: this output is the only copy" in off[kind]

    monkeypatch.setenv("JMUZ_LOG", str(tmp_path / "log.sqlite3"))
    monkeypatch.setattr(exchange_log, "on_message", lambda _: None)
    talk.ask("two")
    assert heading(talk)["text/plain"] == ("Conversation main\n\nto go on: %load_ext jmuz_magic, then run this cell")
    assert r"\%load\_ext" in heading(talk)["text/latex"]
    assert "to go on" not in heading(Conversation(name="main"))["text/html"]
    unnamed = Conversation("demo-echo")
    for count, line in ((1, ""), (2, "\n\nto go on: %load_ext jmuz_magic, then run this cell")):
        unnamed.ask("one")
        assert (len(unnamed.turns), heading(unnamed)["text/plain"]) == (count, f"Conversation{line}")
    exchange_log.close()


def test_replies_of_a_recording_need_no_line(selected: DemoServer, front_end: FrontEnd, tmp_path: Path) -> None:
    for _ in range(2):
        talk = Conversation("demo-echo", name="main", recording=tmp_path / "chat.jmuz.jsonl")
        talk.ask("one")
    Driver(talk).panel.show()
    assert next(iter(front_end.outputs.values()))["text/plain"] == "Conversation main"


def test_a_conversations_name_is_text_in_the_heading(front_end: FrontEnd) -> None:
    Driver(Conversation(name="<img src=x onerror=alert(1)> $\\input{x}$")).panel.show()
    heading = next(iter(front_end.outputs.values()))
    assert "<img" not in heading["text/html"]
    assert "\\input" not in heading["text/latex"]


def test_whatever_happens_to_turns_each_stands_once_in_order_and_few_outputs_change() -> None:
    """Turns only need an identity here."""
    random = Random(14)
    for _ in range(200):
        outputs: list[list[Entry]] = [[]]
        turns: list[Entry] = []
        branches = []
        for _ in range(60):
            before = [list(entries) for entries in outputs]
            appended = False
            match random.randrange(6):
                case 0 if turns:
                    del turns[random.randrange(len(turns))]
                case 1 if turns:
                    turns[random.randrange(len(turns))] = new()
                case 2 if turns:
                    turns.insert(random.randrange(len(turns)), new())
                case 3 if turns:
                    branches.append(list(turns))
                    turns = [*turns[: random.randrange(len(turns))], new()]
                case 4 if branches:
                    branches.append(list(turns))
                    turns = branches.pop(random.randrange(len(branches)))
                case _:
                    appended = True
                    turns.append(new())
            outputs = arranged(outputs, turns)
            assert [entry for entries in outputs for entry in entries] == turns
            assert len(outputs) >= len(before)
            assert max(map(len, outputs)) < 3 * TURNS
            changed = [number for number, entries in enumerate(outputs) if before[number : number + 1] != [entries]]
            assert not appended or len(changed) == 1


def new() -> Entry:
    return Entry({"role": "user", "content": ""})

"""What a panel sees of the notebook: typed expressions, variables, cells; and that it looks at nothing else."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.demo import DemoServer
from jmuz_magic.notebook.cells import CellLog
from tests.magics.loaded import made_shell
from tests.notebook.test_lookup import Counted
from tests.templates import TEMPLATES
from tests.waiting import wait_until
from tests.widgets.conftest import Driver

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The shell that code in this process finds."""
    with made_shell(InteractiveShell.instance, monkeypatch) as made, ExitStack() as undo:
        CellLog(made).attach(undo)
        yield made


@pytest.fixture
def driver(selected: DemoServer, shell: Any) -> Driver:
    return Driver(Conversation(name="main", model="demo-echo"))


def sent(server: DemoServer) -> Any:
    """The content of the last message that was sent."""
    return [request.body for request in server.requests if request.path.endswith("/completions")][-1]["messages"][-1][
        "content"
    ]


def chips(text: str, *sources: str) -> list[dict[str, Any]]:
    return [{"source": source, "at": text.index(f"{{{{{source}}}}}")} for source in sources]


def ask(driver: Driver, text: str, *sources: str, **fields: Any) -> dict[str, Any]:
    return driver.ask(text, chips=chips(text, *sources), **fields)


def test_typed_expressions_are_sent_as_values(driver: Driver, selected: DemoServer, shell: Any) -> None:
    shell.user_ns.update(cfg=SimpleNamespace(lr=0.1), d={"a": [7]}, words="{{cfg.lr}} stays")
    assert ask(driver, "\U0001f40d {{cfg.lr}}, {{d['a'][0]}}: {{words}}", "cfg.lr", "d['a'][0]", "words") == {}
    assert sent(selected) == "\U0001f40d 0.1, 7: {{cfg.lr}} stays"
    (turn,) = driver.turns
    assert turn["prompt"] == sent(selected)
    assert turn["typed"] == "\U0001f40d {{cfg.lr}}, {{d['a'][0]}}: {{words}}"


def test_only_the_places_that_were_typed_are_expanded(driver: Driver, selected: DemoServer, shell: Any) -> None:
    shell.user_ns["x"] = 5
    driver.ask("{{x}} pasted, {{x}} typed", chips=[{"source": "x", "at": 14}])
    assert sent(selected) == "{{x}} pasted, 5 typed"
    driver.ask("{{x}}")
    assert sent(selected) == "{{x}}"
    assert driver.turns[-1]["typed"] == ""


@pytest.mark.parametrize(
    "places",
    [
        [{"source": "x", "at": 1}],
        [{"source": "x", "at": -5}],
        [{"source": "x", "at": 0}, {"source": "x", "at": 0}],
        [{"source": "y", "at": 0}],
        [{"source": "x", "at": 99}],
    ],
)
def test_a_place_where_no_chip_is_refuses_the_prompt(
    driver: Driver, selected: DemoServer, shell: Any, places: list[dict[str, Any]]
) -> None:
    shell.user_ns.update(x=5, y=6)
    answer = driver.send("ask", text="{{x}} is", chips=places)
    assert answer["error"].startswith("page and kernel disagree")
    assert not selected.requests


@pytest.mark.parametrize("chips", ["x", [5], [{"source": "x"}], [{"source": 5, "at": "x"}], None, {"source": "x"}])
def test_chips_of_another_shape_are_none(driver: Driver, selected: DemoServer, shell: Any, chips: Any) -> None:
    shell.user_ns["x"] = 5
    driver.ask("{{x}} is", chips=chips)
    assert sent(selected) == "{{x}} is"


def test_forty_templates_arrive_as_they_are_and_evaluate_nothing(
    driver: Driver, selected: DemoServer, shell: Any
) -> None:
    counted = Counted()
    for name in ("df", "cfg", "d", "user", "items", "config", "x", "a", "b"):
        shell.user_ns[name] = counted
    for template in TEMPLATES:
        driver.ask(template)
        assert sent(selected) == template
    assert counted.reads == []
    assert len(TEMPLATES) == 40


def test_a_chip_reads_its_steps_and_no_more(driver: Driver, shell: Any) -> None:
    shell.user_ns["it"] = counted = Counted()
    (about,) = driver.send("describe", sources=["it"])["described"]
    assert about == {"about": "Counted", "problem": ""}
    assert counted.reads == []
    driver.send("describe", sources=["it.a['k'][0]", "it.b"])
    assert counted.reads == [".a", "['k']", "[0]", ".b"]


def test_chips_say_type_and_size_or_why_they_have_no_value(driver: Driver, shell: Any) -> None:
    shell.user_ns["df"] = pd.DataFrame({"a": range(400)})
    told = driver.send("describe", sources=["df", "nothing", "df.head()", ".Values.x", "df['b']"])["described"]
    assert [each["about"] for each in told] == ["DataFrame, 400 rows × 1 columns", "", "", "", ""]
    assert told[1]["problem"] == "{{nothing}}: there is no variable 'nothing'"
    assert [told[2], told[3]] == [{"about": "", "problem": ""}] * 2
    assert told[4]["problem"] == "{{df['b']}} raised KeyError: 'b'"


def test_a_chip_without_a_value_refuses_the_prompt_and_one_that_is_no_path_is_text(
    driver: Driver, selected: DemoServer, shell: Any
) -> None:
    answer = driver.send("ask", text="{{gone}}", chips=chips("{{gone}}", "gone"))
    assert answer == {"error": "{{gone}}: there is no variable 'gone'"}
    assert not selected.requests
    ask(driver, "{{ .Values.x }} and {{f()}}", " .Values.x ", "f()")
    assert sent(selected) == "{{ .Values.x }} and {{f()}}"


def test_what_is_cut_is_said_below_the_reply(driver: Driver, selected: DemoServer, shell: Any) -> None:
    shell.user_ns["df"] = pd.DataFrame({"n": range(400)})
    ask(driver, "Look: {{df}}", "df")
    assert "first 20 of 400 rows:" in sent(selected)
    assert driver.turns[0]["facts"].count("20 of 400 rows of `df` were sent") == 1
    ends = driver.ends()
    driver.send("regenerate", turn=driver.turns[-1]["id"])
    wait_until(lambda: driver.ends() > ends, "the new reply has ended")
    (turn,) = driver.panel.conversation.transcript
    assert turn.reply.sent_in_part == ("20 of 400 rows of `df`",)


def test_an_image_is_attached(driver: Driver, selected: DemoServer, shell: Any) -> None:
    shell.user_ns["picture"] = PIXEL
    ask(driver, "What is {{picture}}?", "picture")
    text, image = sent(selected)
    assert text == {"type": "text", "text": "What is [image 1]?"}
    assert base64.b64decode(image["image_url"]["url"].partition(",")[2]) == PIXEL
    assert driver.turns[0]["typed"] == "What is {{picture}}?"


def test_a_prompt_has_a_largest_size(driver: Driver, selected: DemoServer, shell: Any) -> None:
    shell.user_ns["text"] = "x" * 2_000_000
    answer = driver.send("ask", text="{{text}}", chips=chips("{{text}}", "text"))
    assert answer["error"] == "the prompt has 2,000,000 bytes with its values, more than the 1,048,576 allowed"
    assert not selected.requests


def test_an_interrupt_while_a_value_is_read_ends_that_only(driver: Driver, selected: DemoServer, shell: Any) -> None:
    class Slow:
        @property
        def value(self) -> int:
            raise KeyboardInterrupt

    shell.user_ns["slow"] = Slow()
    answer = driver.send("ask", text="{{slow.value}}", chips=chips("{{slow.value}}", "slow.value"))
    assert answer["error"] == "interrupted while a variable was read; nothing was sent"
    assert ask(driver, "Still there?") == {}


def test_an_edited_turn_keeps_what_was_sent(driver: Driver, selected: DemoServer, shell: Any) -> None:
    shell.user_ns["x"] = 5
    ask(driver, "{{x}}!", "x")
    shell.user_ns["x"] = 6
    driver.ask(driver.turns[0]["prompt"] + " {{x}}", replaces=driver.turns[0]["id"])
    assert sent(selected) == "5! {{x}}"
    ends = driver.ends()
    driver.send("regenerate", turn=driver.turns[-1]["id"])
    wait_until(lambda: driver.ends() > ends, "the new reply has ended")
    assert sent(selected) == "5! {{x}}"


def test_a_prompt_asked_again_is_shown_as_it_was_typed(driver: Driver, selected: DemoServer, shell: Any) -> None:
    shell.user_ns["x"] = 5
    ask(driver, "{{x}}!", "x")
    shell.user_ns["x"] = 6
    ends = driver.ends()
    driver.send("regenerate", turn=driver.turns[-1]["id"])
    wait_until(lambda: driver.ends() > ends, "the new reply has ended")
    assert sent(selected) == "5!"
    assert [(turn["prompt"], turn["typed"]) for turn in driver.turns] == [("5!", "{{x}}!")]


def test_variables_and_cells_are_offered(driver: Driver, shell: Any) -> None:
    shell.run_cell("import os\nfrom math import floor, pi\nx = [1]\ndef f(): ...", store_history=True)
    shell.run_cell("\nx[0] + 1\n", store_history=True)
    told = driver.send("offer")["offered"]
    assert told["variables"] == [("x", "list, 1 element"), ("pi", "float")]
    assert told["cells"] == [(2, "x[0] + 1"), (1, "import os from math import floor, pi x = [1] def f(): ...")]


def test_what_is_offered_is_bounded(driver: Driver, shell: Any) -> None:
    shell.user_ns.update({f"name{number}": number for number in range(1000)})
    for number in range(30):
        shell.run_cell(f"{number}", store_history=True)
    told = driver.send("offer")["offered"]
    assert [len(told["variables"]), told["variables"][0][0], len(told["cells"])] == [200, "name999", 20]


def test_a_cell_is_sent_with_its_output_and_without_keys(driver: Driver, selected: DemoServer, shell: Any) -> None:
    shell.run_cell("key = 'sk-0123456789abcdefghij'", store_history=True)
    shell.run_cell("6 * 7", store_history=True)
    driver.ask("Why?", cells=[2, 1])
    assert sent(selected) == (
        "Earlier cells of this notebook, oldest first:\n\n"
        "In [1]:\n```python\nkey = '***'\n```\n\n"
        "In [2]:\n```python\n6 * 7\n```\nOutput of [2]:\n```text\n42\n```\n\n"
        "Why?"
    )
    assert driver.turns[0]["typed"] == "Why?"
    assert driver.send("ask", text="Why?", cells=[9]) == {"error": "there is no cell [9] any more; remove it"}


def test_a_cell_that_failed_is_sent_with_its_error(driver: Driver, selected: DemoServer, shell: Any) -> None:
    shell.run_cell("1 / 0", store_history=True)
    driver.ask("Why?", cells=[1])
    assert "ZeroDivisionError" in sent(selected)


def test_without_a_shell_there_is_nothing_to_see(selected: DemoServer) -> None:
    driver = Driver(Conversation(name="main", model="demo-echo"))
    assert driver.send("offer")["offered"] == {"variables": [], "cells": []}
    assert driver.send("describe", sources=["x"])["described"][0]["problem"] == "{{x}}: there is no variable 'x'"


def test_the_same_words_typed_as_they_are_are_shown_so(driver: Driver, selected: DemoServer, shell: Any) -> None:
    shell.user_ns["x"] = 5
    ask(driver, "{{x}}", "x")
    driver.ask("5")
    driver.panel.conversation.ask("5")
    wait_until(lambda: len(driver.turns) == 3, "the panel shows the turn that Python asked")
    assert [turn["typed"] for turn in driver.turns] == ["{{x}}", "", ""]


class Unnamed(type):
    """Its classes refuse to say their names."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]  # hostile
        raise ValueError("no name")


class Nameless(metaclass=Unnamed):
    """Refuses to be shown, too, by an error that is no `Exception`."""

    def __repr__(self) -> str:
        raise GeneratorExit("gone")


class Shapeless(pd.DataFrame):  # type: ignore[misc]  # pandas has no types
    """Counts who asks for its shape."""

    asked = 0

    @property
    def shape(self) -> Any:
        Shapeless.asked += 1
        raise ValueError("no shape")


def test_hostile_values_are_described_and_never_leave_the_view_waiting(
    driver: Driver, selected: DemoServer, shell: Any
) -> None:
    shell.user_ns.clear()
    shell.user_ns.update(value=Nameless(), table=Shapeless({"a": [1, 2]}), x=5)
    described = driver.send("describe", sources=["value", "table", "x"])["described"]
    assert [each["about"] for each in described] == ["Nameless", "Shapeless, 2 rows × 1 columns", "int"]
    assert [name for name, _ in driver.send("offer")["offered"]["variables"]] == ["x", "table", "value"]
    assert Shapeless.asked == 0
    refused = driver.send("ask", text="{{value}}", chips=chips("{{value}}", "value"))
    assert refused["error"] == "reading a variable raised GeneratorExit: gone"
    assert ask(driver, "{{x[-True]}}", "x[-True]") == {}
    assert sent(selected) == "{{x[-True]}}"

"""What was closed is let go, with all that hung on it."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from ipywidgets import Widget

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.demo import DemoServer
from jmuz_magic.widgets.selector import ModelSelector
from tests.waiting import wait_until
from tests.widgets.conftest import Driver


def is_gone(reference: weakref.ref[Any]) -> bool:
    gc.collect()
    return reference() is None


def registered() -> int:
    """Widgets that ipywidgets knows, each with its channel to the front end."""
    return len(Widget.widgets)


@pytest.mark.filterwarnings("ignore:Widget.widgets is deprecated:DeprecationWarning")
def test_a_closed_panel_is_let_go(selected: DemoServer) -> None:
    before = registered()
    driver = Driver(Conversation(model="demo-echo"))
    driver.ask("Hello")
    driver.panel.close()
    assert registered() == before
    panel = weakref.ref(driver.panel)
    del driver
    wait_until(lambda: is_gone(panel), "the panel is gone")


@pytest.mark.filterwarnings("ignore:Widget.widgets is deprecated:DeprecationWarning")
def test_a_closed_selector_is_let_go(selected: DemoServer) -> None:
    before = registered()
    widget = ModelSelector()
    widget.close()
    assert registered() == before
    selector = weakref.ref(widget)
    del widget
    wait_until(lambda: is_gone(selector), "the selector is gone")


def test_a_turn_that_was_stopped_is_let_go(selected_slow: DemoServer) -> None:
    driver = Driver(Conversation(model="demo-long"))
    driver.send("ask", text="Hello")
    driver.wait_for_text()
    running = driver.panel.conversation.running
    assert running is not None
    turn = weakref.ref(running)
    del running
    driver.send("stop")
    wait_until(lambda: driver.panel.conversation.running is None, "the turn has ended")
    driver.send("undo")  # what is cleared can come back
    wait_until(lambda: not driver.turns, "the transcript is empty")
    wait_until(lambda: is_gone(turn), "the turn is gone")

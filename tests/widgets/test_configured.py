"""A configured endpoint in the selector and the panel: first in the list, with its models and its promise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.conversation.selection import Choice, get_selection
from jmuz_magic.demo import DemoServer
from jmuz_magic.providers.configured import make_provider
from jmuz_magic.providers.description import read_description
from jmuz_magic.providers.registry import configure_providers
from jmuz_magic.widgets.listing import provider_rows
from jmuz_magic.widgets.selector import ModelSelector
from jmuz_magic.widgets.settings import show_settings


@pytest.fixture
def campus(demo_endpoint: DemoServer) -> Iterator[Any]:
    """A configured endpoint."""
    described = {"api_base": demo_endpoint.api_base, "models": ["m-small", "m-large"], "says": "stays <b>on campus"}
    provider = make_provider(read_description("campus", described, administered=True))
    configure_providers([provider])
    get_selection().set(choice=None, model=None, options={})
    yield provider
    configure_providers([])
    get_selection().set(choice=None, model=None, options={})


@pytest.mark.usefixtures("campus")
def test_the_list_of_providers_says_what_is_promised() -> None:
    first, *others = provider_rows(get_selection())
    assert first == ["campus", "campus – stays <b>on campus (says its administrator)"]
    assert ["ollama", "Ollama"] in others


@pytest.mark.usefixtures("campus")
def test_the_selector_offers_its_models_without_asking(demo_endpoint: DemoServer) -> None:
    selector = ModelSelector(provider="campus")
    assert [entry[0] for entry in selector.state["entries"]] == ["m-small", "m-large"]
    assert "default" in selector.state["entries"][0][1]
    assert selector.state["hint"] == ""
    selector.close()
    assert not demo_endpoint.requests


def test_the_panel_says_what_is_promised(campus: Any) -> None:
    get_selection().set(choice=Choice(campus))
    settings = show_settings(Conversation())
    assert settings["hint"] == "campus: stays <b>on campus (says its administrator)"
    assert settings["model"] == "m-small"

"""The buttons that copy code: which HTML has them, and how they are hidden.

That they copy the right thing is tested in `tests/browser/test_copying.py`.
"""

from __future__ import annotations

import re

import pytest

from jmuz_magic.display.bundle import reply_bundle
from jmuz_magic.display.html.copying import BUTTON, STYLE
from jmuz_magic.display.html.markdown import Blocks
from jmuz_magic.display.transcript import turn_bundle
from jmuz_magic.display.views.replay import OnceView
from jmuz_magic.messages import Reply
from tests.allow_list import problems, without_buttons
from tests.display.screen import Screen
from tests.hostile import HOSTILE, hostile_replies

CODE = "```python\nx = 1\n```\n"
OF_A_BUTTON = re.compile("<button|<style|commandlinker", re.IGNORECASE)
TAG = re.compile("<[a-z][^>]*>", re.IGNORECASE)


def streamed(text: str) -> Screen:
    screen = Screen()
    view = screen.view()
    screen.stream(view, text)
    view.close(Reply(text, finish_reason="stop"))
    return screen


def shown(screen: Screen) -> list[str]:
    return [data["text/html"] for data in screen.outputs.values()]


@pytest.mark.threat(1, 3)
def test_hostile_replies_bring_no_command_or_style() -> None:
    """All buttons in them are ours, one for each block of code that the renderer wrote."""
    assert len(HOSTILE) >= 150
    buttons = 0
    for name, text in hostile_replies("http://127.0.0.1:9").items():
        blocks = Blocks()
        blocks.feed(text)
        blocks.finish()
        rendered = "".join(blocks.committed)
        html = reply_bundle(Reply(text))["text/html"]
        assert html.count(BUTTON) == rendered.count("<pre"), name
        buttons += html.count(BUTTON)
        for own in (rendered, without_buttons(html)):
            assert not any(map(OF_A_BUTTON.search, TAG.findall(own))), name
            assert problems(own) == [], name
    assert buttons > 1


def test_finished_code_has_a_button_and_the_reply_one_style() -> None:
    screen = streamed(f"Text.\n\n{CODE}\n> {CODE[:3]}\n> quoted\n> ```\n\n    indented\n")
    (html,) = shown(screen)
    assert html.count(BUTTON) == html.count(BUTTON + '<div class="highlight">') == 3
    assert html.count("<style>") == 1
    assert html.index(STYLE) > html.rindex("</code>"), "else the text would lose its first child's look"
    assert problems(screen.html) == []


def test_a_growing_reply_has_none() -> None:
    """Each update would carry them."""
    screen = streamed(CODE * 20 + "end")
    assert len(screen.sent) > 2
    assert all(BUTTON not in message.data["text/html"] for message in screen.sent[:-1])


def test_without_code_there_is_neither_button_nor_style() -> None:
    (html,) = shown(streamed("Some `code` in a line.\n"))
    assert without_buttons(html) == html


@pytest.mark.parametrize("text", ["| a | b |\n|---|---|\n| c | d |\n", "$$x$$\n"])
def test_what_scrolls_on_a_screen_wraps_on_paper(text: str) -> None:
    (html,) = shown(streamed(text))
    assert html.count(STYLE) == 1
    assert BUTTON not in html
    assert html == reply_bundle(Reply(text, finish_reason="stop"), show_footer=False)["text/html"]


def test_of_many_outputs_the_first_with_code_has_the_style() -> None:
    text = "word " * 400 + "\n\n"
    outputs = shown(streamed((text * 4) + (text + CODE + "\n") * 8))
    with_code = [html for html in outputs if BUTTON in html]
    assert BUTTON not in outputs[0]
    assert len(with_code) > 1
    assert [html.count(STYLE) for html in with_code] == [1] + [0] * (len(with_code) - 1)


def test_a_reply_sent_once_has_them_and_a_transcript_has_not() -> None:
    screen = Screen()
    OnceView(publish=screen.publish).close(Reply(CODE, reasoning=CODE, finish_reason="stop"))
    (html,) = shown(screen)
    assert html.count(BUTTON) == html.count(STYLE) == 1, "reasoning has no button"
    assert BUTTON not in turn_bundle("Prompt", Reply(CODE))["text/html"]


def test_only_a_trusted_output_of_a_notebook_shows_the_button() -> None:
    """In an untrusted one, JupyterLab would ask whether to trust the whole notebook."""
    assert 'style="display:none"' in BUTTON
    assert BUTTON.endswith("></button>"), "no word is left where the button is not a button"
    shown, _, printed = STYLE.removeprefix("<style>").removesuffix("}}</style>").partition("@media print{")
    rules = dict(rule.split("{") for rule in (shown + printed).split("}") if rule)
    showing = [selector for selector, declarations in rules.items() if "display" in declarations]
    assert showing == [".jp-Notebook .jp-Cell-outputArea>.jp-OutputArea-child>.jp-mod-trusted>.jmuz-reply .jmuz-copy"]
    assert all(".jmuz-" in selector for selector in rules)
    assert "url" not in STYLE
    assert len(STYLE) < 2000

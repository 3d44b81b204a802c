"""What is shown of a reply besides its text: sources, images, and what is only kept."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest

from jmuz_magic.display.bundle import reply_bundle
from jmuz_magic.display.pictures import image_bundles, images_line
from jmuz_magic.display.reply import fact_lines, footer_lines
from jmuz_magic.display.sources import sources_html, sources_text
from jmuz_magic.display.transcript import turn_bundle
from jmuz_magic.display.views.replay import OnceView
from jmuz_magic.display.views.terminal import TextView
from jmuz_magic.messages import Citation, FinishReason, Image, Reply, Unshown
from tests.allow_list import problems
from tests.display.screen import Screen
from tests.hostile import hostile_replies
from tests.providers.test_pictures import jpeg, png

PNG, JPEG = Image(png(), "image/png"), Image(jpeg(), "image/jpeg")
SOURCES = (Citation("https://a.example/x", "A page"), Citation("https://b.example"))
AUDIO, TOO_LARGE = Unshown("audio", {}), Unshown("image of more than 5 MiB", {})


def shown(reply: Reply, error: str | None = None) -> tuple[Screen, Screen]:
    """The reply in both views of a notebook."""
    live, once = Screen(), Screen()
    view = live.view()
    live.stream(view, reply.text)
    view.close(reply, error)
    OnceView(publish=once.publish).close(reply, error)
    return live, once


# --- sources


def test_sources_are_numbered_links_that_show_their_host() -> None:
    html = sources_html(SOURCES)
    assert problems(html) == []
    assert html.count("<li>") == 2
    assert '<a href="https://a.example/x" rel="noopener noreferrer nofollow">A page</a> (a.example)' in html
    assert ">https://b.example</a></li>" in html
    assert sources_text(SOURCES) == "[1] A page: https://a.example/x\n[2] https://b.example\n"
    assert sources_html(()) == sources_text(()) == ""


@pytest.mark.parametrize(
    ("source", "host"),
    [
        (Citation("https://evil.example/", "google.com"), "(evil.example)"),
        (Citation("https://google.com@evil.example/", "Google"), "(evil.example)"),
        (Citation("https://xn--ggle-0nda.example/", "Google"), "(xn--ggle-0nda.example)"),
        (Citation("https://evil.example/", "x" * 3000), "(evil.example)"),
    ],
)
def test_a_title_cannot_lie_about_its_source(source: Citation, host: str) -> None:
    assert host in sources_html([source])
    assert problems(sources_html([source])) == []


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "/api/kernels",
        "file:///etc/passwd",
        'https://a"onload=x',
        "",
        "x\n\x1b",
    ],
)
@pytest.mark.parametrize("title", ["", "A page"])
def test_an_address_that_is_none_to_link_to_is_text(url: str, title: str) -> None:
    html = sources_html([Citation(url, title)])
    assert "<a " not in html
    assert problems(html) == []
    assert "\x1b" not in sources_text([Citation(url, title)])


@pytest.mark.threat(8)
def test_hostile_titles_and_addresses_pass_the_list() -> None:
    for text in hostile_replies("http://127.0.0.1:9").values():
        for source in (Citation(text, text), Citation("https://a.example", text)):
            assert problems(sources_html([source])) == []


def test_sources_stand_below_the_text_in_every_view() -> None:
    reply = Reply("Says [1].", finish_reason="length", citations=SOURCES)
    for screen in shown(reply):
        assert screen.html.index("Says") < screen.html.index("Sources:") < screen.html.index("cut by length")
        assert problems(screen.html) == []
    assert "Sources:" in turn_bundle("hi", reply)["text/html"]
    pipe = io.StringIO()
    TextView(pipe).close(reply)
    assert pipe.getvalue().startswith("Says [1].\n[1] A page: https://a.example/x\n[2] https://b.example\n[cut by")


# --- images


def test_an_image_is_an_output_of_its_own_media_type() -> None:
    for screen in shown(Reply("Here:", finish_reason="stop", images=(PNG, JPEG))):
        text, *images = screen.outputs.values()
        assert "Here:" in text["text/html"]
        assert [set(image) for image in images] == [{"image/png", "text/plain"}, {"image/jpeg", "text/plain"}]
        assert base64.b64decode(images[0]["image/png"]) == PNG.data
        assert images[1]["text/plain"] == "[image 2 of the reply: image/jpeg, 1 KiB]"
        assert "src" not in text["text/html"]
        assert "image" not in text["text/html"]  # nobody needs to be told of what is seen


def test_a_reply_of_images_alone_is_not_empty() -> None:
    for screen in shown(Reply("", finish_reason="stop", images=(PNG,))):
        assert "empty reply" not in screen.html_of_text
        text, image = screen.outputs.values()
        assert text["text/plain"].startswith("[1 image (image/png 1 KiB)")
        assert "image/png" in image


def test_images_of_a_reply_that_broke_off_are_shown() -> None:
    for screen in shown(Reply("", finish_reason="error", images=(PNG,)), "gone"):
        assert any("image/png" in data for data in screen.outputs.values())
        assert "incomplete: gone" in screen.html_of_text


def test_elsewhere_a_line_says_that_images_came_and_where_they_are() -> None:
    reply = Reply("Here:", finish_reason="stop", images=(PNG, JPEG))
    line = "2 images (image/png 1 KiB, image/jpeg 1 KiB): in reply.images"
    assert images_line(reply.images) == line
    assert line in fact_lines(reply)
    assert line in reply_bundle(reply)["text/html"]
    pipe = io.StringIO()
    TextView(pipe).close(reply)
    assert pipe.getvalue() == f"Here:\n[{line}]\n"


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/javascript", ""])
def test_no_other_media_type_is_ever_sent(kind: str) -> None:
    assert list(image_bundles([Image(b"<script>", kind)])) == []


# --- what is only kept


@pytest.mark.parametrize(
    ("unshown", "line"),
    [
        ((AUDIO,), "not shown: audio (in reply.unshown)"),
        ((TOO_LARGE, AUDIO, TOO_LARGE), "not shown: 2 × image of more than 5 MiB, audio (in reply.unshown)"),
        ((Unshown("part of type\x1b[31m <b>", {}),), "not shown: part of type␛[31m <b> (in reply.unshown)"),
    ],
)
def test_what_cannot_be_shown_is_named_in_the_foot(unshown: tuple[Unshown, ...], line: str) -> None:
    reply = Reply("x", finish_reason="stop", unshown=unshown)
    assert footer_lines(reply) == fact_lines(reply) == [line]
    for screen in shown(reply):
        assert "not shown: " in screen.html
        assert problems(screen.html) == []


def test_only_what_is_part_of_an_answer_makes_a_reply_one() -> None:
    assert footer_lines(Reply("", unshown=(AUDIO,))) == ["not shown: audio (in reply.unshown)"]
    assert footer_lines(Reply("", unshown=(Unshown("encrypted reasoning", []),)))[0].startswith("empty reply")


# --- ends


@pytest.mark.parametrize(
    ("reason", "said", "line"),
    [
        ("length", "MAX_TOKENS", "cut by length (MAX_TOKENS): --max-tokens N allows more"),
        ("content_filter", "SAFETY", "filtered (SAFETY): the service's content filter stopped the reply"),
        (
            "length",
            "a\x1b\nb" + "c" * 200,
            "cut by length (a␛ b" + "c" * 96 + "…): --max-tokens N allows more",
        ),
        ("stop", "STOP", ""),
    ],
)
def test_the_service_s_own_word_for_an_end_is_told(reason: str, said: str, line: str) -> None:
    assert footer_lines(Reply("x", finish_reason=reason, finish_said=said)) == ([line] if line else [])


def test_a_turn_keeps_what_came() -> None:
    from jmuz_magic.conversation.growing import _with_fact

    facts: list[Any] = [PNG, AUDIO, FinishReason("length", "MAX_TOKENS")]
    reply = Reply("x")
    for fact in facts:
        reply = _with_fact(reply, fact)
    assert (reply.images, reply.unshown, reply.finish_reason, reply.finish_said) == (
        (PNG,),
        (AUDIO,),
        "length",
        "MAX_TOKENS",
    )

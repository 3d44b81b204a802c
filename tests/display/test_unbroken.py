"""HTML of replies inside Markdown, where a blank line would end it: `nbconvert --to markdown` writes such files."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

from jmuz_magic.demo.prepared import PREPARED
from jmuz_magic.display.bundle import reply_bundle
from jmuz_magic.display.request import request_bundle
from jmuz_magic.display.transcript import transcript_bundle, turn_bundle
from jmuz_magic.messages import Reply
from tests.display.screen import Screen
from tests.hostile import hostile_replies

LINES = "a * b * c\n\n  \n\t\n$x$ <b>\n\n\n    indented * y *\n# no heading"
SHAPES = {
    "fence": f"```\n{LINES}\n```\n",
    "first": f"```python\n\n\n{LINES}\n\n```\n",
    "in a list": "- a\n\n  ```\n  x * y\n\n  z * y\n  ```\n\n  b\n- c\n",
    "in a quote": "> ```\n> x\n>\n> *y*\n> ```\n",
    "indented": "    x * y\n\n    z * y\n",
    "entities": "&#10;&#10;*a* [b](https://a.example 'c&#10;&#10;*d*')\n",
    "maths": "$$\na\n\\\\\n\nb\n$$\n\n\\[x\n\n_y_\\]\n",
    "many groups": f"{'word ' * 400}\n\n```\n{LINES}\n```\n\n" * 12,
}


def replies() -> dict[str, str]:
    prepared = {f"prepared {number}": answer.text for number, (_, answer) in enumerate(PREPARED)}
    return {**hostile_replies("http://127.0.0.1:9"), **prepared, **SHAPES}


def in_markdown(html: str) -> str:
    return str(MarkdownIt("commonmark", {"html": True}).render(f"before\n\n\n{html}\n\n\nafter\n"))


def streamed(reply: Reply) -> list[str]:
    screen = Screen()
    view = screen.view()
    screen.stream(view, reply.text)
    view.close(reply)
    return [data["text/html"] for data in screen.outputs.values()]


def test_markdown_leaves_every_reply_as_it_is() -> None:
    texts = replies()
    assert len(texts) > 150
    for name, text in texts.items():
        reply = Reply(text, reasoning=text, finish_reason="stop")
        shown = [reply_bundle(reply)["text/html"], *streamed(reply)]
        shown.append(transcript_bundle([turn_bundle(text, reply)])["text/html"] + "\n")
        shown.append(request_bundle("POST x", [text], [("user", text)], text, [])["text/html"])
        for html in shown:
            assert html.rstrip("\n") in in_markdown(html), name


def test_an_attribute_has_no_line_break() -> None:
    assert 'title="c&#10;&#10;*d*"' in reply_bundle(Reply(SHAPES["entities"]))["text/html"]


def test_the_code_is_the_same() -> None:
    html = reply_bundle(Reply(SHAPES["first"]))["text/html"]
    code = re.search(r"<code tabindex[^>]*>(.*?)</code>", html, re.DOTALL)
    assert code
    assert re.sub("<[^>]*>", "", code[1]).replace("&lt;", "<").replace("&gt;", ">") == f"\n\n{LINES}\n\n"

"""Safe HTML: what Markdown looks like, and that nothing a stranger writes can be anything else."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jmuz_magic.display.html.markdown import Blocks, render_html
from jmuz_magic.display.html.maths import tex_html
from jmuz_magic.display.html.parser import make_parser
from jmuz_magic.display.html.rendering import Renderer
from jmuz_magic.display.html.styles import CODE
from jmuz_magic.text import clean_text
from tests.allow_list import problems
from tests.hostile import HOSTILE, JAVASCRIPT_LINKS, hostile_replies

ADDRESS = "http://127.0.0.1:9"
SNIPPETS = [
    "# h\n", "text ", "*em* ", "**b** ", "\n", "\n\n", "- a\n", "  - b\n", "1. x\n", "> q\n",
    "```py\nx=1\n", "```\n", "`c` ", "| a | b |\n", "|---|:-:|\n", "$a$ ", "$$\nx\n$$\n", "\\[\n", "\\]\n",
    "\\(y\\) ", "\\begin{align}\n", "\\end{align}\n", "[l](https://a.example) ", "[r] ",
    "[r]: https://r.example\n", "[r]: https://r.example\n'title\n", "two'\n",
    "![i](https://i.example/x.png) ", "---\n", "===\n", "    code\n", "\t", "&amp; ", "<b>", "~~s~~ ",
    "- [ ] t\n", "[^1] ", "[^1]: f\n", "+ p\n", "\r", "\r\n", "* * *\n", "$5 and $6 ", "\\",
    "https://b.example/x ", "\x1b[1m", "\u202e", "$$", "$", "~~~\n", "2) y\n", "#", "`", "|", " ",
]  # fmt: skip
markdown_texts = st.one_of(
    st.lists(st.sampled_from(SNIPPETS), max_size=25).map("".join),
    st.lists(st.sampled_from([*SNIPPETS, *HOSTILE.values()]), max_size=8).map("".join),
    st.text(alphabet=st.characters(codec=None), max_size=60),
    st.text(alphabet="<>&\"'`*_~[]()!\\$-#+.:|=/ \n\tax1{}^", max_size=80),
)


@pytest.mark.threat(1, 3, 5)
@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("math", ["tex", "mathml"])
def test_hostile_reply_becomes_only_what_is_on_the_list(name: str, math: str) -> None:
    html = render_html(hostile_replies(ADDRESS)[name], math)  # type: ignore[arg-type]  # the two literals
    assert problems(html, mathml=math == "mathml") == []


def test_a_tag_begins_no_block_of_html() -> None:
    shown = "<p>&lt;div&gt;\n<strong>bold</strong>\n&lt;/div&gt;</p>\n"
    assert render_html("<div>\n**bold**\n</div>") == shown


def test_there_are_enough_hostile_replies() -> None:
    assert len(HOSTILE) >= 60
    assert len(JAVASCRIPT_LINKS) >= 20


@pytest.mark.threat(4)
@pytest.mark.parametrize("trick", [name for name in JAVASCRIPT_LINKS if "quote" not in name])
def test_spelling_of_a_bad_scheme_is_no_link(trick: str) -> None:
    assert "<a " not in render_html(JAVASCRIPT_LINKS[trick].replace("BEACON_HOST", "evil.example"))


@pytest.mark.threat(3)
def test_nothing_in_the_html_loads_anything() -> None:
    html = render_html("\n\n".join(hostile_replies(ADDRESS).values()))
    # What looks like an attribute in shown text is escaped or stands outside of tags.
    tags = " ".join(re.findall(r"<[^>]*>", html))
    assert not re.search(r"src=|srcset=|poster=|url\(|background=", re.sub(r'(title|href)="[^"]*"', "", tags))


@given(markdown_texts)
@settings(max_examples=400, deadline=None)
@example("[a]: https://r.example\n'title\n\n[a]")
def test_any_text_becomes_only_what_is_on_the_list(text: str) -> None:
    assert problems(render_html(text)) == []
    assert problems(render_html(text, "mathml"), mathml=True) == []


@given(markdown_texts, st.data())
@settings(max_examples=600, deadline=None)
@example("para\n`", None)
@example("[a]: https://r.example\n'title\nmore'\n\n[a]\n\n# h\n", None)
@example("text\n\\[\na\n+ b\n\\]\n\n# h\n", None)
@example("text\n\\[\na\n+ b\n\n# h\n\\]", None)
@example("[r] first\n\n# h\n\n[r]: https://r.example\n", None)
@example("para\n#hashtag\n", None)
def test_streaming_in_blocks_ends_as_rendering_at_once(text: str, data: st.DataObject | None) -> None:
    blocks = Blocks()
    rest = text
    while rest:
        size = data.draw(st.integers(1, max(1, len(rest) // 2))) if data else 1
        blocks.feed(rest[:size])
        before = list(blocks.committed)
        assert problems(blocks.open) == []
        assert blocks.committed[: len(before)] == before
        rest = rest[size:]
    blocks.finish()
    assert "".join(blocks.committed) == render_html(text)


@given(markdown_texts)
@settings(max_examples=200, deadline=None)
def test_sources_of_blocks_are_the_text(text: str) -> None:
    blocks = Blocks()
    for character in text:
        blocks.feed(character)
        _ = blocks.committed
        assert clean_text(text).startswith("".join(blocks.sources))
    blocks.finish()
    assert "".join(blocks.sources) == clean_text(text)
    assert blocks.open_chars == 0


@given(markdown_texts)
@settings(max_examples=300, deadline=None)
def test_blocks_are_what_the_parser_makes_of_the_whole(text: str) -> None:
    tokens = make_parser().parse(clean_text(text), {})
    assert Renderer(tex_html, in_cell=True).html(tokens) == render_html(text)


@given(st.lists(st.sampled_from(SNIPPETS), max_size=30).map("".join), st.integers(8, 60), st.integers(1, 9))
@settings(max_examples=400, deadline=None)
def test_cutting_a_giant_block_does_not_depend_on_the_network(text: str, window: int, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jmuz_magic.display.html.splitter._WINDOW", window)
        blocks = Blocks()
        for start in range(0, len(text), size):
            blocks.feed(text[start : start + size])
            _ = blocks.committed
        blocks.finish()
        assert "".join(blocks.committed) == render_html(text)


def test_what_follows_code_beyond_a_window_is_cut_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jmuz_magic.display.html.splitter._WINDOW", 8)
    text = "```py\nx=1\n```\ntext # h\ntext "
    blocks = Blocks()
    for character in text:
        blocks.feed(character)
        _ = blocks.committed
    blocks.finish()
    assert "".join(blocks.committed) == render_html(text)


def test_finish_tells_which_blocks_a_late_definition_changed() -> None:
    blocks = Blocks()
    blocks.feed("See [r].\n\nNothing here.\n\n[x] none\n\n[r]: https://r.example\n")
    assert "<a" not in blocks.committed[0]
    assert blocks.finish() == [0]
    assert '<a href="https://r.example"' in blocks.committed[0]


def test_a_part_of_a_line_commits_nothing() -> None:
    blocks = Blocks()
    blocks.feed("para\n#")
    assert blocks.committed == []
    blocks.feed("hashtag\n\n")
    assert blocks.committed == []
    blocks.feed("next\n")
    assert blocks.committed == ["<p>para\n#hashtag</p>\n"]


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# A\n## B", "<h3>A</h3>\n<h4>B</h4>\n"),
        ("a *b* **c** ~~d~~ `e<f`", "<p>a <em>b</em> <strong>c</strong> <s>d</s> <code>e&lt;f</code></p>\n"),
        ("a  \nb\nc", "<p>a<br>\nb\nc</p>\n"),
        ("3. a\n4. b", '<ol start="3">\n<li>a\n</li>\n<li>b\n</li>\n</ol>\n'),
        ("- a\n  - b", "<ul>\n<li>a\n<ul>\n<li>b\n</li>\n</ul>\n</li>\n</ul>\n"),
        ("- a\n\n- b", "<ul>\n<li><p>a</p>\n</li>\n<li><p>b</p>\n</li>\n</ul>\n"),
        (
            "- [ ] a\n- [x] b\n- [X] c\n- [y] d",
            "<ul>\n<li>☐ a\n</li>\n<li>☑ b\n</li>\n<li>☑ c\n</li>\n<li>[y] d\n</li>\n</ul>\n",
        ),
        ("> a\n\n---", "<blockquote>\n<p>a</p>\n</blockquote>\n<hr>\n"),
        ("text [^1]\n\n[^1]: https://a.example", None),
    ],
)
def test_markdown(text: str, html: str | None) -> None:
    if html is None:
        assert "[^1]: " in render_html(text)
    else:
        assert render_html(text) == html


def test_table_with_alignment() -> None:
    html = render_html("| a | b | c |\n|:--|:-:|---|\n| 1 | `x|y` | 3 |\n")
    assert '<th style="text-align:left">a</th>' in html
    assert '<th style="text-align:center">b</th>' in html
    assert '<td style="text-align:center">' in html
    assert '<th style="text-align:left">c</th>' in html


def test_code_has_its_label_and_token_classes() -> None:
    html = render_html("```python title=x\ndef f(): pass\n```")
    label = '<div class="jmuz-label"><code>python</code></div>'
    assert html.startswith(f'{label}<div class="highlight"><pre><code tabindex="0" style="{CODE}">')
    assert '<span class="k">def</span>' in html


def test_code_in_an_unknown_language_is_plain() -> None:
    html = render_html("```klingon\n<b>\n```\n\n    indented <b>\n")
    assert f'<code tabindex="0" style="{CODE}">&lt;b&gt;\n</code>' in html
    assert f'<code tabindex="0" style="{CODE}">indented &lt;b&gt;\n</code>' in html


@pytest.mark.parametrize("info", ['x"y', "a\\b", "<b>", "$x$", "x" * 200])
def test_odd_info_of_a_fence_is_no_class(info: str) -> None:
    html = render_html(f"```{info}\nx\n```", "mathml")
    assert 'class="language' not in html
    assert "jmuz-label" not in html


def test_images_are_links_that_show_their_host() -> None:
    html = render_html("![a chart](https://pics.example/secret?q=1 'title')")
    link = '<a href="https://pics.example/secret?q=1" rel="noopener noreferrer nofollow">image: a chart</a>'
    assert html == f"<p>{link} (pics.example)</p>\n"


def test_deep_nesting_is_shown_not_dropped() -> None:
    html = render_html(">" * 500 + " the end")
    assert "the end" in html
    assert problems(html) == []


def test_a_huge_paragraph_is_plain_text() -> None:
    html = render_html("*a* " * 20_000)
    assert "<em>" not in html
    assert html.count("*a*") == 20_000


def test_the_same_text_gives_the_same_html() -> None:
    text = "\n\n".join(hostile_replies(ADDRESS).values())
    assert render_html(text) == render_html(text)

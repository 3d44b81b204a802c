"""Where a reply may link to, and links that show where they go."""

from __future__ import annotations

from typing import Any

import pytest

from jmuz_magic.display.html.links import safe_href, shown_target
from jmuz_magic.display.html.markdown import render_html
from tests.allow_list import problems


@pytest.mark.parametrize(
    "href",
    [
        "https://a.example",
        "HTTP://A.example:8080/x?y=z#f",
        "https://127.0.0.1/x",
        "http://[::1]:8888/",
        "https://xn--bcher-kva.example/",
        "mailto:a@b.example",
        "mailto:a@b.example?subject=x",
        "https://my_host.internal/(x)",
    ],
)
def test_absolute_web_and_mail_addresses_are_links(href: str) -> None:
    assert safe_href(href) == href


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    "href",
    [
        "", "/x", "x", "//a.example", "#x", "?x", "javascript:alert(1)", "data:text/html,x", "file:///x", "ftp://a.example",
        "https:a.example", "https:///x", "https://", "https://a b.example", "https://a.example/\n", "https://a.example\\@b.example",
        "https://a.example:99999999/", "https://a.example:x/", "https://ä.example/", "https://a%2eb/", "https://[evil]/",
        'https://a.example/"x', "https://a.example/<x>", "mailto:", "mailto:x", "mailto:javascript:alert(1)", "http://[::1",
        "vbscript:x", "blob:https://a.example/x", " https://a.example", "java\tscript:x",
    ],
)  # fmt: skip
def test_everything_else_is_not(href: str) -> None:
    assert safe_href(href) is None


@pytest.mark.threat(6)
@pytest.mark.parametrize(
    ("label", "href", "target"),
    [
        ("the manual", "https://docs.example/x", ""),
        ("docs.example", "https://docs.example/x", ""),
        ("docs.example", "https://www.docs.example/x", ""),
        ("https://docs.example/y", "https://docs.example/x", ""),
        ("bank.example", "https://evil.example/bank.example", "evil.example"),
        ("https://bank.example/login", "https://evil.example", "evil.example"),
        ("go to BANK.example now", "https://evil.example", "evil.example"),
        ("bank.example", "https://bank.example.evil.example", "bank.example.evil.example"),
        ("bank。example", "https://evil.example", "evil.example"),
        ("ｂａｎｋ．ｅｘａｍｐｌｅ", "https://evil.example", "evil.example"),
        ("x", "https://bank.example@evil.example/", "evil.example"),
        ("apple.com", "https://xn--pple-43d.com/", "xn--pple-43d.com"),
        ("аpple.com", "https://xn--pple-43d.com/", "xn--pple-43d.com"),
        ("bücher.example", "https://xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("ba\u200bnk.exam\u2060ple", "https://evil.example", "evil.example"),
        ("https://evil.example bank.example", "https://evil.example", "evil.example"),
        (f"{'b' * 70}.example", "https://evil.example", "evil.example"),
        ("192.0.2.1", "https://evil.example", "evil.example"),
        ("localhost", "https://evil.example", "evil.example"),
        ("bank.example", "mailto:thief@evil.example", "thief@evil.example"),
        ("a@bank.example", "mailto:thief@evil.example", "thief@evil.example"),
        ("write to a@bank.example", "mailto:a@bank.example?subject=x", ""),
        ("write to us", "mailto:a@bank.example", ""),
    ],
)
def test_link_that_could_lie_shows_its_target(label: str, href: str, target: str) -> None:
    assert shown_target(label, href) == target


@pytest.mark.threat(6)
def test_target_stands_behind_the_link() -> None:
    assert "https://bank.example</a> (evil.example)" in render_html("[https://bank.example](https://evil.example)")
    assert ">аpple.com</a> (xn--pple-43d.com)" in render_html("[аpple.com](https://аpple.com)")


def test_label_in_parts_is_read_as_one() -> None:
    assert "</a> (evil.example)" in render_html("[**bank**.`example`](https://evil.example)")


@pytest.mark.threat(6)
@pytest.mark.finding("D3")
@pytest.mark.parametrize("math", ["tex", "mathml"])
@pytest.mark.parametrize(
    ("text", "target"),
    [
        (r"[$\text{google}.\text{com}$](http://evil.example)", "evil.example"),
        (r"[$\mathrm{b\!ank}$ **login**](https://evil.example/bank)", "evil.example"),
        (r"[see \(x^2\)](mailto:thief@evil.example)", "thief@evil.example"),
        ("[the $n$-th root][r]\n\n[r]: https://evil.example", "evil.example"),
        (f"[{'x ' * 1000} bank.example](https://evil.example)", "evil.example"),
    ],
)
def test_a_label_that_may_read_otherwise_always_shows_its_target(text: str, target: str, math: Any) -> None:
    assert f"</a> ({target})" in render_html(text, math)


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("see https://a.example/b_c_d.", "https://a.example/b_c_d"),
        ("(https://a.example/x)", "https://a.example/x"),
        ("**https://a.example/x**", "https://a.example/x"),
        ("<https://a.example/x>", "https://a.example/x"),
    ],
)
def test_bare_addresses_are_links(text: str, href: str) -> None:
    assert f'<a href="{href}" rel="noopener noreferrer nofollow">{href}</a>' in render_html(text)


def test_no_link_in_a_link_or_in_code() -> None:
    assert render_html("[https://a.example https://b.example](https://a.example)").count("<a ") == 1
    assert "<a " not in render_html("`https://a.example`")


@pytest.mark.finding("A19")
@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("https://en.wikipedia.org/wiki/Python_(programming_language)", "https://en.wikipedia.org/wiki/Python_(programming_language)"),
        ("(see https://a.example/x_(y)).", "https://a.example/x_(y)"),
        ("https://a.example/(a(b)c), next", "https://a.example/(a(b)c)"),
        ("参见https://a.example/x。然后", "https://a.example/x"),
        ("（https://a.example/x）", "https://a.example/x"),
        ("「https://a.example/x」を", "https://a.example/x"),
        ("打开https://a.example/x看看", "https://a.example/x"),
        ("“https://a.example/x”", "https://a.example/x"),
        ("https://a.example/x…", "https://a.example/x"),
        ("«https://a.example/x»", "https://a.example/x"),
        ("https://a.example/x—so", "https://a.example/x"),
        ("https://a.example/。", "https://a.example/"),
    ],
)  # fmt: skip
def test_a_bare_address_ends_where_a_reader_sees_its_end(text: str, href: str) -> None:
    assert f'<a href="{href}" rel="noopener noreferrer nofollow">{href}</a>' in render_html(text)


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("(https://a.example/x)", "https://a.example/x"),
        ("https://a.example/x).", "https://a.example/x"),
        ("[https://a.example/x]", "https://a.example/x"),
        ("https://a.example/x?!", "https://a.example/x"),
        ("https://a.example/a[1]", "https://a.example/a[1]"),
    ],
)
def test_what_belongs_to_the_sentence_stays_outside(text: str, href: str) -> None:
    assert f'<a href="{href}" ' in render_html(text)


@pytest.mark.parametrize(
    "text", ["https://", "https://)", "https://ja.example/日本", "https://例え.example/", "https://a.example/?q=日"]
)
def test_an_address_whose_end_nobody_can_tell_is_no_link(text: str) -> None:
    assert "<a " not in render_html(text)


@pytest.mark.threat(4)
@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            "[https://good.example/ <http://x.example> it](http://evil.example) x",
            '<a href="http://evil.example"REL>https://good.example/ http://x.example it</a> (evil.example) x',
        ),
        (
            "[*a <http://x.example>*](http://evil.example)",
            '<a href="http://evil.example"REL><em>a http://x.example</em></a> (evil.example)',
        ),
        (
            "[a <http://b.example>](http://b.example) <http://x.example>",
            '<a href="http://b.example"REL>a http://b.example</a> <a href="http://x.example"REL>http://x.example</a>',
        ),
    ],
)
def test_an_address_within_a_link_is_its_text_and_hides_no_target(text: str, html: str) -> None:
    expected = html.replace("REL", ' rel="noopener noreferrer nofollow"')
    assert render_html(text).strip() == f"<p>{expected}</p>"
    assert problems(render_html(text)) == []

"""Bold, italic and strike beside Chinese, Japanese and Korean; and that everything else stays as CommonMark has it."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from jmuz_magic.display.html.markdown import render_html


def inline(text: str) -> str:
    return render_html(text).removeprefix("<p>").removesuffix("</p>\n")


@pytest.mark.finding("A14")
@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**注意：**正文", "<strong>注意：</strong>正文"),
        ("**「A」**なので**「B」**", "<strong>「A」</strong>なので<strong>「B」</strong>"),
        ("これは**「重要なこと」**です。", "これは<strong>「重要なこと」</strong>です。"),
        ("这是**我想做的事。**所以继续。", "这是<strong>我想做的事。</strong>所以继续。"),
        ("**마크다운(Markdown)**을 사용하세요", "<strong>마크다운(Markdown)</strong>을 사용하세요"),
        ("参见*（一）*和*《二》*。", "参见<em>（一）</em>和<em>《二》</em>。"),
        ("价格~~（旧）~~改了", "价格<s>（旧）</s>改了"),
        ("这**“引号”**里", "这<strong>“引号”</strong>里"),
        ("请用**`code`**吧", "请用<strong><code>code</code></strong>吧"),
        ("***「太字」***の", "<em><strong>「太字」</strong></em>の"),
        ("葛\U000e0100**（かずら）**と", "葛\U000e0100<strong>（かずら）</strong>と"),
    ],
)
def test_emphasis_beside_cjk_punctuation(text: str, html: str) -> None:
    assert inline(text) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**テスト**。テスト", "<strong>テスト</strong>。テスト"),
        ("2 * 3 * 4個", "2 * 3 * 4個"),
        ("価格は ** 円", "価格は ** 円"),
        ("これは_「強調」_です", "これは_「強調」_です"),
        ("snake_case_名前", "snake_case_名前"),
        ("\\*\\*「A」\\*\\*な", "**「A」**な"),
        ("`**「A」**`な", "<code>**「A」**</code>な"),
        ("**「A」 **な", "**「A」 **な"),
    ],
)
def test_what_was_right_stays(text: str, html: str) -> None:
    assert inline(text) == html


OTHERS = [
    'a**"b"**c', 'a **"b"** c', "a*(b)*c", "**a:**b", "😀**(x)**y", "⌚**(x)**y", "é**(x)**y", "«**x**»", "**x**—y",
    "~~(a)~~b", "_(a)_b", "a***b***c", "**a**b**c**", "*a**b*", "** a **", "__(a)__", "привет**(а)**б",
    "a\u00a0**(b)**\u00a0c",
]  # fmt: skip


@pytest.mark.parametrize("text", OTHERS)
def test_without_such_characters_nothing_changes(text: str) -> None:
    plain = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").render(text)
    assert render_html(text) == plain

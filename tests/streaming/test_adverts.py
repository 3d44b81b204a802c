from __future__ import annotations

import copy
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from jmuz_magic.streaming.adverts.cleaner import HOLD_LIMIT, JMUZ_ADVERTS, AdvertCleaner, AdvertRule
from tests.streaming import ideal_cleaner

INVITE = "https://discord.gg/Ew6JzjA2NR"


def clean(deltas: Iterable[str]) -> tuple[str, list[str]]:
    """The cleaned text and what was removed."""
    cleaner = AdvertCleaner()
    shown = [cleaner.feed(delta) for delta in deltas]
    return "".join([*shown, cleaner.flush()]), cleaner.removed


def cut_at(text: str, places: Iterable[int]) -> Iterator[str]:
    return (text[start:end] for start, end in pairwise([0, *sorted(places), len(text)]))


def random_cuts(text: str, times: int) -> Iterator[Iterator[str]]:
    chance = random.Random(text)
    for _ in range(times):
        yield cut_at(text, chance.choices(range(len(text) + 1), k=chance.randint(0, len(text) + 1)))


# The wording of every rule. Each text is cleaned in one piece and character by character.

VANISH = [
    # R1, in the head: a line that starts with the words, through its newline.
    ("R1", "Join for free\nHello", "Hello"),
    ("R1", "Join for free and get all models!\nHello", "Hello"),
    ("R1", "Join for free: https://discord.gg/abc\nHello", "Hello"),
    ("R1", "\n\n  Join for free\n\n\nHello\n", "Hello\n"),
    ("R1", "Join for free\r\nHello\r\n", "Hello\r\n"),
    ("R1", "Join for free\n    code\n", "    code\n"),
    ("R1", "Join for free\n```\ncode\n```\n", "```\ncode\n```\n"),
    ("R1", "Join for free\nJoin for free\nJoin for free\nHello", "Hello"),
    ("R1", f"Join for free {INVITE}", ""),
    ("R1", f"\nJoin for free {INVITE}\n\n", ""),
    ("R1", f"Join for free {INVITE} {'x' * 1000}\nHello", "Hello"),
    # R2, in the head: a line that is only an invite, or starts with one and holds dots.
    ("R2", "https://discord.gg/abc\nHello", "Hello"),
    ("R2", "https://discord.com/invite/a-b-C9\n\n\nHello", "Hello"),
    ("R2", "<https://discord.gg/abc>\nHello", "Hello"),
    ("R2", "**https://discord.gg/abc**!\nHello", "Hello"),
    ("R2", "... https://discord.gg/abc ...\nHello", "Hello"),
    ("R2", "https://discord.gg/abc all models ...\nHello", "Hello"),
    ("R2", "https://discord.gg/abc...and more\nHello", "Hello"),
    ("R2", "https://discord.gg/abc\n`", "`"),
    # R3, in the head: a line that is exactly this name, or starts so and holds an invite or dots.
    ("R3", "o1-preview\nHello", "Hello"),
    ("R3", "🚀 **o1-preview**! ✨️\nHello", "Hello"),
    ("R3", "o1-preview...\nHello", "Hello"),
    ("R3", "o1-preview, gpt-4o and more ...\nHello", "Hello"),
    ("R3", "o1-preview at https://discord.com/invite/abc\nHello", "Hello"),
    ("R3", f"o1-preview: {INVITE}", ""),
    # R4, in the body, outside code: a line that starts with the words and holds an invite.
    ("R4", f"Hello\nJoin for free: {INVITE}\nWorld", "Hello\nWorld"),
    ("R4", f"Hello\n\n  Join for free {INVITE} now\r\n\nWorld", "Hello\n\n\nWorld"),
    ("R4", f"Hello\nJoin for free {INVITE}", "Hello\n"),
    ("R4", f"Hello\nJoin for free {INVITE}{'!' * 1000}\nWorld", "Hello\nWorld"),
    ("R4", f"```\n```\nJoin for free {INVITE}\nWorld", "```\n```\nWorld"),
    ("R4", f"~~~\n``` \n~~~~\t\nJoin for free {INVITE}\nWorld", "~~~\n``` \n~~~~\t\nWorld"),
    # R5, anywhere outside code: an invite directly followed by dots, with the dots.
    ("R5", "https://discord.gg/abc...", ""),
    ("R5", "https://discord.gg/abc...\n\n", ""),
    ("R5", "See https://discord.gg/abc... for more", "See  for more"),
    ("R5", "See https://discord.gg/abc......", "See "),
    ("R5", "See https://discord.com/invite/abc...", "See "),
    ("R5", "hhttphttps://discord.gg/abc...", "hhttp"),
    ("R5", "https://discord.gg/https://discord.gg/abc...!", "https://discord.gg/!"),
    ("R5", '{"a": 1}https://discord.gg/abc...', '{"a": 1}'),
    ("R5", "A `b` https://discord.gg/abc...\n", "A `b` \n"),
    ("R5", "A ```b`` https://discord.gg/abc...\n", "A ```b`` \n"),
    ("R5", "A `b\nhttps://discord.gg/abc...\n", "A `b\n\n"),
    ("R5", "1. A\n   ```\n   b\n   ```\n   https://discord.gg/abc...\n", "1. A\n   ```\n   b\n   ```\n   \n"),
    ("R5", "> ```\n> b\n> ```\n> https://discord.gg/abc...\n", "> ```\n> b\n> ```\n> \n"),
    ("R5", "```b``` https://discord.gg/abc...\n", "```b``` \n"),
    # Several rules in one reply.
    ("R1 R3", f"Join for free\no1-preview and more: {INVITE}...\n\n", ""),
    ("R1 R2 R3", f"Join for free\n{INVITE}\no1-preview\n\n\nHello", "Hello"),
    ("R1 R4 R5", f"Join for free\nHello {INVITE}...\nJoin for free {INVITE}\n", "Hello \n"),
]

STAY = [
    # R1: other words; not the head; a reply of one line without an invite.
    "Join for freedom\nHello",
    "Join for free_\nHello",
    "join for free\nHello",
    "Join\nfor free",
    "Hello\nJoin for free\nWorld",
    "Join for free",
    "Join for free\n\n \n",
    "Join for free courses on Coursera. They are good.",
    f"Join for free {'x' * 600} {INVITE}\nHello",
    "`Join for free`\nHello",
    "    Join for free\nHello",
    "\tJoin for free\nHello",
    # R2: other text beside it without dots; nothing after it; no invite; code.
    "https://discord.gg/abc",
    "https://discord.gg/abc\n\n \n",
    "https://discord.gg/abc is a server\nHello",
    "https://discord.gg/abc/def\nHello",
    "See https://discord.gg/abc\nHello",
    "https://discord.gg/\nHello",
    "https://discord.gg/日\nHello",
    "http://discord.gg/abc\nHello",
    "https://discord.com/abc\nHello",
    "`https://discord.gg/abc`\nHello",
    "- https://discord.gg/abc\n- https://discord.gg/def\n",
    "# https://discord.gg/abc\nHello",
    "> https://discord.gg/abc\n\nHello",
    f"https://discord.gg/abc {'x' * 600} ...\nHello",
    f"https://discord.gg/abc\n{'  ' * 300}Hello",
    # R3: prose; other names; a reply of one line without an invite.
    "o1-preview is a reasoning model.\nIt was released in 2024.",
    "o1-previews ...\nHello",
    "o1-preview-2024-09-12 is slow ...\nHello",
    "The o1-preview ...\nHello",
    "o1\n-preview ...\nHello",
    "o1-preview",
    "o1-preview ...\n",
    "- o1-preview\n- gpt-4o\n",
    "* o1-preview\n* gpt-4o\n",
    "+ **o1-preview**\n+ gpt-4o\n",
    "## o1-preview\nHello",
    "> o1-preview\n\nHello",
    "| o1-preview |\n| --- |\n| slow |\n",
    "```o1-preview\nHello\n```\n",
    "~~~ o1-preview\nHello\n~~~\n",
    # R4: no invite; not at the start of a line; code.
    "Hello\nJoin for free ...\nWorld",
    f"Hello\nDo Join for free {INVITE}\nWorld",
    f"Hello\n> Join for free {INVITE}\nWorld",
    f"Hello\n    Join for free {INVITE}\nWorld",
    f"Hello\n \tJoin for free {INVITE}\nWorld",
    f"```\nJoin for free {INVITE}\n```\n",
    f"~~~~ text\nJoin for free {INVITE}\n~~~\nJoin for free {INVITE}\n~~~~\n",
    f"> ```\nJoin for free {INVITE}\n> ```\n",
    # R5: fewer dots, or not directly after it; code.
    "See https://discord.gg/abc..",
    "See https://discord.gg/abc ...",
    "See https://discord.gg/abc.. .",
    "See https://discord.gg/abc_...",
    "See https://discord.gg/...",
    "See `https://discord.gg/abc...`",
    "See ``a` b` https://discord.gg/abc... ```",
    "See `a`he`https://discord.gg/abc...`",
    "    https://discord.gg/abc...\n",
    "Hello\n\thttps://discord.gg/abc...\n",
    "```\nhttps://discord.gg/abc...\n",
    "- ```\n  https://discord.gg/abc...\n  ```\n",
    "````\n```\nhttps://discord.gg/abc...\n````\n",
    "```\n    ```\nhttps://discord.gg/abc...\n```\n",
    "```\n``` no\nhttps://discord.gg/abc...\n```\n",
    # R6: what only looks like the start of one.
    "h",
    "http",
    "Join",
    "o",
    "J\n\nh\n\no1-p",
    "# Join for free\n\nHello",
    "Hello\n\n\n\nWorld  \n\n",
]


@pytest.mark.fault(38)
@pytest.mark.parametrize(("rules", "text", "left"), VANISH)
def test_an_advert_vanishes_as_its_rule_says(rules: str, text: str, left: str) -> None:
    assert clean([text])[0] == left
    assert clean(text)[0] == left


@pytest.mark.parametrize("number", range(1, 6))
def test_every_rule_is_needed_for_its_adverts(number: int) -> None:
    rules = [rule for rule in JMUZ_ADVERTS if rule.name != f"R{number}"]
    for names, text, left in VANISH:
        if names == f"R{number}":
            cleaner = AdvertCleaner(rules)
            assert cleaner.feed(text) + cleaner.flush() != left, text


@pytest.mark.finding("B33")
@pytest.mark.parametrize("text", ["- o1-preview\n- gpt-4o\n", "# o1-preview\nHello", "> o1-preview\n\n1. gpt-4o"])
def test_a_line_that_markdown_makes_a_block_is_the_reply_s_own(text: str) -> None:
    assert clean([text]) == (text, [])
    assert clean(text) == (text, [])


@pytest.mark.threat(23)
@pytest.mark.parametrize("text", STAY)
def test_what_no_rule_names_stays_byte_for_byte(text: str) -> None:
    assert clean([text]) == (text, [])
    assert clean(text) == (text, [])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\n\nHello", "Hello"),
        (" \t\n\r\n  \n   Hello\n", "Hello\n"),
        ("\n\n    code\n", "    code\n"),
        ("\n \tcode\n", " \tcode\n"),
        ("\n  ```\n  code\n  ```\n", "```\n  code\n  ```\n"),
        (f"  ~~~\n{INVITE}...", f"~~~\n{INVITE}..."),
        ("   ", ""),
        ("\n\n", ""),
        ("      \n", ""),
        ("\n\n- a\n\n\n  b\n\n", "- a\n\n\n  b\n\n"),
        ("Join for free\n\n   Hello", "Hello"),
        ("https://discord.gg/abc...   Hello", "Hello"),
    ],
)
def test_blanks_before_the_first_text_are_dropped(text: str, left: str) -> None:
    assert clean([text])[0] == left
    assert clean(text)[0] == left


def test_removed_holds_the_adverts_in_order() -> None:
    text = f"Join for free\n\no1-preview ...\nHello {INVITE}....\n  Join for free {INVITE} !\nWorld {INVITE}..."
    removed = ["Join for free", "o1-preview ...", f"{INVITE}....", f"Join for free {INVITE} !", f"{INVITE}..."]
    assert clean([text]) == ("Hello \nWorld ", removed)
    assert clean(text) == ("Hello \nWorld ", removed)


@pytest.mark.fault(38)
def test_the_corpus_at_many_cuts(test_data: Path) -> None:
    corpus = json.loads((test_data / "adverts.json").read_text(encoding="utf-8"))
    adverts = [advert["text"] for advert in corpus["ads"]]
    texts = [
        place.format(advert) for advert in adverts for place in ("{}", "{}\nHello.\n", "Hello.\n{}\nMore.", "Hello. {}")
    ]
    for text in [*texts, *corpus["keep"]]:
        ideal = ideal_cleaner.clean(text)
        assert clean(text) == ideal
        for deltas in random_cuts(text, 400):
            assert clean(deltas) == ideal
    for text in corpus["keep"]:
        assert clean([text]) == (text, [])
    for advert in adverts:
        assert clean([f"{advert}\nHello."])[0] == "Hello."


# The four laws.

FRAGMENTS = [
    *(
        "Join for free",
        "Join for fre",
        "o1-preview",
        "o1-prev",
        INVITE,
        "https://discord.com/invite/a-b",
        "https://disc",
    ),
    *("...", "..", ".", "h", "ht", "Hello", "free", "日本", "é", "🚀", "_", "*", "!", "-", "~", "x" * 590, "!" * 38),
    *("\n", "\n\n", "\n", " ", "  ", "    ", "\t", "\r\n", "`", "``", "```", "\n```", "\n```\n", "~~~", "\n~~~~\n"),
    *(
        "- ",
        "> ",
        "1. ",
        "\n    ",
        "\n> ```\n",
        "\n- ```\n",
        "\n~~~ \n",
        "\nJoin for free ",
        "\no1-preview ",
        f"\n{INVITE}",
        " " * 595,
        "\r" * 301,
    ),
]
texts = st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join) | st.text(max_size=50)


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[str, list[str]]:
    text = draw(texts)
    return text, list(cut_at(text, draw(st.lists(st.integers(0, len(text)), max_size=20))))


@pytest.mark.fault(38)
@settings(deadline=None)
@given(cut_texts())
@example((f"A ``b` {INVITE}... end", ["A `", "", f"`b` {INVITE}... end"]))
@example(("a\n~~~ \nhttps://discord.gg/a...", ["a\n~~~", " ", "\nhttps://discord.gg/a..."]))
def test_law_1_any_cutting_gives_what_the_ideal_cleaner_gives(cut: tuple[str, list[str]]) -> None:
    text, deltas = cut
    ideal = ideal_cleaner.clean(text)
    assert clean([text]) == ideal
    assert clean(deltas) == ideal
    assert clean(text) == ideal


def without_leading_blanks(text: str) -> str:
    rest = re.sub(r"\A(?:[ \t\r]*\n)*(?:[ \t\r]*\Z)?", "", text)
    return rest if re.match(r" {0,3}\t| {4}", rest) else rest.lstrip(" \t\r")


@pytest.mark.threat(23)
@settings(deadline=None)
@given(cut_texts())
@example(("\r \n  a", ["\r \n  a"]))
@example((" ```", [" ```"]))
def test_law_2_text_without_adverts_comes_out_byte_for_byte(cut: tuple[str, list[str]]) -> None:
    deltas = [re.sub("[Jd1]", "#", delta) for delta in cut[1]]
    # What then holds is said by test_more_blanks_than_may_be_held_are_code.
    assume(not re.search(r"[ \t\r]{600}", "".join(deltas)))
    assert clean(deltas) == (without_leading_blanks("".join(deltas)), [])


@settings(deadline=None)
@given(cut_texts())
def test_law_3_never_more_than_the_limit_is_held(cut: tuple[str, list[str]]) -> None:
    cleaner = AdvertCleaner()
    for delta in cut[1]:
        cleaner.feed(delta)
        assert len(cleaner._held) <= HOLD_LIMIT
        assert len(copy.deepcopy(cleaner).flush()) <= HOLD_LIMIT


@settings(deadline=None)
@given(cut_texts())
def test_law_4_nothing_but_adverts_and_leading_blanks_is_lost(cut: tuple[str, list[str]]) -> None:
    shown, removed = clean(cut[1])
    assert Counter(re.sub(r"\s", "", shown + "".join(removed))) == Counter(re.sub(r"\s", "", cut[0]))


@settings(deadline=None)
@given(cut_texts())
def test_law_4_an_end_at_any_place_loses_nothing(cut: tuple[str, list[str]]) -> None:
    text = ""
    for delta in cut[1]:
        text += delta
        assert clean([text]) == ideal_cleaner.clean(text)


@pytest.mark.parametrize(
    ("fed", "shown"),
    [
        # A line of the body is shown as soon as it cannot be an advert.
        ("Hello", "Hello"),
        ("Hello\n", "Hello\n"),
        ("Hello\nJ", "Hello\n"),
        ("Hello\nJoin for fr", "Hello\n"),
        ("Hello\nJoin us", "Hello\nJoin us"),
        ("Hello\nJoin for freed", "Hello\nJoin for freed"),
        ("Hello\n**B", "Hello\n**B"),
        ("Hello\n- ", "Hello\n"),
        ("Hello\n- I", "Hello\n- I"),
        ("Hello\n12", "Hello\n"),
        ("Hello\n12 ", "Hello\n12 "),
        ("Hello\n    J", "Hello\n    J"),
        # Inside a line only the start of an invite waits.
        ("Hello wit", "Hello wit"),
        ("Hello with", "Hello wit"),
        ("Hello with ", "Hello with "),
        ("Hello https", "Hello "),
        ("Hello https:/ ", "Hello https:/ "),
        ("Hello https://discord.gg/abc..", "Hello "),
        ("Hello https://discord.gg/abc ", "Hello https://discord.gg/abc "),
        ("Hello `https://discord.gg/abc..", "Hello `https://discord.gg/abc.."),
        ("Hello `", "Hello `"),
        # In the head also a whole line that is an advert only if more text follows.
        ("Join for free", ""),
        ("Join for free\n \n", ""),
        ("o1-preview is a", ""),
        ("o1-preview is a reasoning model\n", "o1-preview is a reasoning model\n"),
        ("o1-previews", "o1-previews"),
        ("**", ""),
        ("**O", "**O"),
        ("**o1", ""),
        ("日", "日"),
        # In a fence only what may close it.
        ("```py", ""),
        ("```py\n", "```py\n"),
        ("```py\nJoin for free", "```py\nJoin for free"),
        ("```py\n``", "```py\n"),
        ("```py\n``h", "```py\n``h"),
        ("```py\n    ", "```py\n    "),
    ],
)
def test_law_3_what_is_decided_is_shown_at_once(fed: str, shown: str) -> None:
    whole, single = AdvertCleaner(), AdvertCleaner()
    assert whole.feed(fed) == shown
    assert "".join(map(single.feed, fed)) == shown


def test_the_limit_is_exact() -> None:
    """A line of 600 characters that is removed only if more follows cannot be held with its line break."""
    for length, gone in ((HOLD_LIMIT - 1, True), (HOLD_LIMIT, False)):
        line = "Join for free ".ljust(length, "x") + "\n"
        for deltas in ([line + "Hello"], line + "Hello"):
            assert clean(deltas)[0] == ("Hello" if gone else line + "Hello")


def test_more_blanks_than_may_be_held_are_code() -> None:
    """They could be a blank line to drop, but that cannot be waited for."""
    for blanks, shown in ((" " * HOLD_LIMIT, ""), (" " * (HOLD_LIMIT + 1), " " * (HOLD_LIMIT + 1) + "\n")):
        assert clean([blanks + "\n"]) == (shown, [])
        assert clean(blanks + "\n") == (shown, [])


def test_flush_twice_returns_nothing_more() -> None:
    cleaner = AdvertCleaner()
    assert cleaner.feed("Join for free") == ""
    assert cleaner.flush() == "Join for free"
    assert cleaner.flush() == ""


def test_an_interrupt_in_a_removed_line_keeps_the_advert_in_the_record() -> None:
    cleaner = AdvertCleaner()
    long_advert = f"Join for free {INVITE} " + "x" * 1000
    assert "".join(map(cleaner.feed, "Hello\n" + long_advert)) == "Hello\n"
    assert cleaner.removed == []
    assert cleaner.flush() == ""
    assert cleaner.removed == [long_advert]


def test_own_rules_replace_those_of_jmuz() -> None:
    rule = AdvertRule("own", "anywhere", opening=("[ad",), pattern=r"\[ad [a-z]{1,9}\]", undecided=r"\[ad [a-z]{0,9}")
    cleaner = AdvertCleaner([rule])
    text = f"[ad x]Join for free {INVITE}... [ad y] `[ad z]` [ad"
    assert "".join(map(cleaner.feed, text)) + cleaner.flush() == f"Join for free {INVITE}...  `[ad z]` [ad"
    assert cleaner.removed == ["[ad x]", "[ad y]"]


def test_a_rule_may_open_with_one_character() -> None:
    rule = AdvertRule("own", "anywhere", opening=("X", "ab"), pattern="(?:X|ab)!", undecided="(?:X|ab)!?")
    cleaner = AdvertCleaner([rule])
    assert "".join(map(cleaner.feed, ["hi ", "aX! ", "ab", "!b"])) + cleaner.flush() == "hi a b"
    assert cleaner.removed == ["X!", "ab!"]


def test_without_rules_only_leading_blanks_go() -> None:
    cleaner = AdvertCleaner([])
    text = f"Join for free {INVITE}...\n```\n`h"
    assert "".join(map(cleaner.feed, "\n " + text)) + cleaner.flush() == text


BOMBS = [
    *(
        "`",
        "``` ",
        "```\n",
        "~",
        "`h",
        "h",
        "> ",
        ">\n",
        "- ",
        "1. ",
        "1" * 9,
        "!",
        "_",
        "🚀",
        "x\n",
        "\n",
        " ",
        "    ",
        "\t",
    ),
    *("Join for free ", "Join for free\n", f"Join for free {INVITE}", "o1-preview ", "o1-preview\n"),
    *("https://discord.gg/", INVITE, f"{INVITE}...", f"{INVITE}\n", "!" * 39 + "\n", "!" * 39 + f"{INVITE}\n"),
]


@pytest.mark.threat(24)
@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_are_read_in_linear_time(bomb: str) -> None:
    """Quadratic or worse reading would take hours, not seconds."""
    text = "Hello\n" * (bomb == "x\n") + bomb * (300_000 // len(bomb))
    whole, _ = clean([text])
    pieces, _ = clean(text[start : start + 4] for start in range(0, len(text), 4))
    assert whole == pieces

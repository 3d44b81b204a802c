from __future__ import annotations

from typing import Any

import pytest
from IPython.core.error import UsageError

from jmuz_magic.magics.prompt.expander import Expander
from tests.magics.expanding import expand


class Raises:
    """Shows itself only by an error."""

    def __repr__(self) -> str:
        raise ValueError("not today")


class RaisingText(str):
    def __str__(self) -> str:
        raise ValueError("not today")


def text(template: str, **namespace: Any) -> str:
    return expand(template, namespace).text


def refusal(template: str, **namespace: Any) -> str:
    """The one line that refuses it."""
    with pytest.raises(UsageError) as caught:
        expand(template, namespace)
    assert caught.type is UsageError, "a subclass would be shown with a traceback"
    assert caught.value.__context__ is None, "no frame of the expression stays alive"
    line = str(caught.value)
    assert "\n" not in line
    assert "--raw" in line
    return line


LITERAL = [
    "{'a': 1}",
    "{}",
    "${x}",
    "$x and %x and %(x)s and %%",
    r"\frac{a}{b} = \sqrt{x^{2}} \text{ for } \mathbb{R}",
    "{k: v for k, v in pairs.items() if v > 0}",
    '{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}',
    '{"a":{"b":{"c":{}}}}',
    "{ { x } }",
    "a }} b",
    "{% if x %}{# comment #}",
    "f(x) = {x | x > 0}",
    "no braces",
    "\\ \" ' \t\n é 漢 🙂",
]


@pytest.mark.parametrize("template", LITERAL)
def test_what_has_no_double_braces_stays_as_it_is(template: str) -> None:
    assert text(template, x=1, a=2, b=3) == template


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{x}}", "1"),
        ("{{ x }}", "1"),
        ("a{{x}}b{{y}}c", "a1btwoc"),
        ("{{x + 1}}", "2"),
        ("{{1 + 1}}", "2"),
        ("x^{{x}}", "x^1"),
        ("${{x}}", "$1"),
        ("{{x}}}", "1}"),
        ("{ {{x}} }", "{ 1 }"),
        ('{"a": {"b": {{x}}}}', '{"a": {"b": 1}}'),
        ('{"a":{"b":"{{y}}"}}', '{"a":{"b":"two"}}'),
        ("{{ {'a': {'b': x}} }}", "{'a': {'b': 1}}"),
        ("{{{'a':{'b':x}}}}", "{'a': {'b': 1}}"),
        ("{{{'a': x}['a']}}", "1"),
        ("{{ {'a': x}}}", "{'a': 1}"),
        ("{{ {k: v for k, v in d.items()} }}", "{'k': 'v'}"),
        ("{{d['k']}}", "v"),
        ('{{d["k"]}}', "v"),
        ("{{ '}}' }}", "}}"),
        ("{{'{{'}}", "{{"),
        ("{{ f'{x}}}' }}", "1}"),
        ("{{ f'{d}' }}", "{'k': 'v'}"),
        ("{{ {x} }}", "{1}"),
        ("{{[n for n in range(3)]}}", "[0, 1, 2]"),
        ("{{[x for _ in range(2)]}}", "[1, 1]"),
        ("{{x\n  + 1}}", "2"),
        ("{{x # a comment }}", "1"),
        ("{{x, y}}", "(1, 'two')"),
        ("{{(lambda n: n + x)(1)}}", "2"),
        ("{{'\\d'}}", "\\d"),
        ("{{empty}}.", "."),
    ],
)
def test_an_expression_ends_where_it_is_whole_python(template: str, expected: str) -> None:
    assert text(template, x=1, y="two", d={"k": "v"}, empty="") == expected


@pytest.mark.parametrize(
    "template",
    [
        "x^{{2}}",
        r"\frac{{1}}{{2}}",
        r"\frac{{a}}{{b}}",
        r"\frac{{{x}}}{2}",
        "{{}}",
        "{{  }}",
        "{{",
        "{{x",
        "{{x}",
        "a {{ b } c",
        r"{{\rm text} more}",
        "int a[2][2] = {{1,2},{3,4}};",
        "{{1,2}}",
        "{{-1}}",
        "<div style={{color: 'red'}}>",
        "${{ secrets.TOKEN }}",
        "{{ user.name | upper }}",
        "{{#each items}}",
        "{{a] + [b}}",
        "{{a) + (b}}",
        "{{x][x}}",
        "{{1:2}}",
        "{{x y}}",
        "{{await x}}",
        "{{yield}}",
        "{{x = 1}}",
        "{{" + "(" * 3000 + "}}",
        "{{'" + "x" * 20_000 + "'}}",
        "{{x\0}}",
    ],
)
def test_double_braces_without_an_expression_are_refused_never_sent_silently(template: str) -> None:
    refusal(template, x=1)


def test_an_unknown_name_is_said_with_the_nearest_one() -> None:
    line = refusal("about {{dta.head()}}", data=1, other=2)
    assert "{{dta.head()}}" in line
    assert "'dta'" in line
    assert "did you mean 'data'" in line


def test_an_unknown_name_without_a_near_one_is_only_named() -> None:
    assert "did you mean" not in refusal("{{qqqqqqqq}}")


def test_a_name_missing_inside_a_called_function_is_its_error_not_the_users() -> None:
    namespace: dict[str, Any] = {"data": 1}
    exec("def f(): return dta", namespace)
    with pytest.raises(UsageError, match="raised NameError: name 'dta'"):
        expand("{{f()}}", namespace)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{1/0}}", "ZeroDivisionError: division by zero"),
        ("{{d['x']}}", "KeyError: 'x'"),
        ("{{d.nothing}}", "AttributeError"),
        ("{{exit_now()}}", "SystemExit"),
        ("{{value}}", "ValueError: not today"),
        ("{{[value]}}", "ValueError: not today"),
        ("{{raising_text}}", "ValueError: not today"),
    ],
)
def test_what_raises_is_one_line_that_names_the_expression(template: str, said: str) -> None:
    import sys

    line = refusal(template, d={}, value=Raises(), raising_text=RaisingText("x"), exit_now=sys.exit)
    assert template in line
    assert said in line


def test_an_interrupt_is_not_an_error_of_the_expression() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        expand("{{stop()}}", {"stop": stop})


def test_an_error_message_cannot_steer_the_screen_or_flood_it() -> None:
    def fail() -> None:
        raise ValueError("\x1b[2J\nsecond line " + "x" * 10_000)

    line = refusal("{{fail()}}", fail=fail)
    assert "\x1b" not in line
    assert len(line) < 400


def test_a_long_expression_is_named_in_short() -> None:
    assert len(refusal("{{missing" + " + missing" * 500 + "}}")) < 200


def test_what_is_put_in_is_not_looked_at_again() -> None:
    assert text("{{a}}{{b}}", a="{{b}}", b="{{a}}{") == "{{b}}{{a}}{"


def test_an_expression_is_evaluated_once_in_all_texts_of_a_request() -> None:
    calls: list[int] = []

    def count() -> int:
        calls.append(1)
        return len(calls)

    expander = Expander({"count": count})
    assert expander.text("{{count()}} {{ count() }}") == "1 1"
    assert expander.text("{{count()}}", what="system message") == "1"
    assert expander.value("{{count()}}", what="value of -o") == 1
    assert len(calls) == 1


def test_nothing_is_evaluated_where_a_later_expression_is_malformed() -> None:
    calls: list[int] = []
    with pytest.raises(UsageError):
        expand("{{calls.append(1)}} and {{x y}}", {"calls": calls})
    assert not calls


def test_an_expression_sees_and_sets_the_users_variables() -> None:
    namespace: dict[str, Any] = {"x": 2}
    assert expand("{{[x * n for n in range(2)]}} {{(y := x + 1)}}", namespace).text == "[0, 2] 3"
    assert namespace["y"] == 3


def test_a_value_alone_keeps_its_type() -> None:
    expander = Expander({"tools": [{"type": "function"}], "n": 3})
    assert expander.value(" {{tools}} ", what="value of -o") == [{"type": "function"}]
    assert expander.value("n={{n}}", what="value of -o") == "n=3"
    assert expander.value("plain", what="value of -o") == "plain"


def test_the_place_is_named() -> None:
    with pytest.raises(UsageError, match="in the system message"):
        expand("{{missing}}", {}, what="system message")


def test_a_text_of_many_braces_is_read_in_a_moment() -> None:
    assert text("}} " * 100_000 + "{{x}} " * 1000, x=1).endswith("1 ")
    refusal("{{ " + "}} " * 100_000)

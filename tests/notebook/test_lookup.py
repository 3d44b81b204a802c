"""The expressions of a panel: what they are, what they read, and that they call nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from jmuz_magic.errors import JmuzError
from jmuz_magic.notebook.lookup import MAX_LENGTH, look_up, read_path
from tests.templates import TEMPLATES

NAMESPACE: dict[str, Any] = {
    "df": "the table",
    "é": SimpleNamespace(é=1),
    "cfg": SimpleNamespace(lr=0.1, deep=SimpleNamespace(keys=["k"])),
    "d": {"a": [1, {"b": 2}], -1: "minus", (0, "x"): "pair", None: "none", b"raw": "bytes"},
    "array": np.arange(6).reshape(2, 3),
}


def value(source: str) -> object:
    path = read_path(source)
    assert path is not None
    return look_up(path, NAMESPACE)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("df", "the table"),
        (" df ", "the table"),
        ("cfg.lr", 0.1),
        ("cfg.deep.keys[-1]", "k"),
        ("d['a'][0]", 1),
        ('d["a"][1]["b"]', 2),
        ("d[-1]", "minus"),
        ("d[0, 'x']", "pair"),
        ("d[None]", "none"),
        ("d[b'raw']", "bytes"),
        ("array[1, -1]", 5),
        ("é.é", 1),
    ],
)
def test_a_name_attributes_and_literal_indices(source: str, expected: object) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "", " ", "df()", "len(df)", "cfg.lr()", "d['a'].pop()", "d[df]", "d['a' + 'b']", "d[f'{df}']", "d[len(df)]",
        "a + b", "-df", "not df", "df or 1", "df == 1", "df if df else 1", "x := 1", "lambda: 1", "[df]", "(df, cfg)",
        "{df}", "[x for x in df]", "await df", "yield", "*df", "df[1:2]", "array[:, 0]", "1", "'text'", "'a'.upper",
        "[1][0]", "{'a': 1}['a']", "df!r", "df:>10", "df; cfg", "import os", ".Values.x", "df | length", "a b", "df\0",
        "df[-'a']", "df[-True]", "df[~1]", "df[not 1]", "d['a'", "d[()()]", "df[[]]",
        "df # all", "(df)", "df#",
    ],
)  # fmt: skip
def test_anything_else_is_text(source: str) -> None:
    assert read_path(source) is None


def test_what_is_long_or_deep_is_text() -> None:
    assert read_path("a" + ".b" * (MAX_LENGTH // 2)) is None
    assert read_path("d[" + "(" * 240 + ")" * 240 + "]") is None
    assert read_path("d" + "[0]" * 160) is not None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nothing", "{{nothing}}: there is no variable 'nothing'"),
        ("len", "{{len}}: there is no variable 'len'"),
        ("__builtins__", "{{__builtins__}}: there is no variable '__builtins__'"),
        ("cfg.rl", "{{cfg.rl}} raised AttributeError: 'types.SimpleNamespace' object has no attribute 'rl'"),
        ("d['b']", "{{d['b']}} raised KeyError: 'b'"),
        ("d['a'][7]", "{{d['a'][7]}} raised IndexError: list index out of range"),
    ],
)
def test_what_has_no_value_says_why(source: str, message: str) -> None:
    with pytest.raises(JmuzError) as caught:
        value(source)
    assert str(caught.value) == message


class Counted:
    """Counts what is read of it; a call of anything it gives is counted, too."""

    def __init__(self) -> None:
        object.__setattr__(self, "reads", [])

    def __getattr__(self, name: str) -> Any:
        self.reads.append(f".{name}")
        return self

    def __getitem__(self, key: object) -> Any:
        self.reads.append(f"[{key!r}]")
        return self

    def __call__(self, *arguments: object) -> Any:
        self.reads.append("()")
        return self


def test_each_step_is_read_once_and_nothing_is_called() -> None:
    counted = Counted()
    path = read_path("it.a['k'][0].b")
    assert path is not None
    assert look_up(path, {"it": counted}) is counted
    assert counted.reads == [".a", "['k']", "[0]", ".b"]


def test_templates_call_nothing_whatever_they_name() -> None:
    """Even if somebody typed them: what is a path reads, and the rest is text."""
    counted = Counted()
    names = dict.fromkeys(("user", "items", "df", "d", "cfg", "config", "matrix", "github", "secrets"), counted)
    for template in TEMPLATES:
        for piece in template.split("{{")[1:]:
            path = read_path(piece.partition("}}")[0])
            if path is not None and path.name in names:
                look_up(path, names)
    assert counted.reads
    assert "()" not in counted.reads


class _EndsAll:
    """Raises what no `except Exception` catches."""

    def __getattr__(self, name: str) -> Any:
        raise GeneratorExit(name)


def test_whatever_a_class_raises_is_a_line_but_an_interrupt_goes_on() -> None:
    path = read_path("it.a")
    assert path is not None
    with pytest.raises(JmuzError, match=r"\{\{it\.a\}\} raised GeneratorExit: a"):
        look_up(path, {"it": _EndsAll()})

    class Interrupted:
        def __getattr__(self, name: str) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look_up(path, {"it": Interrupted()})

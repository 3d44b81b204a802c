"""`--help` and `-h` of every magic: its docstring, and nothing else happens."""

from __future__ import annotations

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.magics.extension import MAGICS
from jmuz_magic.magics.line.help import WIDTH
from tests.magics.loaded import UserShell


@pytest.mark.finding("C16")
@pytest.mark.parametrize("name", [magic.__name__ for magic in MAGICS])
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_is_the_docstring(user: UserShell, name: str, flag: str) -> None:
    said = user.line(f"%{name} {flag}")
    assert said == str(user.shell.find_line_magic(name).__doc__).strip()
    assert said.startswith("usage: %")
    assert "  -h, --help            show this help" in said
    assert len(user.shell.user_ns["Out"]) == 0


@pytest.mark.parametrize("name", [magic.__name__ for magic in MAGICS])
def test_help_is_as_wide_as_its_options_and_is_plain_text(user: UserShell, name: str) -> None:
    lines = user.line(f"%{name} --help").splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert not [line for line in lines if "::" in line]
    assert not [line for line in lines if "  -p, --provider" in line and "endpoint" in line]


def test_help_comes_before_whatever_else_the_line_asks_for(user: UserShell, demo_endpoint: DemoServer) -> None:
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    for cell in ("%jmuz -m demo-echo -h hello", "%%jmuz --help\nhello", "%%jmuz --help", "%jmuz_use openai --help"):
        assert user.line(cell).startswith("usage: %"), cell
    assert demo_endpoint.api_base in user.line("%jmuz_use")
    assert not demo_endpoint.requests


def test_a_prompt_may_speak_of_help(user: UserShell, demo_endpoint: DemoServer) -> None:
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    assert user.line("%jmuz -m demo-echo what does --help do") == "what does --help do"


def test_the_help_of_a_cell_has_examples_that_are_read_as_they_stand(user: UserShell) -> None:
    magic = user.shell.find_cell_magic("jmuz")
    examples = str(magic.__doc__).partition("Examples:\n")[2].partition("\n\n")[0].splitlines()
    assert len(examples) > 5
    for example in examples:
        line = example.strip().partition("   ")[0].partition("jmuz")[2]
        assert magic.parser.read_prompt(line, "hello")[2].endswith("hello")

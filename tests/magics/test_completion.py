"""What Tab offers on the magics' lines, in a real shell."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter

from jmuz_magic.demo import DemoServer
from jmuz_magic.magics.commands.jmuz_use import jmuz_use
from jmuz_magic.magics.line import completion
from jmuz_magic.magics.line.options import Options, option
from jmuz_magic.magics.line.parser import MagicParser
from tests.keyrings import MemoryKeyring, keyring_in_use
from tests.magics.loaded import UserShell

JEDI = "IPCompleter.jedi_matcher"


def complete(user: UserShell, text: str, cursor: int | None = None) -> list[str]:
    """The whole text after each completion that Tab offers at the cursor."""
    cursor = len(text) if cursor is None else cursor
    with provisionalcompleter():
        found = list(user.shell.Completer.completions(text, cursor))
    return [text[: one.start] + one.text + text[one.end :] for one in found]


def matchers_asked(user: UserShell, text: str) -> set[str]:
    """Who answered, ourselves included."""
    line = text.count("\n")
    results = user.shell.Completer._complete(full_text=text, cursor_line=line, cursor_pos=len(text.rpartition("\n")[2]))
    return set(results)


@pytest.fixture
def listed(user: UserShell, demo_endpoint: DemoServer) -> UserShell:
    """A user who chose an endpoint and listed its models."""
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    user.line("%jmuz_models")
    return user


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("%%jmuz -m gpt", ["%%jmuz -m gpt-4o"]),
        ("%%jmuz -m gpt-", ["%%jmuz -m gpt-4o"]),
        ("%%jmuz -m gpt-4o", ["%%jmuz -m gpt-4o"]),
        ("%%jmuz --model demo-a", ["%%jmuz --model demo-adverts"]),
        ("%%jmuz --model=demo-a", ["%%jmuz --model=demo-adverts"]),
        ("%%jmuz -mdemo-a", ["%%jmuz -mdemo-adverts"]),
        ("%jmuz -m demo-a", ["%jmuz -m demo-adverts"]),
        ("x = 1\n  %jmuz -m demo-a", ["x = 1\n  %jmuz -m demo-adverts"]),
        ("\n\n%%jmuz -m demo-a", ["\n\n%%jmuz -m demo-adverts"]),
        ("%%jmuz answer << -m demo-a", ["%%jmuz answer << -m demo-adverts"]),
        ("%%jmuz -t 0 --chat -s 'a b' -m demo-a", ["%%jmuz -t 0 --chat -s 'a b' -m demo-adverts"]),
        ("%%jmuz -p olla", ["%%jmuz -p ollama"]),
        ("%%jmuz --provider=olla", ["%%jmuz --provider=ollama"]),
        ("%%jmuz --te", ["%%jmuz --temperature"]),
        ("%%jmuz -t 0 --no-r", ["%%jmuz -t 0 --no-reasoning"]),
        ("%jmuz_use olla", ["%jmuz_use ollama"]),
        ("%jmuz_use --sav", ["%jmuz_use --save"]),
        ("%jmuz_use openai --sav", ["%jmuz_use openai --save"]),
        ("%jmuz_key --save olla", ["%jmuz_key --save ollama"]),
        ("%jmuz_models -p olla", ["%jmuz_models -p ollama"]),
        ("%jmuz_models --ref", ["%jmuz_models --refresh"]),
        ("%jmuz_models demo-a", ["%jmuz_models demo-adverts"]),
        ("%jmuz_alias mine demo-a", ["%jmuz_alias mine demo-adverts"]),
        ("%jmuz_alias mine -o a b demo-a", ["%jmuz_alias mine -o a b demo-adverts"]),
        ("%jmuz_history --exp", ["%jmuz_history --export"]),
        ("%jmuz_use jmuz:gemini-2", ["%jmuz_use jmuz:gemini-2.0-flash-thinking"]),
        ("%jmuz_use jmuz -m gemini-2", ["%jmuz_use jmuz -m gemini-2.0-flash-thinking"]),
    ],
)
def test_tab_offers(listed: UserShell, text: str, offered: list[str]) -> None:
    assert complete(listed, text) == offered
    assert JEDI not in matchers_asked(listed, text)


def test_tab_works_in_the_middle_of_a_cell(listed: UserShell) -> None:
    text = "%%jmuz -m demo-a\nWhat is it?\n"
    assert complete(listed, text, len("%%jmuz -m demo-a")) == ["%%jmuz -m demo-adverts\nWhat is it?\n"]


def test_ids_with_colons_slashes_and_blanks_are_completed(
    user: UserShell, demo_endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = ["mistral:7b", "org/model-1.5:free", "my model", "it's", "bad\x1b[31m", "bad\u202e", "mistral:7b-instruct"]
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    monkeypatch.setattr(completion, "_known_models", lambda endpoint: ids)
    assert complete(user, "%%jmuz -m mistral:7b-") == ["%%jmuz -m mistral:7b-instruct"]
    assert complete(user, "%%jmuz -m org/model-1.5:f") == ["%%jmuz -m org/model-1.5:free"]
    assert complete(user, "%%jmuz -m bad") == []
    assert complete(user, "%%jmuz -m '") == ["%%jmuz -m 'my model'", "%%jmuz -m 'it'\"'\"'s'"]


def test_own_aliases_come_first(listed: UserShell) -> None:
    listed.line("%jmuz_alias demo-own demo-echo")
    assert complete(listed, "%%jmuz -m demo-")[0] == "%%jmuz -m demo-own"
    assert complete(listed, "%jmuz_alias demo") == ["%jmuz_alias demo-own"]


def test_models_are_those_of_the_provider_on_the_line(listed: UserShell) -> None:
    assert complete(listed, "%%jmuz -p jmuz -m gemini-1") == [
        "%%jmuz -p jmuz -m gemini-1.5-flash",
        "%%jmuz -p jmuz -m gemini-1.5-pro",
    ]
    assert complete(listed, "%%jmuz -p nobody -m g") == []


def test_conversations_are_completed(listed: UserShell) -> None:
    listed.line("%jmuz --chat=physics -m demo-echo hi")
    assert complete(listed, "%%jmuz --chat=ph") == ["%%jmuz --chat=physics"]
    assert complete(listed, "%jmuz_history ph") == ["%jmuz_history physics"]
    assert complete(listed, "%jmuz_chat ph") == ["%jmuz_chat physics"]


def test_provider_classes_of_the_user_are_completed(user: UserShell) -> None:
    user.shell.run_cell("from jmuz_magic import OpenaiTemplate\nclass Gateway(OpenaiTemplate):\n    pass\n")
    assert complete(user, "%%jmuz -p Gate") == ["%%jmuz -p Gateway"]


def test_file_names_are_completed(user: UserShell, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes-of-today.md").touch()
    monkeypatch.chdir(tmp_path)
    assert complete(user, "%jmuz_history --export note") == ["%jmuz_history --export notes-of-today.md"]
    assert complete(user, "%jmuz_record note") == ["%jmuz_record notes-of-today.md"]
    assert complete(user, "%%jmuz --attach note") == ["%%jmuz --attach notes-of-today.md"]
    assert JEDI not in matchers_asked(user, "%jmuz_history --export note")


@pytest.mark.parametrize(
    "text",
    ["%%jmuz -m nothing", "%%jmuz --nothing", "%%jmuz -s te", "%%jmuz -t ", "%jmuz_use nobody", "%%jmuz --chat="],
)
def test_where_nothing_fits_nothing_is_offered_and_jedi_is_not_asked(user: UserShell, text: str) -> None:
    assert complete(user, text) == []
    assert matchers_asked(user, text) == {"jmuz_magic"}


@pytest.mark.parametrize(
    "text",
    [
        "%timeit pri",
        "pri",
        "%%jmuz\npri",
        "%%jmuz -m x why pri",
        "%jmuz_fix why pri",
        "x = '%jmuz_use' + pri",
        "a = 1\n%%jmuz -m gpt\npri",
    ],
)
def test_other_text_is_left_to_ipython(listed: UserShell, text: str) -> None:
    results = matchers_asked(listed, text)
    assert {JEDI, "jmuz_magic"} <= results


def test_an_option_that_completes_itself_is_completed(user: UserShell) -> None:
    @dataclass(frozen=True)
    class MoreOptions(Options):
        near: str | None = option("--near NAME", "as which conversation", completes="conversation")

    user.shell.find_line_magic("jmuz_log").parser = MagicParser("%jmuz_log", MoreOptions)
    user.line("%jmuz_use demo")
    user.line("%jmuz --chat=physics -m demo-echo hi")
    assert complete(user, "%jmuz_log --near ph") == ["%jmuz_log --near physics"]


def test_a_cell_magic_below_other_lines_is_none(listed: UserShell) -> None:
    assert "%%jmuz -m demo-adverts" not in "".join(complete(listed, "x = 1\n%%jmuz -m demo-a"))


@pytest.mark.fault(40)
def test_tab_asks_neither_the_network_nor_the_keyring(user: UserShell, demo_endpoint: DemoServer) -> None:
    os.environ["OPENAI_BASE_URL"] = demo_endpoint.api_base
    backend = MemoryKeyring()
    with keyring_in_use(backend):
        user.line("%jmuz_use openai")
        asked = backend.asked
        for text in (
            "%%jmuz -m g",
            "%%jmuz -p mistral -m ",
            "%%jmuz -p openai -m g",
            "%jmuz_use gemini:",
            "%jmuz_key ",
        ):
            complete(user, text)
        assert backend.asked == asked
    assert not demo_endpoint.requests


def test_a_key_that_is_missing_makes_no_noise(user: UserShell, capsys: pytest.CaptureFixture[str]) -> None:
    os.environ["MY_KEY"] = "sk-fake"
    user.line("%jmuz_use openai --key-env MY_KEY")
    del os.environ["MY_KEY"]
    assert complete(user, "%%jmuz -m gpt") == []
    assert capsys.readouterr() == ("", "")


def test_every_magic_has_its_parser(user: UserShell) -> None:
    ours = [
        function
        for kind in ("line", "cell")
        for name, function in user.shell.magics_manager.magics[kind].items()
        if name.startswith("jmuz")
    ]
    assert len(ours) >= 6
    assert all(hasattr(function, "parser") for function in ours)
    assert jmuz_use.__doc__ is not None

"""`%jmuz_chat` and the selector where there is no front end for them."""

from __future__ import annotations

from tests.magics.loaded import UserShell


def test_a_terminal_is_told_how_to_go_on(user: UserShell) -> None:
    refusal = user.refusal("%jmuz_chat notes")
    assert "needs a notebook" in refusal
    assert "%%jmuz --chat=notes" in refusal


def test_the_help_names_all_options(user: UserShell) -> None:
    magic = user.shell.find_line_magic("jmuz_chat")
    for option in ("NAME", "--model", "--system"):
        assert option in magic.__doc__

"""`%jmuz_history`, and what becomes of conversations, in a shell."""

from __future__ import annotations

import pytest

from tests.magics.loaded import UserShell


def test_an_unknown_conversation_is_answered_with_those_that_there_are(user: UserShell) -> None:
    assert user.refusal("%jmuz_history trip") == (
        "%jmuz_history: there is no conversation 'trip'; there is none yet, %%jmuz --chat starts one"
    )
    user.line("%jmuz_use demo:demo-echo")
    user.line("%jmuz --chat=b hi")
    user.line("%jmuz --chat=a hi")
    assert user.refusal("%jmuz_history trip").endswith("there is no conversation 'trip'; there are: a, b")


def test_a_conversation_without_turns_says_so(user: UserShell) -> None:
    user.line("%jmuz_use demo:demo-echo")
    user.line("%jmuz --chat hi")
    assert user.line("%jmuz_history") == "> hi\n\nhi"
    user.line("%jmuz_history --clear")
    assert user.line("%jmuz_history") == "no turns yet"


@pytest.mark.finding("B33")
@pytest.mark.parametrize("again", ["%reload_ext jmuz_magic", "%unload_ext jmuz_magic\n%load_ext jmuz_magic"])
def test_conversations_outlive_loading_the_extension_again(user: UserShell, again: str) -> None:
    user.line("%load_ext jmuz_magic")
    user.line("%jmuz_use demo:demo-echo")
    user.line("%jmuz --chat one")
    user.line("%jmuz --chat=trip two")
    for line in again.splitlines():
        user.line(line)
    assert user.line("%jmuz_history") == "> one\n\none"
    user.line("%jmuz --chat=trip three")
    assert user.line("%jmuz_history trip") == "> two\n\ntwo\n\n> three\n\nthree"
    assert '"content": "three"' in user.line("%jmuz --chat=trip --dry-run four")

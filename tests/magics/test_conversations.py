"""`%jmuz_history`, where there is nothing to show."""

from __future__ import annotations

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

"""`%jmuz_history`, and what becomes of conversations, in a shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fault_server import DONE, FaultServer, delta, finish, stream
from tests.magics.loaded import UserShell


def test_an_unknown_conversation_is_answered_with_those_that_there_are(user: UserShell) -> None:
    assert user.refusal("%jmuz_history trip") == (
        "%jmuz_history: there is no conversation 'trip'; there are none yet: %%jmuz --chat starts one; "
        "%jmuz_history --list shows those of the log, %jmuz_log --here all replies"
    )
    user.line("%jmuz_use demo:demo-echo")
    user.line("%jmuz --chat=b hi")
    user.line("%jmuz --chat=a hi")
    assert user.refusal("%jmuz_history trip").startswith(
        "%jmuz_history: there is no conversation 'trip'; there are: a, b;"
    )


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


def test_a_rehearsal_and_the_log_show_the_reasoning_that_is_sent_back(
    user: UserShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jmuz_magic.log.log import exchange_log

    monkeypatch.setenv("JMUZ_LOG", str(tmp_path / "log.sqlite3"))
    thoughtful = stream(delta(reasoning_content="Let me think."), delta("One."), finish(), DONE)
    with FaultServer() as server:
        user.shell.user_ns["BASE"] = server.add("s", thoughtful)
        user.line(
            "from jmuz_magic.providers import OpenaiTemplate\n"
            "class Wants(OpenaiTemplate):\n"
            "    reasoning_field = 'reasoning_content'\n"
            "    api_base = BASE"
        )
        user.line("%jmuz_use Wants")
        user.line("%jmuz --chat=thoughts -m m 1")
        assert '"reasoning_content": "Let me think."' in user.line("%jmuz --chat=thoughts -m m --dry-run 2")
        assert '"reasoning_content"' not in user.line("%jmuz --chat=thoughts -m other --dry-run 2")
        user.line("%jmuz --chat=thoughts -m m 2")
    logged = exchange_log.get("last")
    assert [message.get("reasoning_content") for message in logged.request["messages"]] == [None, "Let me think.", None]

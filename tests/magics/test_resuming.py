"""`--resume`: conversations of the log, in a shell."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.log.log import exchange_log
from tests.magics.loaded import UserShell

pytestmark = pytest.mark.usefixtures("logged")

NOTHING = "nothing to resume: the log has no conversation 'trip' of this notebook; %jmuz_history --all lists all"
MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d"


@pytest.fixture
def use(user: UserShell) -> Callable[[DemoServer], str]:
    def use(server: DemoServer) -> str:
        return user.line(f"%jmuz_use --api-base {server.api_base} -m demo-echo")

    return use


@pytest.fixture
def restart(
    user: UserShell, demo_endpoint: DemoServer, use: Callable[[DemoServer], str], new_session: Callable[[], None]
) -> Callable[[], None]:
    """A conversation of two turns, then a new kernel."""
    use(demo_endpoint)
    user.line("%jmuz --chat one")
    user.line("%jmuz --chat two")

    def restart() -> None:
        new_session()
        use(demo_endpoint)

    return restart


def sent(server: DemoServer) -> list[object]:
    return [message["content"] for message in server.requests[-1].body["messages"]]


def answering(monkeypatch: pytest.MonkeyPatch, answer: str | type[BaseException]) -> list[str]:
    """Answer questions so; returns those that were asked."""
    asked: list[str] = []

    def ask(prompt: str = "") -> str:
        asked.append(prompt)
        if isinstance(answer, str):
            return answer
        raise answer

    monkeypatch.setattr(builtins, "input", ask)
    return asked


def test_a_cell_resumes_and_says_what_it_sends_to_whom(
    user: UserShell, restart: Callable[[], None], demo_endpoint: DemoServer
) -> None:
    restart()
    said = user.line("%jmuz --chat --resume three").splitlines()
    origin = demo_endpoint.api_base.removesuffix("/v1")
    assert re.fullmatch(rf"resumed 2 turns of {MOMENT}, sent with the next prompt to .* at {origin}", said[0])
    assert sent(demo_endpoint) == ["one", "one", "two", "two", "three"]
    assert user.line("%jmuz_history").count(">") == 3


def test_nothing_is_resumed_unasked(user: UserShell, restart: Callable[[], None], demo_endpoint: DemoServer) -> None:
    restart()
    assert user.line("%jmuz --chat three") == "three"
    assert sent(demo_endpoint) == ["three"]


def test_a_cell_that_runs_again_goes_on(
    user: UserShell, restart: Callable[[], None], demo_endpoint: DemoServer
) -> None:
    restart()
    user.line("%jmuz --chat --resume three")
    assert user.line("%jmuz --chat --resume four") == "four"
    assert sent(demo_endpoint)[-3:] == ["three", "three", "four"]


def test_turns_of_this_kernel_are_not_mixed_with_others(
    user: UserShell, restart: Callable[[], None], demo_endpoint: DemoServer
) -> None:
    restart()
    user.line("%jmuz --chat new")
    said = user.line("%jmuz --chat --resume three")
    assert said == "nothing was resumed: this kernel has turns of the conversation already\nthree"
    assert sent(demo_endpoint) == ["new", "new", "three"]


def test_a_conversation_of_another_name_goes_on_under_this_one(
    user: UserShell, restart: Callable[[], None], demo_endpoint: DemoServer
) -> None:
    restart()
    user.line("%jmuz --chat=trip --resume=main three")
    assert sent(demo_endpoint) == ["one", "one", "two", "two", "three"]
    assert [each.name for each in exchange_log.conversations()] == ["trip"]
    key = exchange_log.conversations()[0].id[:8]
    restart()
    user.line(f"%jmuz --chat=again --resume={key} four")
    assert len(sent(demo_endpoint)) == 7


def test_a_rehearsal_shows_the_earlier_turns_and_resumes_nothing(user: UserShell, restart: Callable[[], None]) -> None:
    restart()
    assert user.line("%jmuz --chat --resume --dry-run three").count('"role"') == 5
    assert user.refusal("%jmuz_history").startswith("%jmuz_history: there is no conversation 'main'")


def test_the_system_message_comes_back(
    user: UserShell, demo_endpoint: DemoServer, use: Callable[[DemoServer], str], new_session: Callable[[], None]
) -> None:
    use(demo_endpoint)
    user.line("%jmuz --chat -s Brief. one")
    new_session()
    use(demo_endpoint)
    user.line("%config JmuzMagics.system = 'Other.'")
    user.line("%jmuz --chat --resume two")
    assert sent(demo_endpoint)[0] == "Brief."
    new_session()
    use(demo_endpoint)
    user.line("%jmuz --chat --resume -s Mine. three")
    assert sent(demo_endpoint)[0] == "Mine."


@pytest.mark.parametrize("answer", ["y", "YES "])
def test_another_origin_is_asked_about(
    user: UserShell,
    restart: Callable[[], None],
    demo_endpoint: DemoServer,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
) -> None:
    restart()
    asked = answering(monkeypatch, answer)
    with DemoServer(deltas_per_second=0, keep_requests=10) as other:
        user.line(f"%jmuz_use --api-base {other.api_base} -m demo-echo")
        said = user.line("%jmuz --chat --resume three")
        assert len(sent(other)) == 5
        before, after = (server.api_base.removesuffix("/v1") for server in (demo_endpoint, other))
    assert asked == [f"this conversation went to {before}; send its turns to {after} from now on? [y/N] "]
    assert re.search(rf"resumed 2 turns of {MOMENT}, sent with the next prompt to .* at {after}", said)


@pytest.mark.parametrize("answer", ["", "n", EOFError, KeyboardInterrupt])
def test_without_a_yes_nothing_is_resumed_and_nothing_sent(
    user: UserShell, restart: Callable[[], None], monkeypatch: pytest.MonkeyPatch, answer: str | type[BaseException]
) -> None:
    restart()
    answering(monkeypatch, answer)
    with DemoServer(deltas_per_second=0, keep_requests=10) as other:
        user.line(f"%jmuz_use --api-base {other.api_base} -m demo-echo")
        ran = user.run("%jmuz --chat --resume three")
        assert not ran.ok
        assert "nothing was resumed" in ran.text
        assert ("--yes answers yes" in ran.text) == (answer is EOFError)
        assert not other.requests
        user.line("%jmuz --chat --resume --yes three")
        assert len(sent(other)) == 5


def test_the_endpoint_of_the_cell_counts(
    user: UserShell, restart: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    restart()
    asked = answering(monkeypatch, "n")
    assert user.refusal("%jmuz --chat -p ollama -m x --resume three") == "%jmuz: nothing was resumed"
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("%jmuz --chat=trip --resume x", NOTHING),
        ("%jmuz --resume x", "--resume goes with --chat or --chat=NAME, not with --new or --continue"),
        ("%jmuz --chat --new --resume x", "--resume goes with --chat or --chat=NAME, not with --new or --continue"),
        ("%jmuz --chat --yes x", "--yes answers the question of --resume; add --resume, or leave --yes out"),
    ],
)  # fmt: skip
def test_what_cannot_be_resumed_is_refused(
    user: UserShell, restart: Callable[[], None], line: str, why: str, demo_endpoint: DemoServer
) -> None:
    restart()
    before = len(demo_endpoint.requests)
    assert user.refusal(line) == f"%jmuz: {why}"
    assert len(demo_endpoint.requests) == before


def test_a_refusal_leaves_no_conversation(
    user: UserShell, restart: Callable[[], None], demo_endpoint: DemoServer
) -> None:
    restart()
    user.line("%config JmuzMagics.system = 'Mine.'")
    for line in ("%jmuz --chat=trip --resume x", "%jmuz --chat=trip --continue x"):
        user.refusal(line)
        assert "there is no conversation 'trip'" in user.refusal("%jmuz_history trip")
    user.line("%jmuz --chat=trip x")
    assert sent(demo_endpoint) == ["Mine.", "x"]


def test_nothing_is_resumed_beside_a_recording(user: UserShell, restart: Callable[[], None], tmp_path: Path) -> None:
    restart()
    user.line(f"%jmuz_record {tmp_path / 'chat.jmuz.jsonl'}")
    try:
        assert user.refusal("%jmuz --chat --resume three") == (
            "%jmuz: nothing is resumed while a recording is in use; %jmuz_record --off ends it"
        )
    finally:
        user.line("%jmuz_record --off")
    assert user.run("%jmuz --chat --resume three").ok


def test_without_a_log_there_is_nothing_to_resume(user: UserShell, restart: Callable[[], None]) -> None:
    restart()
    user.line("%config JmuzMagics.log = 'off'")
    assert user.refusal("%jmuz --chat --resume three").startswith("%jmuz: the log is off;")


def test_a_resumed_prompt_is_not_expanded(
    user: UserShell, demo_endpoint: DemoServer, use: Callable[[DemoServer], str], new_session: Callable[[], None]
) -> None:
    use(demo_endpoint)
    user.line("%jmuz --chat --raw {{secret}}")
    new_session()
    use(demo_endpoint)
    user.shell.user_ns["secret"] = "of today"
    user.line("%jmuz --chat --resume two")
    assert sent(demo_endpoint) == ["{{secret}}", "{{secret}}", "two"]

"""Comments on the lines of magics, in a real shell."""

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.messages import Message
from tests.magics.loaded import Ran, UserShell

pytestmark = pytest.mark.finding("C1")


@pytest.mark.parametrize(
    "line",
    [
        "%jmuz_use ollama   # or openai, anthropic, gemini, …, or --api-base http://localhost:8000/v1",
        "%jmuz_use  # isn't it?",
        "%jmuz_models demo-  # those of the demo's own",
        "%jmuz_key --forget  # the one given before",
        "%jmuz_alias quick demo-echo -o temperature 0.5  # for tests",
        "%jmuz_alias quick --remove #done",
        "%jmuz_history trip  # what was said",
        "%jmuz_history trip --undo # again",
        "%jmuz_insert 1  # the code",
        "%jmuz_log -n 3  # the latest",
        "%jmuz_log --search echo  # not these words",
        "%jmuz_record --off  # not now",
    ],
)
def test_every_magic_takes_a_comment(user: UserShell, demo_endpoint: DemoServer, line: str) -> None:
    def prepared(cell: str) -> Ran:
        user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
        user.line("%%jmuz -m demo-echo --chat=trip --new --quiet\n```python\n1 + 1\n```")
        user.line("%jmuz_alias quick demo-echo")
        return user.run(cell)

    plain = prepared(line.partition("#")[0])
    assert plain.ok or "the log is off" in plain.text
    assert prepared(line) == plain


@pytest.mark.parametrize(
    ("cell", "sent"),
    [
        ("%%jmuz -m demo-echo  # note\nhi", "hi"),
        ("%%jmuz answer << -m demo-echo #note, isn't it?\n# hi", "# hi"),
        ("%%jmuz -m demo-echo what is # here?\nhi", "what is # here?\nhi"),
        ("%jmuz -m demo-echo # hi", "# hi"),
        ("%jmuz -m demo-echo hi  # there", "hi  # there"),
    ],
)
def test_what_is_sent_of_a_prompt(user: UserShell, demo_endpoint: DemoServer, cell: str, sent: str) -> None:
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    user.line(cell)
    messages: list[Message] = demo_endpoint.requests[-1].body["messages"]
    assert messages[-1]["content"] == sent


def test_the_panel_takes_a_comment(user: UserShell) -> None:
    assert "needs a notebook" in user.refusal("%jmuz_chat trip  # the plan")

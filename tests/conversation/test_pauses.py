"""A reply that its service pauses is asked on: one turn, one text, one recording."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic import Conversation, Reasoning
from jmuz_magic.display.reply import cut_line
from jmuz_magic.display.views.terminal import TextView
from jmuz_magic.messages import MOST_PAUSES, Chunk
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.recordings.recording import Recording
from tests.conversation.test_reasoning_items import SEALED, Sealer, sealed
from tests.conversation.test_steps import QUESTION, Silence, Tools, ask, asked, counting
from tests.fault_server import FaultServer, delta

SEARCHES = counting(1, delta(reasoning_content="Let me look."), delta("I search."), reason="pause_turn")
STILL = counting(2, reason="pause_turn")
FOUND = counting(4, delta(reasoning_content="There."), delta("It is "), delta("22 °C."))
WHOLE = "I search.\n\nIt is 22 °C."


def shown(chunks: list[Chunk], reply: Any) -> str:
    stream = io.StringIO()
    view = TextView(stream, show_footer=False)
    for chunk in chunks:
        view.append(chunk)
    view.close(reply)
    return stream.getvalue()


def test_it_is_asked_on_with_what_came(server: FaultServer) -> None:
    talk = Conversation("m", provider=Sealer, api_base=server.add("s", SEARCHES, STILL, FOUND))
    turn, chunks = ask(talk)
    assert turn.state == "complete"
    assert (turn.reply.text, turn.reply.finish_reason, turn.reply.requests) == (WHOLE, "stop", 3)
    assert turn.reply.usage is not None
    assert turn.reply.usage.completion_tokens == 7
    first, second = ({"role": "assistant", "content": text, "sealed": [*SEALED]} for text in ("I search.", ""))
    assert asked(server) == [[QUESTION], [QUESTION, first], [QUESTION, first, second]]
    assert "".join(chunk for chunk in chunks if isinstance(chunk, str)) == WHOLE
    assert "".join(chunk.text for chunk in chunks if isinstance(chunk, Reasoning)) == turn.reply.reasoning
    assert shown(chunks, turn.reply).count("I search.") == 1
    talk.ask("Sure?")
    assert sealed(asked(server)[-1]) == [None, [*SEALED], [*SEALED], [*SEALED], None]


def test_a_replay_goes_on_likewise_and_asks_nobody(server: FaultServer, tmp_path: Path) -> None:
    path = tmp_path / "chat.jmuz.jsonl"
    base = server.add("s", SEARCHES, STILL, FOUND)
    turn, _ = ask(Conversation("m", provider=Sealer, api_base=base, recording=path))
    for sequel in (None, Silence()):
        again, chunks = ask(
            Conversation("m", provider=Sealer, api_base=base, recording=Recording(path, "only")), sequel
        )
        assert again.reply.text == turn.reply.text == "".join(chunk for chunk in chunks if isinstance(chunk, str))
        assert again.reply.usage == turn.reply.usage
    assert len(server.requests) == 3


@pytest.mark.usefixtures("logged")
def test_a_resumed_conversation_has_all_of_its_text(server: FaultServer) -> None:
    base = server.add("s", SEARCHES, STILL, FOUND)
    Conversation("m", provider=Sealer, api_base=base, name="talk").ask("1")
    again = Conversation.resume("talk", model="m", provider=Sealer, api_base=base)
    assert again.transcript[0].reply.text == WHOLE
    again.ask("2")
    assert sealed(asked(server)[-1]) == [None, [*SEALED], [*SEALED], [*SEALED], None]


def test_it_is_asked_on_only_so_often_and_the_foot_says_so(server: FaultServer) -> None:
    turn, _ = ask(Conversation("m", api_base=server.add("s", SEARCHES)))
    assert len(server.requests) == 1 + MOST_PAUSES
    assert (turn.state, turn.reply.finish_reason) == ("complete", "pause_turn")
    assert cut_line(turn.reply) == "paused: the service wants to be asked on, which a turn does 10 times at most"


def test_nothing_is_asked_on_if_nothing_came(server: FaultServer) -> None:
    turn, _ = ask(Conversation("m", provider=OpenaiTemplate, api_base=server.add("s", STILL)))
    assert len(server.requests) == 1
    assert turn.reply.finish_reason == "pause_turn"


def test_a_pause_comes_before_what_else_may_follow(server: FaultServer) -> None:
    tools = Tools()
    turn, _ = ask(Conversation("m", provider=Sealer, api_base=server.add("s", SEARCHES, FOUND)), tools)
    assert turn.reply.text == WHOLE
    assert tools.followed == [2]

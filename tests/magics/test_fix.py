"""`%jmuz_fix` in a terminal's shell, and how the corrected cell is found, compared and put in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jmuz_magic.display.diff import diff_bundle
from jmuz_magic.magics.code import pick_correction, unmasked
from jmuz_magic.messages import Reply
from tests.fault_server import DONE, FaultServer, delta, finish, stream
from tests.magics.loaded import UserShell

pytestmark = pytest.mark.finding("C19")

KEY = "sk-test-4f7Q0vZ2mX8k"
Answers = Callable[..., None]


@pytest.fixture
def answers(user: UserShell, server: FaultServer) -> Answers:
    """Sets what the model answers to the next prompt, in the shell of a user whose cell has failed."""

    def set_answer(text: str, reason: str = "stop") -> None:
        script = stream(delta(text), finish(reason), DONE)
        user.line(f"%jmuz_use --api-base {server.add('s', script)} --model m")

    return set_answer


def fenced(*codes: str, language: str = "python") -> str:
    return "Because.\n\n" + "\n\nOr:\n\n".join(f"```{language}\n{code}\n```" for code in codes)


def next_input(user: UserShell) -> Any:
    return getattr(user.shell, "rl_next_input", None)  # set by the first `set_next_input`


def test_a_terminal_offers_the_corrected_cell_as_the_next_input(user: UserShell, answers: Answers) -> None:
    user.run("ran = []\nran.append(1 / 0)")
    answers(fenced("ran = []\nran.append(1 / 1)\u202e"))
    said = user.line("%jmuz_fix --replace")
    assert " ran = []\n-ran.append(1 / 0)\n+ran.append(1 / 1)" in said
    assert said.endswith("your next input is the corrected code, which was not run; check it, then run it")
    assert next_input(user).startswith("ran = []\nran.append(1 / 1)")
    assert "\u202e" not in next_input(user) + said
    assert user.shell.user_ns["ran"] == []


def test_without_replace_nothing_is_offered(user: UserShell, answers: Answers) -> None:
    user.run("1 / 0")
    answers(fenced("1 / 1"))
    assert "-1 / 0\n+1 / 1" in user.line("%jmuz_fix")
    assert next_input(user) is None
    assert user.shell.user_ns["_jmuz_code"] == "1 / 1"


def test_earlier_cells_go_with_the_one_that_failed_which_is_sent_once(
    user: UserShell, answers: Answers, server: FaultServer
) -> None:
    for cell in ("x = 0", "1 / x", f'key = "{KEY}"', "1 / x"):
        user.shell.run_cell(cell, store_history=True)
    answers(fenced("1 / (x or 1)"))
    user.line("%jmuz_fix --context all be brief")
    prompt = server.requests[-1].json["messages"][-1]["content"]
    assert prompt.startswith("Earlier cells of this notebook, oldest first:\n\nIn [1]:\n```python\nx = 0\n```")
    assert prompt.count("1 / x\n```") == 1
    assert prompt.index("The cell:\n```python\n1 / x\n```") > prompt.index("key = ")
    assert prompt.endswith("be brief")
    assert KEY not in prompt
    assert user.shell.user_ns["_jmuz_code"] == "1 / (x or 1)"


def test_without_an_earlier_cell_nothing_is_sent(user: UserShell, answers: Answers, server: FaultServer) -> None:
    answers("unused")
    user.shell.run_cell("1 / 0", store_history=True)
    assert user.refusal("%jmuz_fix --context prev") == (
        "%jmuz_fix: --context: there is no earlier cell besides the one that failed"
    )
    assert not server.requests


@pytest.mark.parametrize(
    ("text", "reason", "says"),
    [
        ("No idea.", "stop", "the reply contains no corrected cell"),
        (fenced("SELECT 1", language="sql"), "stop", "the reply contains no corrected cell"),
        (fenced("1 / 0"), "stop", "the reply leaves the cell as it is"),
        (fenced("1 / 1"), "length", "the cell stays: the reply is not whole (cut by length: "),
    ],
)
def test_what_is_no_correction_replaces_nothing(
    user: UserShell, answers: Answers, text: str, reason: str, says: str
) -> None:
    user.run("1 / 0")
    answers(text, reason)
    assert says in user.line("%jmuz_fix --replace").rpartition("\n")[2]
    assert next_input(user) is None


def test_the_code_of_an_earlier_reply_is_not_taken_for_a_correction(user: UserShell, answers: Answers) -> None:
    user.shell.user_ns["_jmuz_code"] = "of an earlier reply"
    user.run("1 / 0")
    answers("No idea.")
    assert user.line("%jmuz_fix").endswith("the reply contains no corrected cell")
    assert "_jmuz_code" not in user.shell.user_ns


def test_masked_lines_come_back_and_the_key_is_nowhere_shown(
    user: UserShell, answers: Answers, server: FaultServer
) -> None:
    user.run(f'api_key = "{KEY}"\nother_key = "{KEY}2"\n1 / 0')
    answers(fenced('api_key = "***"\nother_key = "***".strip()\n1 / 1'))
    said = user.line("%jmuz_fix --replace")
    assert KEY not in server.requests[-1].body.decode()
    assert KEY not in said
    assert "*** in the corrected cell stands for something that was masked" in said
    assert next_input(user) == f'api_key = "{KEY}"\nother_key = "***".strip()\n1 / 1'


@pytest.mark.parametrize("cell", ["x = '%s'" % ("x" * 20_000), "1 / 0"])
def test_what_cannot_be_replaced_is_refused_before_anything_is_sent(
    user: UserShell, answers: Answers, server: FaultServer, cell: str
) -> None:
    user.run(f"{cell}\nraise ValueError")
    answers("unused")
    both = "--next " if cell == "1 / 0" else ""
    assert user.refusal(f"%jmuz_fix {both}--replace").startswith("%jmuz_fix: --")
    assert not server.requests


@pytest.mark.parametrize(
    ("codes", "picked"),
    [
        ((), ""),
        (("a\nb\nC",), "a\nb\nC"),
        (("c", "a\nb\nC"), "a\nb\nC"),
        (("a\nb\nc", "a\nb\nC"), "a\nb\nC"),
        (("a\nb\nC", "import x"), "a\nb\nC"),
        (("a\nb\nc",), "a\nb\nc"),
        (("x\n" * 3_000,), ""),
    ],
)
def test_the_block_most_like_the_cell_is_its_correction(codes: tuple[str, ...], picked: str) -> None:
    assert pick_correction(Reply(fenced(*codes)).code_blocks, "a\nb\nc") == picked


def test_lines_that_looked_alike_when_sent_stay_masked() -> None:
    assert unmasked("k = ***\nx", "k = 1\nk = 2", "k = ***\nk = ***") == "k = ***\nx"
    assert unmasked("k = ***\nx", "k = 1\nk = 1", "k = ***\nk = ***") == "k = 1\nx"
    assert unmasked("k = ***", "k = 1\n2", "k = ***") == "k = ***"


def test_a_diff_is_inert() -> None:
    bundle = diff_bundle("a\n<script>", "a\n<img src=x onerror=alert(1)> $x$ \x1b[31m\u202e")
    assert "<script" not in bundle["text/html"]
    assert "<img" not in bundle["text/html"]
    assert "$x$" not in bundle["text/html"]
    assert not any(character in "".join(bundle.values()) for character in "\x1b\u202e")
    assert bundle["text/plain"].startswith("@@ -1,2 +1,2 @@\n a\n-<script>\n+<img")
    assert diff_bundle("a", "a") == {"text/html": "", "text/plain": ""}

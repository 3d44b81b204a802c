"""A hostile endpoint, seen in a real IPython on a real terminal."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.display.test_terminal import CONTROLS, RICH_CODES
from tests.replies import reply_endpoint

pexpect = pytest.importorskip("pexpect")

pytestmark = [pytest.mark.threat(8), pytest.mark.timeout(120)]

ATTACK = (
    "start \x1b]0;owned\x07 \x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\ \x1b]52;c;ZXZpbA==\x07"
    " \x1b[2J\x1b[1;1H"
    " good\rbad \b\b\b \x9b31m \u202eexe.txt\u202c \u2066x\u2069 &#x1b;[31m &#x202e; end"
)
SHOWN = ["␛]0;owned␇", "␛]8;;https://evil.example␛", "␛]52;c;ZXZpbA==␇", "␛[2J␛[1;1H", "good␍bad", "␈␈␈", "<U+009B>31m",
         "<U+202E>exe.txt<U+202C>", "<U+2066>x<U+2069>", "end"]  # fmt: skip
PROMPT = re.compile(r"In \[\d+\]: ")


class Session:
    """A terminal in which IPython runs."""

    def __init__(self, child: Any) -> None:
        self._child = child
        child.expect(PROMPT)

    def run(self, line: str) -> str:
        """What the terminal got between a line and the next prompt, with the terminal's own line ends taken back."""
        self._child.sendline(line)
        self._child.expect(PROMPT)
        output: str = self._child.before.replace("\r\n", "\n")
        return output.partition("\n")[2]


def end(child: Any) -> None:
    """Kill it, and wait for as long as that takes; `close(force=True)` waits for a fifth of a second."""
    child.kill(signal.SIGKILL)
    child.wait()
    child.close()


@pytest.fixture(params=["auto", "text"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    names = {"hostile": ATTACK, "evil\x1b]0;id\x07\u202e": "x"}
    with reply_endpoint(names, delta_chars=1, refusal=f"refused {ATTACK}") as api_base:
        # IPython's own prompt and colours would write escapes of their own.
        arguments = ["-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"]
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"}
        child = pexpect.spawn(
            sys.executable, arguments, env=environment, encoding="utf-8", dimensions=(50, 200), timeout=60
        )
        try:
            session = Session(child)
            session.run("%load_ext jmuz_magic")
            session.run(f"%jmuz_use --api-base {api_base}")
            session.run(f"%config JmuzMagics.display = '{request.param}'")
            yield session
        finally:
            end(child)


def assert_inert(output: str) -> None:
    written = re.sub(r"\r *\r", "", output)  # the waiting line, taken away again
    assert not CONTROLS.search(RICH_CODES.sub("", written)), repr(output)


def test_a_reply_is_visible_and_inert(session: Session) -> None:
    output = session.run("%jmuz -m hostile go")
    assert_inert(output)
    plain = " ".join(RICH_CODES.sub("", output).split())
    for part in SHOWN:
        assert part in plain


def test_a_replay_says_in_its_foot_that_it_is_one(session: Session, tmp_path: Path) -> None:
    feet = []
    for _ in range(2):
        session.run(f"%jmuz_record {tmp_path / 'talk.jmuz.jsonl'}")
        feet.append(RICH_CODES.sub("", session.run("%jmuz -m hostile go")).partition("[hostile")[2])
    assert "from the recording" not in feet[0]
    assert " · from the recording of 2" in feet[1]


def test_an_error_is_visible_and_inert(session: Session) -> None:
    output = session.run("%jmuz -m other go")
    assert_inert(output)
    assert "refused start ␛]0;owned␇" in output
    assert "Traceback" not in output


def test_a_model_id_is_visible_and_inert(session: Session) -> None:
    output = session.run("%jmuz_models")
    assert_inert(output)
    assert "evil␛]0;id␇<U+202E>" in output


@pytest.mark.finding("C19")
def test_a_corrected_cell_is_the_next_input_to_edit_or_run() -> None:
    code = "value = 1 / 1\nvalue"
    with reply_endpoint({"fix": f"Because.\n\n```python\n{code}\n```\n"}) as api_base:
        environment = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        arguments = ["-m", "IPython", "--no-banner", "--colors=NoColor"]
        child = pexpect.spawn(
            sys.executable, arguments, env=environment, encoding="utf-8", dimensions=(50, 200), timeout=60
        )
        try:
            child.expect(r"In \[1\]:")
            use = f"%jmuz_use --api-base {api_base} --model fix"
            for number, line in enumerate(["%load_ext jmuz_magic", use, "1 / 0", "%jmuz_fix --replace"], 2):
                child.send(f"{line}\r")
                child.expect(rf"In \[{number}\]:")
            child.expect_exact("value = 1 / 1")
            child.send("\x1b\r")  # Escape, Enter: run what is there
            child.expect(r"Out\[5\]:[^\r\n]*1\.0")
        finally:
            end(child)

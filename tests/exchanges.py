"""Requests, logs and recordings for tests; run as a program, a process that writes exchanges.

python -m tests.exchanges write LOG COUNT         # COUNT exchanges, each text known
python -m tests.exchanges stream LOG              # one that never ends; prints a line now and again
python -m tests.exchanges record FILE NAME COUNT  # COUNT replies into a recording
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jmuz_magic.log.log import ExchangeLog
from jmuz_magic.log.writer import ExchangeWriter
from jmuz_magic.messages import Reply
from jmuz_magic.providers.endpoint.connection import Connection
from jmuz_magic.providers.endpoint.endpoint import Endpoint
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.recordings.recording import Recording
from jmuz_magic.request.request import Request
from jmuz_magic.secret import Secret

KEY = "sk-test-4f7Q0vZ2mX8k"
ENDPOINT = Endpoint(OpenaiTemplate, "http://127.0.0.1:9/v1", Secret(KEY), "env TEST_KEY")


def request(
    prompt: str = "Hello",
    model: str = "gpt-4o",
    options: Mapping[str, Any] | None = None,
    system: str = "",
    endpoint: Endpoint | None = ENDPOINT,
) -> Request:
    messages: list[Any] = [{"role": "system", "content": system}] if system else []
    connection, asked = Connection.of(options or {}, endpoint=endpoint)
    return Request(connection, model, (*messages, {"role": "user", "content": prompt}), asked)


def reply(text: str = "Hi!", **facts: Any) -> Reply:
    return Reply(text, **({"model": "gpt-4o", "provider": "OpenaiTemplate", "finish_reason": "stop"} | facts))


def ask(recording: Recording, text: str, answer: str = "", *, fresh: bool = False, **asked: Any) -> str:
    """One turn through a recording: the recorded text, or `answer`, which is then recorded."""
    asking = recording.ask(request(text, **asked), fresh=fresh)
    asking.begin()
    if asking.recorded:
        return asking.recorded.reply.text
    asking.close("complete", reply(answer))
    return answer


def new_log(path: Path) -> tuple[ExchangeLog, list[str]]:
    """A log at that path, and the lines that it says to the user."""
    log, said = ExchangeLog(), list[str]()
    log.configure(path)
    log.on_message = said.append
    return log, said


def write(log: ExchangeLog, prompt: str = "Hello", text: str = "Hi!") -> ExchangeWriter:
    """A whole exchange."""
    writer = log.open(request(prompt))
    writer.append(text)
    writer.close("complete", reply(text))
    return writer


def text_of(process: str, number: int) -> str:
    """Long enough for several pages of the database, and telling where it comes from."""
    return f"{process}/{number} " * 700


def _main(job: str, path: Path, *rest: str) -> None:
    if job == "record":
        recording = Recording(path)
        for number in range(int(rest[1])):
            ask(recording, f"{rest[0]} {number}", f"reply {rest[0]} {number}")
        return
    log, said = new_log(path)
    if job == "write":
        for number in range(int(rest[1])):
            write(log, f"{rest[0]} {number}", text_of(rest[0], number))
        log.close()
    else:
        writer = log.open(request("endless"))
        for number in range(10**9):
            writer.append(f"{number} at {time.time()} ")
            if number in (5, 200):
                print("streaming", flush=True)
            time.sleep(0.01)
    print(*said, sep="\n")


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])

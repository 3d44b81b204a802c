"""A thousand exchanges in the log of whichever jmuz_magic is importable; dies in the middle of the last.

python tests/legacy/write_log.py DEMO OTHER
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
from typing import Any

from jmuz_magic import Conversation, Jmuz, JmuzError, OpenaiTemplate, exchange_log

COUNT = 1_000
MODELS = ("demo-echo", "demo-reasoning", "", "demo-adverts", "deepseek-chat", "demo-echo")
SUBJECTS = ("sorting", "die Größe von Łódź", "東京の天気", "a \u202ebidi mark", "x² + y²", "**bold** words")
NOTEBOOKS = ("analysis.ipynb", "Übung 3.ipynb", "")
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]


async def _ask(number: int, demo: Conversation, other: Conversation) -> None:
    os.environ["JPY_SESSION_NAME"] = NOTEBOOKS[number // 100 % len(NOTEBOOKS)]
    prompt = f"Question {number} about {SUBJECTS[number % len(SUBJECTS)]}"
    options: dict[str, Any] = {"model": MODELS[number % len(MODELS)], "temperature": number % 3 / 2}
    conversation = demo
    if number % 50 == 7:
        conversation, prompt = other, prompt + " in Paris and in Rome"
        options = {"model": "caller", "tools": TOOLS}
    elif number % 50 == 13:
        options = {"model": "no-such-model"}
    elif number % 50 == 17:
        options["max_tokens"] = 3
    with contextlib.suppress(JmuzError):
        turn = conversation.turn(prompt, **options)
        chunks = turn.chunks()
        stopped = 3 if number % 50 == 23 else None
        async for count, _ in _counted(chunks):
            if count == stopped:
                break
        await chunks.aclose()


async def _counted(chunks: Any) -> Any:
    counter = itertools.count(1)
    async for chunk in chunks:
        yield next(counter), chunk


async def _main(demo: str, other: str) -> None:
    for number in range(1, COUNT):
        name = f"talk {number // 10}" if number % 10 < 3 else None
        await _ask(
            number,
            Conversation(provider=Jmuz, api_base=demo, name=name),
            Conversation(provider=OpenaiTemplate, api_base=other),
        )
    exchange_log.flush(60)
    chunks = Conversation("demo-reasoning", "Be brief.", provider=Jmuz, api_base=demo).turn("The last one").chunks()
    await anext(chunks)
    exchange_log.flush(60)
    os._exit(0)


asyncio.run(_main(*sys.argv[1:]))

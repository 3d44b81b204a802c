"""What somebody did with version 0.1: the cells that were asked and recorded, word for word.

`make.py` ran them with that version; the tests run them with today's. Nothing here may change: a recording knows
its requests by every word.
"""

from __future__ import annotations

__all__ = ["ASKED", "CHOICES", "DEMO", "OTHER", "PANEL", "PICTURE", "SAVED"]

DEMO = "http://127.0.0.1:8471/v1"
"""Where `make.py` runs 0.1's demo endpoint."""
OTHER = "http://127.0.0.1:8472/v1"
"""Where `make.py` runs `server.calling_endpoint`."""

SAVED = f"%jmuz_use jmuz:demo-echo --api-base {DEMO} --save"
CHOICES = (
    SAVED,
    "%jmuz_alias brief demo-echo -o temperature 0.3 -o max_tokens 40 --save",
    f"%jmuz_alias thinker demo-reasoning -p jmuz --api-base {DEMO} -o top_p 0.5 --save",
    "%jmuz_alias far gpt-4o --api-base https://llm.example/v1 --key-env LEGACY_KEY --allow-http --save",
)
"""Cells that save choices."""

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAE0lEQVR4nGNQ6jgDRAxnOpSACAAo9gXZ6U/AlwAAAABJRU5ErkJggg=="
_TOOLS = (
    '[{"type":"function","function":{"name":"weather","parameters":'
    '{"type":"object","properties":{"city":{"type":"string"}}}}}]'
)

_PYTHON = f"""\
from base64 import b64decode
from pathlib import Path

from jmuz_magic import Conversation, OpenaiTemplate

class Other(OpenaiTemplate):
    api_base = "{OTHER}"
    default_model = "caller"

picture = b64decode("{PICTURE}")
Path("picture.png").write_bytes(picture);
city = "Łódź"
"""

ASKED = (
    f"%jmuz_use jmuz --api-base {DEMO}",
    _PYTHON,
    "%%jmuz\nWith the default model",
    "%%jmuz -t 0\nWith the default model, and an option",
    "%%jmuz -m demo-echo\nBy its id",
    "%%jmuz -m deepseek-chat\nBy the provider's alias",
    "%%jmuz -m brief\nBy an alias of my own",
    "%%jmuz -m brief -t 1 -o seed 7\nBy an alias, with options that win",
    "%%jmuz -m thinker\nBy an alias with an endpoint of its own",
    "%%jmuz -m demo-echo -a picture.png\nWhat is in the picture?",
    "python_reply = Conversation('demo-echo', 'Be exact.').ask('And in this one?', images=[picture], seed=3)",
    "%%jmuz --chat=talk -m demo-echo -s 'You talk.'\nThe first turn",
    "%%jmuz --chat=talk -m demo-echo\nThe second turn, which knows the **first**",
    "%%jmuz --chat=talk\nThe third one, with the default model",
    f"%%jmuz -p Other -o tools '{_TOOLS}' -o tool_choice auto\nWhat is the weather in Paris?",
    f"%%jmuz -p Other -o tools '{_TOOLS}'\nIn Paris and in Rome?",
    f"%jmuz_use openai --api-base {OTHER}",
    "%%jmuz\nWith the default model of a hosted provider",
    f"%jmuz_use jmuz --api-base {DEMO}",
    '%%jmuz -m demo-echo --max-tokens 3 -o stop \'["###", "end"]\' -o top_p 0.9 --timeout 50\nCut short, please',
    "%%jmuz -m demo-reasoning -u\nThink first",
    "%%jmuz -m demo-adverts --no-stream\nHow do I sort a list?",
    "%%jmuz -m demo-echo\nTwice the same",
    "%%jmuz -m demo-echo\nTwice the same",
    "%%jmuz -m demo-echo\nHow is {{city}}? “Schön”, שלום, 東京, \U0001f600, and \\(e^{i\\pi}\\)",
    "%jmuz -m demo-echo one line is enough",
    "%%jmuz job << -m demo-markdown --background\nIn the background",
    "job.result().finish_reason",
)
"""Cells that ask; each `%%jmuz` is one exchange of the recording, and so is `python_reply`."""

PANEL = ("%jmuz_history talk", "%jmuz_chat talk")
"""Cells that show what was said."""

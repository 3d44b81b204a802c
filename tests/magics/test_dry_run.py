from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from typing import Any

import pytest

from jmuz_magic.display.html.styles import WRAPPED
from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.running.dry_run import describe_request
from jmuz_magic.messages import Message
from jmuz_magic.providers.catalog import OpenAI
from jmuz_magic.providers.endpoint.connection import Connection
from jmuz_magic.providers.endpoint.endpoint import Endpoint
from jmuz_magic.providers.endpoint.headers import Header
from jmuz_magic.providers.jmuz import Jmuz
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.request.request import Request
from jmuz_magic.secret import Secret
from tests.allow_list import problems
from tests.fault_server import FaultServer, json_answer
from tests.magics.loaded import UserShell
from tests.providers.asking import ask
from tests.providers.test_dialects import Office

NOT_BASE64 = hashlib.sha256(b"AA").hexdigest()
KEY = "sk-0123456789abcdef"


def described(content: Any, provider: type[OpenaiTemplate] = OpenaiTemplate, **options: Any) -> str:
    endpoint = Endpoint(provider, "http://127.0.0.1:1/v1", Secret(KEY), "env X")
    messages: tuple[Message, ...] = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": content})
    return describe_request(Request(Connection(endpoint, timeout=5.0), "gpt-4o", messages, options))["text/plain"]


def body_of(description: str) -> Any:
    return json.loads("{" + description.partition("\n{")[2].rpartition("\n")[0])


def test_another_dialect_has_its_own_path_and_body() -> None:
    description = described("Hello", provider=Office)
    assert description.splitlines()[0] == "POST http://127.0.0.1:1/v1/telegrams"
    assert body_of(description) == {"model": "gpt-4o", "text": "Be brief. STOP Hello"}
    assert "\nuser:\nHello\n" in description
    assert "about 4 prompt tokens" in description


def test_it_shows_address_exact_body_size_and_an_estimate_called_so() -> None:
    description = described("12345678", temperature=0, extra_body={"seed": 1, "flag": False})
    assert description.splitlines()[0] == "POST http://127.0.0.1:1/v1/chat/completions"
    body = body_of(description)
    assert body == {
        "model": "gpt-4o",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "12345678"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
        "seed": 1,
        "flag": False,
    }
    last = description.splitlines()[-1]
    assert last.startswith(f"nothing was sent; {len(json.dumps(body)):,} bytes of JSON; about 5 prompt tokens")
    assert "an estimate" in last


def test_it_shows_what_the_provider_makes_of_the_messages() -> None:
    assert [message["role"] for message in body_of(described("hi", provider=Jmuz))["messages"]] == ["user"]


def headers_in(description: str) -> dict[str, str]:
    lines = description.splitlines()[1:]
    return dict(line.split(": ", 1) for line in lines[: next(n for n, line in enumerate(lines) if line.endswith(":"))])


def test_it_shows_the_headers_as_they_are_sent(server: FaultServer) -> None:
    endpoint = Endpoint(
        Office, server.add("s", json_answer({})), Secret(KEY), "env X", headers=(Header("X-Tenant", "physics"),)
    )
    ask(Office, endpoint=endpoint, headers={"X-Trace": "7"})
    request = Request(Connection(endpoint, headers={"X-Trace": "7"}), "m", ({"role": "user", "content": "Hello"},))
    shown = headers_in(describe_request(request)["text/plain"])
    sent = server.requests[0].headers
    assert {name.lower(): value for name, value in shown.items()} == {
        name: "***" if name == "x-key" else value
        for name, value in sent.items()
        if name not in ("host", "content-length", "connection")
    }
    assert (shown["X-Tenant"], shown["X-Trace"], shown["X-Key"]) == ("physics", "7", "***")


def test_no_key_is_in_it() -> None:
    class Careless(OpenaiTemplate):
        @classmethod
        def auth_headers(cls, key: Secret) -> dict[str, str | Secret]:
            sealed = base64.b64encode(key.reveal().encode()).decode()
            return {"X-Where": f"with {key.reveal()}", "X-Api-Key": sealed}

    assert KEY not in described("hi")
    assert KEY not in described("hi", provider=Careless)
    assert headers_in(described("hi", provider=Careless))["X-Api-Key"] == "***"


def test_it_says_why_a_request_goes_by_chat() -> None:
    description = described("hi", provider=Office, n=2)
    assert description.startswith("POST http://127.0.0.1:1/v1/chat/completions\n")
    assert "\ndialect: chat/completions, since n is unknown to Telegraph\n" in description


def test_a_key_that_is_missing_does_not_keep_it_from_being_shown() -> None:
    endpoint = Endpoint(OpenAI, "https://api.openai.com/v1")
    description = describe_request(Request(Connection(endpoint), "m", ({"role": "user", "content": "hi"},)))
    assert "Authorization" not in headers_in(description["text/plain"])


@pytest.mark.parametrize("part", ["data:image/png;base64,{}", '{{"media_type": "image/png", "data": "{}"}}'])
def test_a_file_is_shown_in_part_however_the_dialect_has_it(part: str) -> None:
    data = base64.b64encode(b"\x89PNG" + b"x" * 30_000).decode()
    body = part.format(data)
    description = described("look", extra_body={"file": json.loads(body) if body[0] == "{" else body})
    assert f"{data[:40]}…" in description
    assert len(description) < 1200
    assert data in described("look", extra_body={"type": "redacted_thinking", "data": data})


def test_an_image_is_shown_in_part_and_that_is_said_and_its_whole_size_counted() -> None:
    data = base64.b64encode(b"\x89PNG" + b"x" * 30_000).decode()
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}
    description = described([{"type": "text", "text": "look"}, image])
    assert f'"data:image/png;base64,{data[:40]}…"' in description
    assert len(description) < 1000
    assert "files abridged" in description.splitlines()[-1]
    size = int(description.splitlines()[-1].split()[3].replace(",", ""))
    assert size > len(data)
    assert "about 4 prompt tokens" in description


def test_what_would_steer_a_screen_is_shown_as_json_spells_it() -> None:
    content = "\x1b[2J \u202e \x9b é 漢 🙂"
    description = described(content)
    assert not {"\x1b", "\u202e", "\x9b"} & set(description)
    assert body_of(description)["messages"][1]["content"] == content
    assert "é 漢 🙂" in description


def test_where_only_a_recording_answers_nothing_would_be_sent() -> None:
    with pytest.raises(JmuzError, match="nothing would be sent: only the recording answers"):
        describe_request(Request(Connection(), "gpt-4o", ({"role": "user", "content": "hi"},)))


def test_rehearsing_a_new_conversation_begins_none(user: UserShell) -> None:
    user.line("%jmuz_use demo:demo-echo")
    assert '"content": "hi"' in user.line("%jmuz --dry-run --chat=new hi")
    assert "no conversation" in user.refusal("%jmuz_history new")


def test_a_value_that_is_no_json_is_refused() -> None:
    with pytest.raises(JmuzError, match="JSON"):
        described("hi", extra_body={"seed": object()})


@pytest.mark.finding("C17")
@pytest.mark.parametrize(
    "content",
    [
        "one\ntwo\n\n| a | b |\n|---|---|\n| 1 | 2 |",
        [{"type": "text", "text": "one\ntwo"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}],
        "Traceback (most recent call last):\n  File <x>\nValueError: $1 & \\n",
    ],
)
def test_the_messages_are_there_to_read_and_the_json_is_folded(user: UserShell, content: Any) -> None:
    endpoint = Endpoint(OpenaiTemplate, "http://127.0.0.1:1/v1")
    bundle = describe_request(Request(Connection(endpoint), "m", ({"role": "user", "content": content},)))
    text = content if isinstance(content, str) else f"one\ntwo\n[image: image/png, 2 bytes, sha256 {NOT_BASE64}]"
    assert f"user:\n{text}\n{{\n" in bundle["text/plain"]
    html = bundle["text/html"]
    assert problems(html) == []
    before, fold, after = html.partition("<details><summary>JSON body</summary>")
    shown = escape(text).replace("\n\n", "\n<span></span>\n")
    assert f'<pre><code style="{WRAPPED}">{shown}</code></pre>' in before
    assert "&quot;messages&quot;" in fold + after
    assert "&quot;messages&quot;" not in before

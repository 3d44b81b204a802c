"""No key reaches a file: searched byte by byte in everything that log, recording and export have written."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from jmuz_magic import Conversation
from jmuz_magic.demo import DemoServer
from jmuz_magic.errors import JmuzError
from jmuz_magic.log.log import exchange_log
from jmuz_magic.messages import Reply
from jmuz_magic.providers.endpoint.endpoint import Endpoint
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.request.written import without_key, written_options
from jmuz_magic.secret import Secret
from tests.exchanges import new_log, request

KEY = "sk-secret/Äé\"'\\-0123456789"
ASCII_KEY = "sk-secret-plus+slash/0123456789"


@pytest.fixture
def guarded() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=0, api_key=ASCII_KEY) as server:
        yield server


def forms(key: str) -> list[bytes]:
    """How the key could stand in a file."""
    escaped = key.encode("unicode_escape").replace(b'"', b'\\"')
    return [key.encode(), key.encode("utf-16-le"), escaped, base64.b64encode(key.encode()), b"uthorization", b"Bearer"]


def assert_no_key(directory: Path, key: str) -> None:
    files = [file for file in directory.rglob("*") if file.is_file()]
    assert files
    for file in files:
        content = file.read_bytes()
        for form in forms(key):
            assert form not in content, (file, form)


@pytest.mark.threat(21)
def test_a_key_is_in_no_file_while_and_after_turns_run(
    tmp_path: Path, guarded: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JMUZ_LOG", str(tmp_path / "log.sqlite3"))
    monkeypatch.setattr(exchange_log, "on_message", lambda _: None)
    recording = tmp_path / "chat.jmuz.jsonl"

    def ask(key: str, prompt: str, **options: Any) -> Reply:
        conversation = Conversation(
            "demo-echo", f"keep {key}", api_base=guarded.api_base, api_key=key, recording=recording, options=options
        )
        return conversation.ask(prompt)

    # What the user wrote and what the endpoint echoes.
    ask(ASCII_KEY, f"my key is {ASCII_KEY}, twice: {ASCII_KEY}", headers={"Authorization": f"Bearer {ASCII_KEY}"})
    ask(ASCII_KEY, "hello", user=f"me {ASCII_KEY}", extra_body={"metadata": {ASCII_KEY: [ASCII_KEY]}})
    with pytest.raises(JmuzError):
        ask("sk-wrong-0123456789", "hello")
    exchange_log.flush()
    assert_no_key(tmp_path, ASCII_KEY)  # the database is open, its journal beside it
    assert exchange_log.export(tmp_path / "log.jsonl") == 3
    exchange_log.close()
    assert_no_key(tmp_path, ASCII_KEY)
    assert_no_key(tmp_path, "sk-wrong-0123456789")
    assert "my key is ***, twice: ***" in recording.read_text()


def test_a_key_cut_by_the_network_is_masked_where_its_halves_meet(tmp_path: Path) -> None:
    log, _ = new_log(tmp_path / "log.sqlite3")
    writer = log.open(request(endpoint=Endpoint(OpenaiTemplate, "http://127.0.0.1:9/v1", Secret(KEY), "env TEST")))
    for half in (KEY[:9], KEY[9:]):
        writer.append(half)
        log.flush()
    writer.append(" end")
    writer.close("failed", None, f"refused {KEY}")
    assert (log.get("last").text, log.get("last").error) == ("*** end", "refused ***")
    log.close()
    assert_no_key(tmp_path, KEY)


@pytest.mark.parametrize(
    ("key", "source"), [("prod", "public"), ("a public key", "public"), ("none", "env X"), ("Ollama", "env X")]
)
def test_what_is_no_secret_leaves_texts_alone(key: str, source: str) -> None:
    endpoint = Endpoint(OpenaiTemplate, "http://127.0.0.1:9/v1", Secret(key), source)
    text = "a public key, none in production of Ollama"
    assert without_key(text, endpoint) == text


@pytest.mark.parametrize("spelled", [KEY, json.dumps(KEY)[1:-1], quote(KEY), quote(KEY, safe="")])
def test_a_key_is_masked_however_it_is_spelled(spelled: str) -> None:
    endpoint = Endpoint(OpenaiTemplate, "http://127.0.0.1:9/v1", Secret(KEY), "env X")
    assert without_key(f"a {spelled} b", endpoint) == "a *** b"


def test_secrets_anywhere_are_masked() -> None:
    value = {"a": [Secret("x"), ("b", {"c": Secret("y")})], "n": 1}
    assert without_key(value, None) == {"a": ["***", ["b", {"c": "***"}]], "n": 1}


def test_how_a_request_travels_is_not_written() -> None:
    options = {"temperature": 0, "headers": {}, "api_key": "k", "timeout": 1, "api_base": "x", "on_notice": print}
    assert written_options(options) == {"temperature": 0}

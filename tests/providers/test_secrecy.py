"""Whatever goes wrong: only a JmuzError comes out, and the key is in none of what can be printed of it."""

from __future__ import annotations

import asyncio
import io
import logging
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import trustme

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.secret import Secret
from tests.fault_server import (
    FaultServer,
    Script,
    chunked,
    closed_port,
    delta,
    event,
    head,
    json_answer,
    reply,
    stream,
)
from tests.providers.asking import FAKE_KEY, HELLO, no_wait
from tests.providers.conftest import tls_context
from tests.providers.test_transport import BROKEN

ECHO = f"your key {FAKE_KEY}, your header Bearer {FAKE_KEY}"
OPEN = head()
CHUNKED = head(Transfer_Encoding="chunked")

SCRIPTS: dict[str, list[Script]] = {
    **{name: [script] for name, script in BROKEN.items()},
    "accept only": [[("accept_only",)]],
    "head only": [[("send", OPEN), ("accept_only",)]],
    "silence": [[("send", OPEN + delta("x")), ("accept_only",)]],
    "reset": [[("send", OPEN + delta("x")), ("sleep", 0.05), ("rst",)]],
    "short chunks": [[("send", CHUNKED + chunked([delta("x")], ended=False)), ("sleep", 0.05), ("eof",)]],
    "bad chunk": [[("send", CHUNKED + chunked([delta("x")], ended=False)), ("sleep", 0.05), ("send", b"zz\r\n")]],
    "short body": [[("send", head(Content_Length="9999") + delta("x")), ("sleep", 0.05), ("eof",)]],
    "dropped": [[("eof",)]],
    "reset at once": [[("rst",)]],
    "redirect": [[("send", head("307 X", Location=f"https://x.example/?k={FAKE_KEY}", Content_Length="0"))]],
    "redirect with a login": [[("send", head("307 X", Location=f"https://{FAKE_KEY}@x.example/", Content_Length="0"))]],
    "redirect here": [[("send", head("307 X", Location=f"/{FAKE_KEY}?k=1", Content_Length="0"))]],
    "reason": [[("send", head(f"500 {FAKE_KEY}", Content_Length="0"))]],
    "401": [json_answer({"error": {"message": ECHO}}, "401 Unauthorized")],
    "403 text": [json_answer(ECHO.encode(), "403 Forbidden")],
    "403 escaped": [json_answer(f'{{"key": "{FAKE_KEY}"'.encode(), "403 Forbidden")],
    "404 page": [json_answer(f"<html><title>{ECHO}</title></html>".encode(), "404 Not Found")],
    "429": [json_answer({"error": ECHO}, "429 Too Many Requests")],
    "503": [json_answer({"detail": ECHO}, "503 Service Unavailable")],
    "cut in the key": [json_answer(("x" * 480 + FAKE_KEY).encode(), "400 Bad Request")],
    "page": [[("send", head(content_type="text/html", Content_Length="99") + f"<title>{ECHO}".encode().ljust(99))]],
    "type": [[("send", head(content_type=f"text/{FAKE_KEY}", Content_Length="1") + b"x")]],
    "encoding": [[("send", head(Content_Encoding=FAKE_KEY, Content_Length="1") + b"x")]],
    "malformed": [stream(b"data: {" + ECHO.encode() + b"\n\n")],
    "malformed later": [stream(delta("x"), b"data: {" + ECHO.encode() + b"\n\n")],
    "error event": [stream(event({"error": ECHO}))],
    "error object": [stream(delta("x"), event({"error": {"key": FAKE_KEY}}))],
    "no reply": [json_answer({"said": ECHO})],
    "no json": [json_answer(b"{" + ECHO.encode())],
    "nested": [stream(b"data: " + b"[" * 100_000 + b"\n\n")],
}


class Hasty(OpenaiTemplate):
    """Timers that tests can wait for."""

    policy = Policy(first_data=0.4, idle=0.4, connect=0.4, sleep=no_wait)


@pytest.fixture
def debug_log() -> Iterator[io.StringIO]:
    """All that every logger says at DEBUG."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(before)


def frames(trace: TracebackType | None) -> Iterator[tuple[str, dict[str, Any]]]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_frame.f_locals
        trace = trace.tb_next


def check_error(error: BaseException) -> None:
    """No text, no chained error and no local variable of our frames shows the key."""
    assert isinstance(error, JmuzError)
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "\n" not in str(error)
    shown = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
    for path, variables in frames(error.__traceback__):
        if "jmuz_magic/" in path and "tests/" not in path:
            shown += [f"{name}={value!r}" for name, value in variables.items()]
    for text in shown:
        assert FAKE_KEY not in text
        assert FAKE_KEY[:-5] not in text


def raised_by(read: Callable[[], Any]) -> BaseException:
    # Not pytest.raises: whatever comes out is checked.
    try:
        read()
    except BaseException as error:  # noqa: BLE001 - that no other error escapes is what is tested
        return error
    raise AssertionError("no error came")


def read_chunks(provider: type[OpenaiTemplate], options: dict[str, Any]) -> None:
    async def main() -> None:
        async for _ in provider.create_async_generator("m", HELLO, **options):
            pass

    asyncio.run(main(), debug=True)


@pytest.mark.threat(11)
@pytest.mark.fault(29, 31)
@pytest.mark.parametrize("name", SCRIPTS)
def test_no_error_shows_the_key(server: FaultServer, debug_log: io.StringIO, name: str) -> None:
    base = server.add("s", *SCRIPTS[name])
    options = {"api_base": base, "api_key": FAKE_KEY, "headers": {"X-Api-Key": FAKE_KEY}}
    check_error(raised_by(lambda: read_chunks(Hasty, options)))
    assert FAKE_KEY not in debug_log.getvalue()


@pytest.mark.threat(11)
@pytest.mark.parametrize(
    "name", ["accept only", "reset at once", "401", "503", "page", "no json", "redirect", "badhdr"]
)
def test_no_error_of_a_list_of_models_shows_the_key(server: FaultServer, debug_log: io.StringIO, name: str) -> None:
    base = server.add("s", *SCRIPTS[name])
    error = raised_by(
        lambda: Hasty.get_models(api_base=base, api_key=FAKE_KEY, headers={"X-Api-Key": FAKE_KEY}, timeout=0.4)
    )
    check_error(error)
    assert FAKE_KEY not in debug_log.getvalue()


@pytest.mark.threat(11)
@pytest.mark.parametrize(
    "options",
    [
        {"api_base": "http://127.0.0.1:{port}/v1"},
        {"api_base": "https://127.0.0.1:{port}/v1"},
        {"api_base": "http://10.1.2.3/v1"},
        {"api_base": f"https://me:{FAKE_KEY}@host.example/v1"},
        {"api_base": f"https://host.example/v1?key={FAKE_KEY}"},
        {"api_base": "http://127.0.0.1:{port}/v1", "api_key": f"{FAKE_KEY} {FAKE_KEY}"},
        {"api_base": "http://127.0.0.1:{port}/v1", "headers": {"X-Api-Key": f"{FAKE_KEY}\n"}},
        {"api_base": "http://127.0.0.1:{port}/v1", "headers": {"X Api Key": FAKE_KEY}},
        {"api_base": "http://127.0.0.1:{port}/v1", "timeout": -1},
        {"api_base": "http://127.0.0.1:{port}/v1", "model": ""},
        {"api_base": "http://127.0.0.1:{port}/v1", "seed": object()},
        {"api_base": ""},
    ],
)
def test_no_error_before_anything_is_sent_shows_the_key(debug_log: io.StringIO, options: dict[str, Any]) -> None:
    given = {"api_key": FAKE_KEY, "messages": HELLO, "model": "m"} | options
    given["api_base"] = given["api_base"].replace("{port}", str(closed_port()))

    async def main() -> None:
        async for _ in Hasty.create_async_generator(**given):
            pass

    check_error(raised_by(lambda: asyncio.run(main(), debug=True)))
    assert FAKE_KEY not in debug_log.getvalue()


@pytest.mark.threat(11)
def test_no_tls_error_shows_the_key(authority: tuple[trustme.CA, Path], debug_log: io.StringIO) -> None:
    with FaultServer(tls=tls_context(authority[0], "127.0.0.1")) as server:
        options = {"api_base": server.add("s", reply("x")), "api_key": FAKE_KEY}
        check_error(raised_by(lambda: read_chunks(Hasty, options)))
    assert FAKE_KEY not in debug_log.getvalue()


@pytest.mark.threat(11)
def test_a_reply_that_succeeds_logs_no_key_either(server: FaultServer, debug_log: io.StringIO) -> None:
    read_chunks(OpenaiTemplate, {"api_base": server.add("s", reply("x")), "api_key": Secret(FAKE_KEY)})
    assert server.requests[0].headers["authorization"] == f"Bearer {FAKE_KEY}"
    assert debug_log.getvalue()  # asyncio in debug mode talks
    assert FAKE_KEY not in debug_log.getvalue()

"""Background replies where no front end shows them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from threading import Event
from unittest.mock import Mock

import pytest

from jmuz_magic.conversation.conversation import Conversation
from jmuz_magic.demo import DemoServer
from jmuz_magic.magics.running.background import Job
from tests.interrupting import interrupted_wait
from tests.magics.loaded import UserShell
from tests.waiting import wait_until


@pytest.fixture
def slow_endpoint() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=20, keep_requests=10) as server:
        yield server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


@pytest.mark.parametrize("option", ["-x", "-u", "--quiet"])
def test_what_needs_the_reply_at_once_is_refused(user: UserShell, option: str) -> None:
    user.line("%jmuz_use demo:demo-echo")
    assert "use job.result()" in user.refusal(f"%jmuz --background {option} hi")


def test_what_was_removed_from_a_background_reply_is_in_it(user: UserShell) -> None:
    user.line("%jmuz_use demo:demo-adverts")
    user.line("%jmuz job << --background sort")
    assert user.shell.user_ns["job"].result().removed_adverts


def test_a_recorded_background_reply_needs_no_endpoint(
    user: UserShell, demo_endpoint: DemoServer, tmp_path: Path
) -> None:
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    for _ in range(2):
        user.line(f"%jmuz_record {tmp_path / 'chat.jmuz.jsonl'}")
        user.line("%jmuz job << --background -m demo-echo hi")
        assert user.shell.user_ns["job"].result().text == "hi"
    assert len(demo_endpoint.requests) == 1


def test_a_job_names_the_default_model_before_it_is_asked(user: UserShell, demo_endpoint: DemoServer) -> None:
    user.line(f"%jmuz_use demo --api-base {demo_endpoint.api_base}")
    job = Job(Mock(), Conversation().turn("hi"), Future(), Event())
    assert repr(job) == "<background reply of demo-chat; .result() waits for it>"


@pytest.mark.fault(42)
@pytest.mark.skipif(sys.platform == "win32", reason="no signals to a thread on this system")
def test_interrupting_the_wait_for_a_job_lets_it_go_on(user: UserShell, slow_endpoint: DemoServer) -> None:
    user.line(f"%jmuz_use --api-base {slow_endpoint.api_base}")
    user.line("%jmuz job << --background -m demo-long go")
    job = user.shell.user_ns["job"]
    with interrupted_wait():
        ran = user.run("job.result()")
    assert ran.text.endswith("KeyboardInterrupt: waiting was interrupted; the job goes on (.cancel() stops it)")
    assert not job.done()
    job.cancel()

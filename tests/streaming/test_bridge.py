import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import pytest

from jmuz_magic.streaming.bridge import QUEUE_BOUND, Bridge, close_bridge, get_bridge
from tests.waiting import wait_until


@pytest.fixture
def bridge() -> Any:
    bridge = Bridge()
    yield bridge
    bridge.close()


async def numbers(count: int) -> AsyncGenerator[int, None]:
    for number in range(count):
        yield number


def test_run_returns_the_result_and_raises_the_error(bridge: Bridge) -> None:
    async def fail() -> None:
        raise ValueError("no")

    assert bridge.run(asyncio.sleep(0, "done")) == "done"
    with pytest.raises(ValueError, match="no"):
        bridge.run(fail())


def test_run_on_the_bridges_own_thread_raises_at_once(bridge: Bridge) -> None:
    async def inside() -> None:
        bridge.run(asyncio.sleep(0))

    with pytest.raises(RuntimeError, match="await the asynchronous form"):
        bridge.run(inside())


@pytest.mark.finding("B33")
def test_an_interrupt_at_any_line_of_a_wait_leaves_nothing_running(bridge: Bridge) -> None:
    """Between sending and waiting there are steps; whichever of them an interrupt comes at, the work is cancelled."""
    lines: list[int] = []
    with at_each_line(lines.append):
        bridge.run(asyncio.sleep(0))
    assert len(lines) >= 5
    for line in dict.fromkeys(lines):
        interrupt_at(line, bridge)


def interrupt_at(line: int, bridge: Bridge) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    def interrupt(reached: int) -> None:
        if reached == line:
            raise KeyboardInterrupt

    coroutine = work()
    with pytest.raises(KeyboardInterrupt), at_each_line(interrupt):
        bridge.run(coroutine)
    bridge.submit(asyncio.sleep(0.02)).result(10)  # what was to begin has begun by then
    if begun.is_set():
        wait_until(ended.is_set, f"what line {line} left behind was cancelled", 5)
    else:
        coroutine.close()


@contextmanager
def at_each_line(call: Callable[[int], object]) -> Iterator[None]:
    """Call it with the number of each line of the bridge's code that this thread is about to run."""

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename != Bridge.run.__code__.co_filename:
            return None
        if event == "line":
            call(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def test_a_stream_yields_every_item_in_order(bridge: Bridge) -> None:
    with bridge.stream(lambda emit: numbers(10_000)) as batches:
        assert [item for batch in batches for item in batch] == list(range(10_000))


def test_emitted_items_come_between_the_generators(bridge: Bridge) -> None:
    async def start(emit: Callable[[Any], None]) -> AsyncGenerator[Any, None]:
        emit("before")
        yield 1
        emit("between")
        yield 2

    with bridge.stream(start) as batches:
        assert [item for batch in batches for item in batch] == ["before", 1, "between", 2]


def test_an_error_comes_after_everything_yielded_before(bridge: Bridge) -> None:
    async def start(emit: Callable[[int], None]) -> AsyncGenerator[int, None]:
        yield 1
        raise ValueError("broke")

    seen: list[int] = []
    with bridge.stream(start) as batches, pytest.raises(ValueError, match="broke"):
        for batch in batches:
            seen.extend(batch)
    assert seen == [1]


def test_an_idle_stream_yields_empty_batches(bridge: Bridge) -> None:
    go_on = threading.Event()

    async def start(emit: Callable[[str], None]) -> AsyncGenerator[str, None]:
        while not go_on.is_set():
            await asyncio.sleep(0.01)
        yield "late"

    seen: list[list[str]] = []
    with bridge.stream(start) as batches:
        for batch in batches:
            seen.append(batch)
            go_on.set()
    assert seen[0] == []
    assert ["late"] in seen


def test_a_slow_reader_pauses_the_generator(bridge: Bridge) -> None:
    made = 0
    go_on = threading.Event()

    async def start(emit: Callable[[int], None]) -> AsyncGenerator[int, None]:
        nonlocal made
        yield 0
        while not go_on.is_set():
            await asyncio.sleep(0.01)
        for number in range(QUEUE_BOUND * 3):
            made += 1
            yield number

    with bridge.stream(start) as stream:
        batches = iter(stream)
        assert next(batches) == [0]
        go_on.set()
        wait_until(lambda: made >= QUEUE_BOUND, "the queue is full")
        bridge.run(asyncio.sleep(0))  # the loop has turned and would have gone on
        assert made <= QUEUE_BOUND + 1
        assert sum(len(batch) for batch in batches) == QUEUE_BOUND * 3


@pytest.mark.fault(41)
def test_leaving_a_stream_runs_the_generators_clean_up_before_it_returns(bridge: Bridge) -> None:
    seen: list[str] = []

    async def start(emit: Callable[[int], None]) -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise
        finally:
            await asyncio.sleep(0)
            seen.append("closed")

    with pytest.raises(KeyboardInterrupt), bridge.stream(start) as batches:
        for batch in batches:
            if batch:
                raise KeyboardInterrupt
    assert seen == ["cancelled", "closed"]


@pytest.mark.fault(41)
def test_a_stream_that_nobody_reads_yet_has_not_begun(bridge: Bridge) -> None:
    """An interrupt may come between the making of a stream and the block that would close it."""
    begun: list[str] = []

    async def start(emit: Callable[[int], None]) -> AsyncGenerator[int, None]:
        begun.append("begun")
        yield 1

    stream = bridge.stream(start)
    bridge.run(asyncio.sleep(0))
    assert begun == []
    stream.close()
    assert list(stream) == []
    assert begun == []


@pytest.mark.fault(42)
def test_a_stream_is_read_once(bridge: Bridge) -> None:
    async def numbers(_: object) -> AsyncGenerator[int, None]:
        yield 1

    with bridge.stream(numbers) as stream:
        assert [item for batch in stream for item in batch] == [1]
        assert list(stream) == []


def test_closing_twice_does_not_cut_a_clean_up_off(bridge: Bridge) -> None:
    seen: list[str] = []
    go_on = threading.Event()

    async def start(emit: Callable[[int], None]) -> AsyncGenerator[int, None]:
        try:
            yield 1
            await asyncio.sleep(3600)
        finally:
            seen.append("closing")
            while not go_on.is_set():
                await asyncio.sleep(0.01)
            seen.append("closed")

    stream = bridge.stream(start)
    next(iter(stream))
    first = threading.Thread(target=stream.close)
    first.start()
    wait_until(lambda: seen == ["closing"], "the clean-up has begun")
    second = threading.Thread(target=stream.close)
    second.start()
    bridge.run(asyncio.sleep(0))
    go_on.set()
    first.join()
    second.join()
    assert seen == ["closing", "closed"]


@pytest.mark.fault(48)
def test_a_stream_ends_with_an_error_when_the_bridge_is_closed(bridge: Bridge) -> None:
    async def start(emit: Callable[[int], None]) -> AsyncGenerator[int, None]:
        yield 1
        await asyncio.sleep(3600)

    with bridge.stream(start) as batches, pytest.raises(BaseException) as caught:  # noqa: PT011  # its kind is asyncio's
        for batch in batches:
            if batch:
                bridge.close()
    assert type(caught.value).__name__ == "CancelledError"


@pytest.mark.fault(48)
def test_a_stream_whose_bridge_died_before_it_was_read_ends_with_an_error(bridge: Bridge) -> None:
    stream = bridge.stream(lambda emit: numbers(3))
    bridge.close()
    with stream as batches, pytest.raises(RuntimeError, match="closed"):
        list(batches)


@pytest.mark.fault(48)
def test_a_stream_that_was_never_begun_ends_with_an_error_when_the_bridge_is_closed(bridge: Bridge) -> None:
    """What is submitted right before the loop ends is never begun by it."""
    stream = bridge.stream(lambda emit: numbers(3))
    with stream as batches, pytest.raises(BaseException) as caught:  # noqa: PT011  # its kind is asyncio's
        bridge.call_soon(bridge._loop.stop)
        list(batches)
    assert type(caught.value).__name__ in ("CancelledError", "RuntimeError")


def test_what_is_submitted_to_a_closed_bridge_is_refused_and_never_waited_for(bridge: Bridge) -> None:
    bridge.close()
    with pytest.raises(RuntimeError, match="closed"):
        bridge.submit(asyncio.sleep(0))  # pytest would show a coroutine that was never awaited


def test_a_bridge_may_be_closed_by_what_runs_on_it(bridge: Bridge) -> None:
    bridge.call_soon(bridge.close)
    wait_until(lambda: not bridge.alive, "its thread has ended")


@pytest.mark.fault(48)
def test_a_dead_bridge_is_made_anew() -> None:
    first = get_bridge()
    first.call_soon(first._loop.stop)
    first._thread.join(5)
    second = get_bridge()
    assert second is not first
    assert second.run(asyncio.sleep(0, 1)) == 1
    close_bridge()


@pytest.mark.fault(47)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_gets_a_bridge_of_its_own() -> None:
    script = """
        import asyncio, os, warnings
        from jmuz_magic.streaming.bridge import get_bridge
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of every fork beside a thread
        assert get_bridge().run(asyncio.sleep(0, "parent")) == "parent"
        child = os.fork()
        if child == 0:
            os._exit(0 if get_bridge().run(asyncio.sleep(0, "child")) == "child" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert get_bridge().run(asyncio.sleep(0, "parent")) == "parent"
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=30, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.fault(47)
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_in_the_middle_of_another_threads_call_blocks_nobody() -> None:
    script = """
        import asyncio, os, signal, warnings
        from jmuz_magic.streaming import bridge
        warnings.simplefilter("ignore", DeprecationWarning)
        bridge._lock.acquire()  # as a thread does that asks for the bridge, and is not there in the child
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            os._exit(bridge.get_bridge().run(asyncio.sleep(0, 7)))
        bridge._lock.release()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=30, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.fault(52)
def test_a_process_that_exits_with_a_stream_in_flight_says_nothing() -> None:
    script = """
        import asyncio
        from jmuz_magic.streaming.bridge import get_bridge
        async def start(emit):
            yield 1
            await asyncio.sleep(3600)
        stream = get_bridge().stream(start)
        next(iter(stream))
    """
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", textwrap.dedent(script)], timeout=30, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_closing_ends_the_thread_and_twice_is_harmless() -> None:
    before = threading.active_count()
    bridge = Bridge()
    bridge.close()
    bridge.close()
    gc.collect()
    assert not bridge.alive
    assert threading.active_count() == before

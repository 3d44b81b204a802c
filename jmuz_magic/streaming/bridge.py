"""The bridge between asynchronous providers and the synchronous cells that read them.

IPython never awaits a magic, and the kernel's own loop is busy while a cell runs. So a daemon thread owns an
event loop, and the cell's thread reads a bounded queue and does all the output itself.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

__all__ = ["CLOSE_TIMEOUT", "Bridge", "Stream", "close_bridge", "get_bridge"]

T = TypeVar("T")
Start = Callable[[Callable[[T], None]], AsyncGenerator[T, None]]

TICK = 0.1  # seconds between two empty batches: how often a view may look at its clock
QUEUE_BOUND = 4096  # items waiting for the reader before the generator is paused
SLOW_STEP = (
    5.0  # seconds; at the default of 0.1 asyncio's debug mode (`python -X dev`) reports the imports of a first request
)
CLOSE_TIMEOUT = 2.0  # seconds that a close waits for a generator's clean-up, which may go on after that


class Bridge:
    """A daemon thread with its own event loop, for one process.

    Attributes:
        name: the thread's name.
    """

    name = "jmuz-bridge"

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._loop.slow_callback_duration = SLOW_STEP
        self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether this process can still submit work: False after a close or a crash of the loop, and in a fork."""
        return self._thread.is_alive() and not self._loop.is_closed() and self._pid == os.getpid()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Wait for the coroutine and return its result; an interrupt cancels it.

        Raises:
            RuntimeError: called on the bridge's own thread, where waiting would never end.
        """
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("this call would wait for its own thread; await the asynchronous form instead")
        future: Future[T] = Future()
        try:
            # An interrupt may come between any two steps, so whatever begins must hold the future that cancels it.
            self._begin(coroutine, future)
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Start the coroutine and return at once; cancelling the future cancels it."""
        future: Future[T] = Future()
        self._begin(coroutine, future)
        return future

    def _begin(self, coroutine: Coroutine[Any, Any, T], future: Future[T]) -> None:
        try:
            self._loop.call_soon_threadsafe(_start, coroutine, future)
        except RuntimeError:  # the loop was closed
            coroutine.close()
            raise

    def call_soon(self, function: Callable[..., object], *args: object) -> None:
        """Call `function(*args)` on the bridge's thread."""
        self._loop.call_soon_threadsafe(function, *args)

    def stream(self, start: Start[T]) -> Stream[T]:
        """Run the asynchronous generator `start(emit)` on the bridge; the result yields its items in batches.

        `emit(item)` inserts an item among the generator's, from any thread, without waiting.
        """
        return Stream(self, start)

    def close(self) -> None:
        """Cancel what is running, close what is open, end the thread; closing twice is harmless."""
        if not self.alive:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSE_TIMEOUT)

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._end_tasks()
            self._loop.close()

    def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        # Asynchronous generators of this loop own the HTTP sessions, so this closes them.
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())


def _start(coroutine: Coroutine[Any, Any, T], future: Future[T]) -> None:
    """On the bridge's thread: run the coroutine for `future`, unless it is already cancelled."""
    if future.cancelled():
        coroutine.close()
        return
    loop = asyncio.get_running_loop()
    task = loop.create_task(coroutine)
    task.add_done_callback(lambda _: _settle(task, future))
    future.add_done_callback(lambda _: None if task.done() else _call_in(loop, task.cancel))


def _settle(task: asyncio.Task[T], future: Future[T]) -> None:
    """Hand the result of the task to whoever waits for the future."""
    error = None if task.cancelled() else task.exception()
    if task.cancelled():
        future.cancel()
    elif future.set_running_or_notify_cancel():
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(task.result())


def _call_in(loop: asyncio.AbstractEventLoop, function: Callable[[], object]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop was closed, and all of its tasks with it
        loop.call_soon_threadsafe(function)


class _End:
    """The last thing in a stream's queue."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Stream(Generic[T]):
    """What an asynchronous generator yields, as lists, for a thread that may block.

    Iterate it inside `with`, and only once: leaving the block, even by an interrupt, closes the generator and
    waits at most `CLOSE_TIMEOUT` seconds for its clean-up. A list is empty if nothing came for `TICK` seconds. An
    exception of the generator is raised after everything it yielded.
    """

    def __init__(self, bridge: Bridge, start: Start[T]) -> None:
        self._bridge = bridge
        self._start = start
        self._queue: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        self._space = asyncio.Event()
        self._paused = self._begun = self._read_out = self._closed = self._cancelled = False
        self._task: asyncio.Task[None] | None = None
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[list[T]]:
        # Not earlier: an interrupt between creating the stream and entering its `with` would leave it running.
        if not self._begun:
            self._begun = True
            self._bridge.submit(self._pump())
        while not self._read_out:
            batch, end = self._take()
            self._read_out = end is not None
            if batch or end is None:
                yield batch
            if end is not None:
                if end.error is not None:
                    raise end.error
                return

    def close(self) -> None:
        """Cancel the generator if it is running and wait for its clean-up; its errors are not raised."""
        self._closed = True
        if self._begun and not self._ended.is_set():
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile, and the generator with it
                self._bridge.call_soon(self._cancel)
                self._ended.wait(CLOSE_TIMEOUT)

    def _cancel(self) -> None:
        """On the bridge's thread, where the generator has begun or will see that it need not."""
        if self._task is None:
            self._ended.set()
        elif not self._cancelled:  # a second cancel would cut off its clean-up
            self._cancelled = True
            self._task.cancel()

    def _take(self) -> tuple[list[T], _End | None]:
        batch: list[T] = []
        end: _End | None = None
        with contextlib.suppress(queue.Empty):
            item = self._queue.get(timeout=TICK)
            # A reader slower than the network gets everything waiting in one list, and redraws once for it.
            while not isinstance(item, _End):
                batch.append(item)
                item = self._queue.get_nowait()
            end = item
        if self._paused:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits for space
                self._bridge.call_soon(self._space.set)
        return batch, end if end is not None else self._lost()

    def _lost(self) -> _End | None:
        """An end for the reader if the bridge went away without queueing one."""
        if self._bridge.alive or not self._queue.empty():
            return None
        return _End(None if self._ended.is_set() else CancelledError("the bridge was closed"))

    async def _pump(self) -> None:
        self._task = asyncio.current_task()
        error: BaseException | None = None
        try:
            if self._closed:
                return
            source = self._start(self._queue.put)
            try:
                async for item in source:
                    self._queue.put(item)
                    if self._queue.qsize() >= QUEUE_BOUND:
                        await self._wait_for_space()
            finally:
                await source.aclose()
        except BaseException as caught:  # noqa: BLE001  # raised in the reader's thread instead
            error = caught
        finally:
            self._queue.put(_End(error))
            self._ended.set()

    async def _wait_for_space(self) -> None:
        self._space.clear()
        self._paused = True
        # Checked again now that the flag is set: the reader may have emptied the queue before it could see the flag.
        if self._queue.qsize() >= QUEUE_BOUND:
            await self._space.wait()
        self._paused = False


_lock = threading.Lock()
_bridge: Bridge | None = None


def get_bridge() -> Bridge:
    """The bridge of this process: started on first use, replaced after a fork or when its thread has died."""
    global _bridge
    with _lock:
        if _bridge is None or not _bridge.alive:
            _bridge = Bridge()
        return _bridge


def close_bridge() -> None:
    """End the bridge's thread if there is one; the next `get_bridge()` starts another."""
    global _bridge
    with _lock:
        bridge, _bridge = _bridge, None
    if bridge is not None:
        bridge.close()


def _forget_after_fork() -> None:
    # The child has copies of the objects but not the thread, and its copy of the lock may be held for good.
    global _bridge, _lock
    _lock = threading.Lock()
    _bridge = None


# Without this a stream in flight at exit prints "Task was destroyed but it is pending".
atexit.register(close_bridge)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)

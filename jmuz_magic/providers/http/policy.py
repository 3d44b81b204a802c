"""How long to wait, how often to try, how much to read, and how long to wait between attempts."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime

from jmuz_magic.errors import JmuzError

__all__ = ["Policy", "Waits", "asked_delay"]

MiB = 2**20


@dataclass(frozen=True)
class Policy:
    """Patience in seconds and limits in bytes; clock and dice are here so that tests can replace them.

    Attributes:
        connect: for establishing a connection, TLS included.
        first_data: from the request to the first byte of the reply; a local server may be loading a model.
        idle: without a single byte, once the reply has begun.
        next_data: without data while other bytes (comments, empty deltas) keep the connection alive: models are
            reported to think for five minutes that way.
        after_finish: for a server that gave a finish reason, to count tokens and send `[DONE]`.
        drain: for the rest of a body after `[DONE]`, so that its connection can be reused.
        loading: between two attempts while the server loads its model; they go on for `first_data`.
        retries: attempts after the first, made only before the first byte of a reply.
        longest_wait: the longest wait that a service may ask for.
        largest_event: limit for one event, and for a reply that is not a stream.
        largest_body: limit for a whole stream.
        largest_drain: limit for the rest of a body after `[DONE]`.
        sleep: waits between attempts.
        dice: returns a number from 0 to 1, for the jitter.
        wall: returns seconds since the epoch, for a `Retry-After` that is a date.
    """

    connect: float = 10.0
    first_data: float = 600.0
    idle: float = 120.0
    next_data: float = 1800.0
    after_finish: float = 5.0
    drain: float = 0.1
    loading: float = 2.0
    retries: int = 2
    longest_wait: float = 30.0
    largest_event: int = 16 * MiB
    largest_body: int = 256 * MiB
    largest_drain: int = 64 * 1024
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    dice: Callable[[], float] = random.random
    wall: Callable[[], float] = time.time

    def waiting(self, timeout: float | None) -> Policy:
        """The same with the user's timeout for the first data and for the next; None changes nothing.

        Raises:
            JmuzError: it is not a valid time.
        """
        if timeout is None:
            return self
        if not timeout > 0:
            raise JmuzError(f"expected a timeout in seconds above 0, such as 60, got {timeout!r}")
        timeout = float(timeout)
        return replace(self, first_data=timeout, idle=timeout, next_data=timeout)

    def delay(self, attempt: int, asked: float | None) -> float | None:
        """Seconds to wait after the failed `attempt` (1 is the first); None if it was the last.

        Args:
            attempt: its number.
            asked: seconds that the service asks to wait.
        """
        if attempt > self.retries:
            return None
        if asked is not None:
            return asked if asked <= self.longest_wait else None
        return float(min(0.5 * 2 ** (attempt - 1), 8.0) * (1 - 0.25 * self.dice()))


class Waits:
    """The waits between the attempts of one request."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._failed = 0
        self._loading = 0.0

    def after(self, retry: bool, asked: float | None) -> float | None:
        """Seconds to wait after a failed attempt; None if it was the last.

        Args:
            retry: whether trying again makes sense.
            asked: seconds that the service asks to wait.
        """
        self._failed += 1
        return self._policy.delay(self._failed, asked) if retry else None

    def for_model(self, asked: float | None) -> float | None:
        """The same after an answer that the model is still loading, which does not count as a failed attempt."""
        delay = self._policy.loading if asked is None else asked
        self._loading += delay
        return delay if self._loading <= self._policy.first_data else None


def asked_delay(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that `Retry-After-Ms` or `Retry-After` (a number or a date) asks for; None without a usable one.

    Args:
        headers: a mapping whose names ignore case.
        now: seconds since the epoch.
    """
    milliseconds = _number(headers.get("Retry-After-Ms", ""))
    if milliseconds is not None and milliseconds > 0:
        return milliseconds / 1000
    text = headers.get("Retry-After", "")
    seconds = _number(text)
    if seconds is None and text:
        seconds = _seconds_until(text, now)
    return seconds if seconds is not None and seconds > 0 else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _seconds_until(date: str, now: float) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp() - now
    except (ValueError, OverflowError):
        return None

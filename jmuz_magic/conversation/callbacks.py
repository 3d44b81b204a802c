"""Callbacks that are told of changes, and how each is unregistered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Callbacks"]

Event = TypeVar("Event")


class Callbacks(Generic[Event]):
    """Registered callbacks, in order; one registered twice is called twice."""

    def __init__(self) -> None:
        self._registered: dict[object, Callable[[Event], None]] = {}

    def add(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Register a callback; return a function that undoes just this registration and may be called repeatedly."""
        registration = object()  # equal callbacks, such as the same bound method, are two registrations
        self._registered[registration] = callback

        def unsubscribe() -> None:
            self._registered.pop(registration, None)

        return unsubscribe

    def tell(self, event: Event) -> None:
        """Call all callbacks registered now."""
        for callback in tuple(self._registered.values()):
            callback(event)

    def __bool__(self) -> bool:
        return bool(self._registered)

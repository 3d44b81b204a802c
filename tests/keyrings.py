"""Keyrings for tests: one that keeps what it is given, in memory, and ones that go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keyring
from keyring.backend import KeyringBackend

__all__ = ["MemoryKeyring", "keyring_in_use", "keyring_of_tests"]


class MemoryKeyring(KeyringBackend):
    """As good as a real one, until the process ends.

    Attributes:
        stored: by service and user name.
        asked: how often a key was looked up.
    """

    priority = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring annotates little
        self.stored: dict[tuple[str, str], str] = {}
        self.asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        return self.stored.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.stored[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.stored[service, username]


@contextmanager
def keyring_in_use(backend: Any) -> Iterator[None]:
    """Make `backend` the system's keyring inside the block."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield
    finally:
        keyring.set_keyring(before)


@contextmanager
def keyring_of_tests() -> Iterator[dict[tuple[str, str], str]]:
    """A keyring in memory; what it holds."""
    backend = MemoryKeyring()
    with keyring_in_use(backend):
        yield backend.stored

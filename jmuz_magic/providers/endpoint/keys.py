"""Keys given at run time, each for one origin: in memory and, where the user asked for it, in the system keyring.

The keyring (an extra of this package) is asked only where a key is needed and nothing else has one, once for each
origin, and never waited for longer than `PATIENCE`: a desktop that shows a dialogue may take its time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from jmuz_magic.errors import JmuzError
from jmuz_magic.secret import Secret

__all__ = [
    "expect_saved",
    "forget_key",
    "given_key",
    "keyring_left_alone",
    "remember_key",
    "save_key",
    "saved_key",
]

T = TypeVar("T")

SERVICE = "jmuz_magic"
"""What the keyring files our keys under; the user name is the origin."""

PATIENCE = 10.0  # seconds
LOWEST_PRIORITY = 1  # what keyring itself recommends; below are backends that write keys into readable files


_given: dict[str, Secret] = {}
_answers: dict[str, Secret | None] = {}
_expected: set[str] = set()
_asking: ContextVar[bool] = ContextVar("_asking", default=True)


def remember_key(origin: str, key: Secret) -> None:
    """Use the key for this origin until the process ends, before any of the environment."""
    _given[origin] = key


def given_key(origin: str) -> Secret | None:
    """The key that `remember_key` was given for this origin."""
    return _given.get(origin)


def expect_saved(origins: Iterable[str]) -> None:
    """Say for which origins the keyring holds a key although their providers can do without one."""
    _expected.update(origins)


def save_key(origin: str, key: Secret) -> None:
    """Put the key into the system keyring, for later processes, too.

    Raises:
        JmuzError: there is no keyring, or it did not take the key; nothing was written anywhere.
    """
    _patiently(lambda: _keyring().set_password(SERVICE, origin, key.reveal()))
    _answers[origin] = key
    _expected.add(origin)


def saved_key(origin: str, *, needed: bool) -> Secret | None:
    """The keyring's key for this origin.

    Args:
        origin: of the endpoint.
        needed: ask also where nobody said that there is one, because nothing can be asked without a key.
    """

    def ask() -> None:
        value = _keyring().get_password(SERVICE, origin)
        _answers[origin] = Secret(value) if value else None  # also when it comes late: the next request has it

    if origin not in _answers and _asking.get() and (needed or origin in _expected):
        try:
            _patiently(ask)
        except JmuzError:
            _answers.setdefault(origin, None)  # what needs a key says so itself, and how to give one
    return _answers.get(origin)


@contextmanager
def keyring_left_alone() -> Iterator[None]:
    """Inside, only what the keyring has said already is known: nobody expects its dialogue at a press of Tab."""
    token = _asking.set(False)
    try:
        yield
    finally:
        _asking.reset(token)


def forget_key(origin: str, *, saved: bool = True) -> bool:
    """Drop the origin's key from memory and, if `saved`, from the keyring; whether there was one.

    Raises:
        JmuzError: the keyring holds it and did not delete it.
    """
    had = _given.pop(origin, None) is not None
    if saved and saved_key(origin, needed=False):
        _patiently(lambda: _keyring().delete_password(SERVICE, origin))
        had = True
        _expected.discard(origin)
        _answers[origin] = None
    return had


def _keyring() -> Any:
    """The system's keyring.

    Raises:
        JmuzError: the extra is not installed, there is none, or only one that writes readable files.
    """
    try:
        import keyring
    except ImportError:
        raise JmuzError("the keyring package is not installed (pip install keyring)") from None
    backend = keyring.get_keyring()
    if backend.priority < LOWEST_PRIORITY:
        kind = type(backend)
        if kind.__module__ in ("keyring.backends.fail", "keyring.backends.null"):
            raise JmuzError("this system has no keyring")
        raise JmuzError(f"the keyring here ({kind.__name__}) does not protect what it stores")
    return backend


def _patiently(ask: Callable[[], T]) -> T:
    """Call the keyring on a thread of its own, so that one that hangs stops nobody.

    Raises:
        JmuzError: it is none, failed, or did not answer in time.
    """
    results: list[T] = []
    errors: list[str] = []

    def run() -> None:
        try:
            results.append(ask())
        except JmuzError as error:
            errors.append(str(error))
        except Exception as error:  # noqa: BLE001  # backends raise whatever their bus or system raises
            # Its name only: the text may hold what was to be stored.
            errors.append(f"the system keyring failed ({type(error).__name__})")

    thread = threading.Thread(target=run, name="jmuz-keyring", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if results:
        return results[0]
    raise JmuzError(errors[0] if errors else f"the system keyring did not answer within {PATIENCE:g} s")

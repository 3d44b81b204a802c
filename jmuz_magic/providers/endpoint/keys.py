"""Keys given at run time, each for one origin: in memory and, if the user asked for it, in the system keyring.

The keyring (an extra of this package) is asked only if a key is needed and no other source has one, and once for
each origin; nobody waits longer than `PATIENCE`, since a desktop may show a dialogue.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers.base import may_search
from jmuz_magic.secret import Secret

__all__ = [
    "expect_saved",
    "forget_key",
    "given_key",
    "is_saved",
    "remember_key",
    "save_key",
    "saved_key",
]

T = TypeVar("T")

SERVICE = "jmuz_magic"
"""The service name of our keys in the keyring; the user name is the origin."""

PATIENCE = 10.0  # seconds
LOWEST_PRIORITY = 1  # what keyring itself recommends; backends below it write keys into readable files


_given: dict[str, Secret] = {}
_answers: dict[str, Secret | None] = {}
_expected: set[str] = set()


def remember_key(origin: str, key: Secret) -> None:
    """Use the key for this origin until the process ends, in preference to the environment."""
    _given[origin] = key


def given_key(origin: str) -> Secret | None:
    """The key that `remember_key` was given for this origin."""
    return _given.get(origin)


def expect_saved(origins: Iterable[str]) -> None:
    """Name origins for which the keyring holds a key although their providers can do without one."""
    _expected.update(origins)


def is_saved(origin: str) -> bool:
    """Whether the keyring is said to hold a key for this origin; it is not asked."""
    return origin in _expected or _answers.get(origin) is not None


def save_key(origin: str, key: Secret) -> None:
    """Store the key in the system keyring, for later processes too.

    Raises:
        JmuzError: there is no keyring, or it did not accept the key; nothing was written anywhere.
    """
    _patiently(lambda: _keyring().set_password(SERVICE, origin, key.reveal()))
    _answers[origin] = key
    _expected.add(origin)


def saved_key(origin: str, *, needed: bool) -> Secret | None:
    """The keyring's key for this origin.

    Args:
        origin: of the endpoint.
        needed: ask even if no key is expected there, because the provider cannot do without one.
    """

    def ask() -> None:
        value = _keyring().get_password(SERVICE, origin)
        _answers[origin] = Secret(value) if value else None  # even if it comes late: the next request has it

    if origin not in _answers and may_search.get() and (needed or origin in _expected):
        try:
            _patiently(ask)
        except JmuzError:
            _answers.setdefault(origin, None)  # whoever needs the key reports that it is missing
    return _answers.get(origin)


def forget_key(origin: str, *, saved: bool = True) -> bool:
    """Drop the origin's key from memory and, if `saved`, from the keyring; return whether there was one.

    Raises:
        JmuzError: the keyring holds it but did not delete it.
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
        JmuzError: the extra is not installed, or the system has no keyring that protects what it stores.
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
        raise JmuzError(f"this system's keyring ({kind.__name__}) does not protect what it stores")
    return backend


def _patiently(ask: Callable[[], T]) -> T:
    """Call the keyring on its own thread, so that one that hangs blocks nobody.

    Raises:
        JmuzError: there is none, it failed, or it did not answer in time.
    """
    results: list[T] = []
    errors: list[str] = []

    def run() -> None:
        try:
            results.append(ask())
        except JmuzError as error:
            errors.append(str(error))
        except Exception as error:  # noqa: BLE001  # backends raise whatever their bus or system raises
            # Its type only: the text may contain the key.
            errors.append(f"the system keyring failed ({type(error).__name__})")

    thread = threading.Thread(target=run, name="jmuz-keyring", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if results:
        return results[0]
    raise JmuzError(errors[0] if errors else f"the system keyring did not answer within {PATIENCE:g} s")

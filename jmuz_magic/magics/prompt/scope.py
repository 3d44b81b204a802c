"""Finds the variables that `{{name}}` means: of the function that runs the magic, of its module, or the notebook's.

IPython's `needs_local_scope` gives a line magic its caller's variables but a cell magic always the notebook's, and
neither gets those of functions around the caller. So the caller's frame is inspected here, and only here.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from IPython.core.error import UsageError

__all__ = ["Scope", "scope_of_caller"]


@dataclass(frozen=True, eq=False, repr=False)
class Scope:
    """Where the names of a prompt are looked up.

    Attributes:
        namespace: what `{{name}}` may name; in a cell the notebook's own dictionary, in a function a copy.
        hidden: whether a function that encloses the caller has already returned: a name that is not the caller's may
            have been that function's.
        own: local names of the caller and of the enclosing functions that are still running.
    """

    namespace: Mapping[str, Any]
    hidden: bool = False
    own: frozenset[str] = field(default=frozenset())

    def check(self, names: frozenset[str]) -> None:
        """Refuse names that may mean a variable that is out of reach.

        Raises:
            UsageError: one line with the name and what to do.
        """
        doubtful = sorted(name for name in names - self.own if name in self.namespace) if self.hidden else []
        if doubtful:
            name = doubtful[0]
            raise UsageError(
                f"{{{{{name}}}}} could mean a variable of an enclosing function, which is out of reach here; "
                f"pass it as an argument: {name}={name}"
            )


def scope_of_caller(notebook: dict[str, Any]) -> Scope:
    """The scope of the code that runs the magic.

    Args:
        notebook: the notebook's variables.
    """
    frame = _caller()
    if frame is None or frame.f_locals is notebook:
        return Scope(notebook)
    # In a module, or a script under `%run`, a name means what it means there, even if the notebook has it too.
    there = notebook if frame.f_globals is notebook else {**notebook, **frame.f_globals}
    if frame.f_locals is frame.f_globals:
        return Scope(there)
    found: dict[str, Any] = dict(frame.f_locals)
    inner: FrameType | None = frame
    while inner is not None and (outer := _enclosing(inner)) is not None:
        found = {**outer.f_locals, **found}
        inner = outer
    hidden = inner is not None and "<locals>" in inner.f_code.co_qualname
    own = frozenset(found)
    return Scope({**there, **found}, hidden, own)


def _caller() -> FrameType | None:
    """The first frame of the user's code; None if a thread or a callback of the standard library runs the magic."""
    frame = inspect.currentframe()
    while frame is not None and _is_machinery(frame):
        frame = frame.f_back
    return frame


def _is_machinery(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return package in ("IPython", "jmuz_magic") or (package in sys.stdlib_module_names and package != "__main__")


def _enclosing(frame: FrameType) -> FrameType | None:
    """The running function that encloses the function of `frame`."""
    code, outer = frame.f_code, frame.f_back
    while outer is not None:
        if code in outer.f_code.co_consts:
            return outer if outer.f_locals is not outer.f_globals else None
        outer = outer.f_back
    return None

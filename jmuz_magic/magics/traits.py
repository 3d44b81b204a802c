"""Forgiving traits: a wrong value costs one line, and the setting is unchanged."""

from __future__ import annotations

from typing import Any

import traitlets
from IPython.core.error import UsageError
from traitlets import TraitError

from jmuz_magic.errors import JmuzError

__all__ = ["Bool", "Dict", "Enum", "Float", "Int", "List", "Unicode"]


class _Forgiving(traitlets.TraitType):  # type: ignore[type-arg]
    """A trait that keeps its value and says so when given an invalid one."""

    def validate(self, obj: Any, value: Any) -> Any:
        try:
            value = super().validate(obj, value)  # type: ignore[misc]  # the type mixed in has it
            return obj.checked(self.name, value)
        except (TraitError, JmuzError, UsageError) as error:
            shown = type(value).__name__ if self.metadata.get("hides") else repr(value)
            expected = f"expected {self.metadata['expects']}, got {shown}"
            problem = expected if isinstance(error, TraitError) else str(error)
        kept = self.get(obj, type(obj))
        obj.rejected.add(self.name)
        obj.say(f"JmuzMagics.{self.name} stays {kept!r}: {problem}")
        return kept


# Named like their bases, since `%config JmuzMagics` shows these names. Not subscripted: traitlets before 5.10 does not
# allow it, and its Dict never does.
class Bool(_Forgiving, traitlets.Bool):  # type: ignore[type-arg]
    """True or False."""


class Dict(_Forgiving, traitlets.Dict):
    """A dict with text as keys."""


class Enum(_Forgiving, traitlets.Enum):  # type: ignore[type-arg]
    """One of some words."""


class Float(_Forgiving, traitlets.Float):  # type: ignore[type-arg]
    """A number."""


class Int(_Forgiving, traitlets.Int):  # type: ignore[type-arg]
    """A whole number."""


class List(_Forgiving, traitlets.List):  # type: ignore[type-arg]
    """A list."""


class Unicode(_Forgiving, traitlets.Unicode):  # type: ignore[type-arg]
    """A text."""

"""The options of a magic, declared once: as fields of the frozen dataclass that a line is read into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

__all__ = ["Completion", "Option", "Options", "argument", "flag", "option", "options_of", "sent_with"]

Completion = Literal["alias", "conversation", "file", "listed model", "model", "provider", "provider:model"]
"""What Tab offers for a value."""


@dataclass(frozen=True)
class Option:
    """What a field of `Options` takes from the line.

    Attributes:
        name: of the field.
        flags: such as `-m` and `--model`; empty for an argument, which the user gives by its place.
        values: what the help calls each of its values; empty for an option that is just there or not.
        help: for the user, in a few words; "" hides the option from help and Tab.
        read: makes a value of the text; raises ValueError with what it expected.
        absent: the value where the user gives the option without one; None where one is required. A value stands
            after an equals sign then.
        repeats: whether it may be given several times; the field is a tuple.
        many: whether it takes all words up to the next option; the field is a tuple.
        completes: what Tab offers for its value.
        sent: whether it goes into the request by its name.
    """

    name: str = ""
    flags: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    help: str = ""
    read: Callable[[str], Any] | None = None
    absent: str | None = None
    repeats: bool = False
    many: bool = False
    completes: Completion | None = None
    sent: bool = False

    @property
    def wanted(self) -> int:
        """How many of the words after it are its values, at least."""
        return 0 if self.absent is not None else len(self.values)

    @property
    def label(self) -> str:
        """As messages call it."""
        return "/".join(self.flags or self.values)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a line says; a magic's own options are fields of a subclass.

    Attributes:
        written: by field, the flag as the user typed it (`-t` or `--temperature`) and the text after it.
    """

    written: Mapping[str, tuple[str, str]] = field(default_factory=dict, compare=False)


def option(*flags: str, values: str | tuple[str, str], help: str, **settings: Any) -> Any:  # noqa: A002  # as in argparse
    """A field for an option with a value, or two: None or, where it `repeats`, an empty tuple without it."""
    names = (values,) if isinstance(values, str) else values
    return _field(Option(flags=flags, values=names, help=help, **settings))


def flag(*flags: str, help: str) -> Any:  # noqa: A002  # as in argparse
    """A field that is True where the user gives the option."""
    return _field(Option(flags=flags, help=help), default=False)


def argument(values: str, help: str = "", *, default: Any = None, **settings: Any) -> Any:  # noqa: A002
    """A field for a word without a flag; without help, one that is taken but never offered."""
    return _field(Option(values=(values,), help=help, **settings), default)


def options_of(kind: type[Options]) -> tuple[Option, ...]:
    """The options that a dataclass declares, in its order."""
    declared = ((each.name, each.metadata.get("option")) for each in fields(kind))
    return tuple(replace(option, name=name) for name, option in declared if option)


def sent_with(options: Options) -> dict[str, Any]:
    """The options that go into the request, as far as the user gave them."""
    names = (option.name for option in options_of(type(options)) if option.sent)
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def _field(declared: Option, default: Any = None) -> Any:
    return field(default=() if declared.repeats or declared.many else default, metadata={"option": declared})

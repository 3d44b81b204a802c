"""A magic's options, declared once, as fields of the frozen dataclass that a line is read into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

__all__ = ["Completion", "Option", "Options", "option", "options_of", "sent_with"]

Completion = Literal["alias", "conversation", "dialect", "file", "listed model", "model", "provider", "provider:model"]
"""What Tab offers for a value."""


@dataclass(frozen=True, eq=False, repr=False)
class Option:
    """What a field of `Options` takes from the line; see `option`.

    Attributes:
        usage: as the help shows it.
        name: the field's name.
        flags: such as `-m` and `--model`; empty for a positional argument.
        values: what the help calls each of its values; empty for an option without a value.
        many: whether it takes all words up to the next option.
    """

    usage: str
    help: str
    name: str
    flags: tuple[str, ...]
    values: tuple[str, ...]
    many: bool
    read: Callable[[str], Any] | None
    absent: str | None
    repeats: bool
    completes: Completion | None
    sent: bool
    may_be_empty: bool

    @property
    def wanted(self) -> int:
        """The minimum number of words after it that are its values."""
        return 0 if self.absent is not None else len(self.values)

    @property
    def label(self) -> str:
        """What messages call it."""
        return "/".join(self.flags or self.values)


def option(
    usage: str,
    help: str = "",  # noqa: A002  # as in argparse
    *,
    read: Callable[[str], Any] | None = None,
    absent: str | None = None,
    repeats: bool = False,
    completes: Completion | None = None,
    sent: bool = False,
    may_be_empty: bool = False,
    default: Any = None,
) -> Any:
    """A field for an option, or for a positional argument if it has no flag.

    Without a value the field is a bool. If it repeats or takes many words it is a tuple, with two values one of pairs.

    Args:
        usage: as the help shows it: `-m, --model MODEL`, `-o KEY VALUE`, `--search WORD …`, `--save`, or `NAME` alone.
        help: a few words for the user; "" hides the option from help and Tab.
        read: converts the text to the value, or raises ValueError with what it expected.
        absent: the value if the user gives the option without one; before a prompt an equals sign stands before one
            then.
        repeats: whether it may be given several times.
        completes: what Tab offers for the value.
        sent: whether it goes into the request by its name.
        may_be_empty: whether "" is a value of it.
        default: the value if the line does not give the option.
    """
    words = usage.replace(",", "").split()
    values = tuple(word.strip("[]") if word.startswith("[") else word for word in words if word[0] not in "-…")
    flags = tuple(word for word in words if word.startswith("-"))
    many = words[-1] == "…"
    declared = Option(usage, help, "", flags, values, many, read, absent, repeats, completes, sent, may_be_empty)
    if not values:
        default = False
    elif repeats or many:
        default = ()
    return field(default=default, metadata={"option": declared})


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Options:
    """What a line says; a magic's options are fields of a subclass.

    A subclass does without `eq` and `repr` unless it needs them: generating them takes half of its time at load.

    Attributes:
        help: whether it asks for the magic's help; then nothing else is done.
        written: by field, the flag as the user typed it (`-t` or `--temperature`) and the text after it.
    """

    help: bool = option("-h, --help", "show this help")
    written: Mapping[str, tuple[str, str]] = field(default_factory=dict, compare=False)


def options_of(kind: type[Options]) -> tuple[Option, ...]:
    """The options that a dataclass declares, in its order."""
    declared = ((each.name, each.metadata.get("option")) for each in fields(kind))
    return tuple(replace(option, name=name) for name, option in declared if option)


def sent_with(options: Options) -> dict[str, Any]:
    """The options that the user gave and that go into the request."""
    names = (option.name for option in options_of(type(options)) if option.sent)
    return {name: value for name in names if (value := getattr(options, name)) is not None}

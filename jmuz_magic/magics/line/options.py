"""The options of a magic, declared once: as fields of the frozen dataclass that a line is read into."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

__all__ = ["Completion", "Option", "Options", "option", "options_of", "sent_with"]

Completion = Literal["alias", "conversation", "file", "listed model", "model", "provider", "provider:model"]
"""What Tab offers for a value."""


@dataclass(frozen=True)
class Option:
    """What a field of `Options` takes from the line; see `option`.

    Attributes:
        usage: as the help shows it.
        name: of the field.
        flags: such as `-m` and `--model`; empty for an argument, which the user gives by its position.
        values: what the help calls each of its values; empty for an option that is just there or not.
        many: whether it takes all words up to the next option.
    """

    usage: str
    help: str
    name: str
    flags: tuple[str, ...]
    values: tuple[str, ...]
    many: bool
    read: Callable[[str], Any] | None = None
    absent: str | None = None
    repeats: bool = False
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


def option(usage: str, help: str = "", *, default: Any = None, **settings: Any) -> Any:  # noqa: A002  # as in argparse
    """A field for an option, or for an argument if it has no flag.

    Without a value it is a bool. If it repeats or takes many words it is a tuple, with two values one of pairs.

    Args:
        usage: as the help shows it: `-m, --model MODEL`, `-o KEY VALUE`, `--search WORD …`, `--save`, or `NAME` alone.
        help: for the user, in a few words; "" hides the option from help and Tab.
        default: the value where the line does not give it.
        settings: `read` makes a value of a text, or raises ValueError with what it expected; `absent` is the value
            where the user gives the option without one, which stands after an equals sign then; `repeats`: it may be
            given several times; `completes`: what Tab offers; `sent`: it goes into the request by its name.
    """
    words = usage.replace(",", "").split()
    values = tuple(word.strip("[]") if word.startswith("[") else word for word in words if word[0] not in "-…")
    flags = tuple(word for word in words if word.startswith("-"))
    declared = Option(usage, help, "", flags, values, words[-1] == "…", **settings)
    if not values:
        default = False
    elif declared.repeats or declared.many:
        default = ()
    return field(default=default, metadata={"option": declared})


def options_of(kind: type[Options]) -> tuple[Option, ...]:
    """The options that a dataclass declares, in its order."""
    declared = ((each.name, each.metadata.get("option")) for each in fields(kind))
    return tuple(replace(option, name=name) for name, option in declared if option)


def sent_with(options: Options) -> dict[str, Any]:
    """The options that go into the request, as far as the user gave them."""
    names = (option.name for option in options_of(type(options)) if option.sent)
    return {name: value for name in names if (value := getattr(options, name)) is not None}

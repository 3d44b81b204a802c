"""How a magic's line is read: options first, then the prompt, verbatim; or options and arguments in any order."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Generic, TypeVar

from IPython.core.error import UsageError

from jmuz_magic.magics.line.options import Option, Options, options_of
from jmuz_magic.magics.line.values import KEY_ON_LINE
from jmuz_magic.magics.line.words import OpenQuoteError, ends_at, json_at, next_word
from jmuz_magic.secret import looks_like_key

__all__ = ["MagicParser"]

O = TypeVar("O", bound=Options)  # noqa: E741

_NAME = re.compile(r"[\w.+#-]+")
_LOOKS_LIKE_OPTION = re.compile(r"--?[A-Za-z]")
_ARGUMENT = re.compile(r"[^-]|-{1,2}(?:\s|$)|-[\d.]+(?:\s|$)")  # also a lone dash, and a negative number
_TARGET = re.compile(r"\s*([A-Za-z_]\w*)\s*<<\s*")
_API_KEY = re.compile(r"--?api[-_]key\b", re.IGNORECASE)


class MagicParser(Generic[O]):
    """Reads the line of a magic into its options; whatever is wrong with it becomes a one-line `UsageError`.

    Attributes:
        name: the magic's name, such as `%jmuz_use`.
        kind: the dataclass of its options.
        options: the options that it declares.
        takes_prompt: whether text for the model follows the options (`read_prompt`).
        expands: whether values may contain `{{expressions}}`, which `put_in` replaces.
    """

    def __init__(self, name: str, kind: type[O], *, takes_prompt: bool = False, expands: bool = False) -> None:
        self.name = name
        self.kind = kind
        self.options = options_of(kind)
        self.takes_prompt, self.expands = takes_prompt, expands

    def read_arguments(self, line: str) -> O:
        """Options and arguments in any order; after a lone `--` only arguments; a word that begins with `#` ends both.

        Raises:
            UsageError: a word is unknown, missing or wrong, or looks like a key.
        """
        given, line, only_arguments = _Given(self), line.lstrip(), False
        while line and not line.startswith("#"):
            if not (only_arguments or _ARGUMENT.match(line)):
                line = given.take_option(line)
                continue
            word, line = self.next_word(line)
            if word == "--" and not only_arguments:
                only_arguments = True
            else:
                given.add_argument(word)
        return given.read()

    def read_prompt(self, line: str, cell: str = "") -> tuple[str | None, O, str]:
        """The target of `NAME <<`, the options, and the prompt.

        Options come first. The first word that is not one, or a lone `--`, starts the prompt, which is taken verbatim
        except for line breaks at its end (IPython adds one to every cell). If the cell has a body, a `#` after the
        options begins a comment.

        Raises:
            UsageError: an unknown option, a missing or wrong value, an unclosed quote in a value.
        """
        target = _TARGET.match(line)
        if target and keyword.iskeyword(target[1]):
            raise self.refusal(f"{target[1]!r} is a keyword, not a variable name; choose another name", see_help=False)
        given = _Given(self)
        rest = self._read_options(given, line[target.end() :] if target else line.lstrip(), cell)
        prompt = f"{rest}\n{cell}" if rest and cell else rest or cell
        return (target[1] if target else None), given.read(), prompt.rstrip("\r\n")

    def _read_options(self, given: _Given[O], line: str, cell: str) -> str:
        """Take the options at the start of the line; the rest begins the prompt."""
        while _LOOKS_LIKE_OPTION.match(line):
            line = given.take_option(line)
        if line == "--" or line.startswith("-- "):
            return line[2:].lstrip()
        if line.startswith("#") and cell.strip():
            line = ""
        self._refuse_parted(given, line, cell)
        return line

    def _refuse_parted(self, given: _Given[O], rest: str, cell: str) -> None:
        """Refuse `--chat NAME` if the prompt is elsewhere: the name would be sent as its first word."""
        value, _, more = rest.partition(" ")
        option = given.open_option
        if option is None or not _NAME.fullmatch(value):
            return
        if self.option_of(more.partition(" ")[0]) or (cell.strip() and not more.strip()):
            long = option.flags[-1]
            raise self.refusal(
                f"write the value of {long} after an equals sign: {long}={value}; "
                f"if {value!r} starts the prompt, put -- before it",
                see_help=False,
            )

    def put_in(self, options: O, replaced: Callable[[str, str], str]) -> O:
        """The options with their `{{expressions}}` replaced by values, except those with several values.

        Args:
            options: the options as read.
            replaced: maps a text and the option's flag to the text with values put in.

        Raises:
            UsageError: the result is not a valid value of the option.
        """
        changes = {}
        for option in self.options:
            text = options.written.get(option.name, ("", ""))[1]
            if "{{" in text:
                changes[option.name] = self.value(option, replaced(text, option.flags[-1]))
        return replace(options, **changes)

    def value(self, option: Option, text: str) -> Any:
        """The option's value for a text."""
        try:
            return option.read(text) if option.read else text
        except ValueError as error:
            problem = f"argument {option.label}: {error}"
        raise self.refusal(problem)  # not while handling: the first error may repeat a key

    def refusal(self, message: str, *, see_help: bool = True) -> UsageError:
        """The error that says what is wrong; it does not repeat a key."""
        if looks_like_key(message):
            return UsageError(KEY_ON_LINE)
        return UsageError(f"{self.name}: {message}" + (f" (for help run {self.name}?)" if see_help else ""))

    def next_word(self, line: str) -> tuple[str, str]:
        """The first word, and the rest of the line."""
        try:
            return next_word(line)
        except OpenQuoteError as error:
            problem = f"{error}{', or put -- before the prompt' if self.takes_prompt else ''}"
        raise self.refusal(problem, see_help=False)

    def option_of(self, word: str) -> Option | None:
        """The option of a flag such as `-m`, or None."""
        return next((option for option in self.options if word in option.flags), None)

    def argument(self, number: int) -> Option | None:
        """The positional argument with that number, from 0; None if there is none or it is not offered."""
        arguments = [option for option in self.options if not option.flags and option.help]
        return arguments[number] if number < len(arguments) else None

    def flags(self) -> list[str]:
        """The flags that the help shows."""
        return [flag for option in self.options if option.help for flag in option.flags]

    def values_wanted(self, word: str) -> int:
        """How many of the following words belong to this one; `-mphi4` and `--model=phi4` include theirs."""
        option = self.option_of(word)
        return option.wanted if option else 0


class _Given(Generic[O]):
    """The values that a line gives, option by option."""

    def __init__(self, parser: MagicParser[O]) -> None:
        self.open_option: Option | None = None
        self._parser = parser
        self._values: dict[str, Any] = {}
        self._written: dict[str, tuple[str, str]] = {}

    def read(self) -> O:
        return self._parser.kind(**self._values, written=self._written)

    def take_option(self, line: str) -> str:
        """Take the option at the start of the line with its values; return the rest of the line."""
        word, line = self._parser.next_word(line)
        if _API_KEY.match(word):
            raise UsageError(KEY_ON_LINE)
        for flag, option, attached in self._split(word, line):
            texts, line = ([attached], line) if attached is not None else self._take_values(option, line)
            self._add(flag, option, texts)
            self.open_option = option if option.absent is not None and not texts else None
        return line

    def add_argument(self, word: str) -> None:
        """Take a word without a flag."""
        for option in self._parser.options:
            if not option.flags and (option.many or option.name not in self._values):
                self._add(option.name, option, [word])
                return
        raise self._parser.refusal(f"unexpected argument {word!r}")

    def _split(self, word: str, rest: str) -> Iterator[tuple[str, Option, str | None]]:
        """Each flag in `--model`, `--model=phi4`, `-mphi4` or `-xu`, with the value attached to it."""
        flag, equals, value = word.partition("=")
        option = self._parser.option_of(flag)
        short = self._parser.option_of(word[:2])
        if option:
            yield flag, option, value if equals else None
        elif short is None:
            raise self._parser.refusal(self._unknown(word, rest))
        elif short.wanted:
            yield word[:2], short, word[2:]
        else:  # an optional value is only taken after an equals sign
            yield word[:2], short, None
            yield from self._split(f"-{word[2:]}", rest)

    def _take_values(self, option: Option, line: str) -> tuple[list[str], str]:
        texts: list[str] = []
        while not ends_at(line) and self._takes_another(option, texts, line):
            text = self._json_at(option, texts, line) if texts else None  # `-o KEY {"a": 1}`: only the second value
            if text is None:
                text, line = self._parser.next_word(line)
            else:
                line = line[len(text) :].lstrip()
            texts.append(text)
        return texts, line

    def _takes_another(self, option: Option, texts: list[str], line: str) -> bool:
        """Whether the next word is another value, not the next option after a forgotten one.

        Before a prompt, whatever follows an option with one value is that value: `-s -verbatim-`. An optional value
        is taken there only after an equals sign, since the next word may start the prompt.
        """
        if self._parser.takes_prompt and option.wanted == 1 and not texts:
            return True
        optional = option.absent is not None and not self._parser.takes_prompt and not texts
        return (option.many or optional or len(texts) < option.wanted) and not _LOOKS_LIKE_OPTION.match(line)

    def _json_at(self, option: Option, texts: list[str], line: str) -> str | None:
        try:
            return json_at(line)
        except ValueError as error:
            problem = f"{option.flags[0]} {texts[0]}: {error}"
        raise self._parser.refusal(problem, see_help=False)

    def _add(self, flag: str, option: Option, texts: list[str]) -> None:
        if not option.values:
            if texts:
                raise self._parser.refusal(f"argument {option.label}: expected no value, got {texts[0]!r}")
            self._values[option.name] = True
        elif len(texts) < option.wanted:
            came = " ".join(map(repr, texts)) or "nothing"
            raise self._parser.refusal(f"argument {option.label}: expected {' '.join(option.values)}, got {came}")
        elif len(texts) == 1 and not (texts[0] or option.may_be_empty):
            expected = "a name" if option.values == ("NAME",) else "a value"
            raise self._parser.refusal(f"{flag}: expected {expected} after =, got nothing", see_help=False)
        elif option.many or option.repeats:
            value = texts if option.many else [texts[0] if option.wanted == 1 else tuple(texts)]
            self._values[option.name] = (*self._values.get(option.name, ()), *value)
        else:
            self._set(flag, option, texts[0] if texts else option.absent or "")

    def _set(self, flag: str, option: Option, text: str) -> None:
        self._written[option.name] = (flag, text)
        if option.read is None:
            self._values[option.name] = text
        elif not (self._parser.expands and "{{" in text):  # otherwise it is read when a value is put in
            self._values[option.name] = self._parser.value(option, text)

    def _unknown(self, word: str, rest: str) -> str:
        from jmuz_magic.magics.line.suggestion import suggestion  # what only errors need is not imported at load

        return f"unknown option {word!r}{suggestion(self._parser.name, self._parser.options, word, rest)}"

"""How a magic's line is read: options first, then the question, verbatim."""

from __future__ import annotations

import argparse
import difflib
import json
import keyword
import os
import re
import shlex
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicHelpFormatter

from jmuz_magic.secret import looks_like_key, model_looks_like_key

__all__ = ["AsTyped", "MagicParser", "cell_count", "documented_by", "read_arguments", "read_question"]

F = TypeVar("F", bound=Callable[..., Any])

# What a shell would take as one word (quoted pieces, escaped characters, anything else but blanks), and expressions
# with their own quotes and blanks.
_PIECE = re.compile(r"""\{\{.*?\}\} | '[^']*' | "(?:\\.|[^"\\])*" | \\. | [^\s'"\\{]+ | \{""", re.VERBOSE | re.DOTALL)
_WORD = re.compile(rf"(?:{_PIECE.pattern})+", re.VERBOSE | re.DOTALL)
_NAME = re.compile(r"[\w.+#-]+")
_LOOKS_LIKE_OPTION = re.compile(r"--?[A-Za-z]")
_COMMENT = re.compile(r"#(?:\s|$)")
_KEPT_BACKSLASH = re.compile(r"\\\w")
_NETWORK_PATH = re.compile(r"\\\\\w")  # \\server\share
_TARGET = re.compile(r"\s*([A-Za-z_]\w*)\s*<<\s*")
_API_KEY = re.compile(r"""(?:^|\s)--?api[-_]key\b""", re.IGNORECASE)

ALL_CELLS = 10**9
NAMES = ("apart", "key_env", "model", "provider")
"""Arguments that are names of something."""
MODEL_NAMES = ("apart", "model")
KEY_ON_LINE = (
    "keys are not taken on the line, and this one is already in the notebook and in IPython's history: "
    "revoke it where you got it, then use the provider's environment variable, %jmuz_key, or %jmuz_use … --key-env NAME"
)


class MagicParser(argparse.ArgumentParser):
    """argparse for magics: errors become IPython's one-line `UsageError`, nothing exits, nothing is abbreviated.

    Attributes:
        takes_question: text for the model follows the options (`read_question`).
    """

    def __init__(self, name: str, description: str, *, takes_question: bool = False) -> None:
        # From 3.14 on argparse colours help for terminals; ours becomes a docstring.
        plain: dict[str, Any] = {"color": False} if sys.version_info >= (3, 14) else {}
        super().__init__(
            prog=name,
            description=description,
            add_help=False,
            allow_abbrev=False,
            formatter_class=MagicHelpFormatter,
            **plain,
        )
        self.takes_question = takes_question
        self._added: list[argparse.Action] = []

    def read(self, words: list[str], *, intermixed: bool = False) -> argparse.Namespace:
        """The options in these words, and the arguments: before the options, or between them where `intermixed`.

        Raises:
            UsageError: a word is unknown, missing or wrong, or a key stands where a name belongs.
        """
        parse = self.parse_known_intermixed_args if intermixed else self.parse_known_args
        options, unknown = parse(words)
        if unknown:
            self.error(self._unknown(unknown[0]))
        self._check_names(options)
        return options

    def error(self, message: str) -> NoReturn:
        if looks_like_key(message):  # argparse repeats the word that it refuses
            raise UsageError(KEY_ON_LINE)
        raise UsageError(f"{self.prog}: {message} ({self.prog}? shows all)")

    def _unknown(self, word: str) -> str:
        known = self.options()
        name = word.partition("=")[0]
        if name in ("-h", "--help"):
            return f"for help run {self.prog}?"
        if not name.startswith("-"):
            return f"unexpected argument {word!r}"
        near = [option for option in known if option.startswith(name)] or difflib.get_close_matches(name, known, n=1)
        return f"there is no {word!r}" + (f"; did you mean {near[0]}?" if near else "")

    def format_help(self) -> str:
        text = super().format_help()
        # IPython's formatter writes %% in front of every magic; these have no cell form.
        return text if self.takes_question else text.replace(f"%{self.prog}", self.prog)

    def add_argument(self, *names: Any, **settings: Any) -> argparse.Action:
        """As argparse's; a type reads its value only when no `{{…}}` stands in it any more (`finish`).

        The type of such an option raises `ArgumentTypeError`, with what it expected.
        """
        if callable(settings.get("type")):
            settings["type"] = _later(settings["type"])
        action = super().add_argument(*names, **settings)
        self._added.append(action)
        return action

    def _check_names(self, options: argparse.Namespace) -> None:
        """Refuse a key where a name belongs, and do not repeat it."""
        for name in NAMES:
            value = getattr(options, name, None)
            if isinstance(value, str) and _is_key(name, value):
                raise UsageError(KEY_ON_LINE)
        key_env = getattr(options, "key_env", None)
        if key_env is not None and not key_env.isidentifier():
            raise UsageError(
                f"{self.prog}: --key-env: expected the name of an environment variable, such as OPENAI_API_KEY"
            )

    def finish(self, options: argparse.Namespace, replaced: Callable[[str, str], str]) -> None:
        """Put values into the options that were written with `{{…}}`, and read them as their types.

        Args:
            options: as parsed; changed in place. Options that are given several times or have several values stay.
            replaced: from the text and the option's name to the text with values put in.

        Raises:
            UsageError: what was put in is no value of the option's type.
        """
        for action in self._added:
            text = getattr(options, action.dest, None)
            if not isinstance(text, str) or "{{" not in text:
                continue
            text = replaced(text, action.option_strings[-1] if action.option_strings else action.dest)
            read: Any = getattr(action.type, "__wrapped__", str)
            try:
                setattr(options, action.dest, read(text))
            except argparse.ArgumentTypeError as error:
                self.error(f"argument {'/'.join(action.option_strings)}: {error}")

    def action_of(self, word: str) -> argparse.Action | None:
        """The action of an option string such as `-m`; None where there is none."""
        return next((action for action in self._added if word in action.option_strings), None)

    def options(self) -> list[str]:
        """All option strings that the help shows."""
        return [name for action in self._shown() for name in action.option_strings]

    def positional(self, number: int) -> argparse.Action | None:
        """The action of the argument of that number, from 0; None where there are fewer."""
        positionals = [action for action in self._shown() if not action.option_strings]
        return positionals[number] if number < len(positionals) else None

    def _shown(self) -> list[argparse.Action]:
        return [action for action in self._added if action.help != argparse.SUPPRESS]

    def values_wanted(self, word: str) -> int:
        """How many of the following words belong to this one."""
        action = self.action_of(word)  # None also for `-mphi4` and `--model=phi4`, which bring theirs along
        if action is None or action.nargs in (0, "?"):
            return 0
        return action.nargs if isinstance(action.nargs, int) else 1


class AsTyped(argparse.Action):
    """Stores the value as usual, and in `typed` the option's name as the user wrote it: `-t` or `--temperature`."""

    def __call__(self, _: Any, options: argparse.Namespace, value: Any, name: str | None = None) -> None:
        setattr(options, self.dest, value)
        options.typed = {**getattr(options, "typed", {}), self.dest: name or self.dest}


def _is_key(name: str, value: str) -> bool:
    """Whether a key stands where a name belongs; behind a provider and a colon stands a model."""
    if name in MODEL_NAMES:
        return model_looks_like_key(value)
    if name == "provider":
        provider, _, model = value.partition(":")
        return looks_like_key(provider) or model_looks_like_key(model)
    return looks_like_key(value)


def _later(read: Callable[[str], Any]) -> Callable[[str], Any]:
    @wraps(read, updated=())  # argparse names the type in its messages
    def read_if_plain(text: str) -> Any:
        return text if "{{" in text else read(text)

    return read_if_plain


def cell_count(word: str) -> int:
    """How many earlier cells `prev`, `all` or a number means; the type of an option.

    Raises:
        argparse.ArgumentTypeError: none of them.
    """
    if word in ("prev", "all"):
        return 1 if word == "prev" else ALL_CELLS
    if word.isdecimal() and int(word) > 0:
        return min(int(word), ALL_CELLS)
    raise argparse.ArgumentTypeError(f"expected prev, all or a number from 1 on, got {word!r}")


def documented_by(parser: MagicParser) -> Callable[[F], F]:
    """Give a magic the parser's help as its docstring: `%%jmuz?` shows exactly what is accepted.

    Completion finds the parser as the function's `parser`.
    """

    def decorate(function: F) -> F:
        function.__doc__ = parser.format_help()
        function.parser = parser  # type: ignore[attr-defined]  # as IPython's own `magic_arguments` does
        return function

    return decorate


def read_arguments(parser: MagicParser, line: str) -> argparse.Namespace:
    """Options and positional arguments in any order, quoted as in a shell; a word that begins with `#` ends them.

    Raises:
        UsageError: what the parser refuses, or an unclosed quote.
    """
    _refuse_key(line)
    words: list[str] = []
    rest = line.lstrip()
    while rest and not rest.startswith("#"):
        word, rest = _next_word(parser, rest)
        values, rest = _values(parser, word, rest)
        words += [word, *values]
    return parser.read(words, intermixed=True)


def read_question(parser: MagicParser, line: str, cell: str = "") -> tuple[str | None, argparse.Namespace, str]:
    """The target of `NAME <<`, the options, and the question.

    Options come first. From the first word that is none, or from a lone `--` on, all is the question, as it
    stands, without the line breaks at its end (IPython adds one to every cell). Where the cell has a body, a `#` after
    the options begins a comment.

    Raises:
        UsageError: an unknown option, a missing or wrong value, an unclosed quote in a value.
    """
    target = _TARGET.match(line)
    if target and keyword.iskeyword(target[1]):
        raise UsageError(f"{parser.prog}: {target[1]!r} is a keyword and names no variable; choose another name")
    rest = line[target.end() :] if target else line.lstrip()
    words, rest = _split_options(parser, rest, cell)
    question = f"{rest}\n{cell}" if rest and cell else rest or cell
    return (target[1] if target else None), parser.read(words), question.rstrip("\r\n")


def _refuse_parted(parser: MagicParser, words: list[str], rest: str, cell: str) -> None:
    """Refuse `--chat NAME` and `-x LANG` where the question is elsewhere: the value would be sent as its first word."""
    action = parser.action_of(words[-1]) if words else None
    value, _, more = rest.partition(" ")
    if action is None or action.nargs != "?" or "=" in words[-1] or not _NAME.fullmatch(value):
        return
    if parser.action_of(more.partition(" ")[0]) or (cell.strip() and not more.strip()):
        option = action.option_strings[-1]
        raise UsageError(
            f"{parser.prog}: write the value of {option} after an equals sign: {option}={value}; "
            f"if {value!r} starts the prompt, put -- before it"
        )


def _split_options(parser: MagicParser, line: str, cell: str) -> tuple[list[str], str]:
    words: list[str] = []
    while _LOOKS_LIKE_OPTION.match(line) or line == "--" or line.startswith("-- "):
        word, rest = _next_word(parser, line)
        if word == "--":
            return words, rest
        _refuse_key(word)
        letters = _letters(parser, word)
        values, line = _values(parser, letters[-1], rest)
        words += [*letters, *values]
    if line.startswith("#") and cell.strip():
        line = ""
    _refuse_parted(parser, words, line, cell)
    return _glue(parser, words), line


def _letters(parser: MagicParser, word: str) -> list[str]:
    """`-xu` as `-x`, `-u`; anything else as it is. Optional values are only taken as `--code=LANG`."""
    first = parser.action_of(word[:2])
    if word.startswith("--") or len(word) == 2 or "=" in word or first is None or first.nargs not in (0, "?"):
        return [word]
    return [f"-{letter}" for letter in word[1:]]


def _values(parser: MagicParser, option: str, line: str) -> tuple[list[str], str]:
    """The values that belong to an option, as far as they are there, and the rest; the parser says what is missing."""
    values: list[str] = []
    wanted = parser.values_wanted(option)
    while line and len(values) < wanted and not _COMMENT.match(line):
        json_text = _json_at(line) if values else None  # `-o KEY {"a": 1}`: only the second value may be JSON
        if json_text:
            values.append(json_text)
            line = line[len(json_text) :].lstrip()
        else:
            _refuse_broken_json(parser, values, line)
            value, line = _next_word(parser, line)
            values.append(value)
    return values, line


def _json_at(line: str) -> str | None:
    """The JSON object or list that `line` begins with, as it stands, blanks and quotes in it and all."""
    if not line.startswith(("{", "[")):
        return None
    try:
        _, end = json.JSONDecoder().raw_decode(line)
    except (ValueError, RecursionError):
        return None
    return line[:end] if not line[end : end + 1].strip() else None


def _refuse_broken_json(parser: MagicParser, values: list[str], line: str) -> None:
    if values and line.startswith("{") and "{{" not in line:
        shown = line if len(line) <= 60 else f"{line[:60]}…"
        raise UsageError(
            f"{parser.prog}: -o {values[0]}: expected JSON, got {shown!r}; put text that begins with a brace in quotes"
        )


def _next_word(parser: MagicParser, line: str) -> tuple[str, str]:
    found = _WORD.match(line)
    end = found.end() if found else 0
    if end < len(line) and not line[end].isspace():
        hint = ", or put -- before the question" if parser.takes_question else ""
        raise UsageError(f"{parser.prog}: an unclosed quote in {line!r}; close it{hint}")
    return (_read_word(found[0]) if found else ""), line[end:].lstrip()


def _read_word(written: str) -> str:
    r"""What a shell would make of the word, except that a backslash before a letter or digit stays: `notes\chat.md`.

    Where slashes in place of the backslashes name a file in a folder that exists, the word is that path, so that a
    line written on Windows runs elsewhere, too.
    """
    word = "".join(map(_unquoted, _PIECE.findall(written)))
    if _NETWORK_PATH.match(written):
        word = "\\" + word
    as_path = Path(word.replace("\\", os.sep))
    if '"' in written or "'" in written or word.rfind("\\") < 1 or not as_path.expanduser().parent.is_dir():
        return word
    return str(as_path)


def _unquoted(piece: str) -> str:
    if piece.startswith("{{") or _KEPT_BACKSLASH.fullmatch(piece):
        return piece
    return shlex.split(piece)[0]


def _glue(parser: MagicParser, words: list[str]) -> list[str]:
    """`--system -x` as `--system=-x`: a value that begins with a dash is still a value."""
    glued: list[str] = []
    position = 0
    while position < len(words):
        word, wanted = words[position], parser.values_wanted(words[position])
        value = words[position + 1] if wanted == 1 and position + 1 < len(words) else None
        if value is not None and value.startswith("-"):
            word, wanted = (f"{word}={value}" if word.startswith("--") else f"{word}{value}"), 0
            glued.append(word)
            position += 2
            continue
        glued.extend(words[position : position + 1 + wanted])
        position += 1 + wanted
    return glued


def _refuse_key(line: str) -> None:
    if _API_KEY.search(line):
        raise UsageError(KEY_ON_LINE)

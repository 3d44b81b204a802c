"""Completion in the magics' lines: options, models, providers, conversations; without network and Jedi."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.line.options import Option
from jmuz_magic.magics.line.parser import MagicParser
from jmuz_magic.providers.base import only_known
from jmuz_magic.text import clean_text

if TYPE_CHECKING:
    from jmuz_magic.magics.session import Session
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["make_matcher"]

_CELL_MAGIC = re.compile(r"%%(\w+)[ \t]")
_LINE_MAGIC = re.compile(r"(?:[^%=]*=)?\s*%(\w+)[ \t]")
_TARGET = re.compile(r"\s*[A-Za-z_]\w*\s*<<\s*")
_WORD = re.compile(r"""(?: '[^']*'? | "(?:\\.|[^"\\])*"? | \\. | [^\s'"\\] )+""", re.VERBOSE)
_FILES = "IPCompleter.file_matcher"
_BREAKS_WORDS = re.compile(r"""[\s'"\\]""")


class _Silence(tuple[SimpleCompletion, ...]):
    """Definitely no completions: IPython lets a matcher suppress Jedi only if it has completions.

    Jedi would read the line as Python, which takes seconds at first, and offer what does not belong there.
    """

    __slots__ = ()

    def __len__(self) -> int:
        return 1


@dataclass(frozen=True, eq=False, repr=False)
class _Cursor:
    """Where the cursor is.

    Attributes:
        parser: the magic's parser.
        before: the complete words between the magic's name and the fragment.
        fragment: the word that the cursor is in, up to the cursor.
        in_prompt: whether the cursor is past the options, in the text for the model.
    """

    parser: MagicParser[Any]
    before: list[str]
    fragment: str
    in_prompt: bool


def make_matcher(session: Session) -> Callable[[CompletionContext], SimpleMatcherResult]:
    """A matcher for `shell.Completer.custom_matchers`; it ignores lines that are not ours."""

    def match(context: CompletionContext) -> SimpleMatcherResult:
        cursor = _find_cursor(session.shell, context)
        if cursor is None or cursor.in_prompt:
            return SimpleMatcherResult(completions=[], suppress=False)
        finder = _Candidates(session, cursor)
        if finder.wants_file:
            return SimpleMatcherResult(completions=_Silence(), suppress=True, do_not_suppress={_FILES})
        start, candidates = finder.find()
        fragment = cursor.fragment[len(start) :]
        found = [SimpleCompletion(word, type=kind) for word, kind in candidates if word.startswith(fragment)]
        return SimpleMatcherResult(
            completions=found or _Silence(), matched_fragment=fragment, suppress=True, ordered=True
        )

    # Before Jedi, to suppress it. The decorator is untyped in IPython.
    context_matcher(identifier="jmuz_magic", priority=1)(match)
    return match


def _find_cursor(shell: Any, context: CompletionContext) -> _Cursor | None:
    line = context.text_until_cursor
    kind, found = "cell", _CELL_MAGIC.match(line)
    if found and any(above.strip() for above in context.full_text.split("\n")[: context.cursor_line]):
        return None
    if not found:
        kind, found = "line", _LINE_MAGIC.match(line)
    magic = shell.magics_manager.magics[kind].get(found[1]) if found else None
    parser = getattr(magic, "parser", None)
    if not found or not isinstance(parser, MagicParser):
        return None
    rest = line[found.end() :]
    target = _TARGET.match(rest)
    return _split(parser, rest[target.end() :] if target else rest)


def _split(parser: MagicParser[Any], rest: str) -> _Cursor:
    words = _WORD.findall(rest)
    ended = not rest or rest[-1].isspace()
    fragment = "" if ended or not words else words.pop()
    return _Cursor(parser, words, fragment, parser.takes_prompt and _is_in_prompt(parser, words, fragment))


def _is_in_prompt(parser: MagicParser[Any], words: list[str], fragment: str) -> bool:
    wanted = 0
    for word in words:
        if wanted:
            wanted -= 1
        elif word == "--" or not word.startswith("-"):
            return True
        else:
            wanted = parser.values_wanted(word)
    return not wanted and bool(fragment) and not fragment.startswith("-")


class _Candidates:
    """What may be inserted at the cursor."""

    def __init__(self, session: Session, cursor: _Cursor) -> None:
        self.session, self.cursor, self.parser = session, cursor, cursor.parser

    @property
    def wants_file(self) -> bool:
        """Whether IPython's completion of file names should apply."""
        option = self._waiting() or self._argument()
        return option is not None and option.completes == "file"

    def find(self) -> tuple[str, list[tuple[str, str]]]:
        """The start of the fragment, which is kept, and words with their kinds to complete the rest."""
        fragment = self.cursor.fragment
        if (option := self._waiting()) is not None:
            return self._value(option, "")
        name, equals, _ = fragment.partition("=")
        if equals and (option := self.parser.option_of(name)):
            return self._value(option, f"{name}=")
        if fragment[:2] != "--" and len(fragment) > 2 and (option := self.parser.option_of(fragment[:2])):
            return self._value(option, fragment[:2])
        option = self._argument()
        return self._value(option, "") if option else ("", self._flags())

    def _waiting(self) -> Option | None:
        """The option whose value is at the cursor."""
        for back, word in enumerate(reversed(self.cursor.before)):
            if word.startswith("-") and self.parser.values_wanted(word) > back:
                return self.parser.option_of(word)
        return None

    def _flags(self) -> list[tuple[str, str]]:
        return [(flag, "option") for flag in self.parser.flags() if flag.startswith("--")]

    def _argument(self) -> Option | None:
        """The argument at the cursor; None at an option, or if none is left."""
        if self.cursor.fragment.startswith("-") or self.parser.takes_prompt:
            return None
        return self.parser.argument(len(self._arguments()))

    def _arguments(self) -> list[str]:
        """Words before the cursor that are neither options nor their values."""
        arguments, wanted = [], 0
        for word in self.cursor.before:
            if wanted:
                wanted -= 1
            elif word.startswith("-"):
                wanted = self.parser.values_wanted(word)
            else:
                arguments.append(word)
        return arguments

    def _value(self, option: Option, start: str) -> tuple[str, list[tuple[str, str]]]:
        match option.completes:
            case "provider:model" if ":" in (given := self.cursor.fragment[len(start) :]):
                provider, _, _ = given.partition(":")
                return f"{start}{provider}:", _words(self._models(provider, aliases=False), "model")
            case "provider" | "provider:model":
                return start, _words(self._providers(), "provider")
            case "model" | "listed model":
                models = self._models(self._named_provider(), aliases=option.completes == "model")
                return start, _words(models, "model")
            case "conversation":
                return start, _words(self.session.conversations, "conversation")
            case "alias":
                return start, _words((alias.name for alias in self.session.endpoints.aliases), "alias")
            case "dialect":
                return start, _words(_dialects(), "dialect")
            case "file" | None:  # IPython completes files
                return start, []
            case _:
                assert_never(option.completes)

    def _named_provider(self) -> str | None:
        """The provider that this line names before the cursor."""
        words = self.cursor.before
        for index, word in enumerate(words):
            name, equals, value = word.partition("=")
            option = self.parser.option_of(name)
            if option and option.completes == "provider":
                return value if equals else next(iter(words[index + 1 :]), None)
        first = self.parser.argument(0)
        if first and first.completes == "provider:model" and (arguments := self._arguments()):
            return arguments[0].partition(":")[0]
        return None

    def _providers(self) -> Iterable[str]:
        from jmuz_magic.providers.allowed import allowed_names
        from jmuz_magic.providers.registry import is_provider, known_names

        if allowed_names() is not None:
            return known_names()
        own = [name for name, value in self.session.shell.user_ns.items() if is_provider(value)]
        return [*known_names(), *(name for name in own if not name.startswith("_"))]

    def _models(self, provider: str | None, *, aliases: bool) -> list[str]:
        own = [alias.name for alias in self.session.endpoints.aliases] if aliases else []
        try:
            with only_known():
                endpoint = self.session.endpoints.endpoint(provider)
                return own + _known_models(endpoint)
        except JmuzError:  # nothing chosen, or a missing key: cells report that when they run, Tab does not
            return own


def _dialects() -> Iterable[str]:
    from jmuz_magic.providers.dialects.table import DIALECTS

    return DIALECTS


def _known_models(endpoint: Endpoint) -> list[str]:
    """The endpoint's list as last fetched, its default and the provider's aliases."""
    provider = endpoint.provider
    known = [*provider.cached_models(endpoint), endpoint.default_model, *provider.model_aliases]
    return list(dict.fromkeys(filter(None, known)))


def _words(words: Iterable[str], kind: str) -> list[tuple[str, str]]:
    """The words as they would be typed; ids are untrusted, so those with invisible characters are not offered."""
    return [
        (shlex.quote(word) if _BREAKS_WORDS.search(word) else word, kind) for word in words if clean_text(word) == word
    ]

"""Completion of the magics' lines: options, models, providers, conversations. Never the network, never Jedi."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.line.parser import MagicParser
from jmuz_magic.providers.endpoint.keys import keyring_left_alone
from jmuz_magic.text import clean_text

if TYPE_CHECKING:
    from jmuz_magic.magics.session import Session
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["make_matcher"]

_CELL_MAGIC = re.compile(r"%%(\w+)[ \t]")
_LINE_MAGIC = re.compile(r"(?:[^%=]*=)?\s*%(\w+)[ \t]")
_TARGET = re.compile(r"\s*[A-Za-z_]\w*\s*<<\s*")
_WORD = re.compile(r"""(?: '[^']*'? | "(?:\\.|[^"\\])*"? | \\. | [^\s'"\\] )+""", re.VERBOSE)
NAMING_CONVERSATIONS = ("%jmuz_chat", "%jmuz_history")
_FILES = "IPCompleter.file_matcher"
_BREAKS_WORDS = re.compile(r"""[\s'"\\]""")


class _Silence(tuple[SimpleCompletion, ...]):
    """No completion, for certain: IPython lets a matcher keep Jedi away only when it has completions.

    Jedi would read the line as Python, for seconds when it is cold, and offer what has no place there.
    """

    __slots__ = ()

    def __len__(self) -> int:
        return 1


@dataclass(frozen=True)
class _Place:
    """Where the cursor is.

    Attributes:
        parser: of the magic.
        before: the whole words between the magic's name and the fragment.
        fragment: the word that the cursor is in, up to the cursor.
        is_question: the cursor is behind the options, in the text for the model.
    """

    parser: MagicParser
    before: list[str]
    fragment: str
    is_question: bool


def make_matcher(session: Session) -> Callable[[CompletionContext], SimpleMatcherResult]:
    """A matcher for `shell.Completer.custom_matchers`; other lines than ours it leaves alone."""

    def match(context: CompletionContext) -> SimpleMatcherResult:
        place = _find_place(session.shell, context)
        if place is None or place.is_question:
            return SimpleMatcherResult(completions=[], suppress=False)
        finder = _Candidates(session, place)
        if finder.wants_file:
            return SimpleMatcherResult(completions=_Silence(), suppress=True, do_not_suppress={_FILES})
        start, candidates = finder.find()
        fragment = place.fragment[len(start) :]
        found = [SimpleCompletion(word, type=kind) for word, kind in candidates if word.startswith(fragment)]
        return SimpleMatcherResult(
            completions=found or _Silence(), matched_fragment=fragment, suppress=True, ordered=True
        )

    # Before Jedi, to keep it away. IPython leaves the decorator without types.
    context_matcher(identifier="jmuz_magic", priority=1)(match)
    return match


def _find_place(shell: Any, context: CompletionContext) -> _Place | None:
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


def _split(parser: MagicParser, rest: str) -> _Place:
    words = _WORD.findall(rest)
    ended = not rest or rest[-1].isspace()
    fragment = "" if ended or not words else words.pop()
    return _Place(parser, words, fragment, parser.takes_question and _is_question(parser, words, fragment))


def _is_question(parser: MagicParser, words: list[str], fragment: str) -> bool:
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
    """What may stand at a place."""

    def __init__(self, session: Session, place: _Place) -> None:
        self.session, self.place, self.parser = session, place, place.parser

    @property
    def wants_file(self) -> bool:
        """Whether IPython's own completion of file names is what is wanted."""
        action = self._waiting() or self._positional()
        return action is not None and any(word in str(action.metavar) for word in ("FILE", "PATH"))

    def find(self) -> tuple[str, list[tuple[str, str]]]:
        """The start of the fragment that stays as it is, and words with their kind for what follows."""
        fragment = self.place.fragment
        if (action := self._waiting()) is not None:
            return self._value(action, "")
        name, equals, _ = fragment.partition("=")
        if equals and (action := self.parser.action_of(name)):
            return self._value(action, f"{name}=")
        if fragment[:2] != "--" and len(fragment) > 2 and (action := self.parser.action_of(fragment[:2])):
            return self._value(action, fragment[:2])
        action = self._positional()
        return self._value(action, "") if action else ("", self._options())

    def _waiting(self) -> argparse.Action | None:
        """The option whose value the cursor is at."""
        for back, word in enumerate(reversed(self.place.before)):
            if word.startswith("-") and self.parser.values_wanted(word) > back:
                return self.parser.action_of(word)
        return None

    def _options(self) -> list[tuple[str, str]]:
        return [(option, "option") for option in self.parser.options() if option.startswith("--")]

    def _positional(self) -> argparse.Action | None:
        """The argument that the cursor is at; None at an option, or where none is left."""
        if self.place.fragment.startswith("-") or self.parser.takes_question:
            return None
        taken = wanted = 0
        for word in self.place.before:
            if wanted:
                wanted -= 1
            elif word.startswith("-"):
                wanted = self.parser.values_wanted(word)
            else:
                taken += 1
        return self.parser.positional(taken)

    def _value(self, action: argparse.Action, start: str) -> tuple[str, list[tuple[str, str]]]:
        given = self.place.fragment[len(start) :]
        if action.dest == "provider" and "MODEL" in str(action.metavar) and ":" in given:
            provider, _, _ = given.partition(":")
            return f"{start}{provider}:", _words(self._models(provider, aliases=False), "model")
        if action.dest == "provider":
            return start, _words(self._providers(), "provider")
        if action.dest == "model":
            return start, _words(self._models(self._named_provider(), aliases=True), "model")
        if action.dest == "pattern":
            return start, _words(self._models(self._named_provider(), aliases=False), "model")
        if action.dest == "chat" or (action.dest == "name" and self.parser.prog in NAMING_CONVERSATIONS):
            return start, _words(self.session.conversations, "conversation")
        if (action.dest, self.parser.prog) == ("name", "%jmuz_alias"):
            return start, _words((alias.name for alias in self.session.aliases), "alias")
        return start, _words(map(str, action.choices or ()), "choice")

    def _named_provider(self) -> str | None:
        """What `-p` says on this line; for `%jmuz_use`, its first word."""
        names = {"-p", "--provider"}
        words = self.place.before
        for index, word in enumerate(words):
            name, equals, value = word.partition("=")
            if name in names:
                return value if equals else next(iter(words[index + 1 :]), None)
        if self.parser.prog == "%jmuz_use" and words and not words[0].startswith("-"):
            return words[0].partition(":")[0]
        return None

    def _providers(self) -> Iterable[str]:
        from jmuz_magic.providers.registry import is_provider, known_names

        own = [name for name, value in self.session.shell.user_ns.items() if is_provider(value)]
        return [*known_names(), *(name for name in own if not name.startswith("_"))]

    def _models(self, provider: str | None, *, aliases: bool) -> list[str]:
        from jmuz_magic.providers.registry import installed_left_alone

        own = [alias.name for alias in self.session.aliases] if aliases else []
        try:
            with keyring_left_alone(), installed_left_alone():
                endpoint = self.session.endpoint(provider)
                return own + _known_models(endpoint)
        except JmuzError:  # nothing chosen, or a key is missing: what cells say when they run, not Tab
            return own


def _known_models(endpoint: Endpoint) -> list[str]:
    """What the endpoint listed when it was last asked, the provider's default and its aliases."""
    provider = endpoint.provider
    known = [*provider.cached_models(endpoint), provider.default_model, *provider.model_aliases]
    return list(dict.fromkeys(filter(None, known)))


def _words(words: Iterable[str], kind: str) -> list[tuple[str, str]]:
    """As they are typed. Ids come from strangers: what could not be seen is not offered."""
    return [
        (shlex.quote(word) if _BREAKS_WORDS.search(word) else word, kind) for word in words if clean_text(word) == word
    ]

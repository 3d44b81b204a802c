"""The branches of a conversation: a tree of turns, of which one path is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from jmuz_magic.conversation.turn import Turn

__all__ = ["Branches", "Turns", "undone_words"]

Turns: TypeAlias = "tuple[Turn, ...]"


@dataclass(frozen=True)
class Branches:
    """A tree of turns, kept as its paths from the first turn to each last one.

    Attributes:
        paths: no path is the beginning of another. Their order is that in which they were last shown; the last one
            is shown now.
    """

    paths: tuple[Turns, ...] = ((),)

    @property
    def shown(self) -> Turns:
        """The turns of the shown path."""
        return self.paths[-1]

    @property
    def turns(self) -> frozenset[Turn]:
        """The turns of all paths."""
        return frozenset(turn for path in self.paths for turn in path)

    def holds_the_same_as(self, other: Branches) -> bool:
        """Whether both are one tree, whichever path each shows."""
        return frozenset(self.paths) == frozenset(other.paths)

    def versions(self) -> dict[Turn, Turns]:
        """Shown turns that have alternatives, each with all its versions in the order in which they were asked."""
        found: dict[Turn, Turns] = {}
        together = self.paths
        for at, turn in enumerate(self.shown):
            together = tuple(path for path in together if len(path) > at)
            versions = {path[at] for path in together}
            if len(versions) > 1:
                found[turn] = tuple(sorted(versions, key=lambda version: version.entry))
            together = tuple(path for path in together if path[at] is turn)
            if len(together) == 1:
                break
        return found

    def showing(self, turn: Turn) -> Branches:
        """The tree with a path shown that has this turn: of several, the one shown last."""
        path = self._path_of(turn)
        return Branches((*(other for other in self.paths if other is not path), path))

    def going_on(self, path: Turns) -> Branches:
        """The tree with another path instead of the shown one."""
        return _tree((*self.paths[:-1], path))

    def branching(self, old: Turn, turn: Turn) -> Branches:
        """The tree with a new path, which is shown: it parts from the others where `old` is, with `turn` instead."""
        path = self._path_of(old)
        return _tree((*self.paths, (*path[: path.index(old)], turn)))

    def with_instead(self, old: Turn, *turns: Turn) -> Branches:
        """The tree with these turns in the place of `old`, in every path."""
        return self._each(lambda path: tuple(new for turn in path for new in (turns if turn is old else (turn,))))

    def without(self, *turns: Turn) -> Branches:
        """The tree without these turns; those after them stay. A path that ends then shows what went on beside it."""
        return self._each(lambda path: tuple(turn for turn in path if turn not in turns))

    def _each(self, change: Callable[[Turns], Turns]) -> Branches:
        return _tree(map(change, self.paths))

    def _path_of(self, turn: Turn) -> Turns:
        return next(path for path in reversed(self.paths) if turn in path)


def undone_words(turn: Turn | None, before: Turns, after: Turns) -> str:
    """What an undo did, given what it returned and the transcripts before and after it."""
    back = len([each for each in after if each not in before])
    if turn is None:
        return "there is nothing to undo"
    if turn in after:
        return "the turn is back" if back == 1 else f"{back} turns are back"
    removed = "the last turn, which failed, was removed" if turn.state == "failed" else "the last turn was removed"
    if turn not in before or not back:
        return removed
    return f"{removed}; the {'reply' if back == 1 else f'{back} turns'} that it replaced {_are(back)} restored"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _tree(paths: Iterable[Turns]) -> Branches:
    """The tree of these paths; one that is the beginning of another is part of that one."""
    distinct = list(dict.fromkeys(reversed(list(paths))))  # from here on the one shown last comes first
    whole = [path for path in distinct if not any(_begins(path, other) for other in distinct)]
    shown = next(path for path in whole if path == distinct[0] or _begins(distinct[0], path))
    return Branches((*(path for path in reversed(whole) if path is not shown), shown))


def _begins(path: Turns, other: Turns) -> bool:
    return len(path) < len(other) and other[: len(path)] == path

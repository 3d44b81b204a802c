"""What a panel sees of the notebook: typed expressions, variables and cells.

All of it runs on the thread that a view's message came on, where the user's own code runs, too: a value may belong to
that thread, and an interrupt of the kernel ends what does not end by itself.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, assert_never
from weakref import WeakKeyDictionary

from IPython.core.getipython import get_ipython
from msgspec.structs import replace

from jmuz_magic.content import MAX_PROMPT_BYTES, texts_of
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Message
from jmuz_magic.notebook.images import Image, image_of
from jmuz_magic.notebook.lookup import Path, look_up, read_path
from jmuz_magic.notebook.sizes import type_and_size
from jmuz_magic.notebook.summary import part_of, summarise
from jmuz_magic.secret import Secret
from jmuz_magic.text import clean_line
from jmuz_magic.widgets.protocol import Answer, Ask, Describe, Described, Offer, Offered, PanelLook, SentFile

if TYPE_CHECKING:
    from jmuz_magic.conversation.turn import Turn
    from jmuz_magic.notebook.context import Context

__all__ = ["Typed", "looked", "note_as_sent", "note_typed", "typed_form", "with_values"]

VARIABLES_OFFERED = 200
CELLS_OFFERED = 20
_NO_DATA = (ModuleType, FunctionType, BuiltinFunctionType, type)
MOVED = "page and kernel disagree about the prompt, so nothing was sent; reload the page"


@dataclass(frozen=True)
class Typed:
    """A prompt as it was written.

    Attributes:
        text: the words.
        sent_in_part: of what was sent for them, see `Reply`.
    """

    text: str
    sent_in_part: tuple[str, ...] = ()


# By the hash of what was sent: a message has no place for it, and a turn asked again is typed no second time.
_typed: OrderedDict[bytes, Typed] = OrderedDict()
_typed_turns: WeakKeyDictionary[Turn, Typed] = WeakKeyDictionary()
_KEPT = 200


def typed_form(prompt: Message, turn: Turn | None = None) -> Typed | None:
    """How a prompt was written; None if it was sent as it was written, or no panel has asked the turn."""
    return _typed_turns.get(turn) if turn else _typed.get(_digest(next(iter(texts_of(prompt)), "")))


def note_typed(turn: Turn) -> None:
    """Keep how a panel's turn was written: the same words may be asked again, by a cell or typed as they are."""
    if typed := typed_form(turn.prompt):
        _typed_turns[turn] = typed


def note_as_sent(asked: Ask) -> None:
    """Note that a prompt is sent as it was written, even if the same was sent for an expression before."""
    _typed.pop(_digest(asked.text), None)


def looked(look: PanelLook) -> Answer:
    """The answer to a look at the notebook; of values only type and size are read."""
    match look:
        case Describe(sources=sources):
            return {"described": [_described(source) for source in sources]}
        case Offer():
            return {"offered": _offered()}
    assert_never(look)


def with_values(asked: Ask, secrets: Sequence[Secret]) -> tuple[Ask, list[bytes]]:
    """The prompt with the values of its chips and with its cells, and the images among the values.

    Raises:
        JmuzError: an expression has no value, or the whole is too large; nothing is sent.
    """
    filled = _Filling(_namespace())
    text = "".join(piece if isinstance(piece, str) else filled.text(piece) for piece in _pieces(asked))
    parts: tuple[str, ...] = tuple(filled.sent_in_part)
    if asked.cells:
        context = _context(asked.cells, secrets)
        text, parts = f"{context.text}\n\n{text}", (*context.sent_in_part, *parts)
    if (size := len(text.encode("utf-8", "replace"))) > MAX_PROMPT_BYTES:
        raise JmuzError(f"the prompt has {size:,} bytes with its values, more than the {MAX_PROMPT_BYTES:,} allowed")
    _remember(text, Typed(asked.text, parts))
    pictures: list[SentFile] = [{"id": "", "name": image.name, "thumbnail": ""} for image in filled.images]
    return replace(asked, text=text, files=pictures + asked.files), [image.data for image in filled.images]


class _Filling:
    """Turns paths into text, each once."""

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        self._namespace = namespace
        self._texts: dict[str, str] = {}
        self.images: list[Image] = []
        self.sent_in_part: list[str] = []

    def text(self, path: Path) -> str:
        if path.source not in self._texts:
            self._texts[path.source] = self._made(path)
        return self._texts[path.source]

    def _made(self, path: Path) -> str:
        value, source = look_up(path, self._namespace), clean_line(path.source, 60)
        name = f"{{{{{source}}}}}"
        if image := image_of(value, name):
            self.images.append(image)
            return f"[image {len(self.images)}]"
        text = summarise(value, name)
        if part := part_of(value, text):
            self.sent_in_part.append(f"{part} of `{source}`")
        return text


def _pieces(asked: Ask) -> Iterator[str | Path]:
    """The prompt around its chips, and their paths; a chip that is no path is text."""
    position = 0
    for chip in sorted(asked.chips, key=lambda chip: chip["at"]):
        start, end = chip["at"], chip["at"] + len(chip["source"]) + 4
        if start < position or asked.text[start:end] != f"{{{{{chip['source']}}}}}":
            raise JmuzError(MOVED)
        if path := read_path(chip["source"]):
            yield asked.text[position:start]
            yield path
            position = end
    yield asked.text[position:]


def _context(numbers: Sequence[int], secrets: Sequence[Secret]) -> Context:
    from jmuz_magic.notebook.cells import cells_of
    from jmuz_magic.notebook.context import build_context

    wanted = [cell for cell in cells_of(get_ipython()).earlier() if cell.number in numbers]
    if missing := set(numbers) - {cell.number for cell in wanted}:
        raise JmuzError(f"there is no cell [{min(missing)}] any more; remove it")
    return build_context(wanted, len(wanted), secrets=secrets)


def _offered() -> Offered:
    """The variables, newest first, and the latest cells; both bounded."""
    from jmuz_magic.notebook.cells import cells_of

    shell = get_ipython()
    if shell is None:
        return {"variables": [], "cells": []}
    hidden = shell.user_ns_hidden
    variables = (
        (clean_line(name, 100), type_and_size(value))
        for name, value in reversed(list(shell.user_ns.items()))
        if not (name.startswith("_") or hidden.get(name, _typed) is value or issubclass(type(value), _NO_DATA))
    )
    cells = ((cell.number, clean_line(cell.source, 60)) for cell in cells_of(shell).earlier())
    return {"variables": list(islice(variables, VARIABLES_OFFERED)), "cells": list(islice(cells, CELLS_OFFERED))}


def _described(source: str) -> Described:
    path = read_path(source)
    if path is None:
        return {"about": "", "problem": ""}
    try:
        return {"about": type_and_size(look_up(path, _namespace())), "problem": ""}
    except JmuzError as error:
        return {"about": "", "problem": str(error)}


def _namespace() -> Mapping[str, Any]:
    shell = get_ipython()
    return {} if shell is None else shell.user_ns


def _remember(sent: str, typed: Typed) -> None:
    if sent != typed.text:
        _typed[_digest(sent)] = typed
        while len(_typed) > _KEPT:
            _typed.popitem(last=False)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()

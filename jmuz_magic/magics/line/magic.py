"""A function as a magic: it is given what its line says, and its docstring is its help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

from jmuz_magic.magics.line.help import help_text
from jmuz_magic.magics.line.options import Options
from jmuz_magic.magics.line.parser import MagicParser

__all__ = ["Magic", "magic"]

O = TypeVar("O", bound=Options)  # noqa: E741


class Magic(Protocol[O]):
    """A function that is a magic: called with the session and what the line says."""

    __name__: str
    parser: MagicParser[O]

    def __call__(self, session: Any, /, *line: Any) -> Any:
        """`session, options`; with a prompt, `session, target, options, prompt`."""


def magic(
    kind: type[O], *, takes_prompt: bool = False, expands: bool = False
) -> Callable[[Callable[..., Any]], Magic[O]]:
    """Make a function a magic of its own name, to be listed in `extension`.

    The options join its docstring: `%%jmuz?` shows exactly what is accepted.
    """

    def decorate(function: Any) -> Magic[O]:
        parser = MagicParser(f"%{function.__name__}", kind, takes_prompt=takes_prompt, expands=expands)
        usage = f"%{parser.name}" if expands else parser.name
        function.__doc__ = help_text(usage, function.__doc__, parser.options)
        function.parser = parser  # completion finds it there, as with IPython's own `magic_arguments`
        return cast("Magic[O]", function)

    return decorate

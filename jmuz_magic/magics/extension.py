"""Loading and unloading, an exact pair: whatever `load` adds to a shell puts its removal on one stack."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import no_var_expand

from jmuz_magic.log.log import exchange_log
from jmuz_magic.magics.commands.jmuz import jmuz
from jmuz_magic.magics.commands.jmuz_alias import jmuz_alias
from jmuz_magic.magics.commands.jmuz_chat import jmuz_chat
from jmuz_magic.magics.commands.jmuz_fix import jmuz_fix
from jmuz_magic.magics.commands.jmuz_history import jmuz_history
from jmuz_magic.magics.commands.jmuz_insert import jmuz_insert
from jmuz_magic.magics.commands.jmuz_key import jmuz_key
from jmuz_magic.magics.commands.jmuz_log import jmuz_log
from jmuz_magic.magics.commands.jmuz_models import jmuz_models
from jmuz_magic.magics.commands.jmuz_record import jmuz_record
from jmuz_magic.magics.commands.jmuz_use import jmuz_use
from jmuz_magic.magics.line.completion import make_matcher
from jmuz_magic.magics.line.magic import Magic
from jmuz_magic.magics.line.transform import transforms
from jmuz_magic.magics.notebook import meet_notebook
from jmuz_magic.magics.session import Session
from jmuz_magic.messages import Reply
from jmuz_magic.providers.advice import set_magics_loaded
from jmuz_magic.streaming.bridge import close_bridge, get_bridge

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load", "unload"]

MAGICS: tuple[Magic[Any], ...] = (
    jmuz,
    jmuz_alias,
    jmuz_chat,
    jmuz_fix,
    jmuz_history,
    jmuz_insert,
    jmuz_key,
    jmuz_log,
    jmuz_models,
    jmuz_record,
    jmuz_use,
)

TRANSFORMS = transforms(jmuz.parser)

_sessions: dict[int, Session] = {}


def load(shell: InteractiveShell) -> None:
    """Register magics, cell transformers and the display of replies, and start the bridge; uses no network."""
    if id(shell) in _sessions:
        return
    session = _sessions[id(shell)] = Session(shell)
    try:
        _add_all(session)
    except BaseException:
        unload(shell)  # what is half loaded would count as loaded
        raise
    # aiohttp costs about 200 ms of CPU, so it is imported while the user types, on the thread that will need it.
    get_bridge().call_soon(_warm)


def unload(shell: InteractiveShell) -> None:
    """Remove what `load` added and stop what is running; harmless if not loaded."""
    session = _sessions.pop(id(shell), None)
    if session is not None:
        session.close()


def _add_all(session: Session) -> None:
    set_magics_loaded(True)
    session.undo.callback(lambda: set_magics_loaded(bool(_sessions)))
    session.undo.callback(exchange_log.close)
    session.undo.callback(close_bridge)  # before the log, which writes what this cuts off as interrupted
    session.settings.attach(session.undo)
    meet_notebook(session)
    _add_magics(session)
    session.cells.attach(session.undo)
    _add_transformers(session)
    _add_formatter(session)
    _add_matcher(session)


def _add_magics(session: Session) -> None:
    shell, settings = session.shell, session.settings
    settings.magics["line"] = {magic.__name__: _bound(magic, session) for magic in MAGICS}
    settings.magics["cell"] = {jmuz.__name__: settings.magics["line"][jmuz.__name__]}
    shell.register_magics(settings)

    def remove() -> None:
        for kind, names in settings.magics.items():
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
        shell.magics_manager.registry.pop(type(settings).__name__, None)
        if settings in shell.configurables:
            shell.configurables.remove(settings)

    session.undo.callback(remove)


def _bound(magic: Magic[Any], session: Session) -> Callable[..., object]:
    """The magic as IPython calls it, with the line as typed: `$name` and `{name}` are text."""
    parser = magic.parser

    @no_var_expand
    @wraps(magic)
    def run(line: str, cell: str = "") -> object:
        with _named_as_typed(f"%{parser.name}" if cell else parser.name, parser.name):
            if parser.takes_prompt:
                target, options, prompt = parser.read_prompt(line, cell)
            else:
                target, options, prompt = None, parser.read_arguments(line), ""
            if options.help:
                session.say(inspect.cleandoc(magic.__doc__ or ""))
                return None
            return magic(session, target, options, prompt) if parser.takes_prompt else magic(session, options)

    return run


@contextmanager
def _named_as_typed(typed: str, name: str) -> Iterator[None]:
    """Let each refusal begin with the magic as typed, `%%jmuz: ` in a cell."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{typed}: {str(error).removeprefix(f'{name}: ')}") from None


def _add_transformers(session: Session) -> None:
    cleanup = session.shell.input_transformer_manager.cleanup_transforms
    for transform in TRANSFORMS:
        cleanup.append(transform)
        session.undo.callback(cleanup.remove, transform)


def _add_formatter(session: Session) -> None:
    formatter = session.shell.display_formatter.mimebundle_formatter
    formatter.for_type(Reply, _bundle)
    session.undo.callback(formatter.pop, Reply, None)


def _add_matcher(session: Session) -> None:
    matcher = make_matcher(session)
    matchers = session.shell.Completer.custom_matchers
    matchers.append(matcher)
    session.undo.callback(matchers.remove, matcher)


def _bundle(reply: Reply, include: object = None, exclude: object = None) -> dict[str, str]:
    from jmuz_magic.display.bundle import reply_bundle

    return reply_bundle(reply)


def _warm() -> None:
    import aiohttp  # noqa: F401 - what the transport imports when it is first used

    import jmuz_magic.conversation.conversation
    import jmuz_magic.providers.dialects.chat.reader
    import jmuz_magic.providers.dialects.reading  # noqa: F401

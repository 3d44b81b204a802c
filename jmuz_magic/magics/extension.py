"""Loading and unloading: an exact pair. Whatever `load` adds to a shell puts its own removal on one stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jmuz_magic.log.log import exchange_log
from jmuz_magic.magics.commands.jmuz import JmuzMagics
from jmuz_magic.magics.commands.jmuz_alias import AliasMagics
from jmuz_magic.magics.commands.jmuz_chat import PanelMagics
from jmuz_magic.magics.commands.jmuz_history import ConversationMagics
from jmuz_magic.magics.commands.jmuz_insert import InsertMagics
from jmuz_magic.magics.commands.jmuz_key import KeyMagics
from jmuz_magic.magics.commands.jmuz_log import LogbookMagics
from jmuz_magic.magics.commands.jmuz_use import EndpointMagics
from jmuz_magic.magics.line.completion import make_matcher
from jmuz_magic.magics.line.transform import TRANSFORMS
from jmuz_magic.magics.session import Session
from jmuz_magic.messages import Reply
from jmuz_magic.streaming.bridge import close_bridge, get_bridge

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.core.magic import Magics

__all__ = ["load", "unload"]

_sessions: dict[int, Session] = {}


def load(shell: InteractiveShell) -> None:
    """Register magics, the question transformer and the display of replies; start the bridge. No network."""
    if id(shell) in _sessions:
        return
    session = _sessions[id(shell)] = Session(shell)
    try:
        _add_all(session)
    except BaseException:
        unload(shell)  # what is half there would be taken for loaded
        raise
    # aiohttp costs about 200 ms of CPU: imported while the user types, on the thread that will need it.
    get_bridge().call_soon(_warm)


def unload(shell: InteractiveShell) -> None:
    """Take away what `load` added, stop what runs; unloading what is not loaded is harmless."""
    session = _sessions.pop(id(shell), None)
    if session is not None:
        session.close()


def _add_all(session: Session) -> None:
    session.undo.callback(exchange_log.close)
    session.undo.callback(close_bridge)  # before the log: what it cuts off is written as interrupted
    for magics in (
        JmuzMagics,
        EndpointMagics,
        KeyMagics,
        AliasMagics,
        ConversationMagics,
        InsertMagics,
        LogbookMagics,
        PanelMagics,
    ):
        _register(session, magics(session.shell, session))
    session.cells.attach(session.undo)
    _add_transformers(session)
    _add_formatter(session)
    _add_matcher(session)


def _register(session: Session, magics: Magics) -> None:
    shell = session.shell
    shell.register_magics(magics)

    def remove() -> None:
        for kind, names in magics.magics.items():
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
        shell.magics_manager.registry.pop(type(magics).__name__, None)
        if magics in shell.configurables:
            shell.configurables.remove(magics)

    session.undo.callback(remove)


def _add_transformers(session: Session) -> None:
    transforms = session.shell.input_transformer_manager.cleanup_transforms
    for transform in TRANSFORMS:
        transforms.append(transform)
        session.undo.callback(transforms.remove, transform)


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
    from jmuz_magic.display.reply import reply_bundle

    return reply_bundle(reply)


def _warm() -> None:
    import aiohttp  # noqa: F401 - what the transport imports when it is first used

    import jmuz_magic.providers.dialects.chat.reading  # noqa: F401

"""What log and recordings learn about the notebook: its path, the running cell, and where messages go."""

from __future__ import annotations

from jmuz_magic.log.log import exchange_log
from jmuz_magic.magics.session import Session
from jmuz_magic.request.cell import Cell, set_cell_finder, set_watcher

__all__ = ["meet_notebook"]


def meet_notebook(session: Session) -> None:
    """Tell log and recordings about this notebook, until the extension is unloaded."""
    say, notebook = exchange_log.on_message, exchange_log.notebook

    def part() -> None:
        exchange_log.on_message, exchange_log.notebook = say, notebook
        set_cell_finder(None)
        set_watcher(None)

    exchange_log.on_message = session.pending.append  # called on the log's thread; a cell will say it
    exchange_log.notebook = lambda: _notebook_path(session) or notebook()
    set_cell_finder(lambda: _cell(session))
    set_watcher(lambda: session.is_watched or not session.is_kernel)
    session.undo.callback(part)


def _notebook_path(session: Session) -> str | None:
    """The notebook's path as VS Code tells its kernels."""
    path = session.shell.user_ns.get("__vsc_ipynb_file__")
    return path if isinstance(path, str) else None


def _cell(session: Session) -> Cell | None:
    """The running cell; None if the front end does not say, such as nbclient and terminals."""
    if not session.is_kernel:
        return None
    request = session.shell.get_parent() or {}
    cell_id = (request.get("metadata") or {}).get("cellId")
    return Cell(cell_id, request["header"]["msg_id"]) if cell_id else None

"""What log and recordings learn of the notebook: its name, the cell that runs, and where their messages go."""

from __future__ import annotations

from jmuz_magic.log.log import exchange_log
from jmuz_magic.magics.session import Session
from jmuz_magic.request.cell import Cell, set_cell_finder

__all__ = ["meet_notebook"]


def meet_notebook(session: Session) -> None:
    """Let log and recordings know this notebook, until the extension is unloaded."""
    say, notebook = exchange_log.on_message, exchange_log.notebook

    def part() -> None:
        exchange_log.on_message, exchange_log.notebook = say, notebook
        set_cell_finder(None)

    exchange_log.on_message = session.pending.append  # it comes on the log's thread; a cell says it
    exchange_log.notebook = lambda: _notebook_name(session) or notebook()
    set_cell_finder(lambda: _cell(session))
    session.undo.callback(part)


def _notebook_name(session: Session) -> str | None:
    """As VS Code tells its kernels."""
    path = session.shell.user_ns.get("__vsc_ipynb_file__")
    return path.replace("\\", "/").rpartition("/")[2] if isinstance(path, str) else None


def _cell(session: Session) -> Cell | None:
    """The cell that runs now; None where the front end does not tell, as nbclient and terminals."""
    if not session.is_kernel:
        return None
    request = session.shell.get_parent() or {}
    cell_id = (request.get("metadata") or {}).get("cellId")
    return Cell(cell_id, request["header"]["msg_id"]) if cell_id else None

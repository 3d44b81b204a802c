"""Makes what tests/legacy/data holds: a home and a folder as an older version leaves them.

python tests/legacy/make.py CHECKOUT_OF_THE_OLD_VERSION

The old package is imported from there, everything else from the environment that runs this. Of what it writes only
what tells about machine and moment is changed: process, times, seconds.
"""

from __future__ import annotations

import lzma
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
OLD = Path(sys.argv[1]).resolve()
sys.path.insert(0, str(OLD))

from jmuz_magic import exchange_log  # noqa: E402  # of the old version
from jmuz_magic.demo import DemoServer  # noqa: E402

sys.path.insert(0, str(ROOT))  # the old checkout may have tests, too

from tests.legacy.cells import ASKED, CHOICES, DEMO, OTHER, PANEL  # noqa: E402
from tests.legacy.server import calling_endpoint  # noqa: E402

DATA = Path(__file__).resolve().parent / "data"
DAY = "2026-03-01"
FIRST = datetime(2026, 3, 1, tzinfo=UTC)


def _environment(folder: Path) -> Mapping[str, str]:
    """A new user's, and the old package."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JMUZ", "XDG", "OPENAI"))}
    return {
        **kept,
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / ".ipython"),
        "JMUZ_LOG": str(folder / "exchanges.sqlite3"),
        "PYTHONPATH": str(OLD),
        "XDG_CONFIG_HOME": str(folder / ".config"),
    }


def _make_log(folder: Path) -> None:
    script = Path(__file__).with_name("write_log.py")
    subprocess.run([sys.executable, script, DEMO, OTHER], env=_environment(folder), check=True)
    path = folder / "exchanges.sqlite3"
    _forget_moments(path)
    exchange_log.configure(path)
    exchange_log.export(folder / "exchanges.jsonl")
    for name in ("exchanges.sqlite3", "exchanges.jsonl"):
        (DATA / f"{name}.xz").write_bytes(lzma.compress((folder / name).read_bytes(), preset=9))


def _forget_moments(path: Path) -> None:
    """Who wrote and when is as if it had been one process, one exchange a minute; and the journal is emptied."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        count = database.execute("SELECT count(*) FROM exchanges").fetchone()[0]
        moments = [((FIRST + timedelta(minutes=n)).isoformat(timespec="milliseconds"), n) for n in range(1, count + 1)]
        database.executemany("UPDATE exchanges SET asked_at = ? WHERE id = ?", moments)
        database.execute("UPDATE exchanges SET writer = 'legacy 1', heard = 0, seconds = seconds * 0 + 0.25")
        database.execute("VACUUM")  # nothing of before is left in the pages
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _make_notebook(folder: Path) -> None:
    """Choices, recording and notebook, in one session."""
    cells = ["%load_ext jmuz_magic", *CHOICES, *ASKED, *PANEL]
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell, id=f"cell-{number}") for number, cell in enumerate(cells)]
    )
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}, record_timing=False)
    client.execute(env={**_environment(folder), "JMUZ_LOG": "off", "JMUZ_RECORDING": "replies.jmuz.jsonl"})
    recording = re.sub(r'("date": )"[\d-]+"', rf'\1"{DAY}"', (folder / "replies.jmuz.jsonl").read_text("utf-8"))
    recording = re.sub(r'("seconds": )[\d.e-]+', r"\g<1>0.25", recording)
    (DATA / "replies.jmuz.jsonl").write_text(recording, "utf-8")
    (DATA / "choices.json").write_bytes((folder / ".config/jmuz_magic/choices.json").read_bytes())
    notebook.metadata.pop("language_info", None)
    (DATA / "notebook.ipynb.xz").write_bytes(lzma.compress(nbformat.writes(notebook).encode(), preset=9))


def main() -> None:
    DATA.mkdir(exist_ok=True)
    port, other = (int(re.sub(r"\D*127\.0\.0\.1:(\d+).*", r"\1", address)) for address in (DEMO, OTHER))
    with DemoServer(port, deltas_per_second=0), calling_endpoint(other):
        for make in (_make_log, _make_notebook):
            with tempfile.TemporaryDirectory() as folder:
                make(Path(folder))


if __name__ == "__main__":
    main()

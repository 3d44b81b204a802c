"""`python -m jmuz_magic.log.migrate [PATH]`: bring the log of an older version to the current schema.

Logging an exchange does the same. Columns are only added, so running kernels of version 0.1 can keep logging.
"""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from jmuz_magic.errors import JmuzError
from jmuz_magic.log.log import exchange_log
from jmuz_magic.log.store import connect, connect_to_read, missing, shown

__all__ = ["migrate"]


def migrate(path: Path) -> list[str]:
    """Add what is missing to the log at `path`; return the names of the new columns.

    Raises:
        JmuzError: there is no log, it belongs to another program, or it has a newer version.
        OSError, sqlite3.Error: it cannot be opened or written.
    """
    connection = connect_to_read(path)
    if connection is None:
        raise JmuzError(f"there is no log {shown(path)}")
    with closing(connection):
        added = missing(connection)
    connect(path)[0].close()
    return added


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    path = Path(arguments[0]).expanduser() if arguments else exchange_log.path
    try:
        if path is None:
            raise JmuzError("the log is off; set JMUZ_LOG to turn it on")
        added = migrate(path)
    except JmuzError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"the log {path} cannot be opened or written: {error}\n")
        return 1
    said = f"added {', '.join(added)}" if added else "nothing to add"
    sys.stdout.write(f"{shown(path)}: {said}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

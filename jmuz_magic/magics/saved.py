"""The file of choices that outlive a session, written by `--save`; it never contains a key."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jmuz_magic.errors import JmuzError
from jmuz_magic.secret import Secret
from jmuz_magic.storage.locking import locked
from jmuz_magic.storage.replacing import replaced

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.headers import Header

__all__ = ["SavedChoices", "saved_headers"]

VERSION = 1
SHOWN = 40  # characters shown of a wrong value


class SavedChoices:
    """JSON sections in a file in the platform's configuration directory, read on first use.

    If it cannot be read or written, a warning says so and the choice is valid for the session; a file that is not our
    JSON is renamed `.bad`, never overwritten.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._data: dict[str, Any] | None = None

    @property
    def path(self) -> Path:
        """The path of the file, which need not exist."""
        if self._path is None:
            import platformdirs

            self._path = platformdirs.user_config_path("jmuz_magic") / "choices.json"
        return self._path

    def section(self, name: str) -> dict[str, Any]:
        """What was saved under the name; empty if nothing was."""
        if self._data is None:
            self._data = self._read()
        value = self._data.get(name)
        return dict(value) if isinstance(value, dict) else {}

    def text(self, name: str, member: str) -> str | None:
        """A text member of a section; None if it is missing.

        Raises:
            JmuzError: it is not text: users edit the file.
        """
        value = self.section(name).get(member)
        if value is None or isinstance(value, str):
            return value
        raise JmuzError(
            f"{self.path.name}: expected text as {member} of {name}, got {json.dumps(value)[:SHOWN]}; "
            "correct it, or choose again with --save"
        )

    def save(self, name: str, value: dict[str, Any]) -> bool:
        """Write the section; if the file cannot be written, warn and return False."""
        return self.change(name, lambda _: value)

    def change(self, name: str, changed: Callable[[dict[str, Any]], dict[str, Any]]) -> bool:
        """Apply `changed` to the section as it is in the file now, and write the result.

        Other kernels may have saved since it was read. If the file cannot be written, warn and return False; the change
        is then valid for this session.
        """
        self.section(name)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self.path.with_suffix(".lock")):
                return self._write(self._read(), name, changed)
        except (OSError, JmuzError) as error:
            self._data = {**(self._data or {}), name: changed(self.section(name))}
            reason = error.strerror if isinstance(error, OSError) else str(error)
            warnings.warn(f"not saved, valid for this session only: {reason}: {self.path}", stacklevel=2)
            return False

    def _write(self, data: dict[str, Any], name: str, changed: Callable[[dict[str, Any]], dict[str, Any]]) -> bool:
        section = data.get(name)
        data = {**data, "version": VERSION, name: changed(dict(section) if isinstance(section, dict) else {})}
        self._data = data
        if data.pop("unreadable", None):
            return False
        with replaced(self.path) as file:
            file.write((json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
        return True

    def _read(self) -> dict[str, Any]:
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            warnings.warn(f"the saved choices cannot be read: {error.strerror}: {self.path}", stacklevel=2)
            return {"unreadable": True}
        except ValueError:
            return self._set_aside()
        if not isinstance(data, dict) or not isinstance(version := data.get("version", 0), int):
            return self._set_aside()
        if version > VERSION:
            warnings.warn(
                f"the saved choices were written by a newer version and are ignored: {self.path}", stacklevel=2
            )
            return {"unreadable": True}
        return data

    def _set_aside(self) -> dict[str, Any]:
        aside = self.path.with_suffix(".bad")
        try:
            self.path.replace(aside)
        except OSError as error:
            warnings.warn(
                f"the saved choices are not valid JSON and cannot be renamed: {error.strerror}: {self.path}",
                stacklevel=2,
            )
            return {"unreadable": True}
        warnings.warn(f"the saved choices were not valid JSON and were renamed {aside}", stacklevel=2)
        return {}


def saved_headers(entry: Mapping[str, Any]) -> tuple[Header, ...]:
    """The headers of a saved choice or alias, as `written_headers` describes them.

    Raises:
        JmuzError: one cannot be sent: users edit the file.
    """
    values, variables = entry.get("headers"), entry.get("header_env")
    if not values and not variables:
        return ()
    from jmuz_magic.providers.endpoint.headers import read_headers

    origin = entry.get("header_origin")
    if not all(isinstance(each, dict | None) for each in (values, variables)) or not isinstance(origin, str | None):
        raise JmuzError("expected headers and header_env by name, and header_origin as a text")
    wrapped = {name: Secret(str(value)) for name, value in (values or {}).items()}
    named = {name: str(variable) for name, variable in (variables or {}).items()}
    return read_headers(wrapped, named, origin=origin or "")

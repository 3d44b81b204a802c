"""The user's names for models: those of this session, and saved ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.saved import SavedChoices, saved_headers
from jmuz_magic.providers.endpoint.headers import written_headers
from jmuz_magic.request.alias import Alias

__all__ = ["Aliases"]

SECTION = "aliases"


_of_process: dict[str, Alias | None] = {}
"""Added or (None) removed since the process began; like the selection, which may name one, kept through a reload."""


class Aliases:
    """Aliases by name; one of the session hides a saved one. The file is written only on request."""

    def __init__(self, saved: SavedChoices) -> None:
        self._saved = saved
        self._session = _of_process

    def __iter__(self) -> Iterator[Alias]:
        names = {**self._saved.section(SECTION), **self._session}
        return (alias for name in sorted(names) if (alias := self.find(name)))

    def find(self, name: str) -> Alias | None:
        """The alias with that name; None if there is none, or if what was saved is not valid."""
        if name in self._session:
            return self._session[name]
        return self.find_saved(name)

    def find_saved(self, name: str) -> Alias | None:
        """The alias with that name that a later session will find."""
        return _read(name, self._saved.section(SECTION).get(name))

    def add(self, alias: Alias, *, save: bool) -> bool:
        """Use it from now on and, if `save`, in later sessions; return whether it was saved."""
        self._session[alias.name] = alias
        values = {
            each.name: getattr(alias, each.name) for each in fields(alias) if each.name not in ("name", "headers")
        }
        entry = {name: value for name, value in values.items() if value} | written_headers(alias.headers)
        return save and self._saved.change(SECTION, lambda saved: {**saved, alias.name: entry})

    def remove(self, name: str, *, save: bool) -> None:
        """Remove it for now and, if `save`, for later sessions."""
        self._session[name] = None
        if save:
            self._saved.change(SECTION, lambda saved: {key: value for key, value in saved.items() if key != name})


def _read(name: str, entry: object) -> Alias | None:
    """An alias from the file, which the user may have edited."""
    if not isinstance(entry, dict) or not isinstance(entry.get("model"), str):
        return None

    def text(key: str) -> str | None:
        return value if isinstance(value := entry.get(key), str) and value else None

    options = entry.get("options")
    try:
        headers = saved_headers(entry)
    except JmuzError:
        return None
    return Alias(
        name,
        entry["model"],
        provider=text("provider"),
        api_base=text("api_base"),
        key_env=text("key_env"),
        allow_http=entry.get("allow_http") is True,
        headers=headers,
        dialect=text("dialect") or "",
        options=dict(options) if isinstance(options, dict) else {},
    )

r"""Which settings come from the administrator: those in a system-wide file of IPython's configuration.

IPython merges the files of several directories (https://ipython.readthedocs.io/en/stable/config/intro.html): the
user's profile, that of the Python environment (`sys.prefix/etc/ipython`), and the system-wide ones, `/etc/ipython` and
`/usr/local/etc/ipython`, on Windows only `%PROGRAMDATA%\ipython`, and that only if `IPYTHON_USE_PROGRAMDATA` is 1.
traitlets does not remember which file a value is from, so the system-wide files are read a second time here, alone. An
environment does not count: in most images and on every laptop it belongs to its user. Neither do options on the command
line, nor `--config`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from IPython.core import application
from traitlets.config.loader import Config, JSONFileConfigLoader, LazyConfigValue

from jmuz_magic.text import raised

__all__ = ["AdministratorSettings"]

NAMES = ("ipython_config", "ipython_kernel_config")
"""In the order in which IPython reads them; terminals do not read the second, but what holds in kernels holds there."""

SECTION = "JmuzMagics"


class AdministratorSettings:
    """The settings of `JmuzMagics` that stand in system-wide files, read when this is created.

    Attributes:
        problem: the file that could not be read, and why; "" if there is none. IPython has shown its error already.
        unreadable: whether that file mentions these settings, or may.
    """

    def __init__(self) -> None:
        self.problem, self.unreadable = "", False
        config = Config()
        for path in _files():
            try:
                config.merge(_loader(path).load_config())
            except Exception as error:  # noqa: BLE001  # a configuration file is a program, and may raise anything
                self.problem = f"{path} {raised(error)}"
                self.unreadable |= _may_set(path)
        section = config.get(SECTION, {})
        self._values: dict[str, Any] = dict(section) if isinstance(section, dict) else {}

    def get(self, name: str, empty: Any) -> Any:
        """What the administrator set as `c.JmuzMagics.name`, unchecked; None if nothing.

        Args:
            name: of the setting.
            empty: an empty value of its type, to which `c.JmuzMagics.name.update(…)` or `.append(…)` adds.
        """
        value = self._values.get(name)
        return value.get_value(empty) if isinstance(value, LazyConfigValue) else value


def _may_set(path: Path) -> bool:
    """Whether a file that cannot be executed mentions these settings, or may, since its text is not to be had."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return True
    return SECTION in text or "load_subconfig" in text


def _files() -> Iterator[Path]:
    """The files that exist, the one that counts most last, as IPython merges them."""
    for name in NAMES:
        for folder in reversed(application.SYSTEM_CONFIG_DIRS):
            paths = (Path(folder) / f"{name}{suffix}" for suffix in (".py", ".json"))
            yield from filter(os.path.isfile, paths)  # a folder that a user may not enter has none


def _loader(path: Path) -> Any:
    if path.suffix == ".json":
        return JSONFileConfigLoader(path.name, path=str(path.parent))
    return application.BaseIPythonApplication.python_config_loader_class(path.name, path=str(path.parent))

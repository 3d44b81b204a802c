"""`%jmuz_alias`: the user's own names for models."""

from __future__ import annotations

import argparse
import re
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from jmuz_magic.magics.line.parser import MagicParser, documented_by, read_arguments
from jmuz_magic.magics.line.values import read_option_values
from jmuz_magic.magics.session import Session, usage_errors
from jmuz_magic.magics.wording import listed
from jmuz_magic.request.alias import Alias

__all__ = ["ALIAS", "AliasMagics"]

ALIAS = MagicParser(
    "%jmuz_alias",
    """Give a model a name of your own, for -m, with its endpoint and options; without arguments, list the names.

    What a cell says itself (-p, -t, -o …) wins over the alias.
    """,
)
ALIAS.add_argument("name", nargs="?", metavar="NAME", help="your name for it")
ALIAS.add_argument("model", nargs="?", metavar="MODEL", help="the endpoint's id")
ALIAS.add_argument("-p", "--provider", metavar="PROVIDER", help="a known endpoint; default: the one in use")
ALIAS.add_argument("--api-base", metavar="URL", help="another address; without -p any OpenAI-compatible endpoint")
ALIAS.add_argument("--key-env", metavar="NAME", help="the environment variable that holds the key for this address")
ALIAS.add_argument("--allow-http", action="store_true", help="let the key travel over plain http")
ALIAS.add_argument(
    "-o", "--option", nargs=2, action="append", default=[], metavar=("KEY", "VALUE"), help="sent along; repeatable"
)
ALIAS.add_argument(
    "--save", action="store_true", help="keep it for later sessions; with --remove: forget it there, too"
)
ALIAS.add_argument("--remove", action="store_true", help="remove the name")

_NAME = re.compile(r"[^\s\-'\"\\=][^\s'\"\\=]*")


@magics_class
class AliasMagics(Magics):
    """Names for models."""

    def __init__(self, shell: Any, session: Session) -> None:
        super().__init__(shell)
        self.session = session

    @no_var_expand
    @line_magic
    @documented_by(ALIAS)
    def jmuz_alias(self, line: str) -> None:
        options = read_arguments(ALIAS, line)
        if options.remove:
            self._remove(options)
        elif options.model:
            self._add(options)
        elif options.name or options != read_arguments(ALIAS, ""):
            raise UsageError("%jmuz_alias: expected NAME and MODEL, such as %jmuz_alias quick phi4 -p ollama")
        else:
            self._list()

    def _add(self, options: argparse.Namespace) -> None:
        if not _NAME.fullmatch(options.name):
            raise UsageError(f"%jmuz_alias: expected a name without blanks, quotes and =, got {options.name!r}")
        alias = Alias(
            options.name,
            options.model,
            provider=options.provider,
            api_base=options.api_base,
            key_env=options.key_env,
            allow_http=options.allow_http,
            options=read_option_values(options.option),
        )
        self._check(alias, save=options.save)
        saved = self.session.aliases.add(alias, save=options.save)
        self.session.say(f"{alias}{' (saved)' if saved else ''}")

    def _check(self, alias: Alias, *, save: bool) -> None:
        """Refuse now what would fail in the middle of a cell; a key may still be given later."""
        from jmuz_magic.providers.endpoint.address import normalise_api_base
        from jmuz_magic.providers.registry import is_registered

        if alias.key_env and not (alias.provider or alias.api_base):
            raise UsageError("%jmuz_alias: --key-env belongs to -p or --api-base")
        with usage_errors():
            provider = self.session.provider(alias.provider) if alias.provider else None
            if alias.api_base:
                normalise_api_base(alias.api_base)
        if save and provider and not is_registered(provider):
            raise UsageError(f"%jmuz_alias: {alias.provider} is a class of this session; use --api-base URL to save")

    def _remove(self, options: argparse.Namespace) -> None:
        aliases, name = self.session.aliases, options.name
        if not name or options.model:
            raise UsageError("%jmuz_alias: --remove expects one NAME")
        if aliases.find(name) is None and not (options.save and aliases.find_saved(name)):
            known = listed((alias.name for alias in aliases), "%jmuz_alias NAME MODEL makes one")
            raise UsageError(f"%jmuz_alias: there is no alias {name!r}; {known}")
        aliases.remove(name, save=options.save)
        kept = "" if aliases.find_saved(name) is None else "; later sessions still have it (--remove --save)"
        self.session.say(f"{name} is no alias any more{kept}")

    def _list(self) -> None:
        saved = self.session.aliases.find_saved
        lines = [f"{alias}{' (saved)' if saved(alias.name) == alias else ''}" for alias in self.session.aliases]
        self.session.say("\n".join(lines) or "no aliases; %jmuz_alias NAME MODEL [-p PROVIDER] makes one")

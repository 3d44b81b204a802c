"""`%jmuz_alias`: the user's names for models."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from IPython.core.error import UsageError

from jmuz_magic.magics.line.headers import dialect_name, typed_headers
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option
from jmuz_magic.magics.line.values import model_name, provider_name, variable_name
from jmuz_magic.magics.request_options import read_option_values
from jmuz_magic.magics.session import Session, usage_errors
from jmuz_magic.magics.wording import listed
from jmuz_magic.request.alias import Alias

__all__ = ["AliasOptions", "jmuz_alias"]

_NAME = re.compile(r"[^\s\-'\"\\=][^\s'\"\\=]*")


@dataclass(frozen=True)
class AliasOptions(Options):
    """The options of `%jmuz_alias`."""

    name: str | None = option("NAME", "your name for it", completes="alias")
    model: str | None = option("MODEL", "the endpoint's id", read=model_name, completes="model")
    provider: str | None = option(
        "-p, --provider PROVIDER", "a provider; default: the one in use", read=provider_name, completes="provider"
    )
    api_base: str | None = option("--api-base URL", "another address; without -p, any OpenAI-compatible endpoint")
    key_env: str | None = option(
        "--key-env NAME", "the environment variable that holds the key for this address", read=variable_name
    )
    header: tuple[tuple[str, str], ...] = option(
        "--header NAME VALUE", "send this header to this address; repeatable", repeats=True
    )
    header_env: tuple[tuple[str, str], ...] = option(
        "--header-env NAME VARIABLE", "the same, with the value of an environment variable, such as a key", repeats=True
    )
    dialect: str = option(
        "--dialect DIALECT", "chat, responses or anthropic, if not the provider's", read=dialect_name,
        completes="dialect", default="",
    )  # fmt: skip
    allow_http: bool = option("--allow-http", "let the key travel over plain http")
    options: tuple[tuple[str, str], ...] = option(
        "-o, --option KEY VALUE", "send with every request; repeatable", repeats=True
    )
    save: bool = option("--save", "keep it for later sessions; with --remove: forget it there too")
    remove: bool = option("--remove", "remove the name")


@magic(AliasOptions)
def jmuz_alias(session: Session, options: AliasOptions) -> None:
    """Give a model your own name for -m, with its endpoint and options; without arguments, list the names.

    A cell's own options (-p, -t, -o …) take precedence over the alias.
    """
    if options.remove:
        _remove(session, options)
    elif options.name and options.model:
        _add(session, options.name, options.model, options)
    elif options != AliasOptions():
        raise UsageError("%jmuz_alias: expected NAME and MODEL, such as %jmuz_alias quick phi4 -p ollama")
    else:
        _list(session)


def _add(session: Session, name: str, model: str, options: AliasOptions) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(f"%jmuz_alias: expected a name without spaces, quotes or =, got {name!r}")
    alias = Alias(
        name,
        model,
        provider=options.provider,
        api_base=options.api_base,
        key_env=options.key_env,
        allow_http=options.allow_http,
        headers=typed_headers(options.header, options.header_env),
        dialect=options.dialect,
        options=read_option_values(options.options),
    )
    alias = _checked(session, alias, save=options.save)
    saved = session.endpoints.aliases.add(alias, save=options.save)
    session.say(f"{alias}{' (saved)' if saved else ''}")


def _checked(session: Session, alias: Alias, *, save: bool) -> Alias:
    """The alias, its headers bound to its address; refuse now what would fail in a later cell, except a missing key."""
    from jmuz_magic.providers.endpoint.address import normalise_api_base
    from jmuz_magic.providers.registry import is_registered

    bound = {"--key-env": alias.key_env, "--header": alias.headers, "--dialect": alias.dialect}
    if not (alias.provider or alias.api_base) and (flag := next((flag for flag in bound if bound[flag]), "")):
        raise UsageError(f"%jmuz_alias: {flag} needs -p or --api-base")
    with usage_errors():
        provider = session.endpoints.provider(alias.provider) if alias.provider else None
        if alias.api_base:
            normalise_api_base(alias.api_base)
    if save and provider and not is_registered(provider):
        raise UsageError(
            f"%jmuz_alias: {alias.provider} is a class of this session and cannot be saved; use --api-base URL"
        )
    if not alias.headers:
        return alias
    with usage_errors():
        choice = session.endpoints.choice(alias.provider or "", alias.api_base, headers=alias.headers)
    return replace(alias, headers=choice.headers)


def _remove(session: Session, options: AliasOptions) -> None:
    aliases, name = session.endpoints.aliases, options.name
    if not name or options.model:
        raise UsageError("%jmuz_alias: --remove expects one NAME")
    if aliases.find(name) is None and not (options.save and aliases.find_saved(name)):
        known = listed((alias.name for alias in aliases), "%jmuz_alias NAME MODEL creates one")
        raise UsageError(f"%jmuz_alias: there is no alias {name!r}; {known}")
    aliases.remove(name, save=options.save)
    kept = (
        ""
        if aliases.find_saved(name) is None
        else "; later sessions still have it (--remove --save removes it there too)"
    )
    session.say(f"alias {name} removed{kept}")


def _list(session: Session) -> None:
    saved = session.endpoints.aliases.find_saved
    lines = [f"{alias}{' (saved)' if saved(alias.name) == alias else ''}" for alias in session.endpoints.aliases]
    session.say("\n".join(lines) or "no aliases; %jmuz_alias NAME MODEL [-p PROVIDER] creates one")

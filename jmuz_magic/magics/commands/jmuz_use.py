"""`%jmuz_use`: the endpoint and model that cells ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from IPython.core.error import UsageError

from jmuz_magic.conversation.selection import Choice, nothing_configured
from jmuz_magic.errors import JmuzError
from jmuz_magic.magics.line.headers import dialect_name, typed_headers
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option, options_of
from jmuz_magic.magics.line.values import model_name, provider_name, variable_name
from jmuz_magic.magics.session import Session, usage_errors
from jmuz_magic.providers.endpoint.headers import written_headers
from jmuz_magic.providers.picking import unchosen

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.endpoint import Endpoint

__all__ = ["UseOptions", "jmuz_use"]


@dataclass(frozen=True, eq=False, repr=False)
class UseOptions(Options):
    """The options of `%jmuz_use`."""

    provider: str | None = option(
        "PROVIDER[:MODEL]",
        "a provider, or a provider class of this session",
        read=provider_name,
        completes="provider:model",
    )
    apart: str | None = option("MODEL", read=model_name)  # PROVIDER MODEL, as in other tools
    model: str | None = option(
        "-m, --model MODEL", "the model; without PROVIDER, at the endpoint in use", read=model_name, completes="model"
    )
    api_base: str | None = option("--api-base URL", "another address; without PROVIDER, any OpenAI-compatible endpoint")
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
    save: bool = option("--save", "keep the choice for later sessions")
    local: bool = option("--local", "look for servers on this machine, such as Ollama's, and show what to type")


@magic(UseOptions)
def jmuz_use(session: Session, options: UseOptions) -> None:
    """Choose the endpoint and model that cells ask; without arguments, show them and where the key comes from."""
    if options.local:
        _look(session, options)
        return
    name, model = _names(session, options)
    if name or options.api_base:
        _choose(session, name, model, options)
    elif any((options.key_env, options.header, options.header_env, options.dialect, options.allow_http, options.save)):
        raise UsageError("%jmuz_use: expected a provider or --api-base too, such as %jmuz_use openai")
    elif model:
        _choose_model(session, model)
    with usage_errors():
        session.endpoints.load_saved()
        session.say(_in_use(session))
    if session.endpoints.selection.endpoint is None:
        _say_servers(session)


def _look(session: Session, options: UseOptions) -> None:
    from jmuz_magic.magics.local import look_around

    if any(getattr(options, each.name) for each in options_of(UseOptions) if each.name != "local"):
        raise UsageError("%jmuz_use: --local only looks for servers; give it alone")
    session.say("\n".join(look_around()))


def _say_servers(session: Session) -> None:
    """Say which servers of this machine could be chosen, if there are any."""
    from jmuz_magic.magics.local import servers_here

    if found := servers_here():
        session.say("\n".join(found))


def _names(session: Session, options: UseOptions) -> tuple[str, str]:
    """Provider and model in any notation: `openai:MODEL`, `openai MODEL`, `openai/MODEL`, `-m MODEL`."""
    written = options.provider or ""
    name, _, model = written.partition(":")
    first, slash, rest = written.partition("/")
    if slash and "/" in name and _is_provider(session, first):
        name, model = first, rest
        if written == session.endpoints.provider(first).default_model:  # openrouter/auto is one of OpenRouter's ids
            model = written
    given = list(filter(None, (model, options.apart, options.model)))
    if len(given) > 1:
        raise UsageError(f"%jmuz_use: expected one model, got {' and '.join(map(repr, given))}")
    return name, "".join(given)


def _is_provider(session: Session, name: str) -> bool:
    try:
        session.endpoints.provider(name)
    except JmuzError:
        return False
    return True


def _choose(session: Session, name: str, model: str, options: UseOptions) -> None:
    with usage_errors():
        choice = session.endpoints.choice(
            name,
            options.api_base,
            options.key_env,
            options.allow_http,
            typed_headers(options.header, options.header_env),
            options.dialect,
        )
        session.introduce(choice.provider)
        choice.endpoint()  # refuse a bad address or key now, not in a later cell
    if options.save:
        _save(session, name, model, options, choice)
    session.endpoints.choose(choice, model or None)


def _choose_model(session: Session, model: str) -> None:
    """Choose another model at the endpoint in use."""
    with usage_errors():
        session.endpoints.load_saved()
        if session.endpoints.selection.endpoint is None:
            raise JmuzError(f"%jmuz_use: expected a provider too, such as %jmuz_use openai:{model}")
    session.endpoints.selection.set(model=model)


def _save(session: Session, name: str, model: str, options: UseOptions, choice: Choice) -> None:
    from jmuz_magic.providers.registry import is_registered

    if name and not is_registered(choice.provider):
        raise UsageError(f"%jmuz_use: {name} is a class of this session and cannot be saved; use --api-base URL")
    session.endpoints.save(
        provider=name,
        model=model,
        api_base=options.api_base,
        key_env=options.key_env,
        allow_http=options.allow_http,
        dialect=options.dialect,
        **written_headers(choice.headers),
    )


def _in_use(session: Session) -> str:
    selection = session.endpoints.selection
    endpoint = selection.endpoint
    if endpoint is None:
        return nothing_configured()
    default = endpoint.default_model
    said = f"model {default} (default)" if default else f"model: {unchosen(endpoint)}"
    if selection.model:
        said = f"model {selection.model}"
    key = f"key: {endpoint.key_source}" if endpoint.key else "no key"
    if endpoint.provider.needs_auth and not endpoint.key:
        key = f"no key yet ({endpoint.key_advice})"
    facts = [session.endpoints.label(endpoint), said, key, _headers(endpoint), _dialect(endpoint)]
    return "\n".join(filter(None, ("; ".join(filter(None, facts)), endpoint.promise, endpoint.identity)))


def _headers(endpoint: Endpoint) -> str:
    names = ", ".join(f"{each.name} (env {each.variable})" if each.variable else each.name for each in endpoint.headers)
    return names and f"header{'' if len(endpoint.headers) == 1 else 's'} {names}"


def _dialect(endpoint: Endpoint) -> str:
    return f"dialect {endpoint.dialect}" if endpoint.dialect else ""

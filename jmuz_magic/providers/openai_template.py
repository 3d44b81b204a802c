"""The provider for any OpenAI-compatible endpoint; a subclass needs no more than an `api_base`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from jmuz_magic.errors import JmuzError, MissingAuthError, ResponseStatusError
from jmuz_magic.messages import Chunk, Messages, ModelPicked, OnNotice, OptionLeftOut, Retry
from jmuz_magic.providers.base import AsyncGeneratorProvider, Leaving, ProviderModelMixin
from jmuz_magic.providers.concessions import Terms
from jmuz_magic.providers.dialects.choosing import Chosen, choose, instead_of, remember_missing, usual_dialect
from jmuz_magic.providers.dialects.dialect import Dialect, Reading
from jmuz_magic.providers.dialects.sealed import without_unreadable
from jmuz_magic.providers.dialects.table import find_dialect
from jmuz_magic.providers.endpoint import azure
from jmuz_magic.providers.endpoint.address import normalise_api_base, origin_of
from jmuz_magic.providers.endpoint.connection import Connection, named_options
from jmuz_magic.providers.endpoint.endpoint import Endpoint, first_variable
from jmuz_magic.providers.endpoint.headers import sent_headers
from jmuz_magic.providers.fixed import check_typed, with_fixed
from jmuz_magic.providers.http.call import Call, encode, merged
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.secret import Secret

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.listed import Listed
    from jmuz_magic.providers.http.response import Response
    from jmuz_magic.streaming.adverts.cleaner import AdvertRule

__all__ = ["OpenaiTemplate"]

Build: TypeAlias = Callable[[Connection, Chosen, Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""Makes the body of a request in the chosen dialect."""
LISTING_TIMEOUT = 30.0  # seconds; a list of models comes at once or not at all


class OpenaiTemplate(AsyncGeneratorProvider, ProviderModelMixin):
    """Speaks `chat/completions` (or its `dialect`) and `models` to the address in `api_base`.

    Attributes:
        dialect: the wire protocol: a name (`chat`, `responses`, `anthropic`), or a `Dialect` of your own.
        own_dialect: the name of the dialect at the service's own origin if that differs; "" for the same. A subclass
            with another `api_base` does not inherit it.
        fallback_dialect: the name of the dialect to ask in once more if another address than the service's own answers
            404 to the usual one, and from then on; "" for none.
        api_base: the service's address, such as `https://api.openai.com/v1`; "" without a default.
        api_key: a key that belongs to `api_base`; None for most services.
        api_base_env: environment variables for another address; the first that is set counts.
        api_key_env: environment variables for the key.
        address_hint: what to do if no address is known.
        takes_api_key: False if the argument `api_key` is accepted but not forwarded.
        needs_auth: whether the service refuses requests without a key.
        takes_bearer: False if the service wants the key only in the header that its dialect has for it.
        allow_http: whether the key may cross a network over plain http.
        model_families: what to ask for if no model was chosen and there is no `default_model`: ids of the service's
            small general models, with `{version}` and `{date}` (eight digits) for what varies, such as
            `claude-sonnet-{version}`. The newest listed one is picked just before sending; see `picking.pick`.
        may_pick: False if the service's list does not say what it can be asked for, so that none is picked from it.
        page_parameter: the parameter that asks for the next page of the list of models.
        max_tokens_field: what the service calls `max_tokens`.
        default_max_tokens: the token limit of a reply in a dialect that demands one, if neither the user nor the
            service's list of models states any.
        asks_stream_usage: whether to request token counts in streams, which some services refuse.
        reasoning_field: the member of an assistant message in which the service wants its reasoning back; "" for
            most services.
        reasoning_tags: names of tags besides `think` that mean reasoning in its replies.
        may_begin_in_thought: whether a reply may begin in mid-thought, so that only the closing tag comes. Its text
            is then held until that tag or the end, so nothing streams if the model does not think.
        takes_pdf: whether the service documents PDFs as parts of a message, in the form of its `dialect`.
        adverts: what the service mixes into its replies; None for most services.
        third_party_notice: what to say once before the first prompt to a free third party.
        models: also what it offers, if the class states it: then nobody has to ask the service, and a fetched list
            replaces it.
        headers: names and values of further headers, for the origin of `api_base` only.
        header_env: the same with the environment variables that hold the values, which never show.
        says: what to say of the service wherever it is chosen, such as "stays on campus".
        administered: whether an administrator's configuration describes it.
        policy: timers, limits and retries.
        system: a text before the system message of every request, which nobody who asks can take away.
        options: sent with every request; what is asked by the same name is dropped, and refused if it was typed.
    """

    dialect: ClassVar[str | Dialect] = "chat"
    own_dialect: ClassVar[str] = ""
    fallback_dialect: ClassVar[str] = ""
    api_base: ClassVar[str] = ""
    api_key: ClassVar[str | None] = None
    api_base_env: ClassVar[tuple[str, ...]] = ()
    api_key_env: ClassVar[tuple[str, ...]] = ()
    address_hint: ClassVar[str] = "set one with `%jmuz_use … --api-base URL` (in Python: api_base=)"
    takes_api_key: ClassVar[bool] = True
    needs_auth: ClassVar[bool] = False
    takes_bearer: ClassVar[bool] = True
    allow_http: ClassVar[bool] = False
    model_families: ClassVar[tuple[str, ...]] = ()
    may_pick: ClassVar[bool] = True
    page_parameter: ClassVar[str] = "after"
    max_tokens_field: ClassVar[str] = "max_tokens"
    default_max_tokens: ClassVar[int] = 16_000
    asks_stream_usage: ClassVar[bool] = True
    reasoning_field: ClassVar[str] = ""
    reasoning_tags: ClassVar[tuple[str, ...]] = ()
    may_begin_in_thought: ClassVar[bool] = False
    takes_pdf: ClassVar[bool] = False
    adverts: ClassVar[Sequence[AdvertRule] | None] = None
    third_party_notice: ClassVar[str | None] = None
    headers: ClassVar[Mapping[str, str | Secret]] = {}
    header_env: ClassVar[Mapping[str, str]] = {}
    says: ClassVar[str] = ""
    administered: ClassVar[bool] = False
    policy: ClassVar[Policy] = Policy()
    system: ClassVar[str] = ""
    options: ClassVar[Mapping[str, Any]] = {}
    _offered: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._offered = tuple(cls.models)
        own = cls.__dict__
        cls.administered = bool(own.get("administered"))  # nobody else speaks for the administrator
        if "api_base" in own:  # another service, which must not get what belongs to the parent's
            cls.own_dialect = own.get("own_dialect", "")
            cls.headers, cls.header_env = own.get("headers", {}), own.get("header_env", {})
            cls.says = own.get("says", "")

    @classmethod
    def create_async_generator(
        cls,
        model: str,
        messages: Messages,
        stream: bool = True,
        api_key: str | Secret | None = None,
        *,
        api_base: str | None = None,
        endpoint: Endpoint | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        allow_http: bool = False,
        on_notice: OnNotice | None = None,
        typed: Mapping[str, str] | None = None,
        dialect: str = "",
        **options: Any,
    ) -> AsyncGenerator[Chunk, None]:
        """Ask, and yield the reply in chunks.

        Args:
            model: id or alias; "" for the default, or without one for a model picked from the list, which is fetched
                first if it is not known yet.
            messages: the conversation, in the shape of the OpenAI API.
            stream: ask for a stream; a service may answer otherwise, and both are read.
            api_key: a key for this address.
            api_base: an address to use instead of the class's or the environment's.
            endpoint: a resolved address and key; takes precedence over `api_base`, `api_key` and the environment.
            headers: additional headers; one with the name of a standard header replaces it.
            timeout: seconds until the first data, and between data; None for the policy's.
            allow_http: whether a key may cross a network over plain http.
            on_notice: is told of the picked model, retries, options left out, and adverts removed.
            typed: options that the user named for this request, and how (`{"temperature": "-t"}`); they are never
                left out. None for all of `options`.
            dialect: the name of a dialect to use instead of the provider's.
            options: as in `build_request`.

        Yields:
            Text, `Reasoning`, `ToolCalls`, `Usage`, and `FinishReason` last. A stream that ends with neither a
            finish reason nor `[DONE]` ends with `FinishReason("truncated")`.

        A reader who leaves but wants what is still held throws in `Leaving` with `athrow`, and reads on.

        Raises:
            JmuzError: during iteration; the chunks before it remain valid.
        """
        connection = Connection(
            endpoint, api_base, api_key, headers or {}, timeout, allow_http, on_notice,
            named_options(options) if typed is None else typed, dialect,
        )  # fmt: skip
        messages, options = with_fixed(cls, messages, options)

        async def build(connection: Connection, chosen: Chosen, options: Mapping[str, Any]) -> dict[str, Any]:
            assert connection.endpoint is not None
            asked = model or connection.endpoint.default_model
            if not cls.get_model(asked) and "model" not in (options.get("extra_body") or {}):
                asked = await cls._pick(connection)
            return cls.build_request(asked, messages, stream, **chosen.options, **options)

        return cls._answer(build, connection, options)

    @classmethod
    def build_request(cls, model: str, messages: Messages, stream: bool = True, **options: Any) -> dict[str, Any]:
        """The JSON body of a request, as its dialect builds it.

        Args:
            model: id or alias; "" for the default; stays "" if one is picked when sent.
            messages: the conversation.
            stream: ask for a stream.
            options: members of the body, such as temperature, top_p, stop, tools; 0 and False are sent, None is not
                (`stream_options=None` asks for no token counts). Five are special:
                `max_tokens`, the token limit of the reply, is sent under the service's name for it;
                `images`, URLs, bytes or paths, are attached to the last user message;
                `extra_body` holds members to add, which take precedence;
                `earlier_reasoning`, by message what the model thought with it, is sent if the service wants it back
                and the same model is asked. The caller ensures that it came from the same origin;
                `dialect`, a name, is given if the request goes in another dialect than the class's.

        Raises:
            JmuzError: a message or an image is invalid.
        """
        dialect = options.pop("dialect", cls.dialect)
        return find_dialect(dialect).body(cls, model, messages, stream, **options)

    @classmethod
    def get_model(cls, model: str) -> str:
        """The id to send: the default for "", the target of an alias, anything else unchanged.

        "" if no model was named and there is no default: then one is picked from the list when sent.
        """
        return super().get_model(model) if model or cls.default_model else ""

    @classmethod
    def get_models(
        cls,
        *,
        api_base: str | None = None,
        api_key: str | Secret | None = None,
        endpoint: Endpoint | None = None,
        refresh: bool = False,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
        allow_http: bool = False,
    ) -> list[str]:
        """The ids that the endpoint lists: fetched once for each address and key, then kept unless there are none.

        If the class states its `models`, they are the list until it is fetched with `refresh`.

        Waits, even if a loop is running; code on the bridge awaits `fetch_models` instead.

        Args:
            api_base: an address to use instead of the class's or the environment's.
            api_key: a key for this address.
            endpoint: a resolved address and key; takes precedence over both and the environment.
            refresh: fetch the list again.
            timeout: seconds until the first data; None for 30.
            headers: additional headers.
            allow_http: whether a key may cross a network over plain http.

        Raises:
            JmuzError: the list could not be fetched.
            RuntimeError: called on the bridge's own thread, where waiting would never end.
        """
        from jmuz_magic.streaming.bridge import get_bridge

        patience = LISTING_TIMEOUT if timeout is None else timeout
        way = Connection(endpoint, api_base, api_key, headers or {}, patience, allow_http)
        del api_key, headers  # a traceback with local variables must not show what they hold
        found = cls._endpoint(way)
        kept = [] if refresh else cls.cached_models(found)
        return kept or get_bridge().run(cls._fetch(replace(way, endpoint=found)))

    @classmethod
    async def fetch_models(cls, endpoint: Endpoint | None = None) -> list[str]:
        """Fetch the endpoint's list of models, even if it is known, without blocking the loop.

        Raises:
            JmuzError: the list could not be fetched; an earlier one stays in `cached_models`.
        """
        return await cls._fetch(Connection(endpoint, timeout=LISTING_TIMEOUT))

    @classmethod
    def cached_models(cls, endpoint: Endpoint | None = None) -> list[str]:
        """The list as last fetched; before that what the class states. Does not use the network."""
        return [model.id for model in cls.listed_models(endpoint)]

    @classmethod
    def listed_models(cls, endpoint: Endpoint | None = None) -> tuple[Listed, ...]:
        """The same with what the list says about each model, such as when it will be switched off."""
        from jmuz_magic.providers.endpoint.listed import Listed
        from jmuz_magic.providers.listing import cached_list

        endpoint = endpoint or cls._endpoint(Connection())
        offered = cls._offered if cls._is_home(endpoint) else ()
        return cached_list(endpoint) or tuple(map(Listed, offered))

    @classmethod
    def stated_max_tokens(cls, model: str) -> int | None:
        """The longest reply of a model (an id, as sent), in tokens, as a list fetched earlier states it, or None."""
        from jmuz_magic.providers.listing import stated_max_tokens

        return stated_max_tokens(cls, model)

    @classmethod
    def request_url(cls, api_base: str, dialect: Dialect, model: str) -> str:
        """Where a request in this dialect for this model (an id, as sent) goes."""
        return azure.joined(azure.deployed(api_base, model), dialect.path)

    @classmethod
    def today(cls) -> date:
        """Today's date in UTC, by the clock of `policy`."""
        return datetime.fromtimestamp(cls.policy.wall(), UTC).date()

    @classmethod
    def environment_api_base(cls) -> str | None:
        """The address that the environment names now, or None."""
        found = first_variable(cls.api_base_env)
        return found[1] if found else None

    @classmethod
    def environment_key(cls) -> tuple[str, Secret] | None:
        """Where the environment holds the service's key now, such as `env OPENAI_API_KEY`, and the key; or None."""
        found = first_variable(cls.api_key_env)
        return (f"env {found[0]}", Secret(found[1])) if found else None

    @classmethod
    def list_url(cls, api_base: str) -> str:
        """Where the service at this address lists its models."""
        return azure.list_url(api_base)

    @classmethod
    def own_origin(cls) -> str | None:
        """Scheme, host and port of the service itself."""
        return origin_of(normalise_api_base(cls.api_base)) if cls.api_base else None

    @classmethod
    def key_origin(cls) -> str | None:
        """The origin that the key in the environment belongs to."""
        address = cls.environment_api_base()
        return origin_of(normalise_api_base(address)) if address else cls.own_origin()

    @classmethod
    def auth_headers(cls, key: Secret) -> dict[str, str | Secret]:
        """The headers with the key."""
        return {"Authorization": Secret(f"Bearer {key.reveal()}")}

    @classmethod
    def _is_home(cls, endpoint: Endpoint) -> bool:
        """Whether that is the address of the class, or the one that the environment names instead."""
        return endpoint.api_base == normalise_api_base(cls.environment_api_base() or cls.api_base or endpoint.api_base)

    @classmethod
    def _key_headers(cls, endpoint: Endpoint) -> Mapping[str, str | Secret]:
        if not endpoint.key:
            return {}
        headers = cls.auth_headers(endpoint.key)
        is_usual = headers == OpenaiTemplate.auth_headers(endpoint.key)
        return azure.auth_headers(endpoint.key) if is_usual and azure.is_classic(endpoint.api_base) else headers

    @classmethod
    def _endpoint(cls, connection: Connection) -> Endpoint:
        return connection.endpoint_of(cls, takes_key=cls.takes_api_key)

    @classmethod
    def _call(
        cls,
        connection: Connection,
        endpoint: Endpoint,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str | Secret | None] | None = None,
    ) -> Call:
        if endpoint.key is None and cls.needs_auth and endpoint.own_origin:
            raise MissingAuthError(f"{cls.label} needs a key: {endpoint.key_advice}", origin=endpoint.origin)
        sent = cls.request_headers(connection, endpoint, headers or {}, has_body=body is not None)
        method = "GET" if body is None else "POST"
        return Call(method, url, sent, body, endpoint.key_source, lambda: endpoint.key_advice)

    @classmethod
    def request_headers(
        cls,
        connection: Connection,
        endpoint: Endpoint,
        dialect: Mapping[str, str | Secret | None],
        *,
        has_body: bool = True,
    ) -> dict[str, str | Secret]:
        """What a request goes with; of one name, the last of: ours, the dialect's, the endpoint's, those in Python.

        An administrator's come after all of them.

        Raises:
            JmuzError: one cannot be sent, or its variable is unset.
        """
        usual: dict[str, str | Secret] = {
            # Services that compress hold deltas back.
            "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "jmuz_magic",
            **({"Content-Type": "application/json"} if has_body else {}),
            **cls._key_headers(endpoint),
        }
        given, fixed = (
            sent_headers(each for each in endpoint.headers if each.administered is administered)
            for administered in (False, True)
        )
        return merged(merged(merged(merged(usual, dialect), given), connection.checked_headers()), fixed)

    @classmethod
    async def _fetch(cls, connection: Connection) -> list[str]:
        from jmuz_magic.providers.listing import fetch_list

        endpoint = cls._endpoint(connection)
        try:
            url, headers = cls.list_url(endpoint.api_base), usual_dialect(endpoint).headers(endpoint)
            call = cls._call(connection, endpoint, url, headers=headers)
            listed = await fetch_list(endpoint, call, cls.policy.waiting(connection.timeout), cls.page_parameter)
        except JmuzError as error:
            raise error.with_traceback(None) from None  # as in _answer
        ids = [model.id for model in listed]
        if cls._is_home(endpoint):
            cls.models = ids
        return list(ids)

    @classmethod
    async def _pick(cls, connection: Connection) -> str:
        """The model to ask for if none was named and the class has no default."""
        from jmuz_magic.providers.picking import pick_listed

        assert connection.endpoint is not None
        patience = LISTING_TIMEOUT if connection.timeout is None else min(connection.timeout, LISTING_TIMEOUT)
        picked = await pick_listed(connection.endpoint, lambda: cls._fetch(replace(connection, timeout=patience)))
        if connection.on_notice:
            connection.on_notice(ModelPicked(cls.get_model(picked)))
        return picked

    @classmethod
    async def _answer(
        cls, build: Build, connection: Connection, options: Mapping[str, Any]
    ) -> AsyncGenerator[Chunk, None]:
        """Ask with the body that `build` makes, and yield the reply."""
        from jmuz_magic.streaming.adverts.cleaning import Cleaning

        cleaning = Cleaning(cls.adverts, connection.on_notice)
        reading: Reading | None = None
        left: Iterator[Chunk] = iter(())
        handed_out = False  # whether we are at a `yield`, with the chunks at the reader
        try:
            reading, response = await cls._ask(build, connection, options)
            with response:
                async with aclosing(await reading.chunks(response)) as batches:
                    async for chunks in batches:
                        left = iter(cleaning.clean(chunks))
                        handed_out = True
                        for chunk in left:
                            yield chunk
                        handed_out = False
            handed_out = True
            for chunk in cleaning.last([]):
                yield chunk
        except (JmuzError, asyncio.CancelledError) as error:
            # What is held belongs to the reply. Never in a `finally`, where a yield breaks aclose(); nor if aclose()
            # was cancelled, as happens when a loop ends: then nobody reads on.
            if handed_out and not isinstance(error, Leaving):
                raise
            for chunk in chain(left, cleaning.last(reading.rest() if reading else [])):
                yield chunk
            # Frames below hold what the server sent, which may repeat the key; and the traceback gets shorter.
            raise error.with_traceback(None) from None

    @classmethod
    async def _ask(cls, build: Build, connection: Connection, options: Mapping[str, Any]) -> tuple[Reading, Response]:
        """The response, and what reads it; asked once more if the address has no path of the dialect."""
        endpoint = cls._endpoint(connection)
        check_typed(cls, connection.typed)
        connection = replace(connection, endpoint=endpoint)
        chosen = choose(endpoint, options)
        try:
            return await cls._ask_in(chosen, build, connection, options)
        except ResponseStatusError as error:
            instead = instead_of(endpoint, chosen.dialect) if error.status == 404 else None
            if instead is None:
                raise
            missing = error
        if connection.on_notice:
            connection.on_notice(Retry(f"asking by {instead.reason}", 0.0, missing.attempts + 1))
        try:
            answered = await cls._ask_in(instead, build, connection, options)
        except ResponseStatusError as error:
            if error.status != 404:
                raise
            raise missing from None
        remember_missing(endpoint, chosen.dialect)
        return answered

    @classmethod
    async def _ask_in(
        cls, chosen: Chosen, build: Build, connection: Connection, options: Mapping[str, Any]
    ) -> tuple[Reading, Response]:
        """The same in this dialect; asked once more if reasoning that goes back is refused."""
        endpoint = connection.endpoint
        assert endpoint is not None
        body = await build(connection, chosen, options)
        terms = Terms(endpoint.origin, chosen.dialect, body, connection.typed, connection.on_notice)
        url = cls.request_url(endpoint.api_base, chosen.dialect, str(terms.body.get("model", "")))
        call = cls._call(connection, endpoint, url, encode(terms.body), chosen.dialect.headers(endpoint))
        call = replace(call, members=chosen.dialect.options)
        policy = cls.policy.waiting(connection.timeout)
        reading = chosen.dialect.reading(cls, call, policy)
        try:
            return reading, await cls._open(call, terms, policy, connection.on_notice)
        except ResponseStatusError as error:
            less = without_unreadable(error, options, body.get("model"), chosen.dialect.name)
            if less is None:
                raise
        if connection.on_notice:
            connection.on_notice(OptionLeftOut("earlier reasoning"))
        return await cls._ask_in(chosen, build, connection, less)

    @classmethod
    async def _open(cls, call: Call, terms: Terms, policy: Policy, on_notice: OnNotice | None) -> Response:
        """The response; if a service refuses an option and a concession is possible, the request is sent again."""
        from jmuz_magic.providers.http.transport import open_response

        attempts = 0
        while True:
            try:
                return await open_response(call, policy, on_notice)
            except JmuzError as error:
                attempts += error.attempts
                error.attempts = attempts
                if not isinstance(error, ResponseStatusError):
                    raise
                refusal = error
            terms.concede(refusal)
            call = replace(call, body=encode(terms.body))

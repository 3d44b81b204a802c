"""The provider that speaks to any OpenAI-compatible endpoint; a subclass with an `api_base` is all it takes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from jmuz_magic.errors import JmuzError, MissingAuthError, ResponseStatusError
from jmuz_magic.messages import Chunk, EarlierReasoning, Messages, ModelPicked, OnNotice
from jmuz_magic.providers.base import AsyncGeneratorProvider, Leaving, ProviderModelMixin
from jmuz_magic.providers.concessions import Terms, named_options
from jmuz_magic.providers.dialects.chat.body import (
    Image,
    attach_images,
    copy_all,
    encode,
    fold_system_messages,
    join_reasoning,
)
from jmuz_magic.providers.endpoint.address import normalise_api_base, origin_of
from jmuz_magic.providers.endpoint.endpoint import Endpoint, first_variable, resolve_endpoint
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.secret import Secret

if TYPE_CHECKING:
    from jmuz_magic.providers.endpoint.listed import Listed
    from jmuz_magic.providers.http.call import Call
    from jmuz_magic.providers.http.response import Response
    from jmuz_magic.streaming.adverts.cleaner import AdvertRule

__all__ = ["OpenaiTemplate"]

LISTING_TIMEOUT = 30.0  # seconds; a list of models is there at once or not at all
SECRET_WORDS = ("auth", "key", "token", "secret", "cookie")  # in names of headers whose values are secret


@dataclass(frozen=True)
class _Question:
    """All that one call was given; keys are wrapped, so that no traceback with local variables shows them."""

    model: str
    messages: Messages
    stream: bool
    endpoint: Endpoint | None
    api_base: str | None = field(repr=False)  # refused if it holds a password, but until then it may
    api_key: Secret | None
    allow_http: bool
    headers: Mapping[str, str | Secret]
    timeout: float | None
    on_notice: OnNotice | None
    typed: Mapping[str, str]
    options: Mapping[str, Any] = field(repr=False)


class OpenaiTemplate(AsyncGeneratorProvider, ProviderModelMixin):
    """Speaks `chat/completions` and `models` to the address in `api_base`.

    Attributes:
        api_base: the service's address, such as `https://api.openai.com/v1`; "" where there is none by itself.
        api_key: a key that belongs to `api_base`; None for most.
        api_base_env: environment variables with another address, first come first served.
        api_key_env: environment variables with the key.
        address_hint: what to do where no address is known.
        takes_api_key: False where the argument `api_key` is accepted but not forwarded.
        needs_auth: the service refuses requests without a key.
        allow_http: the key may cross a network in plain http.
        model_families: what is asked where nobody chose a model and there is no `default_model`: ids of the service's
            small general models, `{version}` and `{date}` (eight digits) standing for what differs, such as
            `claude-sonnet-{version}`. The newest listed one is picked just before sending; see `picking.pick`.
        page_parameter: what asks for the next page of the list of models.
        max_tokens_field: what the service calls `max_tokens`.
        asks_stream_usage: ask for token counts in streams; some services refuse the question.
        reasoning_field: the member of an assistant message in which the service wants the reasoning back that came
            with it; "" for most.
        reasoning_tags: names of tags that mean reasoning in its replies, besides `think`.
        may_begin_in_thought: a reply may begin in mid-thought, with only the closing tag to come; its text is then
            held until that has come, or the end, so nothing streams where the model does not think.
        adverts: what the service mixes into its replies; None for most.
        third_party_notice: what to say once before the first prompt to a free third party.
        policy: timers, limits and retries.
    """

    api_base: ClassVar[str] = ""
    api_key: ClassVar[str | None] = None
    api_base_env: ClassVar[tuple[str, ...]] = ()
    api_key_env: ClassVar[tuple[str, ...]] = ()
    address_hint: ClassVar[str] = "give one with `%jmuz_use … --api-base URL` (in Python: api_base=)"
    takes_api_key: ClassVar[bool] = True
    needs_auth: ClassVar[bool] = False
    allow_http: ClassVar[bool] = False
    model_families: ClassVar[tuple[str, ...]] = ()
    page_parameter: ClassVar[str] = "after"
    max_tokens_field: ClassVar[str] = "max_tokens"
    asks_stream_usage: ClassVar[bool] = True
    reasoning_field: ClassVar[str] = ""
    reasoning_tags: ClassVar[tuple[str, ...]] = ()
    may_begin_in_thought: ClassVar[bool] = False
    adverts: ClassVar[Sequence[AdvertRule] | None] = None
    third_party_notice: ClassVar[str | None] = None
    policy: ClassVar[Policy] = Policy()

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
        **options: Any,
    ) -> AsyncGenerator[Chunk, None]:
        """Ask, and yield the reply.

        Args:
            model: id or alias; "" for the default, or where there is none for one picked from the list, which is
                asked for first if it is not known yet.
            messages: the conversation, in the shape of the OpenAI API.
            stream: ask for the reply piece by piece; a service may answer otherwise, and both are read.
            api_key: a key for this address.
            api_base: another address than the class's and the environment's.
            endpoint: address and key, found before; overrides `api_base`, `api_key` and the environment wholly.
            headers: further headers; one with the name of a usual header replaces it.
            timeout: seconds until the first data, and from data to data; None for the policy's.
            allow_http: a key may cross a network in plain http.
            on_notice: is told of the picked model, retries, options that are left out, and removed adverts.
            typed: options that the user named for this request, and how (`{"temperature": "-t"}`): they are never left
                out; None for all of `options`.
            options: as in `build_request`.

        Yields:
            Text, `Reasoning`, `ToolCalls`, `Usage`, and `FinishReason` last. A stream that ends with neither a
            finish reason nor `[DONE]` ends with `FinishReason("truncated")`.

        Who leaves and wants what has come but is still held throws `Leaving` in, with `athrow`, and reads on.

        Raises:
            JmuzError: when iterated; the chunks before it stay valid.
        """
        key = Secret(api_key) if isinstance(api_key, str) else api_key
        question = _Question(
            model, messages, stream, endpoint, api_base, key, allow_http,
            _wrap_secrets(headers), timeout, on_notice, named_options(options) if typed is None else typed, options,
        )  # fmt: skip
        return cls._answer(question)

    @classmethod
    def build_request(
        cls,
        model: str,
        messages: Messages,
        stream: bool = True,
        *,
        max_tokens: int | None = None,
        images: Sequence[Image] | None = None,
        extra_body: Mapping[str, Any] | None = None,
        earlier_reasoning: Sequence[EarlierReasoning | None] = (),
        **options: Any,
    ) -> dict[str, Any]:
        """The JSON body that would be sent.

        Args:
            model: id or alias; "" for the default, which stays "" where one is picked when sent.
            messages: the conversation.
            stream: ask for the reply piece by piece.
            max_tokens: the most that the reply may have; sent under the name that the service knows.
            images: addresses, bytes or paths, attached to the last user message.
            extra_body: members of the body as they are; they win.
            earlier_reasoning: by message, what the model thought with it; sent where the service wants it back, and
                the same model is asked. Whoever gives it sees that it came from the same origin.
            options: further members, such as temperature, top_p, stop, tools; 0 and False are sent, None is not
                (`stream_options=None` asks for no token counts).

        Raises:
            JmuzError: a message or an image is none.
        """
        sent = copy_all(messages)
        if cls.reasoning_field and earlier_reasoning:
            sent = join_reasoning(sent, earlier_reasoning, cls.reasoning_field, cls.get_model(model))
        if not cls.supports_system_message:
            sent = fold_system_messages(sent)
        if images:
            sent = attach_images(sent, images)
        body: dict[str, Any] = {"model": cls.get_model(model), "messages": sent, "stream": stream}
        if stream and cls.asks_stream_usage and "stream_options" not in options:
            body["stream_options"] = {"include_usage": True}
        options[cls.max_tokens_field] = max_tokens if max_tokens is not None else options.get(cls.max_tokens_field)
        body.update((name, value) for name, value in options.items() if value is not None)
        body.update(extra_body or {})
        return body

    @classmethod
    def get_model(cls, model: str) -> str:
        """The id to send: the default for "", an alias's target, and anything else as it is.

        "" where no model was named and there is no default: then one is picked from the list when sent.
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
        """The ids that the endpoint lists: asked once for each address and key, then kept unless there are none.

        Waits, also where a loop is running; what runs on the bridge itself awaits `fetch_models`.

        Args:
            api_base: another address than the class's and the environment's.
            api_key: a key for this address.
            endpoint: address and key, found before; overrides both and the environment.
            refresh: ask again.
            timeout: seconds until the first data; None for 30.
            headers: further headers.
            allow_http: a key may cross a network in plain http.

        Raises:
            JmuzError: there was no list.
            RuntimeError: called on the bridge's own thread, where waiting would never end.
        """
        from jmuz_magic.streaming.bridge import get_bridge

        api_key = Secret(api_key) if isinstance(api_key, str) else api_key
        wrapped = _wrap_secrets(headers)
        del headers  # a traceback with local variables must not show what it holds
        endpoint = cls._endpoint(endpoint, api_base, api_key, allow_http)
        kept = [] if refresh else cls.cached_models(endpoint)
        return kept or get_bridge().run(cls._fetch(endpoint, wrapped, LISTING_TIMEOUT if timeout is None else timeout))

    @classmethod
    async def fetch_models(cls, endpoint: Endpoint | None = None) -> list[str]:
        """Ask the endpoint for its models, always, without blocking the loop.

        Raises:
            JmuzError: there was no list; what was listed before stays in `cached_models`.
        """
        return await cls._fetch(cls._endpoint(endpoint), {}, LISTING_TIMEOUT)

    @classmethod
    def cached_models(cls, endpoint: Endpoint | None = None) -> list[str]:
        """What the endpoint listed when it was last asked; empty before. Never the network."""
        return [model.id for model in cls.listed_models(endpoint)]

    @classmethod
    def listed_models(cls, endpoint: Endpoint | None = None) -> tuple[Listed, ...]:
        """The same with what the list says of each model besides, such as when it is switched off."""
        from jmuz_magic.providers.dialects.chat.models import cached_list

        return cached_list(cls._endpoint(endpoint))

    @classmethod
    def today(cls) -> date:
        """The day in UTC, by the clock of `policy`."""
        return datetime.fromtimestamp(cls.policy.wall(), UTC).date()

    @classmethod
    def environment_api_base(cls) -> str | None:
        """The address that the environment names now; None without one."""
        found = first_variable(cls.api_base_env)
        return found[1] if found else None

    @classmethod
    def own_origin(cls) -> str | None:
        """Scheme, host and port of the service itself."""
        return origin_of(normalise_api_base(cls.api_base)) if cls.api_base else None

    @classmethod
    def key_origin(cls) -> str | None:
        """The one origin that the key in the environment belongs to."""
        address = cls.environment_api_base()
        return origin_of(normalise_api_base(address)) if address else cls.own_origin()

    @classmethod
    def auth_headers(cls, key: Secret) -> dict[str, str | Secret]:
        """The headers that carry the key."""
        return {"Authorization": Secret(f"Bearer {key.reveal()}")}

    @classmethod
    def _endpoint(
        cls,
        endpoint: Endpoint | None,
        api_base: str | None = None,
        api_key: Secret | None = None,
        allow_http: bool = False,
    ) -> Endpoint:
        key = api_key if cls.takes_api_key else None
        return endpoint or resolve_endpoint(cls, api_base=api_base, api_key=key, allow_http=allow_http)

    @classmethod
    def _call(cls, endpoint: Endpoint, path: str, headers: Mapping[str, str | Secret], body: bytes | None) -> Call:
        from jmuz_magic.providers.http.call import Call

        if endpoint.key is None and cls.needs_auth and endpoint.own_origin:
            where = f"set {cls.api_key_env[0]}, or use %jmuz_key" if cls.api_key_env else "give one with api_key="
            raise MissingAuthError(f"{cls.label} needs a key: {where}", origin=endpoint.origin)
        usual: dict[str, str | Secret] = {
            # Compressing services hold deltas back.
            "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "jmuz_magic",
            **({"Content-Type": "application/json"} if body is not None else {}),
            **(cls.auth_headers(endpoint.key) if endpoint.key else {}),
        }
        _check_headers(headers)
        given = {name.lower() for name in headers}
        merged = {name: value for name, value in usual.items() if name.lower() not in given} | dict(headers)
        method = "GET" if body is None else "POST"
        url = f"{endpoint.api_base}/{path}"
        return Call(method, url, endpoint.origin, merged, body, endpoint.key_source, lambda: endpoint.key_advice)

    @classmethod
    async def _fetch(cls, endpoint: Endpoint, headers: Mapping[str, str | Secret], patience: float) -> list[str]:
        from jmuz_magic.providers.dialects.chat.models import fetch_list

        try:
            call = cls._call(endpoint, "models", headers, None)
            listed = await fetch_list(endpoint, call, _with_timeout(cls.policy, patience), cls.page_parameter)
        except JmuzError as error:
            raise error.with_traceback(None) from None  # as in _answer
        ids = [model.id for model in listed]
        if endpoint.api_base == normalise_api_base(cls.environment_api_base() or cls.api_base or endpoint.api_base):
            cls.models = ids
        return list(ids)

    @classmethod
    async def _with_model(cls, question: _Question) -> _Question:
        """The question with the model that is sent; picked where none was named and the class has no default."""
        if cls.get_model(question.model) or "model" in (question.options.get("extra_body") or {}):
            return question
        from jmuz_magic.providers.picking import pick_listed

        endpoint = cls._endpoint(question.endpoint, question.api_base, question.api_key, question.allow_http)
        given = question.timeout
        patience = LISTING_TIMEOUT if given is None or given > LISTING_TIMEOUT else given
        picked = await pick_listed(endpoint, lambda: cls._fetch(endpoint, question.headers, patience))
        if question.on_notice:
            question.on_notice(ModelPicked(cls.get_model(picked)))
        return replace(question, model=picked, endpoint=endpoint)

    @classmethod
    async def _answer(cls, question: _Question) -> AsyncGenerator[Chunk, None]:
        from jmuz_magic.providers.dialects.chat.cleaning import Cleaning
        from jmuz_magic.providers.dialects.chat.reader import ReplyReader
        from jmuz_magic.providers.dialects.chat.reading import read_reply

        cleaning = Cleaning(cls.adverts, question.on_notice)
        reader: ReplyReader | None = None
        left: Iterator[Chunk] = iter(())
        handed_out = False  # whether we stand at a `yield`, the chunks being with the reader
        try:
            call, terms, policy = cls._prepare(await cls._with_model(question))
            reader = ReplyReader(call.origin, call.shown, cls.reasoning_tags, cls.may_begin_in_thought)
            with await cls._open(call, terms, policy, question.on_notice) as response:
                async with aclosing(await read_reply(response, reader, policy, call)) as batches:
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
            # What came and is held belongs to the reply. Never in a `finally`: a yield there breaks aclose(); nor where
            # aclose() was cancelled, as it is when a loop ends: then nobody reads any more.
            if handed_out and not isinstance(error, Leaving):
                raise
            for chunk in chain(left, cleaning.last(reader.rest() if reader else [])):
                yield chunk
            # Frames below hold what the server sent, which may repeat the key; and users read a shorter traceback.
            raise error.with_traceback(None) from None

    @classmethod
    async def _open(cls, call: Call, terms: Terms, policy: Policy, on_notice: OnNotice | None) -> Response:
        """The response; a service that refuses an option is asked again where something can be conceded."""
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

    @classmethod
    def _prepare(cls, question: _Question) -> tuple[Call, Terms, Policy]:
        endpoint = cls._endpoint(question.endpoint, question.api_base, question.api_key, question.allow_http)
        body = cls.build_request(question.model, question.messages, question.stream, **question.options)
        terms = Terms(endpoint.origin, body, question.typed, question.on_notice)
        call = cls._call(endpoint, "chat/completions", question.headers, encode(terms.body))
        return call, terms, _with_timeout(cls.policy, question.timeout)


def _with_timeout(policy: Policy, timeout: float | None) -> Policy:
    if timeout is None:
        return policy
    if not timeout > 0:
        raise JmuzError(f"expected a timeout in seconds, more than 0, got {timeout!r}")
    return policy.waiting(float(timeout))


def _wrap_secrets(headers: Mapping[str, str] | None) -> dict[str, str | Secret]:
    secret = {name for name in headers or {} if any(word in name.lower() for word in SECRET_WORDS)}
    return {name: Secret(value) if name in secret else value for name, value in (headers or {}).items()}


def _check_headers(headers: Mapping[str, str | Secret]) -> None:
    for name, value in headers.items():
        text = value.reveal() if isinstance(value, Secret) else value
        fits = text.isascii() and not any(sign in text for sign in "\r\n\0")
        del text
        if not (fits and name.isascii() and name.isprintable() and " " not in name):
            raise JmuzError(f"the header {name!a} cannot be sent: expected ASCII without line breaks or NUL")

"""Stand-ins for the services of the catalog: what each lists, refuses and wants, as of November 2026.

No stand-in knows more than what is documented, or was seen in recorded traffic and issue threads; sources stand
beside the facts. They answer on the loopback interface only and hold no model: a reply says which model was asked.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, TypeAlias
from urllib.parse import parse_qs, urlsplit

from tests.strict_services import (
    Refusal,
    Rule,
    forbids_extras,
    refuses_deprecated,
    refuses_old_limit,
    refuses_values,
    takes_one_of,
)

__all__ = ["SERVICES", "HostedService", "Service", "hosted"]

Entry: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Service:
    """One service.

    Attributes:
        name: of the provider in the catalog.
        path: of its API, below the origin.
        models: the entries of its list, in its order.
        missing: its answer to a model that it does not have (any more).
        rules: what it refuses besides; the first that refuses answers.
        unlisted: models that it takes but does not list.
        answers_as: the model that its chunks name, by the one that was asked.
        thinks: it sends its thoughts first, as `reasoning_content`.
        speaks: where it takes requests, which says in which dialect.
        page_size: entries a page of its list holds; 0 for no pages.
        base_variable: the environment variable that its SDK reads its address from; "" for none.
        key_variable: the variable that its key is in; "" where it wants none.
    """

    name: str
    path: str
    models: tuple[Entry, ...]
    missing: Callable[[str], Refusal]
    rules: tuple[Rule, ...] = ()
    unlisted: frozenset[str] = frozenset()
    answers_as: Callable[[str], str] = str
    thinks: bool = False
    speaks: str = "chat/completions"
    page_size: int = 0
    base_variable: str = ""
    key_variable: str = ""

    @property
    def known(self) -> set[str]:
        return {str(model["id"]) for model in self.models} | self.unlisted


@dataclass
class HostedService:
    """A running stand-in.

    Attributes:
        service: which.
        origin: scheme, host and port.
        asked: bodies of the requests for a reply, in order.
        listed: queries of the requests for its list.
        refused: what it refused, in order.
    """

    service: Service
    origin: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    @property
    def api_base(self) -> str:
        return self.origin + self.service.path

    def answer_list(self, query: str) -> Any:
        self.listed.append(query)
        service, entries = self.service, list(self.service.models)
        if not service.page_size:
            return {"object": "list", "data": entries}
        ids = [entry["id"] for entry in entries]
        after = parse_qs(query).get("after_id", [""])[0]
        start = ids.index(after) + 1 if after else 0
        page = entries[start : start + service.page_size]
        more = start + service.page_size < len(entries)
        return {"data": page, "has_more": more, "first_id": page[0]["id"], "last_id": page[-1]["id"]}

    def refuse(self, body: dict[str, Any]) -> Refusal | None:
        self.asked.append(body)
        model = str(body.get("model"))
        missing = None if model in self.service.known else self.service.missing(model)
        refusal = missing or next(filter(None, (rule(body) for rule in self.service.rules)), None)
        if refusal:
            self.refused.append(refusal)
        return refusal


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    running: ClassVar[HostedService]

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        found = parts.path == f"{self.running.service.path}/models"
        if not self._lacks_key():
            self._json(*((200, self.running.answer_list(parts.query)) if found else (404, {"error": "no such page"})))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._lacks_key():
            return
        if urlsplit(self.path).path != f"{self.running.service.path}/{self.running.service.speaks}":
            self._json(404, {"error": {"message": "Not Found"}})
        elif refusal := self.running.refuse(body):
            self._json(*refusal)
        else:
            self._stream(body["model"])

    def _lacks_key(self) -> bool:
        header = "X-Api-Key" if self.running.service.speaks == "messages" else "Authorization"
        lacking = bool(self.running.service.key_variable) and not self.headers[header]
        if lacking:
            self._json(401, {"error": {"message": "no key was sent", "code": "invalid_api_key"}})
        return lacking

    def _json(self, status: int, payload: Any) -> None:
        self._send(status, "application/json", json.dumps(payload).encode())

    def _stream(self, model: str) -> None:
        if self.running.service.speaks == "messages":
            events = message_events(self.running.service.answers_as(model), f"I am {model}.")
            self._send(200, "text/event-stream", b"".join(events))
            return
        delta = {"role": "assistant", "content": f"I am {model}."}
        model = self.running.service.answers_as(model)
        thought = [{"model": model, "choices": [{"index": 0, "delta": {"reasoning_content": "Who am I?"}}]}]
        usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        chunks: list[Any] = [
            *(thought if self.running.service.thinks else ()),
            {"model": model, "choices": [{"index": 0, "delta": delta}]},
            {"model": model, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
            {"model": model, "choices": [], "usage": usage},
        ]
        events = [b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks]
        self._send(200, "text/event-stream", b"".join([*events, b"data: [DONE]\n\n"]))

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def hosted(service: Service) -> Iterator[HostedService]:
    """The service on a loopback port of its own."""
    running = HostedService(service)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"running": running}))
    server.daemon_threads = True
    running.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name=f"hosted-{service.name}", daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def message_events(model: str, text: str) -> list[bytes]:
    """A reply in the dialect of Anthropic, as recorded traffic has it."""
    payloads: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"role": "assistant", "model": model, "usage": {"input_tokens": 3}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
        {"type": "message_stop"},
    ]
    return [f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode() for each in payloads]


# --- what services say


def openai_error(status: int, message: str, code: str | None = None, param: str | None = None) -> Refusal:
    return status, {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def openai_missing(model: str) -> Refusal:
    message = f"The model `{model}` does not exist or you do not have access to it."
    return openai_error(404, message, code="model_not_found")


def of_models(pattern: str, *rules: Rule) -> Rule:
    """The rules, for models whose whole id matches only."""

    def rule(body: dict[str, Any]) -> Refusal | None:
        if not re.fullmatch(pattern, str(body["model"])):
            return None
        return next(filter(None, (rule(body) for rule in rules)), None)

    return rule


def wants_no_tools_beside_reasoning(body: dict[str, Any]) -> Refusal | None:
    """As OpenAI's models from gpt-5.6 on (a dozen issue threads, 2026)."""
    if not body.get("tools") or body.get("reasoning_effort") == "none":
        return None
    text = "Function tools are not supported with reasoning in chat completions; use /v1/responses."
    return openai_error(400, text, code="unsupported_parameter", param="tools")


def anthropic_missing(model: str) -> Refusal:
    return 404, {"type": "error", "error": {"type": "not_found_error", "message": f"model: {model}"}}


def wants_limit_and_turns(body: dict[str, Any]) -> Refusal | None:
    """As Anthropic: a token limit always, and no system message among the others (its API reference, 2026-11)."""
    roles = [message["role"] for message in body["messages"]]
    if "max_tokens" not in body:
        said = "max_tokens: Field required"
    elif set(roles) - {"assistant", "user"}:
        said = "messages: Unexpected role"
    else:
        return None
    return 400, {"type": "error", "error": {"type": "invalid_request_error", "message": said}}


def gemini_missing(model: str) -> Refusal:
    name = f"models/{model.removeprefix('models/')}"
    text = f"{name} is not found for API version v1main, or is not supported for generateContent."
    return 404, [{"error": {"code": 404, "message": text, "status": "NOT_FOUND"}}]


def mistral_missing(model: str) -> Refusal:
    return 400, {"object": "error", "message": f"Invalid model: {model}", "type": "invalid_model", "code": "1500"}


def deepseek_missing(model: str) -> Refusal:
    return openai_error(400, "Model Not Exist", code="invalid_request_error")


def deepseek_reasoning(body: dict[str, Any]) -> Refusal | None:
    """It thinks by default and wants the thoughts of earlier turns back (issue threads, 2026-04 to 2026-11)."""
    thinks = (body.get("thinking") or {}).get("type") != "disabled"
    answers = [message for message in body["messages"] if message["role"] == "assistant"]
    if thinks and any("reasoning_content" not in message for message in answers):
        text = "The `reasoning_content` in the thinking mode must be passed back to the API."
        return openai_error(400, text, code="invalid_request_error")
    return None


def xai_missing(model: str) -> Refusal:
    text = f"The model {model} does not exist or your team does not have access to it."
    return 404, {"code": "Some requested entity was not found", "error": text}


def groq_missing(model: str) -> Refusal:
    text = f"The model `{model}` has been decommissioned and is no longer supported."
    return openai_error(400, text, code="model_decommissioned")


def openrouter_missing(model: str) -> Refusal:
    return 400, {"error": {"message": f"{model} is not a valid model ID", "code": 400}}


def ollama_missing(model: str) -> Refusal:
    return 404, {"error": {"message": f'model "{model}" not found', "type": "not_found_error", "code": None}}


def vllm_missing(model: str) -> Refusal:
    text = f"The model `{model}` does not exist."
    return 404, {"error": {"message": text, "type": "NotFoundError", "param": "model", "code": 404}}


def entries(*ids: str, **members: Any) -> tuple[Entry, ...]:
    return tuple({"id": id_, "object": "model", **members} for id_ in ids)


def ending(day: str, *ids: str) -> tuple[Entry, ...]:
    """Entries that carry the day of their end, as OpenAI's do (its API reference, models, 2026-11)."""
    return entries(*ids, owned_by="openai", shutdown_date=day)


SERVICES = {
    service.name: service
    for service in (
        Service(
            "openai",
            "/v1",
            (
                *ending("2026-12-11", "gpt-5", "gpt-5-mini", "gpt-5-nano", "o3"),
                *ending("2027-01-14", "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-mini-2025-04-14"),
                *entries("gpt-6-astra", "gpt-6.1-sol", "gpt-6-sol", "gpt-5.6-luna", "gpt-6-luna", shutdown_date=None),
                *entries("gpt-5.4-mini", "gpt-5.4-mini-2026-03-17", "gpt-5.3-codex", "gpt-6-luna-preview"),
                *entries("ft:gpt-4.1-mini-2025-04-14:org::AbC123", "text-embedding-3-small", "gpt-image-2.6-flare"),
                *entries("gpt-4o-mini-transcribe", "gpt-5-search-api", "omni-moderation-latest", "sora-3"),
            ),
            openai_missing,
            (
                # Models that reason by default (issue threads, 2025-08 to 2026-11).
                of_models(r"gpt-[5-9].*|o\d.*", refuses_values("temperature", "top_p"), refuses_old_limit),
                of_models(r"gpt-(5\.6|[6-9]).*", wants_no_tools_beside_reasoning),
            ),
            base_variable="OPENAI_BASE_URL",
            key_variable="OPENAI_API_KEY",
        ),
        Service(
            "anthropic",
            "/v1",
            entries(
                "claude-opus-5-5", "claude-haiku-4-5-20251001", "claude-sonnet-4-6", "claude-opus-4-8",
                "claude-opus-4-6", "claude-sonnet-4-5-20250929", "claude-opus-4-1-20250805",
            ),
            anthropic_missing,
            (
                wants_limit_and_turns,
                # Opus from 4.7 on, and Sonnet 4.6 (issue threads, 2026-04 to 2026-11).
                of_models(r"claude-opus-(4-[78]|5).*", refuses_deprecated("temperature", "top_p")),
                of_models("claude-sonnet-4-6", takes_one_of("temperature", "top_p")),
            ),
            speaks="messages",
            page_size=2,
            base_variable="ANTHROPIC_BASE_URL",
            key_variable="ANTHROPIC_API_KEY",
        ),
        Service(
            "gemini",
            "/v1beta/openai",
            entries(
                "models/gemini-embedding-001", "models/gemini-3.8-live", "models/gemini-3.1-pro-preview",
                "models/gemini-3.5-flash", "models/gemini-3.8-flash", "models/gemini-3.7-flash",
                "models/gemini-3.5-flash-lite", "models/gemini-3.1-flash-image", "models/gemini-4-flash-preview",
                "models/gemini-flash-latest",
            ),
            gemini_missing,
            unlisted=frozenset({"gemini-3.8-flash"}),
            key_variable="GEMINI_API_KEY",
        ),
        Service(
            "mistral",
            "/v1",
            entries("mistral-large-latest", "mistral-small-2603", "mistral-small-latest", "codestral-latest"),
            mistral_missing,
            # It forbids members that it does not know (openai/openai-agents-python#442, 2025-04).
            (forbids_extras("temperature", "top_p", "max_tokens", "stop", "random_seed", "tools", "response_format"),),
            key_variable="MISTRAL_API_KEY",
        ),
        Service(
            "deepseek",
            "/v1",
            entries("deepseek-v4-pro", "deepseek-v4-flash"),
            deepseek_missing,
            (deepseek_reasoning,),
            thinks=True,
            key_variable="DEEPSEEK_API_KEY",
        ),
        Service(
            "xai",
            "/v1",
            entries("grok-4.20-0309-reasoning", "grok-4.20", "grok-4.3", "grok-4.6", "grok-imagine-image"),
            xai_missing,
            key_variable="XAI_API_KEY",
        ),
        Service(
            "groq",
            "/openai/v1",
            entries(
                "whisper-large-v3", "openai/gpt-oss-120b", "openai/gpt-oss-safeguard-20b", "openai/gpt-oss-20b",
                "qwen/qwen3.6-27b", "groq/compound",
            ),
            groq_missing,
            base_variable="GROQ_BASE_URL",
            key_variable="GROQ_API_KEY",
        ),
        Service(
            "openrouter",
            "/api/v1",
            entries("openai/gpt-6-luna", "anthropic/claude-sonnet-4.6", "openrouter/auto"),
            openrouter_missing,
            answers_as=lambda model: "openai/gpt-6-luna" if model == "openrouter/auto" else model,
            key_variable="OPENROUTER_API_KEY",
        ),
        Service("ollama", "/v1", entries("nomic-embed-text:latest", "llama3.2:3b"), ollama_missing),
        Service("lmstudio", "/v1", entries("qwen3-8b", "text-embedding-nomic-embed-text-v1.5"), ollama_missing),
        Service(
            "llamacpp",
            "/v1",
            (
                *entries("ggml-org/gemma-3-4b-it-GGUF", "ggml-org/qwen3-0.6b-GGUF", status={"value": "unloaded"}),
                *entries("ggml-org/gpt-oss-20b-GGUF", status={"value": "loaded"}),
            ),
            ollama_missing,
        ),
        Service(
            "vllm",
            "/v1",
            (
                *entries("Qwen/Qwen3-8B", root="Qwen/Qwen3-8B", parent=None),
                *entries("sql-lora", root="/adapters/sql", parent="Qwen/Qwen3-8B"),
            ),
            vllm_missing,
        ),
    )
}  # fmt: skip
"""By the provider's name."""

"""The endpoints known by name: one small class each, stating only what differs from the template.

What tests cannot prove has its source and date beside it. Addresses and names of variables come from the services'
documentation and official SDKs (2025-12, reviewed in 2026-11). Dated names of models do not occur here, since
services switch them off.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from jmuz_magic.providers.allowed import introduce
from jmuz_magic.providers.endpoint.endpoint import first_variable
from jmuz_magic.providers.jmuz import Jmuz
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.providers.platforms import Azure, Bedrock, Colab, Databricks, HuggingFace, Kaggle

__all__ = [
    "CATALOG",
    "VLLM",
    "XAI",
    "Anthropic",
    "Azure",
    "Bedrock",
    "Colab",
    "Databricks",
    "DeepSeek",
    "Demo",
    "Gemini",
    "Groq",
    "HuggingFace",
    "Kaggle",
    "LMStudio",
    "LlamaCpp",
    "Mistral",
    "Ollama",
    "OpenAI",
    "OpenRouter",
]


class OpenAI(OpenaiTemplate):
    """OpenAI."""

    url = "https://platform.openai.com/docs"
    api_base = "https://api.openai.com/v1"
    api_base_env = ("OPENAI_BASE_URL",)
    api_key_env = ("OPENAI_API_KEY",)
    needs_auth = True
    # With chat completions its models take no tools while they think, from gpt-5.6 on none at all (threads in
    # openai/openai-python, openai/codex and langchain-ai/langchain, 2026-11-28).
    own_dialect = "responses"
    # Its reasoning models refuse max_tokens, which is deprecated (API reference of chat completions, 2026-11).
    max_tokens_field = "max_completion_tokens"
    # Luna replaces the minis of the families 4o and 4.1 (developers.openai.com/api/docs/deprecations, 2026-11);
    # before it the small model was called mini.
    model_families = ("gpt-{version}-luna", "gpt-{version}-mini")
    takes_pdf = True  # developers.openai.com/api/docs/guides/file-inputs, 2026-11


class Anthropic(OpenaiTemplate):
    """Anthropic, in its own dialect, Messages; what only chat completions know goes through its layer for them."""

    url = "https://platform.claude.com/docs"
    dialect = "anthropic"
    api_base = "https://api.anthropic.com/v1"
    api_base_env = ("ANTHROPIC_BASE_URL",)
    api_key_env = ("ANTHROPIC_API_KEY",)
    needs_auth = True
    fallback_dialect = "chat"  # many gateways know only that
    takes_bearer = False  # platform.claude.com/docs/en/api/overview, 2026-11
    # The middle one of Haiku, Sonnet and Opus; listed with and without a date
    # (platform.claude.com/docs/en/about-claude/models, 2026-11).
    model_families = ("claude-sonnet-{version}", "claude-sonnet-{version}-{date}")
    takes_pdf = True  # platform.claude.com/docs/en/build-with-claude/pdf-support, 2026-11; its layer for chat does not
    page_parameter = "after_id"  # 20 models a page (platform.claude.com/docs/en/api/models/list, 2026-11)

    @classmethod
    def environment_api_base(cls) -> str | None:
        """The address as the SDK reads it, which adds the version itself."""
        address = super().environment_api_base()
        return address and address.rstrip("/").removesuffix("/v1") + "/v1"


class Gemini(OpenaiTemplate):
    """Google Gemini, through its OpenAI-compatible layer."""

    url = "https://ai.google.dev/gemini-api/docs/openai"
    api_base = "https://generativelanguage.googleapis.com/v1beta/openai"
    api_key_env = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
    needs_auth = True
    # Stable ones have no suffix (ai.google.dev/gemini-api/docs/models, 2026-11).
    model_families = ("gemini-{version}-flash", "models/gemini-{version}-flash")
    reasoning_tags = ("thought",)  # with `include_thoughts` (recorded traffic, 2026-11-28)

    @classmethod
    def get_model(cls, model: str) -> str:
        """The id as the documentation sends it; the list, which is the native API's, prefixes it with `models/`.

        See ai.google.dev/gemini-api/docs/openai, 2026-11.
        """
        return super().get_model(model.removeprefix("models/"))


class Mistral(OpenaiTemplate):
    """Mistral AI."""

    url = "https://docs.mistral.ai"
    api_base = "https://api.mistral.ai/v1"
    api_key_env = ("MISTRAL_API_KEY",)
    needs_auth = True
    # It refuses `stream_options` with 422, and sends counts unasked (openai/openai-agents-python#442, 2025-04;
    # TabbyML/tabby#4082, 2025-03).
    asks_stream_usage = False
    default_model = "mistral-small-latest"  # kept current by the service (docs.mistral.ai, models, 2026-11)


class DeepSeek(OpenaiTemplate):
    """DeepSeek."""

    url = "https://api-docs.deepseek.com"
    api_base = "https://api.deepseek.com/v1"
    api_key_env = ("DEEPSEEK_API_KEY",)
    needs_auth = True
    # The smaller of two; the names without a version were switched off on 2026-07-24 (api-docs.deepseek.com, 2026-11).
    model_families = ("deepseek-v{version}-flash",)
    # V4 thinks by default and answers 400 if its reasoning is missing after tool calls, by some reports also on
    # plain turns; else it ignores reasoning (api-docs.deepseek.com/guides/thinking_mode, langchain #37713; 2026-11-28).
    reasoning_field = "reasoning_content"


class XAI(OpenaiTemplate):
    """xAI."""

    label = "xAI"
    url = "https://docs.x.ai"
    api_base = "https://api.x.ai/v1"
    api_key_env = ("XAI_API_KEY",)
    needs_auth = True
    # It has one general model for each version, sometimes with a fast sibling (docs.x.ai/docs/models, 2026-11).
    model_families = ("grok-{version}-fast", "grok-{version}")


class Groq(OpenaiTemplate):
    """Groq."""

    url = "https://console.groq.com/docs"
    api_base = "https://api.groq.com/openai/v1"
    api_base_env = ("GROQ_BASE_URL",)
    api_key_env = ("GROQ_API_KEY",)
    needs_auth = True
    # The smaller of its two production models (console.groq.com/docs/models, 2026-11).
    model_families = ("openai/gpt-oss-20b", "openai/gpt-oss-{version}-20b")

    @classmethod
    def environment_api_base(cls) -> str | None:
        """The address as the SDK reads it, which adds the path itself."""
        address = super().environment_api_base()
        return address and address.rstrip("/").removesuffix("/openai/v1") + "/openai/v1"


class OpenRouter(OpenaiTemplate):
    """OpenRouter."""

    url = "https://openrouter.ai/docs"
    api_base = "https://openrouter.ai/api/v1"
    api_key_env = ("OPENROUTER_API_KEY",)
    needs_auth = True
    default_model = "openrouter/auto"  # its router, not a model (openrouter.ai/docs/features/model-routing, 2026-11)
    takes_pdf = True  # openrouter.ai/docs/guides/overview/multimodal/pdfs, 2026-11


class Ollama(OpenaiTemplate):
    """Ollama on this machine, or where `OLLAMA_HOST` says."""

    url = "https://ollama.com"
    api_base = "http://localhost:11434/v1"
    api_base_env = ("OLLAMA_HOST",)
    api_key_env = ("OLLAMA_API_KEY",)  # for its cloud (docs.ollama.com/api, 2026-11); a local server needs none

    @classmethod
    def environment_api_base(cls) -> str | None:
        """The address from `OLLAMA_HOST`, which may lack scheme and port; its 0.0.0.0 means this machine."""
        found = first_variable(cls.api_base_env)
        if not found:
            return None
        scheme, given, rest = found[1].rpartition("://")
        host, slash, path = rest.partition("/")
        if host.startswith(":"):
            host = f"localhost{host}"
        host = host.replace("0.0.0.0", "localhost", 1)  # noqa: S104 - an address to connect to, not to listen on
        if not given and ":" not in host.rpartition("]")[2]:
            host = f"{host}:11434"
        return f"{scheme or 'http'}://{host}{slash}{path}".rstrip("/").removesuffix("/v1") + "/v1"


class LMStudio(OpenaiTemplate):
    """LM Studio on this machine."""

    label = "LM Studio"
    url = "https://lmstudio.ai/docs"
    api_base = "http://localhost:1234/v1"  # lmstudio.ai/docs/app/api, 2026-11


class LlamaCpp(OpenaiTemplate):
    """The server of llama.cpp on this machine."""

    label = "llama.cpp"
    url = "https://github.com/ggml-org/llama.cpp"
    api_base = "http://localhost:8080/v1"  # --host and --port of llama-server, which reads its key there (2026-11)
    api_key_env = ("LLAMA_API_KEY",)


class VLLM(OpenaiTemplate):
    """vLLM on this machine."""

    label = "vLLM"
    url = "https://docs.vllm.ai"
    api_base = "http://localhost:8000/v1"  # `vllm serve`, which reads its key there (docs.vllm.ai, 2026-11)
    api_key_env = ("VLLM_API_KEY",)


class Demo(OpenaiTemplate):
    """The built-in demo endpoint: not a language model; its replies are scripted.

    Starting it returns its address. It knows the ids behind Jmuz's aliases, and mixes adverts into a reply as that
    service did.
    """

    address_hint = "`%jmuz_use demo` starts it"
    adverts = Jmuz.adverts
    default_model = "demo-chat"
    model_aliases: ClassVar[dict[str, str]] = dict(Jmuz.model_aliases)


def _by_name(*providers: type[OpenaiTemplate]) -> Mapping[str, type[OpenaiTemplate]]:
    for provider in providers:
        provider.spoken_name = provider.name
        introduce(provider.name, provider)
    return MappingProxyType({provider.name: provider for provider in providers})


CATALOG = _by_name(
    OpenAI,
    Anthropic,
    Gemini,
    Mistral,
    DeepSeek,
    XAI,
    Groq,
    OpenRouter,
    HuggingFace,
    Azure,
    Bedrock,
    Databricks,
    Colab,
    Kaggle,
    Ollama,
    LMStudio,
    LlamaCpp,
    VLLM,
    Demo,
    Jmuz,
)
"""Known providers by name; the namesake, on which nobody should rely, comes last."""

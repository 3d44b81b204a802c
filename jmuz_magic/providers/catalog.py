"""The endpoints that are known by name: one small class each, saying only what differs from the template."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Secret
from jmuz_magic.providers.endpoint import first_variable
from jmuz_magic.providers.jmuz import Jmuz
from jmuz_magic.providers.keys import looks_like_key
from jmuz_magic.providers.openai_template import OpenaiTemplate

__all__ = [
    "CATALOG",
    "VLLM",
    "XAI",
    "Anthropic",
    "DeepSeek",
    "Demo",
    "Gemini",
    "Groq",
    "LMStudio",
    "LlamaCpp",
    "Mistral",
    "Ollama",
    "OpenAI",
    "OpenRouter",
    "find_provider",
]


class OpenAI(OpenaiTemplate):
    """OpenAI."""

    url = "https://platform.openai.com/docs"
    api_base = "https://api.openai.com/v1"
    api_base_env = ("OPENAI_BASE_URL",)
    api_key_env = ("OPENAI_API_KEY",)
    needs_auth = True
    max_tokens_field = "max_completion_tokens"  # its reasoning models refuse max_tokens
    default_model = "gpt-4.1-mini"


class Anthropic(OpenaiTemplate):
    """Anthropic, through its OpenAI-compatible layer."""

    url = "https://docs.anthropic.com/en/api/openai-sdk"
    api_base = "https://api.anthropic.com/v1"
    api_base_env = ("ANTHROPIC_BASE_URL",)
    api_key_env = ("ANTHROPIC_API_KEY",)
    needs_auth = True
    default_model = "claude-sonnet-4-5"

    @classmethod
    def environment_api_base(cls) -> str | None:
        """The address as its SDK reads it, which adds the version itself."""
        address = super().environment_api_base()
        return address and address.rstrip("/").removesuffix("/v1") + "/v1"

    @classmethod
    def auth_headers(cls, key: Secret) -> dict[str, str | Secret]:
        """Chat takes a bearer token; the list of models is the native API, which has headers of its own."""
        return super().auth_headers(key) | {"X-Api-Key": key, "Anthropic-Version": "2023-06-01"}


class Gemini(OpenaiTemplate):
    """Google Gemini, through its OpenAI-compatible layer."""

    url = "https://ai.google.dev/gemini-api/docs/openai"
    api_base = "https://generativelanguage.googleapis.com/v1beta/openai"
    api_key_env = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
    needs_auth = True
    default_model = "gemini-2.5-flash"


class Mistral(OpenaiTemplate):
    """Mistral AI."""

    url = "https://docs.mistral.ai"
    api_base = "https://api.mistral.ai/v1"
    api_key_env = ("MISTRAL_API_KEY",)
    needs_auth = True
    asks_stream_usage = False  # it refuses the question, and counts without being asked
    default_model = "mistral-small-latest"


class DeepSeek(OpenaiTemplate):
    """DeepSeek."""

    url = "https://api-docs.deepseek.com"
    api_base = "https://api.deepseek.com/v1"
    api_key_env = ("DEEPSEEK_API_KEY",)
    needs_auth = True
    default_model = "deepseek-chat"


class XAI(OpenaiTemplate):
    """xAI."""

    label = "xAI"
    url = "https://docs.x.ai"
    api_base = "https://api.x.ai/v1"
    api_key_env = ("XAI_API_KEY",)
    needs_auth = True
    default_model = "grok-4"


class Groq(OpenaiTemplate):
    """Groq."""

    url = "https://console.groq.com/docs"
    api_base = "https://api.groq.com/openai/v1"
    api_base_env = ("GROQ_BASE_URL",)
    api_key_env = ("GROQ_API_KEY",)
    needs_auth = True
    default_model = "llama-3.3-70b-versatile"

    @classmethod
    def environment_api_base(cls) -> str | None:
        """The address as its SDK reads it, which adds the path itself."""
        address = super().environment_api_base()
        return address and address.rstrip("/").removesuffix("/openai/v1") + "/openai/v1"


class OpenRouter(OpenaiTemplate):
    """OpenRouter."""

    url = "https://openrouter.ai/docs"
    api_base = "https://openrouter.ai/api/v1"
    api_key_env = ("OPENROUTER_API_KEY",)
    needs_auth = True
    default_model = "openrouter/auto"


class Ollama(OpenaiTemplate):
    """Ollama on this machine, or where `OLLAMA_HOST` says."""

    url = "https://ollama.com"
    api_base = "http://localhost:11434/v1"
    api_base_env = ("OLLAMA_HOST",)
    api_key_env = ("OLLAMA_API_KEY",)

    @classmethod
    def environment_api_base(cls) -> str | None:
        """The address from `OLLAMA_HOST`, in which scheme and port may be missing, and 0.0.0.0 means this machine."""
        found = first_variable(cls.api_base_env)
        if not found:
            return None
        scheme, given, rest = found[1].rpartition("://")
        host, slash, path = rest.partition("/")
        if host.startswith(":"):
            host = f"localhost{host}"
        host = host.replace("0.0.0.0", "localhost", 1)  # noqa: S104 - an address to ask, none to listen at
        if not given and ":" not in host.rpartition("]")[2]:
            host = f"{host}:11434"
        return f"{scheme or 'http'}://{host}{slash}{path}".rstrip("/").removesuffix("/v1") + "/v1"


class LMStudio(OpenaiTemplate):
    """LM Studio on this machine."""

    label = "LM Studio"
    url = "https://lmstudio.ai/docs"
    api_base = "http://localhost:1234/v1"


class LlamaCpp(OpenaiTemplate):
    """The server of llama.cpp on this machine."""

    label = "llama.cpp"
    url = "https://github.com/ggml-org/llama.cpp"
    api_base = "http://localhost:8080/v1"
    api_key_env = ("LLAMA_API_KEY",)


class VLLM(OpenaiTemplate):
    """vLLM on this machine."""

    label = "vLLM"
    url = "https://docs.vllm.ai"
    api_base = "http://localhost:8000/v1"
    api_key_env = ("VLLM_API_KEY",)


class Demo(OpenaiTemplate):
    """The built-in demo endpoint: no language model, its replies are scripted.

    It is found at the address that starting it returns. It knows the ids that Jmuz's aliases name, and mixes
    adverts into a reply as that service did.
    """

    address_hint = "`%jmuz_use demo` starts it"
    adverts = Jmuz.adverts
    default_model = "gpt-4o"
    model_aliases: ClassVar[dict[str, str]] = dict(Jmuz.model_aliases)


CATALOG: Mapping[str, type[OpenaiTemplate]] = MappingProxyType(
    {
        provider.name: provider
        for provider in (
            Jmuz,
            OpenAI,
            Anthropic,
            Gemini,
            Mistral,
            DeepSeek,
            XAI,
            Groq,
            OpenRouter,
            Ollama,
            LMStudio,
            LlamaCpp,
            VLLM,
            Demo,
        )
    }
)
"""Known providers by name."""


def find_provider(name: str) -> type[OpenaiTemplate]:
    """The provider of this name, whatever its case.

    Raises:
        JmuzError: there is none; the nearest name is suggested.
    """
    provider = CATALOG.get(name.strip().lower())
    if provider is not None:
        return provider
    near = difflib.get_close_matches(name.strip().lower(), CATALOG, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    called = "like that (it looks like a key, which belongs elsewhere)" if looks_like_key(name) else ascii(name)
    raise JmuzError(f"no provider is called {called}; {hint}known are {', '.join(CATALOG)}")

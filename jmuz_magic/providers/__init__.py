"""All providers: classes that each speak to one service; subclass `OpenaiTemplate` to add one.

The floors, each of which knows only those listed after it: registry, configured and description; catalog; jmuz and
platforms; openai_template; concessions; dialects and listing; http and picking; endpoint; base.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jmuz_magic.providers.base import AsyncGeneratorProvider, ProviderModelMixin
    from jmuz_magic.providers.catalog import (
        CATALOG,
        VLLM,
        XAI,
        Anthropic,
        Azure,
        Bedrock,
        Colab,
        Databricks,
        DeepSeek,
        Demo,
        Gemini,
        Groq,
        HuggingFace,
        Kaggle,
        LlamaCpp,
        LMStudio,
        Mistral,
        Ollama,
        OpenAI,
        OpenRouter,
    )
    from jmuz_magic.providers.endpoint.endpoint import Endpoint, Provider, resolve_endpoint
    from jmuz_magic.providers.http.policy import Policy
    from jmuz_magic.providers.jmuz import Jmuz
    from jmuz_magic.providers.openai_template import OpenaiTemplate
    from jmuz_magic.providers.registry import find_provider

__all__ = [
    "CATALOG",
    "VLLM",
    "XAI",
    "Anthropic",
    "AsyncGeneratorProvider",
    "Azure",
    "Bedrock",
    "Colab",
    "Databricks",
    "DeepSeek",
    "Demo",
    "Endpoint",
    "Gemini",
    "Groq",
    "HuggingFace",
    "Jmuz",
    "Kaggle",
    "LMStudio",
    "LlamaCpp",
    "Mistral",
    "Ollama",
    "OpenAI",
    "OpenRouter",
    "OpenaiTemplate",
    "Policy",
    "Provider",
    "ProviderModelMixin",
    "find_provider",
    "resolve_endpoint",
]

_HOMES = {
    "AsyncGeneratorProvider": "base",
    "Endpoint": "endpoint.endpoint",
    "Jmuz": "jmuz",
    "OpenaiTemplate": "openai_template",
    "Policy": "http.policy",
    "Provider": "endpoint.endpoint",
    "ProviderModelMixin": "base",
    "find_provider": "registry",
    "resolve_endpoint": "endpoint.endpoint",
}


def __getattr__(name: str) -> Any:
    if name not in __all__ and not name[:1].isupper():  # classes that the catalog adds need no line here
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_HOMES.get(name, 'catalog')}")
    globals()[name] = value = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

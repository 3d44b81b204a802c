"""Which model is picked from a list where nobody chose one."""

from __future__ import annotations

import pytest

from jmuz_magic.providers.catalog import CATALOG


def pick(name: str, *ids: str) -> str:
    from jmuz_magic.providers.endpoint.listed import Listed
    from jmuz_magic.providers.picking import pick

    return pick(CATALOG[name].model_families, [Listed(id_) for id_ in ids])


@pytest.mark.parametrize(
    ("name", "ids", "picked"),
    [
        # The newest of the family, whatever the order of the list.
        ("openai", ["gpt-5.6-luna", "gpt-6-luna", "gpt-6.1-sol", "gpt-5.4-mini"], "gpt-6-luna"),
        ("openai", ["gpt-6-luna", "gpt-10-luna", "gpt-9.5-luna"], "gpt-10-luna"),
        ("openai", ["gpt-6.1-luna", "gpt-6-luna"], "gpt-6.1-luna"),
        ("openai", ["gpt-4.1-mini", "gpt-5.4-mini", "gpt-5.4", "gpt-5.4-nano"], "gpt-5.4-mini"),
        ("openai", ["gpt-6-mini", "gpt-6-luna"], "gpt-6-luna"),
        ("anthropic", ["claude-sonnet-4-5-20250929", "claude-sonnet-5", "claude-opus-5-5"], "claude-sonnet-5"),
        ("anthropic", ["claude-sonnet-4-20250514", "claude-sonnet-4-5-20250929"], "claude-sonnet-4-5-20250929"),
        ("anthropic", ["claude-sonnet-4-6", "claude-sonnet-4-6-20260301"], "claude-sonnet-4-6"),
        ("anthropic", ["claude-sonnet-4-6-20260301", "claude-sonnet-4-6-20260217"], "claude-sonnet-4-6-20260301"),
        (
            "gemini",
            ["models/gemini-3.8-flash", "models/gemini-4-flash", "models/gemini-4-pro"],
            "models/gemini-4-flash",
        ),
        ("gemini", ["gemini-3.5-flash", "gemini-3.5-flash-lite"], "gemini-3.5-flash"),
        ("deepseek", ["deepseek-v4-flash", "deepseek-v4.1-flash", "deepseek-v4.1-pro"], "deepseek-v4.1-flash"),
        ("xai", ["grok-4.20", "grok-4.3"], "grok-4.3"),
        ("xai", ["grok-5", "grok-5-fast", "grok-4.7"], "grok-5-fast"),
        ("groq", ["openai/gpt-oss-120b", "openai/gpt-oss-20b"], "openai/gpt-oss-20b"),
    ],
)
def test_the_newest_of_the_small_general_family_is_picked(name: str, ids: list[str], picked: str) -> None:
    assert pick(name, *ids) == picked
    assert pick(name, *reversed(ids)) == picked


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("openai", ["gpt-6.1-sol", "gpt-6-astra", "gpt-5.5"]),  # the larger ones
        ("openai", ["ft:gpt-6-luna:org::AbC123", "gpt-6-luna-preview", "gpt-6-luna-2026-09-01", "chatgpt-luna"]),
        ("openai", ["gpt-4o-mini-transcribe", "gpt-4o-mini-tts", "gpt-4o-mini-search-preview", "gpt-5.4-mini-codex"]),
        ("openai", ["text-embedding-3-small", "gpt-image-1-mini", "gpt-realtime-mini", "omni-moderation-latest"]),
        ("anthropic", ["claude-opus-5-5", "claude-haiku-4-5-20251001", "claude-fable-5"]),
        ("gemini", ["models/gemini-3.8-pro", "models/gemini-3.1-flash-image", "models/gemini-4-flash-preview"]),
        ("deepseek", ["deepseek-v4-pro", "deepseek-coder-v4"]),
        ("xai", ["grok-4.20-0309-reasoning", "grok-code-fast-1", "grok-imagine-image", "grok-4-fast-reasoning"]),
        ("groq", ["openai/gpt-oss-120b", "openai/gpt-oss-safeguard-20b", "qwen/qwen3.6-27b"]),
        ("ollama", ["llama3.2:3b", "qwen3:8b"]),
        ("vllm", []),
    ],
)
def test_where_no_family_matches_nothing_is_guessed(name: str, ids: list[str]) -> None:
    assert pick(name, *ids) == ""


@pytest.mark.parametrize(
    ("ids", "picked"),
    [
        (["llama3.2:3b"], "llama3.2:3b"),
        (["nomic-embed-text", "llama3.2:3b", "bge-reranker-v2-m3"], "llama3.2:3b"),
        (["my-embedding-thing"], "my-embedding-thing"),  # there is nothing else to ask
    ],
)
def test_the_only_model_of_an_endpoint_is_picked(ids: list[str], picked: str) -> None:
    assert pick("ollama", *ids) == picked
    assert pick("openai", *ids) == picked  # as behind a gateway


def test_of_several_the_only_loaded_one_is_picked_and_adapters_are_not() -> None:
    from jmuz_magic.providers.endpoint.listed import Listed
    from jmuz_magic.providers.picking import pick

    assert pick((), [Listed("a"), Listed("b", loaded=True), Listed("c")]) == "b"
    assert pick((), [Listed("a", loaded=True), Listed("b", loaded=True)]) == ""
    assert pick((), [Listed("base"), Listed("lora", adapter=True)]) == "base"
    assert pick(("gpt-{version}-luna",), [Listed("gpt-7-luna", adapter=True), Listed("gpt-6-luna")]) == "gpt-6-luna"


def test_a_subclass_says_its_family_in_a_line() -> None:
    from jmuz_magic.providers.endpoint.listed import Listed
    from jmuz_magic.providers.picking import pick

    families = ("corp/small (v{version})",)
    assert pick(families, [Listed("corp/small (v2)"), Listed("corp/small (v3)"), Listed("corp/large (v3)")]) == (
        "corp/small (v3)"
    )


@pytest.mark.usefixtures("magics")
def test_ids_in_the_line_that_asks_for_a_choice_are_short_and_few() -> None:
    from jmuz_magic.providers.catalog import Ollama
    from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
    from jmuz_magic.providers.endpoint.listed import Listed
    from jmuz_magic.providers.picking import undecided

    models = [Listed(f"{'long' * 40}-{number}\n") for number in range(1000)]
    said = str(undecided(resolve_endpoint(Ollama), models))
    assert said.startswith("no model is chosen; choose one with %jmuz_use ollama:MODEL, such as longlong")
    assert said.endswith("(%jmuz_models lists all 1000)")
    assert "\n" not in said
    assert len(said) < 500

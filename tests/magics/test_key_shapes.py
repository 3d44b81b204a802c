"""What is taken for a key on the line of a magic, and what for the id of a model."""

from __future__ import annotations

import pytest

from tests.magics.loaded import UserShell

HEX = "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa"

MODELS = [
    HEX,
    HEX[:40],
    HEX.upper(),
    f"sha256:{HEX}",
    f"sha256:{HEX[:32]}",
    f"llama3.2@sha256:{HEX}",
    f"meta/llama-3:{HEX}",
    f"qwen3-{HEX[:40]}",
    "ft:gpt-4.1-mini-2025-04-14:org::AbC123",
    "ft:gpt-4o-2024-08-06:org-0aB1cD2eF3gH4iJ5kL6mN7oP:my-suffix:9xYzAbCd",
    "meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8",
    "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
    "xai-grok-2-vision",
    "mistral-sk-7b",
    "claude-sonnet-4-5-20250929",
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6-v1:0",
    "accounts/fireworks/models/gpt-oss-20b",
    "0b6a6c1e-7d2f-4c39-8a54-5d6f7e8a9b0c",
    "hf_transfer/some-model",
]
KEYS = [
    "sk-abc",
    "sk-proj-0aB1cD2eF3gH4iJ5",
    "sk-ant-api03-x",
    "openai:sk-abc",
    "org/sk-abc",
    "gsk_0123456789abcdefghijklmnop",
    "xai-0aB1cD2eF3gH4iJ5kL6mN7oP",
    "AIzaSyD0123456789abcdefghijklm",
    "hf_AbCdEfGhIjKlMnOpQrStUvWx",
    "r8_0aB1cD2eF3gH4iJ5kL6m",
    "nvapi-0aB1cD2eF3gH4iJ5kL6mN7oP",
    "pplx-0aB1cD2eF3gH4iJ5kL6mN7oP",
    "ghp_0aB1cD2eF3gH4iJ5kL6mN7oP",
    "github_pat_11ABCDEFG0aB1cD2eF3gH",
    "tgp_v1_0aB1cD2eF3gH4iJ5kL6mN7oP",
    "AKIAIOSFODNN7EXAMPLE",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.x",
    "0aB1cD2eF3gH4iJ5kL6mN7oP",
    "0123456789abcdef0123456789abcdef",  # 32 digits, as Azure's
    "'sk-abc'",
    "ft:sk-abc",
]


@pytest.mark.finding("A21")
@pytest.mark.parametrize(
    "line", ["%jmuz_use vllm:{}", "%jmuz_alias mine {} -p vllm", "%jmuz --dry-run -p vllm -m {} hi"]
)
def test_ids_of_models_are_taken_as_they_are(line: str, user: UserShell) -> None:
    for model in MODELS:
        assert model in user.line(line.format(model))


@pytest.mark.threat(10)
@pytest.mark.parametrize("line", ["%jmuz_use vllm:{}", "%jmuz_use vllm {}", "%jmuz_alias mine {}", "%jmuz -m {} hi"])
def test_keys_in_the_place_of_a_model_are_refused_and_not_repeated(line: str, user: UserShell) -> None:
    for key in KEYS:
        said = user.refusal(line.format(key))
        assert "revoke it" in said
        assert key not in said


@pytest.mark.threat(10)
@pytest.mark.parametrize(
    "line", ["%jmuz_use {}", "%jmuz_models -p {}", "%jmuz -p {} hi", "%jmuz_use ollama --key-env {}"]
)
def test_where_no_model_can_stand_a_digest_is_taken_for_a_key(line: str, user: UserShell) -> None:
    for key in (HEX, HEX[:40], "0aB1cD2eF3gH4iJ5kL6mN7oP", "sk-abc"):
        said = user.refusal(line.format(key))
        assert "revoke it" in said
        assert key not in said

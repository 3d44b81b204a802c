from __future__ import annotations

import pytest

from jmuz_magic.display.families import is_other_family

SAME = """
gpt-5                                   gpt-5-2026-08-01
gpt-5                                   gpt-5
gpt-4                                   gpt-4-0613
gpt-3.5-turbo                           gpt-3.5-turbo-0125
gpt-35-turbo                            gpt-3.5-turbo-0125
gpt-4-turbo                             gpt-4-turbo-2024-04-09
gpt-4o                                  gpt-4o-2024-08-06
gpt-5-chat-latest                       gpt-5
chatgpt-4o-latest                       gpt-4o-2024-11-20
o3                                      o3-2025-04-16
o4-mini                                 o4-mini-2025-04-16
gpt-4o-prod-eu                          gpt-4o-2024-08-06
my-gpt4o                                gpt-4o-2024-08-06
my-deployment                           gpt-4o-2024-08-06
chat                                    gpt-5.6-luna
ft:gpt-4o-mini-2024-07-18:org::AbC      ft:gpt-4o-mini-2024-07-18:org::AbC
ft:gpt-4o-mini-2024-07-18:org::AbC      gpt-4o-mini-2024-07-18
claude-sonnet-4-5                       claude-sonnet-4-5-20250929
claude-3-5-sonnet-latest                claude-3-5-sonnet-20241022
claude-sonnet-4@20250514                claude-sonnet-4-20250514
claude-opus-4-1                         claude-opus-4-1-20250805
anthropic/claude-sonnet-4.5             anthropic/claude-4.5-sonnet-20250929
us.anthropic.claude-sonnet-4-5-20250929-v1:0 claude-sonnet-4-5-20250929
anthropic.claude-3-5-sonnet-20240620-v1:0 claude-3-5-sonnet-20240620
arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3 claude-sonnet-4-5
amazon.nova-pro-v1:0                    nova-pro
databricks-claude-sonnet-4              claude-sonnet-4-20250514
gemini-2.5-flash                        gemini-2.5-flash
gemini-2.5-flash                        models/gemini-2.5-flash
gemini-2.5-flash                        gemini-2.5-flash-preview-09-2025
gemini-2.5-flash                        gemini-2.5-flash-preview-05-20
gemini-2.0-flash                        gemini-2.0-flash-001
gemini-flash-latest                     gemini-3.5-flash
gemini-flash                            gemini-2.0-flash-exp
google/gemini-2.5-flash:free            google/gemini-2.5-flash
mistral-small-latest                    mistral-small-2506
mistral-large                           mistral-large-2411
grok-4                                  grok-4-0709
deepseek-chat                           deepseek-v4-flash
deepseek-reasoner                       deepseek-v4-flash
deepseek/deepseek-r1:free               deepseek/deepseek-r1-0528
kimi-k2                                 kimi-k2-0905
glm-4.6                                 glm-4-6
openrouter/auto                         anthropic/claude-sonnet-4.5
auto                                    gpt-5
model-router                            gpt-5-mini-2025-08-07
@preset/mine                            openai/gpt-5
default                                 qwen3-8b
llama3.2                                llama3.2:latest
llama3.2:3b                             llama3.2:3b
qwen3:8b                                qwen3:8b
qwen3                                   qwen3:latest
gpt-oss:120b-cloud                      gpt-oss:120b
hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M llama-3.2-3b-instruct
llama-3.2-3b-instruct                   /models/Llama-3.2-3B-Instruct-Q4_K_M.gguf
meta-llama-3-8b-instruct                /srv/models/Meta-Llama-3-8B-Instruct/
meta-llama/Llama-3.3-70B-Instruct       meta-llama/Llama-3.3-70B-Instruct-Turbo
mixtral-8x7b                            mixtral-8x7b-32768
accounts/fireworks/models/llama-v3p1-70b-instruct llama-3.1-70b-instruct
SmolLM2-135M-Instruct-Q8_0.gguf         SmolLM2-135M-Instruct
demo-echo                               demo-echo
demo-echo                               somebody-else
demo-prod                               gpt-4o-2024-08-06
my-deployment                           demo-chat
our-gpt                                 claude-sonnet-4-5
llama.cpp                               Qwen3-8B-Q4_K_M.gguf
""".strip().splitlines()  # fmt: skip

OTHER = """
gemini-2.5-flash                        gemini-3.5-flash-lite
gemini-2.5-flash                        gemini-2.5-flash-lite
gemini-2.5-pro                          gemini-2.5-flash
gemini-flash-latest                     gemini-3.5-flash-lite
gpt-5                                   gpt-5-mini-2025-08-07
gpt-4o                                  gpt-4o-mini-2024-07-18
gpt-4o                                  gpt-4.1
gpt-4                                   gpt-5.6-luna
openai/gpt-5                            openai/gpt-5-nano
o3                                      o4-mini
o3                                      gpt-5
claude-opus-4-1                         claude-sonnet-4-5-20250929
claude-sonnet-4-5                       claude-3-haiku-20240307
us.anthropic.claude-opus-4-20250514-v1:0 claude-sonnet-4-20250514
grok-4-0709                             grok-4.3
deepseek-r1                             deepseek-v3
mistral-small-latest                    mistral-medium-2508
llama-3.3-70b-versatile                 qwen3.6-27b
llama3.1:8b                             llama3.1:70b
gpt-4o                                  Qwen3-8B-Q4_K_M.gguf
gpt-4o-prod                             claude-sonnet-4-5
gemini-flash                            demo-chat
""".strip().splitlines()


@pytest.mark.parametrize("pair", SAME)
def test_snapshots_spellings_and_names_that_say_nothing_are_one_family(pair: str) -> None:
    asked, answered = pair.split()
    assert not is_other_family(asked, answered)


@pytest.mark.parametrize("pair", OTHER)
def test_another_family_is_seen(pair: str) -> None:
    asked, answered = pair.split()
    assert is_other_family(asked, answered)


@pytest.mark.parametrize("answered", ["", " ", "\x1b[31m", "-" * 10_000, "9" * 10_000, "gpt" * 3_000])
def test_what_is_no_id_is_read_all_the_same(answered: str) -> None:
    is_other_family("gpt-5", answered)
    is_other_family(answered, "gpt-5")

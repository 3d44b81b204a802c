"""Tells whether the model that answered belongs to the family asked for, without false alarms over spelling.

Services answer `gpt-5` as `gpt-5-2026-08-01`, gateways add vendors, regions and hosts to a name, local servers name
a file, and deployments are called whatever their owners like. So only what both names state clearly is compared:
the family name, the version, the size, and words such as `mini` or `pro`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["is_other_family"]

_BRANDS = frozenset({
    "claude", "codestral", "deepseek", "devstral", "ernie", "gemini", "gemma", "glm", "gpt", "granite", "grok",
    "hunyuan", "jamba", "kimi", "llama", "magistral", "minimax", "ministral", "mistral", "mixtral", "nemotron", "olmo",
    "phi", "pixtral", "qwen", "qwq", "smollm", "voxtral",
})  # fmt: skip
_COMMON = frozenset({"gpt", "llama"})  # without a version or size these may mean any chat model or local server
_TIERS = frozenset({
    "air", "codex", "coder", "flash", "haiku", "highspeed", "large", "lite", "max", "medium", "micro", "mini", "nano",
    "opus", "oss", "plus", "premier", "pro", "small", "sonnet", "tiny", "turbo", "ultra",
})  # fmt: skip
_STAND_IN = "demo-"  # as the built-in demo endpoint names itself; asked for, it may be anybody's deployment
_SPELLINGS = {"chatgpt": "gpt"}
_ROUTED = re.compile(r"(?:^|[/:_-])(?:auto|default|router)(?:$|[/:_-])|^@preset/")
_AROUND = re.compile(r"[:@](?:latest|free|nitro|floor|online|exacto|extended|beta|\d+)$|-v\d+:\d+$")
_QUANTS = re.compile(r"(?<![a-z0-9])(?:i?q\d\w*|fp\d+|bf16|int\d+|awq|gptq|gguf|mlx)(?![a-z0-9])")
_DATES = re.compile(r"(?<![\d.])(?:\d{4}-\d\d-\d\d|\d\d-\d\d(?:\d\d)?|\d{3,})(?![\d.b])")
_WORDS = re.compile(
    r"\d+(?:x\d+)?(?:\.\d+)?b|\d+o(?![a-z])|(?<![a-z])[kmorv]\d+(?:[.p]\d+)?(?![\dab])|[a-z]+|\d+(?:\.\d+)?[a-z]?"
)
_VERSION = re.compile(r"\d{1,2}(?:\.\d+)?|\d+o|[kmorv]\d+(?:[.p]\d+)?")
_SIZE = re.compile(r"\d+(?:x\d+)?(?:\.\d+)?b")


@dataclass(frozen=True)
class _Name:
    """What an id states about its model; parts that it does not state are empty."""

    brands: frozenset[str]
    version: str
    tiers: frozenset[str]
    size: str


def is_other_family(asked: str, answered: str) -> bool:
    """Whether the two ids certainly name different models; snapshots and spellings of one model count as the same."""
    if not asked or not answered or _ROUTED.search(asked.lower()):
        return False
    one, other = _read(asked), _read(answered)
    if one.brands and answered.startswith(_STAND_IN):
        return True
    if not one.brands or not other.brands:
        return False  # a deployment, a file, or a name of the user's choosing
    if not one.brands & other.brands:
        return True
    if one.version and other.version and one.version != other.version:
        return True
    if one.size and other.size:
        return one.size != other.size
    return bool(one.version or one.tiers) and one.tiers != other.tiers


@lru_cache(maxsize=64)
def _read(model: str) -> _Name:
    name = model.lower().rstrip("/").rpartition("/")[2].removesuffix(".gguf")
    while (shorter := _AROUND.sub("", name)) != name:
        name = shorter
    words = [_SPELLINGS.get(word, word) for word in _WORDS.findall(_DATES.sub(" ", _QUANTS.sub(" ", name)))]
    brands = frozenset(word for word in words if word in _BRANDS) or _series(words)
    version = "".join(word for word in words if _VERSION.fullmatch(word))
    size = next((word for word in words if _SIZE.fullmatch(word)), "")
    if not version and not size:
        brands -= _COMMON
    return _Name(brands, re.sub(r"[.pv]", "", version), frozenset(words) & _TIERS, size)


def _series(words: list[str]) -> frozenset[str]:
    """OpenAI's o-series, whose names are versions: o3, o4-mini."""
    return frozenset({"o"} if words and re.fullmatch(r"o\d", words[0]) else ())

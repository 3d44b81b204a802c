"""No name of a model that a service has switched off, or says that it will, stands where users read or send it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jmuz_magic.providers.catalog import CATALOG, Demo
from jmuz_magic.providers.jmuz import Jmuz

ROOT = Path(__file__).resolve().parent.parent

ENDED = {
    # Looked up on 2026-11-28; a name comes in when its end is announced, and never goes out.
    "2026-10-23": "gpt-3.5-turbo gpt-4 gpt-4-turbo gpt-4.1-nano o1 o1-pro o3-mini o4-mini",  # OpenAI, deprecations
    "2026-12-11": "gpt-5 gpt-5-mini gpt-5-nano gpt-5-pro o3 o3-pro",
    "2027-01-14": "gpt-4o gpt-4o-mini gpt-4.1 gpt-4.1-mini",
    "2026-06-15": "claude-sonnet-4-0 claude-sonnet-4-20250514 claude-opus-4-0 claude-opus-4-20250514",  # Anthropic
    "2026-02-19": "claude-3-7-sonnet-20250219 claude-3-5-haiku-20241022 claude-3-5-sonnet-20241022",
    "2026-12-01": "gemini-2.5-flash gemini-2.5-pro gemini-2.5-flash-lite gemini-2.0-flash gemini-1.5-flash",  # Google
    "2026-07-24": "deepseek-chat deepseek-reasoner",  # DeepSeek
    "2026-05-15": "grok-3 grok-4 grok-4-0709 grok-4-fast-reasoning grok-code-fast-1",  # xAI, migration guides
    "2026-08-16": "llama-3.3-70b-versatile llama-3.1-8b-instant",  # Groq, deprecations
}
"""Names by the day on which they ended or will; no test reads a clock."""

NAMES = {name for names in ENDED.values() for name in names.split()}
OF_JMUZ = {Jmuz.default_model, *Jmuz.model_aliases, *Jmuz.model_aliases.values()}
"""What the namesake's service is asked by, as its specification has it; the demo lists the same."""

_WORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


def ended_names(text: str) -> set[str]:
    return NAMES.intersection(_WORD.findall(text))


@pytest.mark.parametrize("name", [name for name, provider in CATALOG.items() if provider not in (Jmuz, Demo)])
def test_no_provider_sends_a_name_that_ended(name: str) -> None:
    provider = CATALOG[name]
    assert provider.default_model not in NAMES
    assert not NAMES.intersection(provider.model_aliases)
    assert not NAMES.intersection(provider.model_aliases.values())


@pytest.mark.finding("B34")
def test_a_default_of_the_catalog_is_a_name_that_its_service_keeps_current() -> None:
    defaults = {name: provider.default_model for name, provider in CATALOG.items() if provider.default_model}
    del defaults["jmuz"], defaults["demo"]
    assert defaults == {"mistral": "mistral-small-latest", "openrouter": "openrouter/auto"}


@pytest.mark.finding("B34")
def test_what_cannot_be_proved_from_here_stands_with_its_source_and_date() -> None:
    """The comment is on the line itself or on those directly above it."""
    providers = ROOT / "jmuz_magic" / "providers"
    lines = [
        line
        for name in ("catalog.py", "platforms.py")
        for line in (providers / name).read_text(encoding="utf-8").splitlines()
    ]
    claims = re.compile(r"    (asks_\w+|default_model|max_tokens_field|model_families|page_parameter|reasoning_\w+) = ")
    for number, line in enumerate(lines):
        if not claims.match(line) or "Jmuz." in line or '"demo-' in line:
            continue
        above = number
        while lines[above - 1].startswith("    #"):
            above -= 1
        said = " ".join(lines[above : number + 1]).partition("#")[2]
        assert re.search(r"\b20\d\d-\d\d\b", said), f"{line.strip()}: no date in {said!r}"
        source = r"\w+\.\w+\.?\w*/|#\d+|docs\.|API reference|documentation|traffic|threads"
        assert re.search(source, said), f"{line.strip()}: no source in {said!r}"


def test_names_are_found_as_whole_words_only() -> None:
    assert ended_names("-m gpt-4o, `gpt-4.1-mini`; openai:gpt-5.") == {"gpt-4o", "gpt-4.1-mini", "gpt-5"}
    assert ended_names("gpt-5.4-mini gpt-4ominous my-gpt-4o grok-4.6 claude-sonnet-4-6 o3-like") == set()


def documents() -> list[Path]:
    package = ROOT / "jmuz_magic"
    sources = [package / "providers" / "catalog.py", *(package / "magics").rglob("*.py")]  # help texts stand there
    return [ROOT / "README.md", *(ROOT / "notebooks").glob("*.ipynb"), *sources]


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_users_read_names_a_model_that_ended(path: Path) -> None:
    allowed = OF_JMUZ if path.suffix == ".ipynb" else set()  # the notebooks list what the demo has
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if "Jmuz." not in line]
    assert ended_names("\n".join(lines)) - allowed == set()

"""The section on platforms in `docs/endpoints.md` says what the classes do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from jmuz_magic.providers import platforms
from jmuz_magic.providers.catalog import CATALOG
from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
from jmuz_magic.providers.openai_template import OpenaiTemplate

PAGE = Path(__file__).resolve().parents[2] / "docs" / "endpoints.md"
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")


def section() -> str:
    _, _, after = PAGE.read_text(encoding="utf-8").partition("\n## Platforms\n")
    return after.partition("\n## ")[0]


def rows() -> dict[str, tuple[str, str, str]]:
    """By name: where the address is from, where requests go, where the key is from."""
    lines = [line.strip("|").split("|") for line in section().splitlines() if line.startswith("| `%jmuz_use ")]
    cells = [[cell.strip() for cell in line] for line in lines]
    return {re.split(r"[ :]", typed.strip("`"))[1]: (source, goes, key) for typed, source, goes, key in cells}


def own() -> dict[str, type[OpenaiTemplate]]:
    return {getattr(platforms, name).name: getattr(platforms, name) for name in platforms.__all__}


def test_it_lists_each_platform_of_the_catalog() -> None:
    assert set(rows()) == set(own())
    assert all(CATALOG[name] is provider for name, provider in own().items())


@pytest.mark.parametrize("name", own())
def test_what_it_says_of_a_platform_is_so(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source, goes, key = rows()[name]
    if "=" in source:
        monkeypatch.setenv(*source.strip("`").split("=", 1))
    assert resolve_endpoint(CATALOG[name]).api_base == goes.strip("`")
    assert set(_VARIABLE.findall(key)) == set(CATALOG[name].api_key_env)


def test_it_names_every_variable_that_a_platform_reads_and_no_other() -> None:
    read = {name for provider in own().values() for name in (*provider.api_base_env, *provider.api_key_env)}
    read |= {"AWS_REGION", "AWS_DEFAULT_REGION", "OPENAI_API_VERSION"}
    of_networks = {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
    assert set(_VARIABLE.findall(section())) == read | of_networks

"""The registry: names of the catalog, and providers that installed packages bring."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jmuz_magic.errors import JmuzError
from jmuz_magic.providers import registry
from jmuz_magic.providers.base import only_known
from jmuz_magic.providers.catalog import CATALOG, OpenAI
from jmuz_magic.providers.endpoint.endpoint import Endpoint
from jmuz_magic.providers.openai_template import OpenaiTemplate
from jmuz_magic.providers.registry import (
    find_provider,
    is_provider,
    is_registered,
    known_names,
    known_providers,
    source_of,
)
from tests.installed import leave_package

CLASS = "from jmuz_magic import OpenaiTemplate\n\nclass Foo(OpenaiTemplate):\n    api_base = 'http://127.0.0.1:9/v1'\n"


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for packages, on `sys.path`; what the registry learns there is forgotten."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("_loaded", "_sources", "_found"):
        monkeypatch.setattr(registry, name, type(getattr(registry, name))())
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_a_provider_of_a_package_is_found_by_its_name(packages: Path) -> None:
    leave_package(packages, "jmuz_foo", "foo = jmuz_foo:Foo", CLASS)
    provider = find_provider(" FOO ")
    assert provider is sys.modules["jmuz_foo"].Foo is find_provider("foo")
    assert (provider.spoken_name, source_of(provider)) == ("foo", "jmuz_foo 1.0")
    assert is_registered(provider)
    assert known_names() == [*CATALOG, "foo"] == list(known_providers())


@pytest.mark.usefixtures("magics")
def test_what_is_said_of_its_endpoints_uses_the_name_of_the_entry_point(packages: Path) -> None:
    leave_package(packages, "jmuz_foo", "better = jmuz_foo:Foo", CLASS)
    endpoint = Endpoint(find_provider("better"), "http://127.0.0.1:9/v1")
    assert "%jmuz_use better --api-base http://127.0.0.1:9/v1" in endpoint.key_advice
    assert endpoint.provider_name == "Foo"


def test_no_package_is_imported_before_its_name_is_asked_for(packages: Path) -> None:
    leave_package(packages, "jmuz_foo", "foo = jmuz_foo:Foo", CLASS)
    assert find_provider("openai") is OpenAI
    assert known_names() == list(CATALOG)
    with only_known(), pytest.raises(JmuzError, match="there is no provider 'foo'"):
        find_provider("foo")
    assert known_names() == list(CATALOG)
    with pytest.raises(JmuzError, match="did you mean foo"):
        find_provider("fooo")
    assert known_names() == [*CATALOG, "foo"]
    assert "jmuz_foo" not in sys.modules


@pytest.mark.threat(26)
def test_no_package_takes_a_name_of_the_catalog(packages: Path) -> None:
    leave_package(packages, "jmuz_foo", "openai = jmuz_foo:Foo\nOpenAI = jmuz_foo:Foo\nfoo = jmuz_foo:Foo", CLASS)
    find_provider("foo")
    assert find_provider("openai") is find_provider("OpenAI") is known_providers()["openai"] is OpenAI
    assert known_names().count("openai") == 1


def test_a_class_of_the_user_is_in_no_registry() -> None:
    class Mine(OpenaiTemplate):
        pass

    assert is_provider(Mine)
    assert Mine.spoken_name == "Mine"
    assert not is_registered(Mine)
    assert source_of(Mine) == source_of(OpenAI) == ""


@pytest.mark.parametrize(
    ("entry", "module", "problem"),
    [
        ("foo = jmuz_foo:Foo", "import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_"),
        ("foo = jmuz_foo:Foo", "raise ValueError('a\\n\\x1b[2Jb')", r"ValueError: a ␛\[2Jb"),
        ("foo = jmuz_foo:Foo", "class", "SyntaxError: invalid syntax"),
        ("foo = jmuz_foo:Foo", "import sys; sys.exit('foo needs bar')", "SystemExit: foo needs bar"),
        ("foo = jmuz_foo:Bar", CLASS, "AttributeError: module 'jmuz_foo' has no attribute 'Bar'"),
        ("foo = jmuz_foo:Foo", "Foo = 3", "expected a provider class, such as a subclass of OpenaiTemplate, got 3"),
        ("foo = jmuz_foo:Foo", "class Foo: pass", "expected a provider class, .* got <class 'jmuz_foo.Foo'>"),
        ("foo = jmuz_magic:OpenaiTemplate", "", "expected a provider class, "),
        ("foo = jmuz_magic.providers:OpenAI", "", "expected a provider class, "),
        ("foo = 3", "", "ModuleNotFoundError"),
    ],
)
def test_a_broken_package_costs_one_line(packages: Path, entry: str, module: str, problem: str) -> None:
    leave_package(packages, "jmuz_foo", entry, module)
    with pytest.raises(JmuzError, match=f"^the provider foo of jmuz_foo 1.0 cannot be used: .*{problem}") as caught:
        find_provider("foo")
    assert "\n" not in str(caught.value)
    assert (OpenAI.spoken_name, OpenaiTemplate.spoken_name) == ("openai", "OpenaiTemplate")


def test_of_two_packages_with_one_name_neither_is_taken(packages: Path) -> None:
    leave_package(packages, "jmuz_foo", "foo = jmuz_foo:Foo", CLASS)
    leave_package(packages, "jmuz_fou", "foo = jmuz_fou:Foo", CLASS)
    with pytest.raises(
        JmuzError, match=r"several packages bring .* foo: (jmuz_fo[ou] 1\.0(, |; )){2}uninstall all but"
    ):
        find_provider("foo")


def test_metadata_that_cannot_be_read_stops_nobody(packages: Path) -> None:
    leave_package(packages, "jmuz_fou", "broken")
    leave_package(packages, "jmuz_foo", "foo = jmuz_foo:Foo", CLASS)
    with pytest.raises(JmuzError, match="did you mean openai"):
        find_provider("opnai")
    assert source_of(find_provider("foo")) == "jmuz_foo 1.0"


def test_of_a_package_that_is_there_twice_the_first_counts(packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_package(packages / "older", "jmuz_foo", "foo = jmuz_foo:Older", CLASS)
    leave_package(packages, "jmuz_foo", "foo = jmuz_foo:Foo", CLASS)
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages / "older")])
    assert find_provider("foo") is sys.modules["jmuz_foo"].Foo

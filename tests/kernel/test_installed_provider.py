"""README's package with a provider, installed by pip and used in a kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from tests.installed import build_readme_package
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Kernel

pytestmark = pytest.mark.kernel

SOURCE = "the provider foo comes from the package jmuz-magic-foo 1.0"
KEY = "sk-fake-0123456789abcdef"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which pip has installed the package; its address and key come from the environment."""
    folder = tmp_path_factory.mktemp("installed")
    build_readme_package(folder / "source", folder / "site", api_base='""\n    api_base_env = ("FOO_API_BASE",)')
    return folder / "site"


@pytest.fixture
def foo_kernel(installed: Path, demo_endpoint: DemoServer, start_kernel: StartKernel, tmp_path: Path) -> Kernel:
    kernel = start_kernel(env=environment(tmp_path, demo_endpoint) | {"PYTHONPATH": str(installed)})
    kernel.run("%load_ext jmuz_magic")
    return kernel


def environment(config: Path, endpoint: DemoServer) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(config), "FOO_API_BASE": endpoint.api_base, "FOO_API_KEY": KEY}


def test_an_installed_provider_answers_and_says_once_where_it_comes_from(foo_kernel: Kernel) -> None:
    first = foo_kernel.run("%%jmuz -p foo -m demo-echo\nhi")
    assert "hi" in first.html
    assert (first.stdout + first.stderr).strip() == SOURCE
    assert SOURCE not in foo_kernel.run("%%jmuz -p foo -m demo-echo\nhi again").text
    assert foo_kernel.value("_jmuz.provider") == "Foo"


def test_it_is_listed_chosen_and_shown_as_ours_are(foo_kernel: Kernel) -> None:
    listed = foo_kernel.run("%jmuz_models -p foo")
    assert SOURCE in listed.text
    assert "demo-echo" in listed.text
    assert foo_kernel.run("%jmuz_use foo:demo-echo").stdout.startswith("Foo at http://127.0.0.1:")
    assert "hi" in foo_kernel.run("%%jmuz\nhi").html
    foo_kernel.run("from jmuz_magic import ChatPanel, Conversation, ModelSelector")
    assert ["foo", "Foo"] in foo_kernel.value("ModelSelector().state['providers']")
    assert foo_kernel.value("ModelSelector(provider='foo').state['provider']") == "foo"
    assert foo_kernel.value("ChatPanel().settings['endpoint']").startswith("Foo at http://127.0.0.1:")
    assert foo_kernel.value("Conversation(model='demo-echo', provider='foo').ask('hi').provider") == "Foo"


def test_nothing_is_imported_or_searched_at_load_nor_by_tab(foo_kernel: Kernel) -> None:
    assert "foo" not in foo_kernel.complete("%jmuz_use ")["matches"]
    assert foo_kernel.complete("%%jmuz -p foo -m ")["matches"] == []
    assert foo_kernel.value("'jmuz_magic_foo' in __import__('sys').modules") is False
    assert "did you mean foo?" in foo_kernel.execute("%jmuz_use fooo").text
    assert "foo" in foo_kernel.complete("%jmuz_use ")["matches"]
    assert foo_kernel.value("'jmuz_magic_foo' in __import__('sys').modules") is False
    assert SOURCE in foo_kernel.execute("%jmuz_key foo").text  # before anybody types a key


def test_a_saved_choice_outlives_the_session_and_after_uninstalling_says_what_is_missing(
    foo_kernel: Kernel, start_kernel: StartKernel, installed: Path, demo_endpoint: DemoServer, tmp_path: Path
) -> None:
    foo_kernel.run("%jmuz_use foo:demo-echo --save\n%jmuz_alias quick demo-echo -p foo --save")
    kernel = start_kernel(env=environment(tmp_path, demo_endpoint) | {"PYTHONPATH": str(installed)})
    kernel.run("%load_ext jmuz_magic")
    kernel.complete("%%jmuz -m ")
    answered = kernel.run("%%jmuz\nhi")
    assert "hi" in answered.html
    assert SOURCE in answered.text
    kernel = start_kernel(env=environment(tmp_path, demo_endpoint))
    kernel.run("%load_ext jmuz_magic")
    for _ in range(2):
        failed = kernel.execute("%%jmuz\nhi")
        assert failed.status == "error"
        assert "the saved choice cannot be used: there is no provider 'foo'; known providers: openai" in failed.text
        assert failed.text.count("\n") <= 1
    kernel.run(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    assert "there is no provider 'foo'" in kernel.execute("%%jmuz -m quick\nhi").text

"""Loading and unloading are an exact pair, cheap, and send nothing."""

from __future__ import annotations

import gc
import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jmuz_magic.conversation.selection import get_selection
from jmuz_magic.demo import DemoServer
from jmuz_magic.magics import commands, extension
from jmuz_magic.streaming.bridge import close_bridge, get_bridge
from tests.magics.loaded import UserShell
from tests.waiting import wait_until


@pytest.fixture
def bare(shell: Any, capsys: pytest.CaptureFixture[str]) -> Iterator[UserShell]:
    """A shell without the extension, in a process without its thread."""
    close_bridge()
    shell.colors = "nocolor"
    shell.run_line_magic("unload_ext", "nothing")  # IPython adds its own magics of extensions at their first use
    yield UserShell(shell, capsys)
    extension.unload(shell)
    get_selection().set(choice=None, model=None, options={})


def in_order(shell: Any) -> dict[str, list[str]]:
    """All that an extension may add to a shell, by place; what is there twice is here twice."""
    manager = shell.magics_manager
    return {
        "line magics": sorted(manager.magics["line"]),
        "cell magics": sorted(manager.magics["cell"]),
        "magics objects": sorted(manager.registry),
        "configurables": sorted(type(one).__name__ for one in shell.configurables),
        "matchers": [matcher.matcher_identifier for matcher in shell.Completer.custom_matchers],
        "cleanup transforms": [str(one) for one in shell.input_transformer_manager.cleanup_transforms],
        "line transforms": [str(one) for one in shell.input_transformer_manager.line_transforms],
        "ast transforms": [str(one) for one in shell.ast_transformers],
        "events": sorted(name for name, callbacks in shell.events.callbacks.items() for _ in callbacks),
        "formatters": sorted(
            f"{mime} {kind}"
            for mime, formatter in [*shell.display_formatter.formatters.items(),
                                    ("bundle", shell.display_formatter.mimebundle_formatter)]
            for kind in [*formatter.type_printers, *formatter.deferred_printers]
        ),
        "exception handlers": [str(one) for one in shell.custom_exceptions],
        "hooks": sorted(name for name in shell.hooks),
    }  # fmt: skip


def threads() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate())


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def warmed() -> None:
    """What loading leaves to the bridge's thread has happened."""

    async def nothing() -> None: ...

    get_bridge().run(nothing())


@pytest.mark.fault(49)
def test_five_reloads_leave_what_one_load_leaves(bare: UserShell) -> None:
    # What earlier tests resolved names with ends when their loops are collected.
    wait_until(lambda: gc.collect() < 0 or "asyncio_0" not in threads(), "no thread of an earlier loop runs")
    bare.line("%load_ext jmuz_magic")
    warmed()
    first, running = in_order(bare.shell), threads()
    for _ in range(5):
        bare.line("%reload_ext jmuz_magic")
        warmed()
        assert in_order(bare.shell) == first
    wait_until(lambda: threads() == running, f"the same threads run: {running}")
    assert first["matchers"].count("jmuz_magic") == 1
    assert sum("keep_prompts" in name for name in first["cleanup transforms"]) == 1
    assert sum("Reply" in name for name in first["formatters"]) == 1
    assert first["magics objects"].count("JmuzMagics") == 1


@pytest.mark.fault(49)
def test_unloading_leaves_nothing(bare: UserShell) -> None:
    before, running = in_order(bare.shell), threads()
    names = set(bare.shell.user_ns)
    bare.line("%load_ext jmuz_magic")
    assert in_order(bare.shell) != before
    bare.line("%unload_ext jmuz_magic")
    assert in_order(bare.shell) == before
    wait_until(lambda: threads() == running, f"the same threads run: {running}")
    assert set(bare.shell.user_ns) - names <= {"_", "__", "___"}
    assert bare.line("%unload_ext jmuz_magic") == "The jmuz_magic extension is not loaded."


@pytest.mark.fault(49)
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
def test_reloads_after_use_leave_no_open_file(bare: UserShell) -> None:
    def use() -> None:
        bare.line("%reload_ext jmuz_magic")
        bare.line("%jmuz_use demo")
        bare.line("%jmuz_models")
        bare.line("%jmuz -m demo-echo hi")

    use()
    running, files = threads(), open_files()
    for _ in range(3):
        use()
    wait_until(lambda: threads() == running, f"the same threads run: {running}")
    wait_until(lambda: open_files() <= files, f"not more than {files} files are open")


def test_the_demo_is_started_again_where_it_was_in_use(bare: UserShell) -> None:
    bare.line("%load_ext jmuz_magic")
    bare.line("%jmuz_use demo")
    bare.line("%reload_ext jmuz_magic")
    assert bare.line("%jmuz -m demo-echo hi") == "hi"


def test_a_choice_made_after_the_demo_is_kept_when_that_ends(bare: UserShell) -> None:
    bare.line("%load_ext jmuz_magic")
    bare.line("%jmuz_use demo")
    bare.line("%jmuz_use --api-base http://127.0.0.1:9/v1")
    bare.line("%reload_ext jmuz_magic")
    choice = get_selection().choice
    assert choice is not None
    assert choice.api_base == "http://127.0.0.1:9/v1"


def test_loading_twice_is_loading_once(bare: UserShell) -> None:
    bare.line("%load_ext jmuz_magic")
    first = in_order(bare.shell)
    extension.load(bare.shell)
    assert in_order(bare.shell) == first


def test_a_load_that_fails_leaves_nothing_and_can_be_repeated(bare: UserShell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(session: object) -> None:
        raise OSError("no")

    before = in_order(bare.shell)
    with monkeypatch.context() as patch:
        patch.setattr(extension, "_add_matcher", fail)
        assert not bare.run("%load_ext jmuz_magic").ok
    assert in_order(bare.shell) == before
    bare.line("%load_ext jmuz_magic")
    assert in_order(bare.shell)["matchers"] == ["jmuz_magic"]


def test_each_magic_has_a_file_of_its_name_and_is_given_the_options_that_it_declares(bare: UserShell) -> None:
    names = {path.stem for path in Path(str(commands.__file__)).parent.glob("jmuz*.py")}
    assert {magic.__name__ for magic in extension.MAGICS} == names
    for magic in extension.MAGICS:
        assert magic.__module__ == f"{commands.__name__}.{magic.__name__}"
        annotations = [each.annotation for each in inspect.signature(magic).parameters.values()]
        assert magic.parser.kind.__name__ in annotations
    bare.line("%load_ext jmuz_magic")
    assert names == {name for name in bare.shell.magics_manager.magics["line"] if name.startswith("jmuz")}


IMPORTS = """
import socket, sys, threading
from IPython.core.interactiveshell import InteractiveShell

def refuse(*args):
    raise AssertionError("the network was used")

shell = InteractiveShell.instance()
before = set(sys.modules)
imported = []

class Watch:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is threading.main_thread():
            imported.append(name.partition(".")[0])

sys.meta_path.insert(0, Watch())
socket.socket.connect = socket.getaddrinfo = refuse
shell.run_line_magic("load_ext", "jmuz_magic")
print(*sorted(set(imported) - before))
"""


@pytest.mark.fault(40)
def test_loading_imports_nothing_heavy_and_uses_no_network(demo_endpoint: DemoServer) -> None:
    # The bridge's thread warms aiohttp meanwhile: only what the user waits for counts.
    env = {**os.environ, "JMUZ_API_BASE": demo_endpoint.api_base}
    done = subprocess.run([sys.executable, "-c", IMPORTS], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    heavy = {"aiohttp", "anywidget", "ipywidgets", "keyring", "markdown_it", "mdit_py_plugins", "msgspec", "pandas",
             "PIL", "pygments", "rich", "sqlite3"}  # fmt: skip
    imported = set(done.stdout.split())
    assert "jmuz_magic" in imported
    assert not imported & heavy
    assert not demo_endpoint.requests


WARMED = """
from IPython.testing.globalipapp import start_ipython
start_ipython().run_line_magic("load_ext", "jmuz_magic")
import sys
from jmuz_magic.streaming.bridge import get_bridge
async def nothing(): pass
get_bridge().run(nothing())  # behind what loading left to do there
print("aiohttp" in sys.modules, "msgspec" in sys.modules)
"""


def test_what_the_first_request_needs_is_imported_after_loading() -> None:
    done = subprocess.run([sys.executable, "-c", WARMED], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True", "True"], done.stderr


CONFIGURED = """
c = get_config()
c.JmuzMagics.timeout = 7
{}
"""

ASK = """
ip = get_ipython()
{}
assert ip.magics_manager.registry["JmuzMagics"].timeout == 7
ip.run_line_magic("jmuz_use", "demo")
ip.run_line_magic("jmuz", "-m demo-echo loaded by itself")
"""


LAZY = 'c.MagicsManager.lazy_magics = {"jmuz": "jmuz_magic", "jmuz_use": "jmuz_magic"}'
NOT_YET = 'assert "JmuzMagics" not in ip.magics_manager.registry\n'
FIRST_CELL = """
try:
    ip.run_cell_magic("jmuz", "", "with nothing chosen")
except Exception as error:
    assert "no endpoint is configured" in str(error)
"""


@pytest.mark.parametrize(
    ("config", "first"),
    [
        ('c.InteractiveShellApp.extensions = ["jmuz_magic"]', ""),
        (LAZY, NOT_YET + 'ip.run_line_magic("jmuz_use", "ollama")'),
        (LAZY, NOT_YET + FIRST_CELL),
    ],
    ids=["extensions", "lazy, a line", "lazy, a cell"],
)
def test_it_can_load_by_itself(tmp_path: Path, config: str, first: str) -> None:
    profile = tmp_path / "profile_default"
    profile.mkdir()
    (profile / "ipython_config.py").write_text(CONFIGURED.format(config), "utf-8")
    script = tmp_path / "ask.py"
    script.write_text(ASK.format(first), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", str(script)],
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "loaded by itself" in done.stdout, done.stdout + done.stderr


def test_hints_name_magics_only_while_a_shell_has_them(bare: UserShell) -> None:
    from jmuz_magic.providers.advice import list_advice

    seen = [list_advice()]
    for line in ("%load_ext jmuz_magic", "%reload_ext jmuz_magic", "%unload_ext jmuz_magic"):
        bare.line(line)
        seen.append(list_advice())
    assert seen == ["the provider's get_models()", "%jmuz_models", "%jmuz_models", "the provider's get_models()"]

"""The oldest versions that pyproject.toml allows, in a kernel of their own: load, ask, interrupt, unload.

A smoke run, in every `make test`; `make oldest` runs nearly all tests with these versions.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from jmuz_magic.demo import DemoServer
from tests.environments import environment
from tests.kernel.kernel import Kernel, running_kernel
from tests.waiting import wait_until

pytestmark = [pytest.mark.kernel, pytest.mark.oldest, pytest.mark.timeout(600)]  # the first run installs

ROOT = Path(__file__).resolve().parent.parent


def floors() -> dict[str, Version]:
    """The lowest version of each dependency, and of the kernel that the tests ask for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    kernel = [line for line in project["optional-dependencies"]["test"] if line.startswith("ipykernel")]
    requirements = map(Requirement, project["dependencies"] + kernel)
    return {each.name: Version(next(iter(each.specifier)).version) for each in requirements}


@pytest.fixture(scope="module")
def oldest_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    python = environment("oldest", [f"{name}=={version}" for name, version in floors().items()]) / "python"
    folder = tmp_path_factory.mktemp("oldest")
    spec = folder / "jupyter" / "kernels" / "python3"  # found before the one of this environment
    spec.mkdir(parents=True)
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    content = {"argv": command, "display_name": "Oldest", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(content), encoding="utf-8")
    env = {"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(folder / "config"), "JMUZ_LOG": str(folder / "log.sqlite3")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder / "jupyter"))
        with running_kernel(folder, env) as running:
            yield running


@pytest.fixture
def endpoint() -> Iterator[DemoServer]:
    with DemoServer(deltas_per_second=50, keep_requests=50) as server:
        yield server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


def test_the_oldest_versions_load_ask_stop_and_unload(oldest_kernel: Kernel, endpoint: DemoServer) -> None:
    kernel = oldest_kernel
    check_versions(kernel)
    kernel.run("%load_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {endpoint.api_base} --save")  # where to: platformdirs
    assert "demo-markdown" in kernel.run("%jmuz_models").text

    shown = kernel.run("%%jmuz -m demo-markdown --no-stream\nshow me").html  # markdown-it-py and Pygments
    assert "<h3>A tour of Markdown</h3>" in shown
    assert '<div class="highlight">' in shown
    assert "demo-markdown" in kernel.run("%jmuz_log").text
    kernel.run("from jmuz_magic import ChatPanel, ModelSelector\npanel, selector = ChatPanel(), ModelSelector()")

    stopped = kernel.submit("%%jmuz -m demo-markdown\nshow me")
    kernel.wait(stopped, lambda: "tour" in stopped.html, "the reply has begun")
    kernel.interrupt()
    assert kernel.finish(stopped).status == "error"
    assert stopped.error is not None
    assert stopped.error["ename"] == "ReplyInterrupted"
    wait_until(lambda: endpoint.requests[-1].state == "closed", "the endpoint saw the close")
    kernel.settle()  # this ipykernel can abort a cell that is sent right after an error
    assert kernel.run("%%jmuz -m demo-echo\nnext").text == "next"

    kernel.run("%unload_ext jmuz_magic")
    names = kernel.value("[thread.name for thread in __import__('threading').enumerate()]")
    assert [name for name in names if "jmuz" in name] == []
    assert "`%jmuz` not found" in kernel.execute("%jmuz hello").text


def check_versions(kernel: Kernel) -> None:
    wanted = floors()
    listed = ", ".join(repr(name) for name in wanted)
    found = kernel.value(f"{{name: __import__('importlib.metadata').metadata.version(name) for name in [{listed}]}}")
    assert {name: Version(version) for name, version in found.items()} == wanted

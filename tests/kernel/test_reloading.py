"""The extension comes and goes in one kernel, and its source changes under it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import IPython
import pytest

from jmuz_magic.demo import DemoServer
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Execution, Kernel
from tests.replies import reply_endpoint

pytestmark = pytest.mark.kernel

PACKAGE = Path(__file__).resolve().parent.parent.parent / "jmuz_magic"

EDITED = ["display/reply.py", "magics/commands/jmuz.py"]
if IPython.version_info >= (9,):
    # Before 9.0 autoreload runs the whole module again instead of what changed in it. For these two only a restart of
    # the kernel helps then: dataclasses with slots cannot be made any more, and the bridge gets a second thread.
    EDITED += ["messages.py", "streaming/bridge.py"]

COUNTED = """
def open_files():
    import contextlib, os
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            name = os.readlink(f"/proc/self/fd/{number}")
            if not os.path.isdir(name):  # the listing itself; the directory of a journal that is being deleted
                yield name

def counted():
    import os, threading
    shell = get_ipython()
    manager = shell.magics_manager
    transforms = shell.input_transformer_manager.cleanup_transforms
    printers = shell.display_formatter.mimebundle_formatter.type_printers
    return {
        "line magics": [name for name in sorted(manager.magics["line"]) if "jmuz" in name],
        "cell magics": [name for name in sorted(manager.magics["cell"]) if "jmuz" in name],
        "transforms": sum("keep_prompts" in str(one) for one in transforms),
        "matchers": [one.matcher_identifier for one in shell.Completer.custom_matchers],
        "formatters": sum(kind.__name__ == "Reply" for kind in printers),
        "hooks": sorted(str(len(callbacks)) + event for event, callbacks in shell.events.callbacks.items()),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "files": sum("history.sqlite" not in name for name in open_files()),  # IPython's comes and goes
    }
"""


def asked(kernel: Kernel) -> str:
    return kernel.run("%%jmuz -m demo-echo\nstill there\n").text


def wait_for(kernel: Kernel, execution: Execution, words: str) -> None:
    kernel.wait(execution, lambda: words in execution.html, f"{words!r} is shown")


@pytest.mark.fault(49)
@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="open files are counted in /proc")
def test_loading_again_after_use_leaves_what_one_load_leaves(
    start_kernel: StartKernel, demo_endpoint: DemoServer
) -> None:
    kernel = start_kernel(env={"JMUZ_API_BASE": demo_endpoint.api_base})
    kernel.run(COUNTED)
    loaded, unloaded = [], []
    for _ in range(6):
        kernel.run("%load_ext jmuz_magic")
        assert asked(kernel) == "still there"
        loaded.append(kernel.value("{**counted(), 'files': 0}"))  # a connection may be kept, or not yet be closed
        kernel.run("%unload_ext jmuz_magic")
        unloaded.append(kernel.value("counted()"))
    assert loaded[-1] == loaded[0]
    assert loaded[0]["transforms"] == loaded[0]["formatters"] == 1
    assert loaded[0]["matchers"].count("jmuz_magic") == 1
    assert unloaded[-1] == unloaded[0]
    left = unloaded[0]
    assert [left["line magics"], left["cell magics"], left["matchers"]] == [[], [], []]
    assert not [name for name in left["threads"] if "jmuz" in name]


@pytest.mark.fault(49)
def test_an_old_request_is_cancelled_by_a_reload(kernel: Kernel) -> None:
    with DemoServer(deltas_per_second=50, keep_requests=10) as server:
        kernel.run("%reload_ext jmuz_magic")
        kernel.run(f"%jmuz_use --api-base {server.api_base}")
        kernel.run("%%jmuz job << --background -m demo-long\ngo\n")
        kernel.wait(kernel.submit("pass"), lambda: server.open_streams == 1, "the reply streams")
        kernel.run("%reload_ext jmuz_magic")
        kernel.wait(kernel.submit("pass"), lambda: server.requests[-1].state == "closed", "the endpoint saw the close")
        assert kernel.value("job.done()")


@pytest.mark.fault(49)
def test_autoreload_takes_up_an_edit_and_changes_nothing_else(
    start_kernel: StartKernel, demo_endpoint: DemoServer, tmp_path: Path
) -> None:
    """Somebody works on the package itself, in a copy of it."""
    copied = tmp_path / "jmuz_magic"
    shutil.copytree(PACKAGE, copied, ignore=shutil.ignore_patterns("__pycache__"))
    env = {"JMUZ_API_BASE": demo_endpoint.api_base, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    kernel = start_kernel(env=env)
    kernel.run("%load_ext autoreload\n%autoreload 2\n%load_ext jmuz_magic")
    kernel.run(COUNTED)
    assert kernel.value("__import__('jmuz_magic').__file__") == str(copied / "__init__.py")
    assert asked(kernel) == "still there"
    before = kernel.value("counted()")
    for edited in EDITED:
        path = copied / edited
        path.write_text(path.read_text(encoding="utf-8") + "\nEDITED = True\n", encoding="utf-8")
        module = "jmuz_magic." + edited.removesuffix(".py").replace("/", ".")
        execution = kernel.run("%%jmuz -m demo-echo\nstill there\n")
        assert execution.text == "still there"
        assert kernel.value(f"__import__({module!r}, fromlist=['EDITED']).EDITED")
    after = kernel.value("counted()")
    assert {name: after[name] for name in after if name != "files"} == {
        name: before[name] for name in before if name != "files"
    }
    kernel.run("%reload_ext jmuz_magic")
    assert asked(kernel) == "still there"


@pytest.mark.fault(50)
def test_two_kernels_that_ask_at_once_get_their_own_replies(start_kernel: StartKernel) -> None:
    texts = {name: f"from the {name} " * 40 for name in ("first", "second")}
    released = threading.Event()
    with reply_endpoint(texts, released=released) as api_base:
        kernels = {name: start_kernel(env={"JMUZ_API_BASE": api_base}) for name in texts}
        for kernel in kernels.values():
            kernel.run("%load_ext jmuz_magic")
        running = {name: kernel.submit(f"%%jmuz -m {name}\ngo\n") for name, kernel in kernels.items()}
        for name, kernel in kernels.items():
            wait_for(kernel, running[name], f"from the {name}")
        released.set()
        for name, kernel in kernels.items():
            assert kernel.finish(running[name]).text.strip() == texts[name].strip()

"""`%jmuz_key` as a front end serves it: a hidden field, or none at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from tests.kernel.conftest import StartKernel

pytestmark = pytest.mark.kernel

KEY = "sk-fake-0f1e2d3c4b5a69788796"


@pytest.mark.threat(10)
@pytest.mark.threat(11)
@pytest.mark.threat(21)
def test_a_typed_key_reaches_the_endpoint_and_nothing_else(
    start_kernel: StartKernel, tmp_path: Path, demo_endpoint: DemoServer
) -> None:
    folders = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}
    kernel = start_kernel(env=folders, folder=tmp_path)
    kernel.run("%load_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {demo_endpoint.api_base} --save")
    asked = kernel.run("%jmuz_key --save", answers=[KEY])
    assert "kept in memory only" in asked.text  # this kernel has no keyring
    kernel.run("%%jmuz -m demo-echo\nhi\n")
    assert demo_endpoint.requests[-1].headers["Authorization"] == f"Bearer {KEY}"
    kernel.run("%jmuz_alias fast demo-echo --save")
    kernel.run("%config JmuzMagics")
    kernel.run("%xmode Verbose")
    assert kernel.execute("%%jmuz -m nope\nhi\n").error is not None
    kernel.run("print(In, globals().keys())")
    kernel.run("%history -g")
    kernel.run("%unload_ext jmuz_magic")
    kernel.settle()
    told = [[message.content for message in execution.messages] for execution in kernel.executions.values()]
    assert KEY not in json.dumps(told)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"choices.json", "history.sqlite"} <= {path.name for path in files}
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


@pytest.mark.fault(54)
def test_a_kernel_that_cannot_ask_names_the_variable(start_kernel: StartKernel) -> None:
    kernel = start_kernel()
    kernel.run("%load_ext jmuz_magic")
    refused = kernel.execute("%jmuz_key openai")
    assert refused.status == "error"
    assert "StdinNotImplementedError" not in refused.text
    assert refused.text.strip() == (
        "UsageError: %jmuz_key: this front end cannot ask for input; "
        "set the environment variable OPENAI_API_KEY before the kernel starts"
    )


@pytest.mark.fault(54)
def test_a_question_without_a_key_names_the_variable_and_the_magic(start_kernel: StartKernel) -> None:
    kernel = start_kernel()
    kernel.run("%load_ext jmuz_magic")
    kernel.run("%jmuz_use openai")
    refused = kernel.execute("%jmuz hi")
    assert refused.status == "error"
    assert "OPENAI_API_KEY" in refused.text
    assert "%jmuz_key" in refused.text
    assert "Traceback" not in refused.text

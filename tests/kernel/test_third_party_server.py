"""A server that nobody here wrote (npm `@copilotkit/aimock`) answers cells of a real kernel."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kernel.kernel import Kernel

pytestmark = pytest.mark.kernel

FIXTURES = {
    "fixtures": [
        {"match": {"userMessage": "capital of France"}, "response": {"content": "It is **Paris**, on the Seine."}}
    ]
}


@pytest.fixture(scope="module")
def aimock(node_module: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its API base; replies come in pieces of three characters."""
    command = node_module("@copilotkit/aimock") / "dist" / "cli.js"
    fixtures = tmp_path_factory.mktemp("aimock") / "fixtures.json"
    fixtures.write_text(json.dumps(FIXTURES))
    arguments = ["node", str(command), "--port=0", f"--fixtures={fixtures}", "--chunk-size=3"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        found = (re.search(r"listening on (http://\S+)", line) for line in process.stdout)
        address = next((match[1] for match in found if match), None)
        assert address is not None, "aimock ended before it listened"
        yield f"{address}/v1"
        process.terminate()


@pytest.fixture
def asking(kernel: Kernel, aimock: str) -> Kernel:
    kernel.run("%reload_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {aimock}")
    return kernel


@pytest.mark.parametrize("flags", ["", "--no-stream"])
def test_a_cell_shows_its_reply(asking: Kernel, flags: str) -> None:
    execution = asking.run(f"%%jmuz -m gpt-4o {flags}\nWhat is the capital of France?")
    assert "<strong>Paris</strong>, on the Seine." in execution.html
    assert asking.value("_jmuz.text") == "It is **Paris**, on the Seine."
    assert asking.value("_jmuz.finish_reason") == "stop"


def test_its_models_are_listed(asking: Kernel) -> None:
    assert "gpt-4o" in asking.run("%jmuz_models").text


def test_its_errors_are_one_line_and_fail_the_cell(asking: Kernel) -> None:
    execution = asking.execute("%%jmuz -m gpt-4o\nSomething else")
    assert execution.status == "error"
    assert "No fixture matched" in execution.text
    assert len(execution.text.strip().splitlines()) == 1

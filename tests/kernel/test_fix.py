"""`%jmuz_fix` in a real kernel: what of a failed cell is sent, and what stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from jmuz_magic.demo import DemoServer
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Execution, Kernel
from tests.kernel.test_prompts import KEY, prompt, refusal
from tests.replies import reply_endpoint

pytestmark = pytest.mark.kernel

FAILING = f"""\
import os
def area(radius):
    hidden = 'local ' + 'value'
    home = os.path.expanduser('~/data.csv')
    raise FileNotFoundError(home + ' {KEY}')
area(3)"""


def test_without_a_failed_cell_there_is_nothing_to_send(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    line = refusal(jmuz_kernel.execute("%jmuz_fix -m demo-echo"), demo_endpoint)
    assert "no cell has failed" in line


def test_the_last_failed_cell_is_sent_masked_without_local_variables(
    jmuz_kernel: Kernel, demo_endpoint: DemoServer
) -> None:
    jmuz_kernel.execute("1 / 0")
    jmuz_kernel.execute(FAILING)
    jmuz_kernel.run("fine = True")
    jmuz_kernel.execute("%%jmuz -m no-such-model\nfails, but is not the notebook's\n")
    shown = jmuz_kernel.run("%jmuz_fix -m demo-echo what is {{wrong}} here?")
    sent = prompt(demo_endpoint)
    assert "```python\nimport os\ndef area(radius):" in sent
    assert "FileNotFoundError: ~/data.csv ***" in sent
    assert "Cell In[" in sent
    assert sent.endswith("what is {{wrong}} here?")
    assert KEY not in sent
    assert "local value" not in sent
    assert "ZeroDivisionError" not in sent
    assert "\x1b" not in sent
    assert "FileNotFoundError" in shown.html, "the reply (an echo) is shown"


def test_verbose_tracebacks_stay_in_the_notebook(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("%xmode Verbose")
    try:
        shown = re.sub(r"\x1b\[[0-9;]*m", "", jmuz_kernel.execute(FAILING).text)
        assert "area(radius=3)" in shown
    finally:
        jmuz_kernel.run("%xmode Context")
    jmuz_kernel.run("%jmuz_fix -m demo-echo")
    assert "radius=3" not in prompt(demo_endpoint)


def test_next_puts_the_code_into_a_new_cell(jmuz_kernel: Kernel) -> None:
    jmuz_kernel.execute("1 / 0")
    execution = jmuz_kernel.run("%jmuz_fix -m demo-echo --next")
    inserted = [each["text"] for each in execution.payload if each["source"] == "set_next_input"]
    assert inserted == ["1 / 0"], "of the echo, which holds the cell as its only Python block"
    assert jmuz_kernel.run("%jmuz_fix -m demo-echo").payload == []


CORRECTED = "1 / 1  # <b>not</b> $x$"


@pytest.fixture
def correcting(start_kernel: StartKernel) -> Iterator[Kernel]:
    """A kernel whose endpoint has one correction for everything."""
    with reply_endpoint({"fix": f"By zero.\n\n```python\n{CORRECTED}\n```\n"}) as api_base:
        kernel = start_kernel()
        kernel.run(f"%load_ext jmuz_magic\n%jmuz_use --api-base {api_base} --model fix")
        kernel.execute("1 / 0")
        yield kernel


def inputs(execution: Execution) -> list[dict[str, Any]]:
    return [each for each in execution.payload if each["source"] == "set_next_input"]


@pytest.mark.finding("C19")
def test_the_correction_is_shown_as_a_diff(correcting: Kernel) -> None:
    execution = correcting.run("%jmuz_fix")
    assert f"-1 / 0\n+{CORRECTED}" in execution.text
    assert '<span style="background-color:#e443">-1 / 0</span>' in execution.html
    assert "&lt;b&gt;not&lt;/b&gt;" in execution.html
    assert inputs(execution) == []
    assert correcting.value("_jmuz_code") == CORRECTED


@pytest.mark.finding("C19")
def test_replace_turns_its_cell_into_the_corrected_one(correcting: Kernel) -> None:
    for _ in range(2):  # also the second time
        execution = correcting.run("%jmuz_fix --replace", cell="fixing")
        assert inputs(execution) == [{"source": "set_next_input", "text": CORRECTED, "replace": True}]
        assert "this cell now holds the corrected code, which was not run; check it, then run it" in execution.stdout
    assert inputs(correcting.run("answer = %jmuz_fix --replace why?")) != []


@pytest.mark.finding("C19")
@pytest.mark.parametrize(
    "cell", ["x = 1\n%jmuz_fix --replace", "# mine\n%jmuz_fix --replace", "%%time\n%jmuz_fix --replace"]
)
def test_a_cell_that_holds_more_is_not_replaced(correcting: Kernel, cell: str) -> None:
    execution = correcting.execute(cell)
    assert "UsageError: %jmuz_fix: --replace replaces this whole cell" in execution.text
    assert inputs(execution) == []
    assert correcting.value("'_jmuz' in globals()") is False


def test_a_dry_run_sends_nothing(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.execute("1 / 0")
    assert "ZeroDivisionError" in jmuz_kernel.run("%jmuz_fix -m demo-echo --dry-run").text
    assert not demo_endpoint.requests


def test_errors_are_shown_as_before_and_one_hook_is_there(jmuz_kernel: Kernel) -> None:
    for _ in range(5):
        jmuz_kernel.run("%reload_ext jmuz_magic")
    hooks = "[f for f in get_ipython().events.callbacks['post_run_cell'] if 'jmuz' in f.__module__]"
    assert jmuz_kernel.value(f"len({hooks})") == 1
    assert jmuz_kernel.value("get_ipython().custom_exceptions") == []
    error = jmuz_kernel.execute("1 / 0").error
    assert error is not None
    assert error["ename"] == "ZeroDivisionError"
    jmuz_kernel.run("%unload_ext jmuz_magic")
    assert jmuz_kernel.value(f"len({hooks})") == 0

"""`%jmuz_fix` in a real kernel: what of a failed cell is sent, and what stays."""

from __future__ import annotations

import re

import pytest

from jmuz_magic.demo import DemoServer
from tests.kernel.kernel import Kernel
from tests.kernel.test_prompts import KEY, prompt, refusal

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

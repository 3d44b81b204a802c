"""The helper itself: that it sees what a front end sees."""

from __future__ import annotations

import pytest

from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Kernel

pytestmark = pytest.mark.kernel


def test_streams_results_and_updated_displays_are_stored_as_in_a_notebook(kernel: Kernel) -> None:
    execution = kernel.run(
        "print('a'); print('b')\nhandle = display({'text/plain': 'old'}, raw=True, display_id=True)\n"
        "handle.update({'text/plain': 'new'}, raw=True)\n1 + 1"
    )
    assert [output["output_type"] for output in execution.outputs] == ["stream", "display_data", "execute_result"]
    assert execution.text == "a\nb\nnew2"
    assert len(execution.received("update_display_data")) == 1


def test_a_display_is_updated_from_a_later_cell(kernel: Kernel) -> None:
    first = kernel.run("handle = display({'text/plain': 'old'}, raw=True, display_id=True)")
    kernel.run("handle.update({'text/plain': 'new'}, raw=True)")
    assert first.text == "new"


def test_clear_output_clears_at_once_or_with_the_next_output(kernel: Kernel) -> None:
    code = "from IPython.display import clear_output\nprint(1); clear_output(wait={})"
    assert kernel.run(code.format(False)).text == ""
    assert kernel.run(code.format(True)).text == "1\n"
    assert kernel.run(code.format(True) + "; print(2)").text == "2\n"


def test_an_error_is_told_and_stored(kernel: Kernel) -> None:
    execution = kernel.execute("1 / 0")
    assert execution.status == "error"
    assert execution.error is not None
    assert execution.error["ename"] == "ZeroDivisionError"


def test_questions_are_answered(kernel: Kernel) -> None:
    assert kernel.run("print(input('a? ') + input('b? '))", ["1", "2"]).stdout.endswith("12\n")


def test_an_interrupt_ends_the_cell_and_aborts_the_queue(kernel: Kernel) -> None:
    running = kernel.submit("print('on'); import time; time.sleep(60)")
    queued = kernel.submit("print('later')")
    kernel.wait(running, lambda: "on" in running.text, "the cell runs")
    kernel.interrupt()
    assert kernel.finish(running).status == "error"
    assert kernel.finish(queued).status == "aborted"
    assert kernel.run("print('next')").text == "next\n"


def test_values_come_over(kernel: Kernel) -> None:
    kernel.run("names = {'a': [1, None, 'ü\\'\"']}")
    assert kernel.value("names") == {"a": [1, None, "ü'\""]}


def test_kernels_of_a_test_are_its_own(kernel: Kernel, start_kernel: StartKernel) -> None:
    kernel.run("here = 1")
    other = start_kernel(env={"JMUZ_ANYTHING": "set"})
    assert other.value("'here' in globals()") is False
    assert other.value("__import__('os').environ['JMUZ_ANYTHING']") == "set"
    assert other.pid != kernel.pid


def test_a_kernel_restarts(start_kernel: StartKernel) -> None:
    kernel = start_kernel()
    kernel.run("here = 1")
    kernel.restart()
    assert kernel.value("'here' in globals()") is False

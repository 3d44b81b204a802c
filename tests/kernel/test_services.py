"""What services refuse, or are not ready for, as the user of a notebook sees it."""

from __future__ import annotations

import pytest

from tests.fault_server import FaultServer, json_answer, reply
from tests.kernel.kernel import Kernel
from tests.strict_services import refuses_old_limit, refuses_values, strict_service

pytestmark = pytest.mark.kernel

LOADING = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}


@pytest.mark.finding("A25")
def test_a_model_that_is_being_loaded_is_waited_for_with_a_line(kernel: Kernel) -> None:
    with FaultServer() as server:
        base = server.add("s", *[json_answer(LOADING, "503 Service Unavailable")] * 4, reply("ready"))
        kernel.run(f"%reload_ext jmuz_magic\n%jmuz_use --api-base {base}")
        execution = kernel.submit("%jmuz -m any hi")
        kernel.wait(
            execution, lambda: "Loading model; trying again in 2.0 s" in execution.html, "the wait is announced"
        )
        kernel.finish(execution)
        assert "ready" in execution.html
        assert "trying again" not in execution.html
        assert len(server.requests) == 5


def test_refused_options_are_left_out_and_a_typed_one_fails(kernel: Kernel) -> None:
    with strict_service(refuses_values("temperature"), refuses_old_limit) as service:
        kernel.run(f"%reload_ext jmuz_magic\n%jmuz_use --api-base {service.api_base}")
        kernel.run("%config JmuzMagics.options = {'temperature': 0.2, 'max_tokens': 9}")
        execution = kernel.run("%%jmuz -m gpt-x\nhi")
        assert "fine" in execution.html
        assert "temperature left out (the service refuses it)" in execution.html
        assert kernel.value("[list(_jmuz.left_out), _jmuz.requests]") == [["temperature"], 3]
        failed = kernel.execute("%%jmuz -m gpt-x -t 0\nhi")
        assert failed.status == "error"
        assert "this model does not support temperature; leave -t out" in failed.text
        rehearsed = kernel.run("%jmuz -m gpt-x --dry-run hi").text
        assert "left out because the service refused it before: temperature" in rehearsed
        assert '"temperature"' not in rehearsed
        kernel.run("%config JmuzMagics.options = {}")

"""A real kernel in a process of its own, driven as a front end drives it.

    execution = kernel.execute("1 + 1")                 # waits until the kernel is idle again
    execution.status, execution.text, execution.outputs

    execution = kernel.submit("while True: print('x')")  # does not wait
    kernel.wait(execution, lambda: "x" in execution.text, "the first line is printed")
    kernel.interrupt()
    kernel.finish(execution)

One thread does everything: messages are read whenever one of the waiting methods runs.
"""

from __future__ import annotations

import ast
import json
import os
import queue
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.executing import IpcKernelManager

__all__ = ["Execution", "Kernel", "Received", "running_kernel"]

START_SECONDS = 60.0
EXECUTE_SECONDS = 60.0
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Received:
    """An iopub message: its type, content, `time.monotonic()` of its arrival, and the id of what caused it."""

    type: str
    content: dict[str, Any]
    at: float
    parent: str


@dataclass
class Execution:
    """One cell: what was asked and what came of it.

    Attributes:
        messages: every iopub message that names this cell as its cause, in order.
        outputs: what a notebook would store for the cell now, updates of its displays applied.
        content: of the shell reply; empty until it came.
        idle: the kernel said that it is done with the cell.
    """

    id: str
    code: str
    answers: list[str] = field(default_factory=list)
    messages: list[Received] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    content: dict[str, Any] = field(default_factory=dict)
    idle: bool = False
    clears_with_next: bool = False

    @property
    def done(self) -> bool:
        return self.idle and bool(self.content)

    @property
    def status(self) -> str:
        """`ok`, `error`, `aborted`, or "" while it runs."""
        return str(self.content.get("status", ""))

    @property
    def payload(self) -> list[dict[str, Any]]:
        """Such as `set_next_input`."""
        return list(self.content.get("payload", []))

    @property
    def stdout(self) -> str:
        return self._stream("stdout")

    @property
    def stderr(self) -> str:
        return self._stream("stderr")

    @property
    def text(self) -> str:
        """All that is readable in the outputs: streams, text/plain, and the lines of an error without colours."""
        return "".join(output_text(output) for output in self.outputs)

    @property
    def html(self) -> str:
        """The HTML of all outputs, joined."""
        return "".join(output["data"].get("text/html", "") for output in self.outputs if "data" in output)

    @property
    def error(self) -> dict[str, Any] | None:
        """`ename`, `evalue` and `traceback` as stored in the notebook; None without an error."""
        return next((output for output in self.outputs if output["output_type"] == "error"), None)

    @property
    def summary(self) -> str:
        """For messages of failing tests: the code, and the end of the text."""
        return f"{self.code[:200]!r}, {self.status or 'running'}, …{self.text[-1000:]!r}"

    def received(self, *types: str) -> list[Received]:
        """Messages of these types, such as `update_display_data`."""
        return [message for message in self.messages if message.type in types]

    def _stream(self, name: str) -> str:
        return "".join(output["text"] for output in self.outputs if output.get("name") == name)


def output_text(output: Mapping[str, Any]) -> str:
    match output["output_type"]:
        case "stream":
            return str(output["text"])
        case "error":
            return "\n".join(output["traceback"])
        case _:
            return str(output["data"].get("text/plain", ""))


class Kernel:
    """A running kernel; see the head of this file.

    Attributes:
        executions: all cells so far, by message id.
        orphans: iopub messages that no cell caused, such as those of background threads.
    """

    def __init__(self, manager: KernelManager, client: BlockingKernelClient) -> None:
        self.executions: dict[str, Execution] = {}
        self.orphans: list[Received] = []
        self._manager = manager
        self._client = client
        self._displays: dict[str, list[dict[str, Any]]] = {}

    @classmethod
    def start(
        cls,
        folder: Path,
        env: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        stderr: IO[str] | None = None,
    ) -> Self:
        """Start one in `folder`, with its own IPython directory there, `env` on top of the tests' environment.

        What the process itself writes on stderr, outside of cells, goes to the file `stderr`, or to that of the tests.
        """
        manager = IpcKernelManager()
        directory = folder / "ipython"
        directory.mkdir(exist_ok=True)
        environment = {**os.environ, "IPYTHONDIR": str(directory), **(env or {})}
        manager.start_kernel(env=environment, cwd=str(folder), extra_arguments=list(arguments), stderr=stderr)
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=START_SECONDS)
        return cls(manager, client)

    @property
    def pid(self) -> int:
        return int(self._manager.provisioner.pid)  # type: ignore[union-attr]  # of a local kernel

    def submit(
        self, code: str, answers: Sequence[str] = (), *, store_history: bool = True, cell: str | None = None
    ) -> Execution:
        """Send a cell and return at once. With `answers` the cell may ask (`input`, `getpass`) as often.

        `cell` is the id of the notebook's cell, which front ends tell their kernels.
        """
        content = {
            "code": code,
            "silent": False,
            "store_history": store_history,
            "user_expressions": {},
            "allow_stdin": bool(answers),
            "stop_on_error": True,
        }
        metadata = {} if cell is None else {"cellId": cell}
        message = self._client.session.msg("execute_request", content, metadata=metadata)
        self._client.shell_channel.send(message)
        msg_id = message["header"]["msg_id"]
        execution = self.executions[msg_id] = Execution(msg_id, code, list(answers))
        return execution

    def execute(
        self, code: str, answers: Sequence[str] = (), *, timeout: float = EXECUTE_SECONDS, cell: str | None = None
    ) -> Execution:
        """Run a cell to its end, whatever its status."""
        return self.finish(self.submit(code, answers, cell=cell), timeout)

    def run(
        self, code: str, answers: Sequence[str] = (), *, timeout: float = EXECUTE_SECONDS, cell: str | None = None
    ) -> Execution:
        """Run a cell that must succeed."""
        execution = self.execute(code, answers, timeout=timeout, cell=cell)
        assert execution.status == "ok", execution.text or execution.content
        return execution

    def finish(self, execution: Execution, timeout: float = EXECUTE_SECONDS) -> Execution:
        """Wait for the end of a submitted cell."""
        return self.wait(execution, lambda: execution.done, "the cell ended", timeout)

    def wait(
        self, execution: Execution, condition: Callable[[], object], what: str, timeout: float = EXECUTE_SECONDS
    ) -> Execution:
        """Read messages until `condition()` is true.

        Raises:
            AssertionError: it is not after `timeout` seconds, or the kernel died.
        """
        end = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < end, f"after {timeout:g} s it does not hold that {what}: {execution.summary}"
            if not self.read():
                assert self._manager.is_alive(), f"the kernel died before {what}: {execution.summary}"
        return execution

    def read(self, timeout: float = POLL_SECONDS) -> bool:
        """Take in what has come on every channel; False if nothing came within `timeout`."""
        found = [self._read_iopub(timeout), self._read_shell(), self._read_stdin()]
        return any(found)

    def settle(self, seconds: float = 0.3) -> None:
        """Read until nothing came for `seconds`: for asserting that something does *not* come."""
        while self.read(seconds):
            pass

    def value(self, expression: str) -> Any:
        """Evaluate an expression made of literals in the kernel, outside history, and bring its value here."""
        msg_id = self._client.execute(
            "", silent=True, user_expressions={"value": f"__import__('json').dumps({expression})"}
        )
        reply = self._client.get_shell_msg(timeout=EXECUTE_SECONDS)
        while reply["parent_header"].get("msg_id") != msg_id:
            self._take_reply(reply)
            reply = self._client.get_shell_msg(timeout=EXECUTE_SECONDS)
        result = reply["content"]["user_expressions"]["value"]
        assert result["status"] == "ok", result
        return json.loads(ast.literal_eval(result["data"]["text/plain"]))

    def complete(self, code: str, cursor: int | None = None) -> dict[str, Any]:
        """The content of the reply to a completion request."""
        reply = self._client.complete(code, cursor, reply=True, timeout=EXECUTE_SECONDS)
        return dict(reply["content"])

    def send_to_comm(self, comm_id: str, **data: Any) -> str:
        """Send what a widget's view sends, which the kernel serves between cells; returns the message's id."""
        message = self._client.session.msg("comm_msg", {"comm_id": comm_id, "data": data})
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()

    def restart(self) -> None:
        """Kill the process and start another; `executions` are kept."""
        self._manager.restart_kernel(now=True)
        self._client.wait_for_ready(timeout=START_SECONDS)

    def kill(self) -> None:
        """End the process with SIGKILL."""
        self._manager.shutdown_kernel(now=True)

    def stop(self) -> None:
        """Shut down as a front end does; without effect on a dead kernel."""
        self._client.stop_channels()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel()

    def _read_iopub(self, timeout: float) -> bool:
        try:
            message = self._client.get_iopub_msg(timeout=timeout)
        except queue.Empty:
            return False
        parent = message["parent_header"].get("msg_id", "")
        received = Received(message["msg_type"], message["content"], time.monotonic(), parent)
        execution = self.executions.get(parent)
        if execution is None:
            self.orphans.append(received)
        else:
            execution.messages.append(received)
        self._apply(received, execution)
        return True

    def _read_shell(self) -> bool:
        try:
            self._take_reply(self._client.get_shell_msg(timeout=0))
        except queue.Empty:
            return False
        return True

    def _take_reply(self, reply: dict[str, Any]) -> None:
        execution = self.executions.get(reply["parent_header"].get("msg_id", ""))
        if execution is not None:
            execution.content = reply["content"]

    def _read_stdin(self) -> bool:
        try:
            message = self._client.get_stdin_msg(timeout=0)
        except queue.Empty:
            return False
        self._client.input(self.executions[message["parent_header"]["msg_id"]].answers.pop(0))
        return True

    def _apply(self, received: Received, execution: Execution | None) -> None:
        """Change stored outputs as a front end does."""
        content = received.content
        if received.type == "update_display_data":
            for output in self._displays.get(content["transient"]["display_id"], []):
                output.update(data=content["data"], metadata=content["metadata"])
        elif execution is None:
            return
        elif received.type == "status":
            execution.idle = execution.idle or content["execution_state"] == "idle"
        elif received.type == "clear_output":
            execution.clears_with_next = content["wait"]
            if not content["wait"]:
                execution.outputs.clear()
        elif received.type in ("stream", "display_data", "execute_result", "error"):
            self._add_output(received, execution)

    def _add_output(self, received: Received, execution: Execution) -> None:
        if execution.clears_with_next:
            execution.outputs.clear()
            execution.clears_with_next = False
        output = {"output_type": received.type, **received.content}
        last = execution.outputs[-1] if execution.outputs else {}
        if received.type == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
            return
        transient = output.pop("transient", None) or {}
        if "display_id" in transient:
            self._displays.setdefault(transient["display_id"], []).append(output)
        execution.outputs.append(output)


@contextmanager
def running_kernel(
    folder: Path,
    env: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    stderr: IO[str] | None = None,
) -> Iterator[Kernel]:
    """A kernel that is shut down at the end of the block."""
    kernel = Kernel.start(folder, env, arguments, stderr)
    try:
        yield kernel
    finally:
        kernel.stop()

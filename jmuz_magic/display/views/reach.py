"""Whether a display can be updated once sent, and how to send one after its cell has ended."""

from __future__ import annotations

import contextvars
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, TypeAlias

__all__ = ["displays_follow_context", "is_console", "is_read", "late_display", "updates_apply"]

Display: TypeAlias = Callable[[dict[str, Any], dict[str, Any]], None]
"""`display(data, metadata)`: shows one output."""


def updates_apply(shell: Any) -> bool:
    """Whether a front end applies updates to what was displayed.

    It does in a cell. It does not inside `ipywidgets.Output` (which `interact` uses too) or `%%capture`, which keep
    what is displayed and miss its updates; nor in widget callbacks, which belong to no cell; nor in consoles.
    """
    return not (_is_captured(shell) or _is_callback(shell) or is_console(shell) or _output_widget(shell) is not None)


def is_console(shell: Any) -> bool:
    """Whether `jupyter console` or the Qt console started the kernel; they ignore updates and show no HTML.

    Their requests look like any other's, but only they name the connection file after their own process
    (`JupyterConsoleApp.connection_file`), which is the kernel's parent.
    """
    app = getattr(getattr(shell, "kernel", None), "parent", None)
    name = Path(getattr(app, "connection_file", "")).name
    return name in (f"kernel-{parent}.json" for parent in (os.environ.get("JPY_PARENT_PID"), os.getppid()))


def is_read(stream: IO[str]) -> bool:
    """Whether somebody reads what is written there: on a terminal, or below a cell whose output is not captured."""
    kernel = sys.modules.get("ipykernel.iostream")
    return stream.isatty() or (kernel is not None and isinstance(stream, kernel.OutStream))


def displays_follow_context() -> bool:
    """Whether an output that is shown in a copy of a cell's context appears in that cell, also after its end.

    ipykernel does so from version 7 on; before, it appears in the cell that runs.
    """
    version: tuple[int, ...] = getattr(sys.modules.get("ipykernel"), "version_info", (0,))
    return version[0] >= 7


def late_display(shell: Any) -> Display:
    """A function that shows an output where one would appear now, whatever runs when it is called.

    It may be called from any thread.
    """
    widget = _output_widget(shell)
    if widget is not None and not _is_captured(shell):
        return lambda data, metadata: _append(widget, data, metadata)
    publisher, context = shell.display_pub, contextvars.copy_context()  # the context holds ipykernel's current request
    return lambda data, metadata: context.run(publisher.publish, data, metadata)


def _append(widget: Any, data: dict[str, Any], metadata: dict[str, Any]) -> None:
    # Like the widget's `append_display_data`, which takes no metadata.
    widget.outputs += ({"output_type": "display_data", "data": data, "metadata": metadata},)


def _is_captured(shell: Any) -> bool:
    """Whether `%%capture` is active, which would keep every update as another output."""
    from IPython.core.displaypub import CapturingDisplayPublisher

    return isinstance(getattr(shell, "display_pub", None), CapturingDisplayPublisher)


def _is_callback(shell: Any) -> bool:
    """Whether a widget's callback is running: the front end sent a message to a widget, not code."""
    return bool(_header(shell).get("msg_type", "execute_request") != "execute_request")


def _output_widget(shell: Any) -> Any:
    """The innermost `ipywidgets.Output` that captures what is displayed now, or None."""
    module = sys.modules.get("ipywidgets.widgets.widget_output")
    msg_id = _header(shell).get("msg_id")
    if module is None or not msg_id:
        return None
    from ipywidgets.widgets.widget import _instances  # all live widgets; there is no public way to them

    widgets = [widget for widget in list(_instances.values()) if isinstance(widget, module.Output)]
    return next((widget for widget in reversed(widgets) if widget.msg_id == msg_id), None)


def _header(shell: Any) -> dict[str, Any]:
    """The header of the current request; empty outside a kernel."""
    request = shell.get_parent() if hasattr(shell, "get_parent") else None
    return (request or {}).get("header") or {}

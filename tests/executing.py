"""Notebooks that tests execute, and how the kernels of tests are reached.

Jupyter chooses five free ports for a kernel and gives them back before the kernel binds them: where many processes
start at once, another one may take a port in between, and the kernel dies. A socket in a file (`ipc`) has a name of
its own. Its path has at most 107 characters, so it needs a directory near the root: `ipc_directory`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from jupyter_client.connect import ConnectionFileMixin
from jupyter_client.manager import AsyncKernelManager, KernelManager
from jupyter_core.paths import jupyter_runtime_dir
from nbclient import NotebookClient
from nbformat import NotebookNode
from traitlets import CaselessStrEnum, default

__all__ = ["IPC", "AsyncIpcKernelManager", "IpcKernelManager", "execute", "ipc_directory", "nbval"]

ROOT = Path(__file__).resolve().parent.parent


IPC = '{"ConnectionFileMixin": {"transport": "ipc"}}'
"""The same for applications, which read it from their configuration."""


class _OverIpc(ConnectionFileMixin):
    transport = CaselessStrEnum(["tcp", "ipc"], default_value="ipc", config=True)

    @default("connection_file")
    def _own_connection_file(self) -> str:
        """Named before the kernel starts, because the names of its sockets begin like the file's."""
        return str(Path(jupyter_runtime_dir(), f"kernel-{uuid.uuid4()}.json"))


class IpcKernelManager(_OverIpc, KernelManager):
    """A kernel over sockets in files."""


class AsyncIpcKernelManager(_OverIpc, AsyncKernelManager):
    """The same for nbclient and what is built on it."""


@contextmanager
def ipc_directory() -> Iterator[Path]:
    """A directory for Jupyter's connection files, which name the sockets beside them."""
    folder = Path(tempfile.mkdtemp(prefix="jmuz", dir="/tmp"))  # TMPDIR is too long on macOS
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # a kernel that ends now removes its own files


def execute(notebook: NotebookNode, folder: Path | None = None, **options: Any) -> None:
    """Run a notebook's cells in `folder`; options are those of `NotebookClient`."""
    defaults = {"timeout": 120, "kernel_manager_class": AsyncIpcKernelManager}
    resources = {"metadata": {"path": str(folder)}} if folder else {}
    NotebookClient(notebook, **{**defaults, "resources": resources, **options}).execute()


def nbval(path: Path, how: Literal["--nbval", "--nbval-lax"] = "--nbval") -> subprocess.CompletedProcess[str]:
    """Compare a notebook with its saved outputs."""
    command = [sys.executable, "-m", "pytest", how, "--nbval-current-env", "-q", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, "-p", __name__, path.name],
        cwd=path.parent, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def pytest_configure() -> None:
    """As a plugin of nbval's run, which has no setting for it."""
    import nbval.kernel

    assert nbval.kernel.KernelManager is KernelManager, "nbval starts its kernels in another way now"
    nbval.kernel.KernelManager = IpcKernelManager

"""Kernels of any environment, as a user's front end starts them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.conftest import PREFIXES, PROXIES
from tests.kernel.kernel import Kernel

__all__ = ["running_kernel"]

START_SECONDS = 120.0
LEFT_OUT = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", *PROXIES}  # users have byte code


@contextmanager
def running_kernel(python: Path, **variables: str) -> Iterator[Kernel]:
    """A kernel of this interpreter in a folder and a home of its own, without keys and proxies of the user."""
    with TemporaryDirectory() as folder:
        spec = Path(folder) / "kernels" / "peer"
        spec.mkdir(parents=True)
        argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        description = {"argv": argv, "display_name": "peer", "language": "python"}
        (spec / "kernel.json").write_text(json.dumps(description), encoding="utf-8")
        specs = KernelSpecManager(kernel_dirs=[str(spec.parent)])
        manager = KernelManager(kernel_name="peer", kernel_spec_manager=specs)
        manager.start_kernel(env=environment(folder) | variables, cwd=folder)
        client = manager.client()
        client.start_channels()
        kernel = Kernel(manager, client)
        try:
            client.wait_for_ready(timeout=START_SECONDS)
            yield kernel
        finally:
            kernel.stop()


def environment(home: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith((*PREFIXES, "XDG_")) and name.upper() not in LEFT_OUT
    }
    return kept | {"HOME": home, "IPYTHONDIR": f"{home}/.ipython"}

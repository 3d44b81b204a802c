"""Kernels for tests: one for a whole file, or as many as a test starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

import pytest

from jmuz_magic.demo import DemoServer
from tests.kernel.kernel import Kernel, running_kernel

__all__ = ["StartKernel"]

StartKernel: TypeAlias = Callable[..., Kernel]
"""`start_kernel(env={…}, arguments=[…])`."""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel that all tests of a file share. What one test leaves in it the next one finds."""
    with running_kernel(tmp_path_factory.mktemp("kernel")) as running:
        yield running


@pytest.fixture
def start_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartKernel]:
    """Start kernels of this test's own, each in a folder of its own; all end with the test."""
    with ExitStack() as stack:

        def start(
            env: Mapping[str, str] | None = None, arguments: Sequence[str] = (), folder: Path | None = None
        ) -> Kernel:
            where = folder or tmp_path_factory.mktemp("kernel")
            return stack.enter_context(running_kernel(where, env, arguments))

        yield start


@pytest.fixture
def jmuz_kernel(kernel: Kernel, demo_endpoint: DemoServer) -> Kernel:
    """The file's kernel with the extension loaded and this test's demo endpoint chosen."""
    kernel.run("%reload_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    return kernel

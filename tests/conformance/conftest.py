"""One third-party server after another, and a kernel for all tests of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.servers import KEY, SERVERS, ThirdParty
from tests.kernel.kernel import Kernel, running_kernel


@pytest.fixture(scope="module", params=SERVERS)
def third_party(
    request: pytest.FixtureRequest, node_module: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ThirdParty]:
    """Each server of the table in turn, running."""
    with SERVERS[request.param](node_module, tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel with the extension, where `CONFORMANCE_KEY` holds the servers' key."""
    with running_kernel(tmp_path_factory.mktemp("kernel"), {"CONFORMANCE_KEY": KEY}) as running:
        running.run("%load_ext jmuz_magic")
        yield running


@pytest.fixture
def asking(kernel: Kernel, third_party: ThirdParty) -> Kernel:
    """The kernel with the server chosen."""
    kernel.run(f"%jmuz_use --api-base {third_party.api_base} --key-env CONFORMANCE_KEY")
    return kernel

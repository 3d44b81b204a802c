"""What all tests share: a clean environment, the demo endpoint, test data and tools found on the machine."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.log.log import ExchangeLog, exchange_log
from tests.exchanges import new_log
from tests.executing import IPC, ipc_directory
from tests.fault_server import FaultServer
from tests.limits import forget_limits
from tests.reporting import (
    pytest_addoption,
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_runtestloop,
    pytest_terminal_summary,
)
from tests.waiting import wait_until

__all__ = [
    "pytest_addoption",
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_runtestloop",
    "pytest_terminal_summary",
]

ROOT = Path(__file__).resolve().parent.parent
NODE = ROOT / "tests" / "node"

KEPT = {"JMUZ_DID_NOT_RUN", "JMUZ_REQUIRE_ALL", "JMUZ_TEST_DATA"}
"""Variables of the test run itself; all others of these names are the user's and stay outside."""
PREFIXES = ("ANTHROPIC_", "AWS_", "AZURE_", "DATABRICKS_", "DEEPSEEK_", "GEMINI_", "GOOGLE_", "GROQ_", "HF_", "JMUZ_",
            "MISTRAL_", "MODEL_PROXY_", "OLLAMA_", "OPENAI_", "OPENROUTER_", "XAI_")  # fmt: skip
PROXIES = {"ALL_PROXY", "FTP_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"}


@pytest.fixture(scope="session", autouse=True)
def clean_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """No key, address or proxy of the user reaches a test; home and XDG directories are throw-away.

    Yields the home directory. Session-wide, so that it also holds for kernels that live longer than one test.
    """
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, ipc_directory() as runtime:
        for name in list(os.environ):
            if (name.startswith(PREFIXES) and name not in KEPT) or name.upper() in PROXIES:
                patch.delenv(name)
        patch.setenv("HOME", str(home))
        patch.setenv("IPYTHONDIR", str(home / ".ipython"))
        for name, folder in (("CACHE", ".cache"), ("CONFIG", ".config"), ("DATA", ".local/share"), ("STATE", ".state")):
            patch.setenv(f"XDG_{name}_HOME", str(home / folder))
        for name in ("CONFIG_DIR", "DATA_DIR"):
            (home / "jupyter" / name.lower()).mkdir(parents=True)
            patch.setenv(f"JUPYTER_{name}", str(home / "jupyter" / name.lower()))
        (home / "jupyter" / "config_dir" / "jupyter_config.json").write_text(IPC)
        patch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
        patch.setenv("JMUZ_LOG", "off")  # whichever cell asked first would say that there is a log now
        patch.setenv("MPLBACKEND", "agg")
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        yield home


@pytest.fixture(autouse=True)
def fresh_environment() -> Iterator[None]:
    """What one test sets in `os.environ` does not reach the next."""
    before = dict(os.environ)
    yield
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(autouse=True)
def no_limits() -> Iterator[None]:
    """What one test allows to be asked does not reach the next."""
    yield
    forget_limits()


@pytest.fixture(autouse=True)
def nothing_outlives_its_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """A connection that is still open when its event loop has ended fails the test that opened it.

    Python tells when it collects the connection, which would else be in a later test. Collecting takes 6 ms, and
    several times that beside a shell, so it is done where tests make loops of their own.
    """
    yield
    if request.path.parent.name in ("conversation", "providers"):
        gc.collect()


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server that fails as scripts say."""
    with FaultServer() as running:
        yield running


@pytest.fixture
def logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The log of this process, in a file of the test's own."""
    path = tmp_path / "log.sqlite3"
    monkeypatch.setenv("JMUZ_LOG", str(path))
    monkeypatch.setattr(exchange_log, "on_message", lambda _: None)
    yield path
    exchange_log.close()


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The directory of recorded streams and tables that is not part of this repository."""
    given = os.environ.get("JMUZ_TEST_DATA")
    if not given:
        pytest.skip("no test data (JMUZ_TEST_DATA is not set)")
    folder = Path(given).resolve()
    if not folder.is_dir():
        pytest.fail(f"JMUZ_TEST_DATA should name a directory; {given} is none")
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this tree, built once."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target=wheel", f"--directory={folder}"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture
def demo_endpoint() -> Iterator[DemoServer]:
    """A demo endpoint of this test's own, as fast as it goes, that keeps the requests it got.

    After the test no stream may be open: whoever leaves a stream early has to close it.
    """
    with DemoServer(deltas_per_second=0, keep_requests=1000) as server:
        yield server
        wait_until(lambda: server.open_streams == 0, "no stream of the demo endpoint is open any more")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no chromium (install it, or set CHROMIUM to its path)")
    return found


@pytest.fixture(scope="session")
def node_module() -> Callable[[str], Path]:
    """Path of an npm package of `tests/node/package.json`, by its name."""

    def find(name: str) -> Path:
        if shutil.which("node") is None:
            pytest.skip("no node")
        package = NODE / "node_modules" / name
        if not package.is_dir():
            pytest.skip("the npm packages of tests/node are not installed (`make test` does it)")
        return package

    return find


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ExchangeLog]:
    """A log of each test's own."""
    log, said = new_log(tmp_path / "data" / "exchanges.sqlite3")
    yield log
    log.close()
    assert all("is logged" in line or "are logged" in line for line in said), said

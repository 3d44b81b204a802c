"""Tab as a front end asks for it: through the kernel's complete_request."""

from __future__ import annotations

import time

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.demo.scripts import SCRIPTS
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Kernel

pytestmark = pytest.mark.kernel

SLOW = 5.0
"""Seconds. A cold Jedi takes some for such lines; without it an answer takes milliseconds."""

PARSED = "[len(m.parser_cache) for name, m in [*__import__('sys').modules.items()] if name == 'parso.cache']"
"""How many texts Jedi's parser has read. Newer versions of IPython import it at the first use, older ones at once."""


def complete(kernel: Kernel, code: str, cursor: int | None = None) -> list[str]:
    """The cell after each of the completions that the kernel answers with."""
    content = kernel.complete(code, cursor)
    assert content["status"] == "ok", content
    start, end = content["cursor_start"], content["cursor_end"]
    return [code[:start] + match + code[end:] for match in content["matches"]]


def test_models_are_completed_and_nothing_is_sent(start_kernel: StartKernel, demo_endpoint: DemoServer) -> None:
    kernel = start_kernel()
    kernel.run("%load_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    kernel.run("%jmuz_models")
    asked = len(demo_endpoint.requests)
    assert complete(kernel, "%%jmuz -m gpt-") == ["%%jmuz -m gpt-4o"]
    own = [model for model in SCRIPTS if model.startswith("demo-")]
    assert complete(kernel, "%%jmuz -m demo-") == [f"%%jmuz -m {model}" for model in own]
    assert complete(kernel, "%%jmuz -m gemini-1\nWhy?\n", 18) == []
    assert complete(kernel, "%%jmuz -m gemini-f\nWhy?\n", 18) == ["%%jmuz -m gemini-flash\nWhy?\n"]
    assert len(demo_endpoint.requests) == asked


def test_the_types_of_completions_are_told(start_kernel: StartKernel) -> None:
    kernel = start_kernel()
    kernel.run("%load_ext jmuz_magic")
    kinds = kernel.complete("%jmuz_use olla")["metadata"]["_jupyter_types_experimental"]
    assert [(kind["text"], kind["type"]) for kind in kinds] == [("ollama", "provider")]


@pytest.mark.fault(40)
@pytest.mark.parametrize("configured", [True, False], ids=["an address in the environment", "nothing configured"])
def test_a_cold_kernel_answers_at_once_and_sends_nothing(
    start_kernel: StartKernel, demo_endpoint: DemoServer, configured: bool
) -> None:
    kernel = start_kernel(env={"JMUZ_API_BASE": demo_endpoint.api_base} if configured else {})
    kernel.run("%load_ext jmuz_magic")  # loaded, and nothing else: Jedi has read nothing, no models are listed
    models = ["gpt-4o"] if configured else []
    for code, expected in {
        "%%jmuz -m gpt-": [f"%%jmuz -m {model}" for model in models],
        "%%jmuz --te": ["%%jmuz --temperature"],
        "%%jmuz -p ope": ["%%jmuz -p openai", "%%jmuz -p openrouter"],
        "%%jmuz --nothing": [],
    }.items():
        started = time.monotonic()
        assert complete(kernel, code) == expected
        assert time.monotonic() - started < SLOW
    assert not any(kernel.value(PARSED))
    assert not demo_endpoint.requests
    kernel.complete("impor")  # ordinary Python: now it is Jedi's turn
    assert any(kernel.value(PARSED))


def test_with_the_older_completer_too(start_kernel: StartKernel) -> None:
    kernel = start_kernel(arguments=["--IPythonKernel.use_experimental_completions=False"])
    kernel.run("%load_ext jmuz_magic")
    assert complete(kernel, "%jmuz_use olla") == ["%jmuz_use ollama"]
    assert complete(kernel, "%%jmuz -p olla") == ["%%jmuz -p ollama"]


def test_after_unloading_it_is_ipython_again(start_kernel: StartKernel) -> None:
    kernel = start_kernel(arguments=["--IPCompleter.use_jedi=False"])
    kernel.run("%load_ext jmuz_magic")
    kernel.run("%unload_ext jmuz_magic")
    assert complete(kernel, "%jmuz_use olla") == []
    assert "print" in complete(kernel, "pri")

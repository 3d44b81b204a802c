"""`%jmuz_use demo`: the demo endpoint inside a real kernel."""

from __future__ import annotations

import pytest

from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Kernel

pytestmark = pytest.mark.kernel

DEMO_THREADS = "[thread.name for thread in __import__('threading').enumerate() if thread.name == 'jmuz-demo']"


@pytest.fixture
def demo_kernel(start_kernel: StartKernel) -> Kernel:
    kernel = start_kernel(env={"JMUZ_LOG": "off"})
    kernel.run("%load_ext jmuz_magic")
    kernel.run("%jmuz_use demo")
    return kernel


def test_answers_for_a_real_models_id_and_says_what_it_is(demo_kernel: Kernel) -> None:
    text = demo_kernel.run("%%jmuz -m gpt-4o\nWho are you?").text
    assert "not a language model" in text
    assert "%jmuz_use openai" in text


@pytest.mark.finding("C7")
def test_a_real_models_id_says_in_the_list_and_below_its_reply_who_answers(demo_kernel: Kernel) -> None:
    assert "  gpt-4o  (answered by demo-chat)" in demo_kernel.run("%jmuz_models gpt-").text
    shown = demo_kernel.run("%%jmuz -m gpt-4o\nWhat is 17 * 23?")
    assert "**391**" in shown.text
    assert "answered by demo-chat, not gpt-4o" in shown.html


def test_adverts_are_removed_and_counted(demo_kernel: Kernel) -> None:
    execution = demo_kernel.run("%%jmuz -m demo-adverts\nHow do I sort?")
    assert "Join for free" not in execution.text
    assert demo_kernel.value("len(_jmuz.removed_adverts)") >= 3
    assert "adverts removed" in execution.html


def test_runs_in_one_thread_and_ends_with_the_extension(demo_kernel: Kernel) -> None:
    demo_kernel.run("%jmuz_use demo")
    assert demo_kernel.value(DEMO_THREADS) == ["jmuz-demo"]
    demo_kernel.run("%unload_ext jmuz_magic")
    assert demo_kernel.value(DEMO_THREADS) == []

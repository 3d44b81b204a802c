"""A real model answers: SmolLM2-135M, served by llama.cpp's own server on this machine."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jmuz_magic.errors import ResponseStatusError
from jmuz_magic.messages import Message
from notebooks.tools.model import MODEL, NAME, NOTEBOOK, REQUIREMENTS, command
from tests.conformance.processes import listening
from tests.environments import environment
from tests.executing import execute
from tests.kernel.kernel import Kernel
from tests.notebooks.making import ROOT, running_demo
from tests.providers.asking import Patient, ask
from tests.waiting import wait_until

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(600)]  # the first test installs 190 MB

ASK = f"%%jmuz -m {MODEL} -t 0"
CAPITAL = "What is the capital of France? Answer in one sentence."
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 20}, "large": {"type": "boolean"}},
    "required": ["city", "large"],
    "additionalProperties": False,
}
DIALECTS = ("chat", "responses", "anthropic")
"""What llama.cpp's server speaks."""
FORMAT = json.dumps({"type": "json_schema", "json_schema": {"name": "place", "schema": CITY}})


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    binaries = environment(NAME, REQUIREMENTS, dependencies=False)
    with listening(command(binaries), tmp_path_factory.mktemp("real-model") / "log") as running:
        yield running


@pytest.fixture
def model(kernel: Kernel, origin: str) -> Kernel:
    """The kernel with the real model's endpoint chosen."""
    kernel.run(f"%jmuz_use --api-base {origin}/v1")
    return kernel


def test_the_model_is_listed(origin: str) -> None:
    assert Patient.get_models(api_base=f"{origin}/v1") == [MODEL]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_and_a_whole_reply_are_the_same(origin: str, dialect: str) -> None:
    options: dict[str, Any] = {"messages": [{"role": "user", "content": CAPITAL}], "temperature": 0, "max_tokens": 24}
    options |= {"model": MODEL, "dialect": dialect, "api_base": f"{origin}/v1"}
    streamed, whole = (ask(stream=stream, **options) for stream in (True, False))
    assert (streamed.error, whole.error) == (None, None)
    assert "Paris" in streamed.text
    assert (streamed.text, streamed.finish_reason) == (whole.text, whole.finish_reason)
    for answer in (streamed, whole):
        assert answer.usage is not None
        assert 1 <= (answer.usage.completion_tokens or 0) <= 24


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_reply_that_reaches_the_limit_says_so(origin: str, dialect: str) -> None:
    messages: list[Message] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": CAPITAL}]
    answer = ask(model=MODEL, messages=messages, max_tokens=3, dialect=dialect, api_base=f"{origin}/v1")
    # In Responses this server calls every reply completed.
    assert (answer.error, answer.finish_reason) == (None, "stop" if dialect == "responses" else "length")
    assert answer.usage is not None
    assert answer.usage.completion_tokens == 3


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_prompt_beyond_its_context_is_refused_in_its_own_words(origin: str, dialect: str) -> None:
    messages: list[Message] = [{"role": "user", "content": "word " * 3000}]
    answer = ask(model=MODEL, messages=messages, dialect=dialect, api_base=f"{origin}/v1")
    assert type(answer.error) is ResponseStatusError
    assert "context size" in str(answer.error)


# --- in cells


@pytest.mark.kernel
def test_a_cell_shows_a_real_reply(model: Kernel) -> None:
    execution = model.run(f"{ASK} --max-tokens 24\n{CAPITAL}")
    assert "Paris" in execution.html
    text, reason, usage = model.value("[_jmuz.text, _jmuz.finish_reason, _jmuz.usage.completion_tokens]")
    assert "Paris" in text
    assert reason in ("stop", "length")
    assert 1 <= usage <= 24


@pytest.mark.kernel
def test_a_conversation_goes_on_with_what_was_said(model: Kernel) -> None:
    chat = f"{ASK} --max-tokens 16 --chat=dog"
    model.run(f"{chat}\nI have a dog called Rex.")
    first = model.value("[_jmuz.usage.prompt_tokens, _jmuz.usage.completion_tokens]")
    model.run(f"{chat}\nWhat is the name of my dog?")
    text, prompt_tokens = model.value("[_jmuz.text, _jmuz.usage.prompt_tokens]")
    assert prompt_tokens > sum(first)
    assert "Rex" in text


@pytest.mark.kernel
def test_an_interrupt_keeps_what_came_and_frees_the_model(model: Kernel, origin: str) -> None:
    execution = model.submit(f"{ASK} --max-tokens 1500\nWrite a long story about a lighthouse, in many chapters.")
    model.wait(execution, lambda: "lighthouse" in execution.html.lower(), "the story has begun")
    model.interrupt()
    model.finish(execution)
    assert execution.error is not None
    assert execution.error["ename"] == "ReplyInterrupted"
    assert "lighthouse" in model.value("_jmuz.text").lower()
    wait_until(lambda: not slot(origin)["is_processing"], "the model has stopped writing")
    assert slot(origin)["next_token"][0]["has_next_token"]  # it was in the middle


def slot(origin: str) -> Any:
    """What llama.cpp tells of the one request that it answers at a time."""
    with urllib.request.urlopen(f"{origin}/slots", timeout=10) as response:
        (only,) = json.load(response)
    return only


@pytest.mark.kernel
def test_a_schema_is_kept_to(model: Kernel) -> None:
    model.run(f"{ASK} --max-tokens 60 -o response_format '{FORMAT}'\nName a city in Spain.")
    value = json.loads(model.value("_jmuz.text"))
    assert value.keys() == {"city", "large"}
    assert isinstance(value["city"], str)
    assert isinstance(value["large"], bool)


# --- make demo-model


@pytest.mark.kernel
def test_its_notebook_runs_as_it_stands(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JMUZ_API_BASE", f"{origin}/v1")
    notebook = nbformat.read(ROOT / "notebooks" / "tools" / NOTEBOOK, as_version=4)
    execute(notebook)
    replies = [cell.outputs for cell in notebook.cells if cell.source.startswith("%%jmuz")]
    assert len(replies) == 5
    assert all("text/html" in outputs[0].data for outputs in replies)


@pytest.mark.kernel
def test_make_demo_model_opens_it_and_ends_with_everything(origin: str, tmp_path: Path) -> None:
    with running_demo(tmp_path, "demo-model") as demo:
        assert f"/lab/tree/{NOTEBOOK}?token=" in demo.address()
        (api_base,) = {each["JMUZ_API_BASE"] for each in demo.processes().values() if "JMUZ_API_BASE" in each}
        assert Patient.get_models(api_base=api_base) == [MODEL]
        demo.make.send_signal(signal.SIGTERM)
        wait_until(lambda: not demo.processes(), "no process is left", 60)

"""Lists of models: in pages, with what they say besides ids, and the model that is picked from them when asking."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from jmuz_magic.errors import (
    MissingAuthError,
    ModelNotFoundError,
    ProviderConnectionError,
    ProviderTimeoutError,
    RateLimitError,
    ResponseStatusError,
)
from jmuz_magic.providers import listing
from jmuz_magic.providers.catalog import Anthropic, Gemini, Mistral, OpenAI
from jmuz_magic.providers.endpoint.endpoint import resolve_endpoint
from jmuz_magic.providers.listing import is_part
from jmuz_magic.providers.picking import model_notes
from tests.fault_server import FaultServer, closed_port, head, json_answer, reply
from tests.providers.asking import FAKE_KEY, Patient, ask, collect


def page(*ids: str, more: bool = False, **members: object) -> object:
    return {"data": [{"id": id_} for id_ in ids], "has_more": more, **members}


def targets(server: FaultServer) -> list[str]:
    return [request.target.partition("/models")[2] for request in server.requests]


@pytest.mark.finding("A25")
def test_a_list_in_pages_is_read_to_its_end(server: FaultServer) -> None:
    base = server.add(
        "s",
        json_answer(page("a", "b", more=True, last_id="b")),
        json_answer(page("c", more=True, last_id="c&d e")),
        json_answer(page("e")),
    )
    assert Patient.get_models(api_base=base) == ["a", "b", "c", "e"]
    assert targets(server) == ["", "?after=b", "?after=c%26d%20e"]


def test_the_next_page_of_an_address_with_a_version_keeps_it(server: FaultServer) -> None:
    base = server.add("s", json_answer(page("a", more=True)), json_answer(page("b")))
    assert Patient.get_models(api_base=f"{base}?api-version=2024-10-21") == ["a", "b"]
    assert targets(server) == ["?api-version=2024-10-21", "?api-version=2024-10-21&after=a"]


@pytest.mark.finding("A25")
def test_anthropic_is_asked_for_the_next_page_in_its_own_words(server: FaultServer) -> None:
    first = json_answer(page("claude-opus-5-5", "claude-haiku-4-5", more=True, last_id="claude-haiku-4-5"))
    base = server.add("s", first, json_answer(page("claude-sonnet-4-6")))
    assert Anthropic.get_models(api_base=base, api_key=FAKE_KEY)[-1] == "claude-sonnet-4-6"
    assert targets(server) == ["", "?after_id=claude-haiku-4-5"]


@pytest.mark.finding("A25")
def test_where_no_last_id_is_said_the_last_one_is_taken(server: FaultServer) -> None:
    base = server.add("s", json_answer(page("a", "b", more=True)), json_answer(page("c")))
    assert Patient.get_models(api_base=base) == ["a", "b", "c"]
    assert targets(server) == ["", "?after=b"]


def test_a_server_that_always_has_more_of_the_same_is_not_asked_for_ever(server: FaultServer) -> None:
    base = server.add("s", json_answer(page("a", "b", more=True, last_id="b")))
    assert Patient.get_models(api_base=base) == ["a", "b"]
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("answers", "part"),
    [
        ([page("a")], False),
        ([page("a", more=True), page("b")], False),
        ([page("a", more=True)], True),  # the same page again and again
        ([page(more=True)], True),
        ([page("a", next="")], False),
        ([page("a", next="https://x.example/models?page=2")], True),
        ([page("a", nextPageToken="t")], True),
        ([page("a", next_page_token="t")], True),
        ([page("a", next_cursor=None)], False),
        ([page("a", total=1)], False),
        ([page("a", total=20)], True),
        ([page("a", total_count="20")], False),
        ([page("a", more=True, total=2), page("b", total=2)], False),
        ([["a", "b"]], False),
    ],
)
def test_a_list_that_is_a_part_is_known_as_one(server: FaultServer, answers: list[object], part: bool) -> None:
    endpoint = resolve_endpoint(Patient, api_base=server.add("s", *map(json_answer, answers)))
    Patient.get_models(endpoint=endpoint)
    assert is_part(endpoint) == part


def test_more_pages_than_are_read_are_a_part_until_the_list_is_whole(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_PAGES", 2)
    pages = [json_answer(page(id_, more=True)) for id_ in "abc"]
    endpoint = resolve_endpoint(Patient, api_base=server.add("s", *pages[:2], json_answer(page("z"))))
    assert Patient.get_models(endpoint=endpoint) == ["a", "b"]
    assert is_part(endpoint)
    assert Patient.get_models(endpoint=endpoint, refresh=True) == ["z"]
    assert not is_part(endpoint)


def test_a_missing_page_is_no_list(server: FaultServer) -> None:
    base = server.add("s", json_answer(page("a", more=True)), json_answer({"error": "broken"}, "500 Oops"))
    with pytest.raises(ResponseStatusError, match="answered 500"):
        Patient.get_models(api_base=base)
    assert Patient.cached_models(resolve_endpoint(Patient, api_base=base)) == []


def test_what_a_list_says_besides_is_kept(server: FaultServer) -> None:
    entries = [
        {"id": "a", "shutdown_date": "2027-01-14"},
        {"id": "b", "shutdown_date": None, "parent": "a"},
        {"id": "c", "shutdown_date": "soon", "status": {"value": "loaded"}},
        {"id": "d", "shutdown_date": 5, "status": "loaded"},
        "e",
    ]
    endpoint = resolve_endpoint(Patient, api_base=server.add("s", json_answer({"data": entries})))
    Patient.get_models(endpoint=endpoint)
    listed = {each.id: each for each in Patient.listed_models(endpoint)}
    assert list(listed) == ["a", "b", "c", "d", "e"]
    assert [each.shutdown for each in listed.values()] == [date(2027, 1, 14), None, None, None, None]
    assert [each.adapter for each in listed.values()] == [False, True, False, False, False]
    assert [each.loaded for each in listed.values()] == [False, False, True, False, False]


@pytest.mark.finding("C7")
def test_a_model_that_answers_to_another_name_is_noted_but_no_path_of_an_adapter(server: FaultServer) -> None:
    entries = [
        {"id": "served", "root": "org/large-model"},
        {"id": "itself", "root": "itself"},
        {"id": "adapter", "root": "/adapters/sql", "parent": "itself"},
        {"id": "odd", "root": ["x"]},
        {"id": "long", "root": "x" * 900 + "\x1b[31m"},
    ]
    base = server.add("s", json_answer({"data": entries}))
    assert Patient.get_models(api_base=base) == ["served", "itself", "adapter", "odd", "long"]
    notes = model_notes(resolve_endpoint(Patient, api_base=base))
    assert notes.pop("long") == f"answered by {'x' * 59}…"
    assert notes == {"served": "answered by org/large-model"}


# --- asking without a model


class Families(Patient):
    """An endpoint whose small family is known."""

    model_families = ("small-{version}",)


def test_the_model_is_picked_once_and_told_of(server: FaultServer) -> None:
    from jmuz_magic.messages import ModelPicked

    base = server.add("s", json_answer(page("small-1", "small-2", "large-3")), reply("x"))
    first = ask(Families, model="", api_base=base)
    second = ask(Families, model="", api_base=base)
    assert (first.text, second.text) == ("x", "x")
    assert first.notices == second.notices == [ModelPicked("small-2")]
    assert [request.method for request in server.requests] == ["GET", "POST", "POST"]
    assert [request.json["model"] for request in server.requests[1:]] == ["small-2"] * 2


def test_headers_and_key_of_the_request_go_with_the_list(server: FaultServer) -> None:
    base = server.add("s", json_answer(page("small-1")), reply("x"))
    ask(Families, model="", api_base=base, api_key=FAKE_KEY, headers={"X-Tenant": "a"})
    for request in server.requests:
        assert (request.headers["authorization"], request.headers["x-tenant"]) == (f"Bearer {FAKE_KEY}", "a")


def test_it_is_picked_on_the_loop_also_on_the_bridge_itself(server: FaultServer) -> None:
    from jmuz_magic.streaming.bridge import get_bridge

    base = server.add("s", json_answer(page("small-1")), reply("x"))
    assert get_bridge().run(collect(Families, model="", api_base=base)).text == "x"


def test_other_work_of_the_loop_goes_on_while_the_list_is_waited_for(server: FaultServer) -> None:
    waiting = server.add("s", [("wait_requests", 2), *json_answer(page("small-1"))], reply("late"))
    other = server.add("t", reply("early"))

    async def both() -> list[str]:
        slow = asyncio.create_task(collect(Families, model="", api_base=waiting))
        return [(await collect(Families, api_base=other)).text, (await slow).text]

    assert asyncio.run(both()) == ["early", "late"]


def test_a_model_in_the_body_of_the_caller_needs_no_list(server: FaultServer) -> None:
    assert ask(Families, model="", api_base=server.add("s", reply("x")), extra_body={"model": "mine"}).text == "x"
    assert server.requests[0].json["model"] == "mine"


def test_a_name_kept_current_and_an_alias_need_no_list(server: FaultServer) -> None:
    base = server.add("s", reply("x"))
    ask(Mistral, model="", api_base=base)
    ask(Families, model="given", api_base=base)
    assert [request.json["model"] for request in server.requests] == ["mistral-small-latest", "given"]


@pytest.mark.usefixtures("magics")
def test_a_list_that_leaves_it_open_names_ids_and_nothing_else_is_asked(server: FaultServer) -> None:
    answer = ask(model="", api_base=server.add("s", json_answer(page("a", "b"))))
    assert type(answer.error) is ModelNotFoundError
    assert str(answer.error) == "no model is chosen; choose one with -m MODEL, such as a, b"
    assert len(server.requests) == 1


@pytest.mark.usefixtures("magics")
@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (json_answer({"error": "no such page"}, "404 Not Found"), ModelNotFoundError, "none can be picked"),
        (json_answer({"detail": "Not Found: /v1/models"}, "404 Not Found"), ModelNotFoundError, "none can be picked"),
        (json_answer({"hello": 1}), ModelNotFoundError, "expected a list of models"),
        (json_answer({"data": []}), ModelNotFoundError, "lists none"),
        (json_answer({"error": "no"}, "401 Unauthorized"), MissingAuthError, "401"),
        (json_answer({"error": "slow down"}, "429 Too Many Requests"), RateLimitError, "429"),
        ([("send", head()), ("rst",)], ProviderConnectionError, ""),
    ],
)
def test_a_list_that_cannot_be_had_is_said(server: FaultServer, answer: object, kind: type, says: str) -> None:
    answered = ask(model="", api_base=server.add("s", answer))  # type: ignore[arg-type]
    assert type(answered.error) is kind
    assert says in str(answered.error)
    assert kind is not ModelNotFoundError or str(answered.error).endswith("choose one with -m MODEL")


def test_nobody_listens_is_said_as_ever() -> None:
    answered = ask(model="", api_base=f"http://127.0.0.1:{closed_port()}/v1")
    assert "connection refused" in str(answered.error)


@pytest.mark.usefixtures("magics")
def test_without_a_key_a_service_is_not_asked_for_its_list() -> None:
    answered = ask(OpenAI, model="")
    assert str(answered.error) == "OpenAI needs a key: set OPENAI_API_KEY, or use %jmuz_key openai"


def test_retries_of_the_list_are_no_requests_of_the_reply(server: FaultServer) -> None:
    from jmuz_magic.messages import ModelPicked

    busy = json_answer({"error": "busy"}, "503 Busy")
    base = server.add("s", busy, json_answer(page("small-1")), reply("x"))
    assert ask(Families, model="", api_base=base).notices == [ModelPicked("small-1")]


def test_gemini_is_asked_by_the_name_that_its_documentation_sends(server: FaultServer) -> None:
    from jmuz_magic.messages import ModelPicked

    base = server.add("s", json_answer(page("models/gemini-3.8-flash", "models/gemini-3.8-pro")), reply("x"))
    answers = [ask(Gemini, model=model, api_base=base) for model in ("", "models/gemini-3.8-pro", "gemini-3.8-pro")]
    assert answers[0].notices == [ModelPicked("gemini-3.8-flash")]
    sent = [request.json["model"] for request in server.requests if request.method == "POST"]
    assert sent == ["gemini-3.8-flash", "gemini-3.8-pro", "gemini-3.8-pro"]


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_timeout_that_is_none_is_refused_before_the_list_is_asked_for(server: FaultServer, timeout: float) -> None:
    answered = ask(Families, model="", api_base=server.add("s", reply("x")), timeout=timeout)
    assert "expected a timeout" in str(answered.error)
    assert not server.requests


def test_the_patience_of_the_cell_is_that_of_the_list(server: FaultServer) -> None:
    answered = ask(Families, model="", api_base=server.add("s", [("accept_only",)]), timeout=0.2)
    assert isinstance(answered.error, ProviderTimeoutError)

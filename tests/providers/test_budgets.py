"""A budget that is used up is told in one line and not tried again, whatever the gateway's status."""

from __future__ import annotations

from typing import Any

import pytest

from jmuz_magic.errors import RateLimitError, ResponseStatusError
from jmuz_magic.providers.http.budgets import BUDGET_HINT, is_budget
from tests.fault_server import FaultServer, json_answer, reply
from tests.providers.asking import Patient, ask

LITELLM = {
    "error": {
        "message": "Budget has been exceeded! Key=ada (sk-...TMqg) Current cost: 10.1, Max budget: 10.0",
        "type": "budget_exceeded",
        "param": None,
        "code": "429",
    }
}
SHAPES: list[tuple[str, Any]] = [
    ("429 Too Many Requests", LITELLM),
    ("400 Bad Request", LITELLM),
    ("400 Bad Request", {"error": {"message": "ExceededBudget: End User=ada over budget. Spend=2, Budget=1"}}),
    ("429 Too Many Requests", {"error": {"message": "LiteLLM User: ada, exceeded budget for model=large"}}),
    (
        "429 Too Many Requests",
        {"error": {"message": "No deployments available - crossed budget: Exceeded budget for …"}},
    ),
    ("429 Too Many Requests", {"detail": "Max budget limit reached."}),
    ("429 Too Many Requests", {"error": {"message": "The key has spent its ceiling", "code": "key_budget_exceeded"}}),
    ("402 Payment Required", {"error": {"message": "over the team's ceiling", "code": "budget_exceeded"}}),
    (
        "403 Forbidden",
        {"error": {"message": "Key limit exceeded (total limit). Manage it in the settings", "code": 403}},
    ),
]


@pytest.mark.parametrize(("status", "payload"), SHAPES)
def test_it_is_one_line_and_one_request(server: FaultServer, status: str, payload: Any) -> None:
    answer = ask(Patient, api_base=server.add("spent", json_answer(payload, status), reply("never")))
    assert len(server.requests) == 1
    line = str(answer.error)
    assert line.startswith(f"{server.origin} answered {status}: ")
    assert line.endswith(f"({BUDGET_HINT})")
    assert "\n" not in line
    assert "key rejected" not in line
    assert isinstance(answer.error, RateLimitError if status.startswith("429") else ResponseStatusError)


def test_it_says_when_the_gateway_asks_to_come_back(server: FaultServer) -> None:
    script = json_answer(LITELLM, "429 Too Many Requests", **{"Retry-After": "21600"})
    answer = ask(Patient, api_base=server.add("spent", script))
    assert str(answer.error).endswith(f"({BUDGET_HINT}; it asks to wait 6 h)")
    assert isinstance(answer.error, RateLimitError)
    assert answer.error.retry_after == 21600


def test_a_rate_limit_is_tried_again(server: FaultServer) -> None:
    throttled = {"error": {"message": "Rate limit exceeded for api_key: ada. Limit type: tokens.", "code": "429"}}
    script = json_answer(throttled, "429 Too Many Requests")
    assert ask(Patient, api_base=server.add("busy", script, reply("later"))).text == "later"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "`max_tokens` must be greater than `thinking.budget_tokens`"),
        (400, "the thinking budget exceeds the limit of this model"),
        (429, "Rate limit reached for requests"),
        (403, "The key lacks permission for this model"),
    ],
)
def test_other_errors_are_no_budget(status: int, said: str) -> None:
    assert not is_budget(status, {"None", "invalid_request_error"}, said)

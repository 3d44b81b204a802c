"""What a 401, 402, 403, 404, 405 or 451 is about, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from jmuz_magic.errors import MissingAuthError, ModelNotFoundError, ResponseStatusError
from tests.fault_server import FaultServer, json_answer
from tests.providers.asking import FAKE_KEY, Answer, ask

REGION = "not available where the request comes from"
MODERATION = "the service refuses the content of the request"
SWITCHED_OFF = "the API must first be enabled"
CREDIT = "the account's credit or plan does not cover this"


def denied(server: FaultServer, status: str, body: Any, key: str | None = FAKE_KEY) -> Answer:
    answer = ask(api_base=server.add("s", json_answer(body, status)), api_key=key)
    assert len(server.requests) == 1, "a denial is not tried again"
    return answer


@pytest.mark.finding("A22")
@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "Country, region, or territory not supported", "param": None,
                    "code": "unsupported_country_region_territory", "type": "request_forbidden"}}, REGION),
        ({"type": "error", "error": {"type": "RegionError", "message": "This model is not available in your country."}},
         REGION),
        ({"error": {"message": "access denied", "code": "unsupported_country_region_territory"}}, REGION),
        ({"error": {"code": 403, "message": "Your chosen model requires moderation and your input was flagged"}},
         MODERATION),
        ({"error": {"message": "The request violates our usage policies"}}, MODERATION),
        ([{"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "Generative Language API has not been used "
                     "in project 12345 before or it is disabled. Enable it by visiting https://console.example"}}],
         SWITCHED_OFF),
        ({"error": {"message": "The API is not enabled for this account"}}, SWITCHED_OFF),
        ({"error": {"message": "Insufficient balance"}}, CREDIT),
        ({"error": "This needs a paid subscription"}, CREDIT),
        ({"error": {"message": "You do not have access to model gpt-x yet"}}, "may not use this model"),
        (b"<html><title>Attention Required! | Cloudflare</title></html>", "a firewall, proxy or VPN"),
        ({"detail": "Nope"}, "the service does not say why; the key came from argument"),
    ],
)  # fmt: skip
def test_a_403_is_told_as_what_it_is(server: FaultServer, body: Any, said: str) -> None:
    answer = denied(server, "403 Forbidden", body)
    assert "key rejected" not in str(answer.error)
    assert said in str(answer.error)
    assert type(answer.error) is ResponseStatusError
    assert answer.error.status == 403


@pytest.mark.fault(31)
@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("401 Unauthorized", {"error": {"message": "Incorrect API key provided: sk-***"}}, "key rejected"),
        ("401 Unauthorized", {"error": {"message": "User not found."}}, "key rejected"),
        ("401 Unauthorized", b"", "key rejected; it came from argument"),
        ("403 Forbidden", {"error": {"message": "Your API key is disabled"}}, "key rejected"),
        ("403 Forbidden", {"error": {"message": "Invalid authentication credentials"}}, "key rejected"),
        ("403 Forbidden", b"", "key rejected"),
        ("401 Unauthorized", {"error": {"message": "You have insufficient permissions. Missing scopes: model.request"}},
         "the key from argument lacks permission"),
        ("403 Forbidden", {"error": {"message": "Your IP is not authorized", "code": "ip_not_authorized"}},
         "the key from argument lacks permission"),
    ],
)  # fmt: skip
def test_a_key_that_is_refused_or_lacks_a_right_is_said(server: FaultServer, status: str, body: Any, said: str) -> None:
    answer = denied(server, status, body)
    assert type(answer.error) is MissingAuthError
    assert said in str(answer.error)


@pytest.mark.finding("A22")
@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        ("402 Payment Required", {"error": {"message": "Insufficient Balance"}}, CREDIT),
        ("402 Payment Required", b"", CREDIT),
        ("402 Payment Required", {"error": {"message": "This request requires more credits"}}, CREDIT),
        ("451 Unavailable For Legal Reasons", b"", REGION),
        ("451 Unavailable For Legal Reasons", {"error": "The prompt was flagged"}, MODERATION),
    ],
)
def test_credit_and_law_are_told_as_such(server: FaultServer, status: str, body: Any, said: str) -> None:
    answer = denied(server, status, body)
    assert type(answer.error) is ResponseStatusError
    assert said in str(answer.error)


@pytest.mark.fault(32)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("403 Forbidden", {"error": {"message": "Project `p` does not have access", "code": "model_not_found"}}),
        ("404 Not Found", {"error": {"message": "The API deployment does not exist", "code": "DeploymentNotFound"}}),
        ("400 Bad Request", {"error": {"message": "foo/bar is not a valid model ID"}}),
    ],
)
def test_a_model_that_is_not_there_hints_at_the_list(server: FaultServer, status: str, body: Any) -> None:
    assert type(denied(server, status, body).error) is ModelNotFoundError


@pytest.mark.finding("A22")
@pytest.mark.fault(32)
@pytest.mark.parametrize(
    "said",
    [
        "No endpoints found matching your data policy",
        "No endpoints found that support image input",
        "Conversation abc was not found in this account",
    ],
)
def test_a_404_that_says_its_reason_does_not_blame_the_address(server: FaultServer, said: str) -> None:
    answer = denied(server, "404 Not Found", {"error": {"message": said}})
    assert str(answer.error).endswith(said)


@pytest.mark.fault(32)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("404 Not Found", b""),
        ("404 Not Found", {"detail": "Not Found"}),
        ("404 Not Found", b"404 page not found"),
        ("404 Not Found", {"error": {"message": "Invalid URL (POST /chat/completions)"}}),
        ("404 Not Found", b"<html><pre>Cannot POST /chat/completions</pre></html>"),
        ("404 Not Found", {"error": {"code": "404", "message": "Resource not found"}}),
        ("404 Not Found", {"message": "no Route matched with those values"}),
        ("404 Not Found", {"error": {"message": "No fixture matched"}}),
        ("405 Method Not Allowed", {"detail": "Method Not Allowed"}),
        ("405 Method Not Allowed", b""),
    ],
)
def test_an_address_that_is_not_served_hints_at_v1(server: FaultServer, status: str, body: Any) -> None:
    assert "is the api_base right? it usually ends in /v1" in str(denied(server, status, body).error)


@pytest.mark.usefixtures("magics")
@pytest.mark.finding("C20")
@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
@pytest.mark.parametrize("provider", ["OpenaiTemplate", "OpenAI", "Mistral"])
def test_a_missing_key_says_which_variable(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, status: str, provider: str
) -> None:
    import jmuz_magic.providers as providers

    kind = getattr(providers, provider)
    base = server.add("s", json_answer({"error": "Authorization header is required"}, status))
    answer = ask(kind, api_base=base)
    name = "" if provider == "OpenaiTemplate" else f"{provider.lower()} "
    assert type(answer.error) is MissingAuthError
    assert f"holds it: %jmuz_use {name}--api-base {base} --key-env NAME" in str(answer.error)
    assert "no key was sent: use %jmuz_key, or name the environment variable" in str(answer.error)
    assert "the provider's environment variable" not in str(answer.error)


def test_a_key_of_another_address_is_named(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from jmuz_magic.providers import OpenAI

    monkeypatch.setenv("OPENAI_API_KEY", FAKE_KEY)
    answer = ask(OpenAI, api_base=server.add("s", json_answer({"error": "who?"}, "401 Unauthorized")))
    assert "OPENAI_API_KEY is only sent to https://api.openai.com" in str(answer.error)
    assert "authorization" not in server.requests[0].headers


@pytest.mark.usefixtures("magics")
def test_the_variable_that_would_be_read_is_named(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    from jmuz_magic.providers import LlamaCpp

    monkeypatch.setattr(LlamaCpp, "api_base", server.add("s", json_answer({"error": "who?"}, "401 Unauthorized")))
    assert "no key was sent: set LLAMA_API_KEY, or use %jmuz_key llamacpp" in str(ask(LlamaCpp).error)


LOADING = {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}


@pytest.mark.finding("A25")
@pytest.mark.parametrize(
    "body", [LOADING, {"message": "Loading model", "code": 503}, {"error": "Model m is currently loading"}]
)
def test_a_server_that_loads_its_model_is_asked_until_it_has(server: FaultServer, body: Any) -> None:
    from tests.fault_server import reply

    busy = json_answer(body, "503 Service Unavailable")
    answer = ask(api_base=server.add("s", *[busy] * 8, reply("ready")))
    assert answer.text == "ready"
    assert [retry.delay for retry in answer.retries] == [2.0] * 8
    assert "oading" in answer.retries[0].reason


@pytest.mark.finding("A25")
def test_a_model_that_is_never_loaded_is_given_up_after_the_timeout(server: FaultServer) -> None:
    base = server.add("s", json_answer(LOADING, "503 Service Unavailable"))
    answer = ask(api_base=base, timeout=20)
    assert type(answer.error) is ResponseStatusError
    assert answer.error.attempts == 11
    assert "still loading after 20 s; to wait longer, use --timeout" in str(answer.error)


def test_a_server_that_breaks_while_it_loads_is_retried_as_usual(server: FaultServer) -> None:
    loading, broken = (json_answer(body, "503 X") for body in (LOADING, {"error": "no worker"}))
    answer = ask(api_base=server.add("s", *[loading] * 5, broken, loading, broken, broken))
    assert "no worker" in str(answer.error)
    assert len(server.requests) == 9

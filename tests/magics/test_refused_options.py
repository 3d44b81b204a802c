"""What a user sees of options that a service refuses: typed ones fail, others are left out, and it is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.magics.loaded import UserShell
from tests.strict_services import (
    StrictService,
    forbids_extras,
    refuses_deprecated,
    refuses_old_limit,
    refuses_values,
    strict_service,
    takes_one_of,
)

LEFT_OUT = "temperature left out (the service refuses it)"


@pytest.fixture
def reasoner(user: UserShell) -> Iterator[StrictService]:
    """A service whose model takes no temperature, in use."""
    with strict_service(refuses_values("temperature", "top_p"), refuses_old_limit) as service:
        user.line(f"%jmuz_use --api-base {service.api_base}")
        user.line("%config JmuzMagics.model = 'gpt-x'")
        yield service


def _text_and_foot(said: str) -> tuple[str, str]:
    """The reply, and the first fact of its foot."""
    text, foot, *_ = said.splitlines()
    return text, foot.strip("[]").partition(" · ")[0]


@pytest.mark.parametrize(
    "line",
    [
        "%config JmuzMagics.options = {'temperature': 0.2}",
        "%jmuz_alias calm gpt-x -o temperature 0.2",
        "import jmuz_magic.conversation.selection as s; s.get_selection().set(options={'temperature': 0.2})",
    ],
)
def test_an_option_of_the_profile_is_left_out_and_the_foot_says_so_each_time(
    user: UserShell, reasoner: StrictService, line: str
) -> None:
    user.line(line)
    cell = f"%jmuz {'-m calm ' if 'alias' in line else ''}hi"
    for _ in range(2):
        assert _text_and_foot(user.line(cell)) == ("fine", LEFT_OUT)
    assert [body.get("temperature") for body in reasoner.requests] == [0.2, None, None]
    assert user.shell.user_ns["_jmuz"].left_out == ("temperature",)


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("-t 0", "this model does not support temperature; leave -t out"),
        ("-t0.5", "this model does not support temperature; leave -t out"),
        ("--temperature 0", "this model does not support temperature; leave --temperature out"),
        ("--temperature=0", "this model does not support temperature; leave --temperature out"),
        ("-o temperature 0", "this model does not support temperature; leave -o temperature out"),
        ("-o top_p 0.5", "this model does not support top_p; leave -o top_p out"),
    ],
)
def test_a_typed_option_fails_with_a_hint_that_names_it_as_it_was_typed(
    user: UserShell, reasoner: StrictService, typed: str, hint: str
) -> None:
    ran = user.run(f"%jmuz {typed} hi")
    assert not ran.ok
    assert ran.text.endswith(f"({hint})")
    assert len(reasoner.requests) == 1


def test_what_is_typed_wins_over_the_profile_and_is_not_left_out(user: UserShell, reasoner: StrictService) -> None:
    user.line("%config JmuzMagics.options = {'temperature': 0.2}")
    assert "leave -t out" in user.run("%jmuz -t 0 hi").text
    assert user.line("%jmuz -t 1 hi") == "fine"


def test_max_tokens_is_renamed_in_silence(user: UserShell, reasoner: StrictService) -> None:
    assert "left out" not in user.line("%jmuz --max-tokens 5 hi")
    assert [body.get("max_completion_tokens") for body in reasoner.requests] == [None, 5]


def test_a_rehearsal_shows_the_body_as_it_would_be_sent(user: UserShell, reasoner: StrictService) -> None:
    user.line("%config JmuzMagics.options = {'temperature': 0.2, 'max_tokens': 5}")
    assert '"temperature": 0.2' in user.line("%jmuz --dry-run hi")
    user.line("%jmuz hi")
    rehearsed = user.line("%jmuz --dry-run hi")
    assert '"temperature"' not in rehearsed
    assert '"max_completion_tokens": 5' in rehearsed
    assert "left out because the service refused it before: temperature" in rehearsed
    assert '"temperature": 0.0' in user.line("%jmuz --dry-run -t 0 hi")
    assert "left out" not in user.line("%jmuz --dry-run -t 0 hi")


def test_of_two_options_the_typed_one_stays(user: UserShell) -> None:
    with strict_service(takes_one_of("temperature", "top_p")) as service:
        user.line(f"%jmuz_use --api-base {service.api_base}")
        user.line("%config JmuzMagics.options = {'top_p': 0.9, 'temperature': 0.3}")
        said = user.line("%jmuz -m claude-sonnet -t 0 hi")
    assert _text_and_foot(said) == ("fine", "top_p left out (the service refuses it)")


def test_the_foot_lists_several_options(user: UserShell) -> None:
    with strict_service(forbids_extras()) as service:
        user.line(f"%jmuz_use --api-base {service.api_base}")
        user.line("%config JmuzMagics.options = {'seed': 7, 'top_k': 40}")
        said = user.line("%jmuz -m mistral hi")
    left_out = "stream_options, seed and top_k left out (the service refuses them)"
    assert _text_and_foot(said) == ("fine", left_out)


def test_an_option_that_is_not_about_sampling_fails(user: UserShell) -> None:
    with strict_service(refuses_deprecated("stop")) as service:
        user.line(f"%jmuz_use --api-base {service.api_base}")
        user.line("%config JmuzMagics.options = {'stop': ['x']}")
        ran = user.run("%jmuz -m m hi")
    assert not ran.ok
    assert "this model does not support stop; it comes from an alias, a setting or the conversation" in ran.text


def test_the_key_of_a_recording_is_the_same_with_and_without_concessions(
    user: UserShell, reasoner: StrictService, tmp_path: Any
) -> None:
    path = tmp_path / "kept.jmuz.jsonl"
    user.line("%config JmuzMagics.options = {'temperature': 0.2}")
    user.line(f"%jmuz_record {path}")
    assert LEFT_OUT in user.line("%jmuz hi")
    asked = len(reasoner.requests)
    user.line(f"%jmuz_record {path}")  # counts anew
    assert "fine" in user.line("%jmuz hi"), "answered by the file"
    assert len(reasoner.requests) == asked
    recorded = path.read_text()
    assert '"temperature": 0.2' in recorded or '"temperature":0.2' in recorded

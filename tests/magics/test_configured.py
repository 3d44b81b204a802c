"""Endpoints by configuration: described once, found by name everywhere, refused in one line if they are wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core import application

from jmuz_magic.conversation.selection import get_selection
from jmuz_magic.demo import DemoServer
from jmuz_magic.magics.extension import load, unload
from jmuz_magic.providers.registry import find_provider, known_names, known_providers
from tests.fault_server import FaultServer, json_answer
from tests.magics.loaded import UserShell
from tests.magics.test_completion import complete

FAKE = "sk-fake-0123456789abcdef0123456789"

Start = Callable[..., str]


@pytest.fixture
def start(user: UserShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Begin a session with these endpoints in the user's file and those in the administrator's; what loading prints."""
    monkeypatch.setattr(application, "SYSTEM_CONFIG_DIRS", [str(tmp_path / "etc")])
    (tmp_path / "etc").mkdir()

    def begin(endpoints: Any = None, administrators: Any = None, **settings: Any) -> str:
        unload(user.shell)  # keeps its settings in the shell's configuration
        get_selection().set(choice=None, model=None, options={})
        user.shell.config.pop("JmuzMagics", None)
        for place in (administrators, endpoints):  # as IPython merges them
            if place is not None:
                user.shell.config.JmuzMagics.endpoints = place
        user.shell.config.JmuzMagics.update(settings)
        text = "" if administrators is None else f"c.JmuzMagics.endpoints = {administrators!r}"
        (tmp_path / "etc" / "ipython_config.py").write_text(text)
        return reloaded(user)

    return begin


@pytest.fixture
def campus(demo_endpoint: DemoServer) -> dict[str, Any]:
    return {"api_base": demo_endpoint.api_base, "models": ["demo-echo", "demo-chat"], "says": "stays on campus"}


@pytest.fixture
def mine() -> Iterator[DemoServer]:
    """Another endpoint, of the user's own."""
    with DemoServer(deltas_per_second=0, keep_requests=100) as server:
        yield server


def reloaded(user: UserShell) -> str:
    """What loading again prints."""
    unload(user.shell)
    return user.line("import jmuz_magic; jmuz_magic.load_ipython_extension(get_ipython())")


def headers_of(endpoint: DemoServer) -> dict[str, str]:
    return {name.lower(): value for name, value in endpoint.requests[-1].headers.items()}


def test_a_configured_endpoint_is_asked_by_its_name(
    user: UserShell, start: Start, demo_endpoint: DemoServer, campus: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPUS_KEY", FAKE)
    assert start({"campus": {**campus, "key_env": "CAMPUS_KEY"}}) == ""
    said = user.line("%jmuz_use campus")
    assert said == (
        f"campus at {demo_endpoint.api_base}; model demo-echo (default); key: env CAMPUS_KEY\n"
        "campus: stays on campus (says its description)"
    )
    assert "hello" in user.line("%jmuz hello")
    request = demo_endpoint.requests[-1]
    assert request.body["model"] == "demo-echo"
    assert headers_of(demo_endpoint)["authorization"] == f"Bearer {FAKE}"
    user.line("%jmuz_use demo")
    user.line("%jmuz -p Campus -m demo-chat hello")
    assert demo_endpoint.requests[-1].body["model"] == "demo-chat"


def test_models_are_offered_without_asking(
    user: UserShell, start: Start, demo_endpoint: DemoServer, campus: dict[str, Any]
) -> None:
    start({"campus": campus})
    said = user.line("%jmuz_models -p campus")
    assert "demo-echo" in said
    assert "demo-chat" in said
    assert "demo-reasoning" not in said
    assert not demo_endpoint.requests
    assert complete(user, "%jmuz_use campus:demo-e") == ["%jmuz_use campus:demo-echo"]
    assert complete(user, "%jmuz_use camp") == ["%jmuz_use campus"]
    assert complete(user, "%jmuz_use campus --dialect ch") == ["%jmuz_use campus --dialect chat"]
    assert not demo_endpoint.requests
    assert "demo-reasoning" in user.line("%jmuz_models -p campus --refresh")


def test_a_part_of_a_list_is_said_to_be_one(user: UserShell, server: FaultServer) -> None:
    body = {"data": [{"id": "a"}, {"id": "b"}], "nextPageToken": "t"}
    base = server.add("s", json_answer(body), json_answer({"data": [{"id": "a"}, {"id": "b"}]}))
    user.line(f"%jmuz_use --api-base {base}")
    said = user.line("%jmuz_models").splitlines()
    assert said[-1] == (
        f"this is a part of the list: {base.partition('/v1')[0]} says that it has more models; -m MODEL takes any id"
    )
    assert "a part" not in user.line("%jmuz_models --refresh")


WRONG: list[tuple[Any, str]] = [
    ([], "expected a dict such as {'campus'"),
    (FAKE, "expected a dict such as {'campus'"),
    ({"campus": FAKE}, "campus: expected a dict such as {'api_base': 'https://host/v1'}, got a text"),
    ({"campus": {}}, "campus: api_base is missing"),
    ({"campus": {"api_bas": "https://h/v1"}}, "campus: unknown member 'api_bas'; did you mean api_base?"),
    ({"campus": {"api_base": "https://h/v1", "zzz": 1}}, "campus: unknown member 'zzz'; expected api_base, key_env,"),
    ({"campus": {"api_base": "https://h/v1", "api_key": FAKE}}, "campus: unknown member 'api_key': no key belongs"),
    ({"campus": {"api_base": "https://h/v1", FAKE: 1}}, "campus: unknown member; expected"),
    ({"campus": {"api_base": 7}}, "campus: api_base: expected a text, got a number"),
    ({"campus": {"api_base": "h/v1"}}, "campus: api_base: expected an address such as"),
    ({"campus": {"api_base": f"https://me:{FAKE}@h/v1"}}, "campus: api_base: expected an address such as"),
    ({"campus": {"api_base": "https://h/v1", "key_env": FAKE}}, "campus: key_env: expected the name of an environment"),
    (
        {"campus": {"api_base": "https://h/v1", "key_env": "a-b"}},
        "campus: key_env: expected the name of an environment",
    ),
    ({"campus": {"api_base": "https://h/v1", "key_env": None}}, "campus: key_env: expected a text, got None"),
    ({"campus": {"api_base": "https://h/v1", "models": "m"}}, "campus: models: expected a list of ids"),
    ({"campus": {"api_base": "https://h/v1", "models": [FAKE]}}, "campus: models: expected ids of models"),
    ({"campus": {"api_base": "https://h/v1", "headers": ["X"]}}, "campus: headers: expected a dict such as"),
    ({"campus": {"api_base": "https://h/v1", "headers": {"X": 1}}}, "campus: headers: expected texts"),
    (
        {"campus": {"api_base": "https://h/v1", "headers": {"X Y": "z"}}},
        "campus: headers: expected the name of a header",
    ),
    (
        {"campus": {"api_base": "https://h/v1", "headers": {"X": "a\nb"}}},
        "campus: headers: the header 'X' cannot be sent",
    ),
    ({"campus": {"api_base": "https://h/v1", "headers": {"Host": "z"}}}, "campus: headers: the header Host is the"),
    (
        {"campus": {"api_base": "https://h/v1", "headers": {"X": "1"}, "header_env": {"x": "Y"}}},
        "campus: headers: the header x is given twice",
    ),
    (
        {"campus": {"api_base": "https://h/v1", "header_env": {"X": FAKE}}},
        "campus: header_env: expected the name of an",
    ),
    ({"campus": {"api_base": "https://h/v1", "headers": {"X": "$HOME"}}}, "campus: headers: only an administrator's"),
    (
        {"campus": {"api_base": "https://h/v1", "headers": {"X": "a ${HOME}"}}},
        "campus: headers: only an administrator's",
    ),
    (
        {"campus": {"api_base": "https://h/v1", "dialect": "chatt"}},
        "campus: dialect: there is no dialect 'chatt'; did you mean chat? expected chat",
    ),
    ({"campus": {"api_base": "https://h/v1", "dialect": FAKE}}, "campus: dialect: there is no dialect of that name"),
    ({"campus": {"api_base": "https://h/v1", "says": 7}}, "campus: says: expected a text, got a number"),
    ({"campus": {"api_base": "https://h/v1", "allow_http": "yes"}}, "campus: allow_http: expected True or False"),
    ({"campus": {"api_base": "https://h/v1", "options": [1]}}, "campus: options: expected a dict"),
    ({"campus": {"api_base": "https://h/v1", "options": {"api_key": FAKE}}}, "a key is not an option"),
    (
        {"my campus": {"api_base": "https://h/v1"}},
        "expected a name such as campus (letters, digits, _ . -), got 'my ca",
    ),
    ({FAKE: {"api_base": "https://h/v1"}}, "expected a name such as campus (letters, digits, _ . -), got something"),
    ({"openai": {"api_base": "https://h/v1"}}, "openai is a built-in provider; give your endpoint another name"),
    ({"OpenAI": {"api_base": "https://h/v1"}}, "openai is a built-in provider; give your endpoint another name"),
    ({"openaitemplate": {"api_base": "https://h/v1"}}, "openaitemplate is a built-in provider"),
]


@pytest.mark.parametrize(("value", "says"), WRONG)
@pytest.mark.parametrize("place", ["file", "cell"])
def test_a_wrong_description_is_one_line(user: UserShell, start: Start, value: Any, says: str, place: str) -> None:
    if place == "file":
        said = start(value)
    else:
        start()
        user.shell.user_ns["value"] = value
        said = user.line("get_ipython().magics_manager.registry['JmuzMagics'].endpoints = value")
    assert "\n" not in said
    assert said.startswith("JmuzMagics.endpoints")
    assert says in said
    assert FAKE not in said
    assert FAKE[:20] not in said
    assert "campus" not in known_providers()
    assert reloaded(user) == ""


def test_a_wrong_description_does_not_take_the_others_with_it(
    user: UserShell, start: Start, campus: dict[str, Any]
) -> None:
    said = start({"openai": campus, "good": campus, "bad": {**campus, "says": 1}})
    assert said.splitlines() == [
        "JmuzMagics.endpoints: openai is a built-in provider; give your endpoint another name",
        "JmuzMagics.endpoints: bad: says: expected a text, got a number",
    ]
    assert "good" in known_names()
    assert user.line("%jmuz_use good").startswith("good at ")
    assert find_provider("openai").label == "OpenAI"


def test_names_that_differ_in_case_only_are_one(start: Start, campus: dict[str, Any]) -> None:
    assert start({"campus": campus, "Campus": campus}) == "JmuzMagics.endpoints: campus is described twice"


def test_the_configuration_comes_before_a_class_of_the_notebook(
    user: UserShell, start: Start, campus: dict[str, Any], demo_endpoint: DemoServer
) -> None:
    start({"campus": campus})
    user.shell.run_cell(
        "from jmuz_magic import OpenaiTemplate\nclass campus(OpenaiTemplate):\n    api_base = 'http://127.0.0.1:9/v1'"
    )
    assert user.line("%jmuz_use campus").startswith(f"campus at {demo_endpoint.api_base};")
    user.shell.run_cell("class openai(campus): pass")
    assert user.line("%jmuz_use openai").startswith("openai at http://127.0.0.1:9/v1;")  # before the catalog


def test_an_endpoint_is_gone_when_it_is_no_longer_described(
    user: UserShell, start: Start, campus: dict[str, Any]
) -> None:
    start({"campus": campus})
    assert "campus" in known_names()
    user.line("%config JmuzMagics.endpoints = {}")
    assert "there is no provider 'campus'" in user.refusal("%jmuz_use campus")
    start({"campus": campus})
    unload(user.shell)
    assert "campus" not in known_names()
    load(user.shell)
    assert "campus" in known_names()


def test_a_choice_outlives_a_reload_and_follows_its_description(
    user: UserShell, start: Start, campus: dict[str, Any], mine: DemoServer
) -> None:
    start({"campus": campus})
    user.line("%jmuz_use campus")
    before = get_selection().choice
    reloaded(user)
    assert get_selection().choice == before
    assert before
    assert before.provider is find_provider("campus")
    user.line(
        f"%config JmuzMagics.endpoints = {{'campus': {{'api_base': {mine.api_base!r}, 'models': ['demo-echo']}}}}"
    )
    user.line("%jmuz hello")
    assert mine.requests


def test_a_saved_choice_may_name_it(
    user: UserShell, start: Start, campus: dict[str, Any], demo_endpoint: DemoServer, new_session: Callable[[], None]
) -> None:
    start({"campus": campus})
    user.line("%jmuz_use campus:demo-echo --save")
    new_session()
    assert "hello" in user.line("%jmuz hello")
    assert demo_endpoint.requests


def test_the_setting_provider_may_name_it(
    user: UserShell, start: Start, campus: dict[str, Any], demo_endpoint: DemoServer
) -> None:
    start({"campus": campus}, provider="campus")
    said = user.line("%jmuz hello")
    assert said.startswith("campus: stays on campus (says its description)\n")
    assert "campus: stays" not in user.line("%jmuz hello")
    assert len(demo_endpoint.requests) == 2


def test_the_administrators_endpoint_stays_as_it_is(
    user: UserShell, start: Start, campus: dict[str, Any], mine: DemoServer, demo_endpoint: DemoServer
) -> None:
    theirs = {"api_base": mine.api_base}
    said = start({"campus": theirs, "mine": theirs}, {"campus": campus})
    assert said == "JmuzMagics.endpoints: campus is described by this machine's administrator, and stays as it is"
    assert user.line("%jmuz_use campus").splitlines()[1] == "campus: stays on campus (says its administrator)"
    user.line("%jmuz hello")
    assert not mine.requests
    assert user.line("%jmuz_use mine:demo-echo").startswith(f"mine at {mine.api_base};")
    said = user.line(f"%config JmuzMagics.endpoints = {{'campus': {theirs!r}}}")
    assert "campus is described by this machine's administrator" in said
    user.line("%config JmuzMagics.endpoints = {}")
    assert find_provider("campus").api_base == demo_endpoint.api_base


def test_what_both_files_say_is_the_administrators(user: UserShell, start: Start, campus: dict[str, Any]) -> None:
    described = {"campus": {**campus, "headers": {"X-User": "$JUPYTERHUB_USER", "X-Api-Key": FAKE}}}
    assert start(None, described) == ""
    assert getattr(find_provider("campus"), "administered", False)
    assert reloaded(user) == ""
    assert getattr(find_provider("campus"), "administered", False)


def test_only_the_administrators_headers_expand_variables(
    user: UserShell, start: Start, campus: dict[str, Any], demo_endpoint: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTERHUB_USER", "zoë@example.org\n")
    monkeypatch.setenv("COURSE", "phys-101")
    headers = {"X-Jmuz-User": "$JUPYTERHUB_USER", "X-Course": "course ${COURSE}, $5"}
    start(None, {"campus": {**campus, "headers": headers}})
    said = user.line("%jmuz_use campus").splitlines()
    assert said[0].endswith("; no key; headers X-Jmuz-User, X-Course")
    assert said[2] == "each request says who you are: X-Jmuz-User sends JUPYTERHUB_USER; X-Course sends COURSE"
    assert said[2] in user.line("%jmuz hello")
    sent = headers_of(demo_endpoint)
    assert sent["x-jmuz-user"] == "zo%C3%AB@example.org%0A"
    assert sent["x-course"] == "course phys-101, $5"
    monkeypatch.delenv("JUPYTERHUB_USER")
    ran = user.run("%jmuz hello")
    assert "the header X-Jmuz-User needs the environment variable JUPYTERHUB_USER, which is unset or empty" in ran.text
    assert len(demo_endpoint.requests) == 1


@pytest.mark.parametrize(
    "variable", ["CAMPUS_KEY", "GW_TOKEN", "MY_SECRET", "DB_PASSWORD", "PGPASS", "OPENAI_API_KEY", "Auth", "MY_PAT"]
)
def test_a_secret_is_never_expanded(
    user: UserShell, start: Start, campus: dict[str, Any], variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, FAKE)
    said = start(None, {"campus": {**campus, "headers": {"X-Thing": f"v ${{{variable}}}"}}})
    assert said == (
        f"JmuzMagics.endpoints: campus: headers: X-Thing names {variable}, which looks like a secret's and is not "
        f"expanded; use header_env, such as {{'X-Thing': '{variable}'}}"
    )
    assert "campus" not in known_names()


def test_secret_headers_of_a_file_are_sent_and_never_shown(
    user: UserShell, start: Start, campus: dict[str, Any], demo_endpoint: DemoServer
) -> None:
    start({"campus": {**campus, "headers": {"X-Api-Key": "hunter2-key", "X-Note": FAKE, "X-Tenant": "physics"}}})
    user.line("%jmuz_use campus")
    user.line("%jmuz hello")
    sent = headers_of(demo_endpoint)
    assert (sent["x-api-key"], sent["x-note"], sent["x-tenant"]) == ("hunter2-key", FAKE, "physics")
    shown = [
        user.line("%config JmuzMagics"),
        user.line("%config JmuzMagics.endpoints"),
        user.line("%jmuz_use"),
        user.line("%jmuz --dry-run hello"),
        repr(get_selection().endpoint),
        repr(get_selection().choice),
        repr(vars(find_provider("campus"))),
    ]
    assert "physics" in shown[1]
    assert [text for text in shown if "hunter2" in text or FAKE in text] == []


def test_a_secret_typed_into_a_cell_is_refused(user: UserShell, start: Start, campus: dict[str, Any]) -> None:
    start()
    described = {"campus": {**campus, "headers": {"X-Api-Key": "hunter2"}}}
    said = user.line(f"%config JmuzMagics.endpoints = {described!r}")
    assert said.startswith(
        "JmuzMagics.endpoints: campus: headers: X-Api-Key carries a key, which is now in the notebook"
    )
    assert "hunter2" not in said
    assert "campus" not in known_names()


def test_a_shell_that_did_not_read_the_administrators_files_has_the_endpoints(
    user: UserShell, start: Start, campus: dict[str, Any], tmp_path: Path
) -> None:
    start()
    (tmp_path / "etc" / "ipython_config.py").write_text(f"c.JmuzMagics.endpoints = {{'campus': {campus!r}}}")
    reloaded(user)
    assert user.line("%jmuz_use campus").startswith("campus at ")


def test_a_broken_file_of_the_administrators_is_named(user: UserShell, start: Start, tmp_path: Path) -> None:
    start()
    (tmp_path / "etc" / "ipython_config.py").write_text("1 / 0")
    said = reloaded(user)
    assert "ipython_config.py raised ZeroDivisionError" in said

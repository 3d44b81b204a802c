"""Each example of docs/hub.md, run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from traitlets.config.loader import PyFileConfigLoader

from jmuz_magic.demo.server import DemoServer
from jmuz_magic.log.log import exchange_log
from tests.fault_server import FaultServer, json_answer, reply
from tests.hubs import ADDRESS, LINE, MODELS, PAGE, blocks
from tests.magics.hubs import KEY, Hub
from tests.magics.loaded import UserShell

TEXT = PAGE.read_text(encoding="utf-8")
ROOT = PAGE.parent.parent


def last_line(user: UserShell, cell: str) -> str:
    ran = user.run(cell)
    assert not ran.ok
    return ran.text.splitlines()[-1]


def test_the_page_has_no_other_examples() -> None:
    """Whoever adds a block adds its test below."""
    known = ("# /etc/ipython/ipython_config.py", "%%jmuz\n", "# jupyterhub_config.py", LINE, "JMUZ_ONLY=",
             "temperature is fixed", "https://llm.campus.example answered 429", "%jmuz_use\n")  # fmt: skip
    assert [len([each for each in blocks() if each.startswith(start)]) for start in known] == [1] * len(known)
    assert len(blocks()) == len(known)


def test_the_first_cell_is_a_prompt(hub: Hub) -> None:
    user = hub.log_in()
    (cell,) = blocks("%%jmuz\n")
    ran = user.run(cell)
    assert ran.ok
    (said,) = re.findall(r"told once that their name leaves: `([^`]+)`", " ".join(TEXT.split()))
    assert said in ran.text
    assert "stays on campus" in ran.text
    assert "user" in hub.asked[0].body["messages"][-1]["role"]


def test_the_models_of_the_page_are_offered_and_the_first_is_the_default(hub: Hub) -> None:
    hub.change('"demo-chat", "demo-echo"', MODELS)
    user = hub.log_in()
    assert "model small (default)" in user.line("%jmuz_use")
    listed = user.line("%jmuz_models")
    assert "small" in listed
    assert "large" in listed
    assert not hub.campus.requests


def test_the_key_comes_from_the_environment_of_the_pod(tmp_path: Path) -> None:
    (text,) = blocks("# jupyterhub_config.py")
    (tmp_path / "jupyterhub_config.py").write_text(f"c = get_config()\n{text}")
    config = PyFileConfigLoader("jupyterhub_config.py", path=str(tmp_path)).load_config()
    (image,) = blocks("# /etc/ipython")
    assert list(config.KubeSpawner.environment) == re.findall(r'"key_env": "(\w+)"', image)


def test_the_log_is_off_or_elsewhere(hub: Hub, tmp_path: Path) -> None:
    hub.log_in().run("%jmuz Hello")
    assert exchange_log.path is None
    (example,) = re.findall(r'`(c\.JmuzMagics\.log = "/[^`]+)`', TEXT)
    (place,) = re.findall(r'"(/.*)"', example)
    hub.change('c.JmuzMagics.log = "off"', example.replace(place, str(tmp_path / "log.sqlite3")))
    hub.log_in().run("%jmuz Hello")
    assert (tmp_path / "log.sqlite3").exists()
    exchange_log.close()


def test_what_is_fixed_is_refused_in_the_line_of_the_page(hub: Hub) -> None:
    hub.change('"options": {"max_tokens": 2000}', '"options": {"temperature": 0.2}')
    (line,) = blocks("temperature is fixed")
    assert last_line(hub.log_in(), "%jmuz -t 1 Hello").endswith(line.strip())
    assert hub.asked == []


def test_a_budget_that_is_used_up_is_the_line_of_the_page(hub: Hub, server: FaultServer) -> None:
    (line,) = blocks("https://llm.campus.example answered 429")
    said = re.findall(r"429 Too Many Requests: (.*) \(", line)[0]
    error = {"error": {"message": said, "type": "budget_exceeded", "param": None, "code": "429"}}
    address = server.add("spent", json_answer(error, "429 Too Many Requests"), reply("never"))
    hub.change(hub.campus.api_base, address)
    shown = last_line(hub.log_in(), "%jmuz Hello")
    assert shown.replace(server.origin, "https://llm.campus.example").endswith(line.strip())
    assert len(server.requests) == 1


def test_the_check_shows_what_the_page_says(hub: Hub) -> None:
    user = hub.log_in()
    (cell,) = blocks("%jmuz_use\n")
    in_use, dry_run, *refused = cell.splitlines()
    assert user.line(in_use).startswith(f"campus at {hub.campus.api_base}; ")
    assert "key: env CAMPUS_KEY" in user.line(in_use)
    shown = user.line(dry_run)
    assert "Explain before you show code." in shown
    assert '"max_tokens": 2000' in shown
    assert KEY not in shown
    assert [user.refusal(line).endswith(LINE) for line in refused] == [True, True]
    assert not hub.campus.requests


SCRIPT = """
from jmuz_magic import Conversation, JmuzError, OpenaiTemplate
print(Conversation(model="demo-echo").ask("Hello from a script").text)
for ask in (
    lambda: Conversation(model="m", api_base={elsewhere!r}).ask("Hello"),
    lambda: OpenaiTemplate.get_models(api_base={elsewhere!r}),
):
    try:
        ask()
    except JmuzError as error:
        print(error)
"""


def test_a_script_takes_the_list_from_its_environment(demo_endpoint: DemoServer, tmp_path: Path) -> None:
    (command,) = blocks("JMUZ_ONLY=")
    *variables, python, script = command.split()
    assert (python, script) == ("python", "script.py")
    with FaultServer(host="127.0.0.2") as stranger:
        (tmp_path / script).write_text(SCRIPT.format(elsewhere=stranger.add("elsewhere", reply("stolen"))))
        given = dict(each.split("=") for each in variables)
        assert given["OPENAI_BASE_URL"] == ADDRESS
        environment = {**os.environ, **given, "OPENAI_BASE_URL": demo_endpoint.api_base, "OPENAI_API_KEY": "sk-fake"}
        done = subprocess.run(
            [sys.executable, script], cwd=tmp_path, env={**environment, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        assert stranger.count("accept") == 0
    answer, *refused = done.stdout.splitlines()
    assert "Hello from a script" in answer
    assert refused == ["only openai may be asked (set by JMUZ_ONLY)"] * 2


@pytest.mark.parametrize("allowed", re.findall(r"`(\[[^`]*\])`", TEXT))
def test_lists_of_the_page_are_lists_of_names(hub: Hub, allowed: str) -> None:
    hub.change('c.JmuzMagics.only = ["campus"]', f"c.JmuzMagics.only = {allowed}")
    user = hub.log_in()
    assert user.run("%jmuz_use campus\n%jmuz_use demo\n%jmuz -m demo-chat Hello").ok
    assert "openai" not in user.run("%jmuz_use openai").text
    assert hub.asked == []

"""Aliases and settings in a real kernel: what the endpoint receives, what the notebook stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Kernel

pytestmark = pytest.mark.kernel


def test_an_alias_is_asked_where_and_how_it_says(start_kernel: StartKernel, demo_endpoint: DemoServer) -> None:
    kernel = start_kernel(env={"MY_KEY": "sk-fake"})
    kernel.run("%load_ext jmuz_magic")
    address = f"--api-base {demo_endpoint.api_base} --key-env MY_KEY"
    said = kernel.run(f"%jmuz_alias fast demo-echo {address} -o temperature 0 -o stop '[\"END\"]' -o user me")
    assert "fast: demo-echo of http://127.0.0.1:" in said.text
    reply = kernel.run("%%jmuz -m fast\nhello\n")
    assert "hello" in reply.text
    request = demo_endpoint.requests[-1]
    assert request.headers["Authorization"] == "Bearer sk-fake"
    sent = {name: request.body[name] for name in ("model", "temperature", "stop", "user")}
    assert sent == {"model": "demo-echo", "temperature": 0, "stop": ["END"], "user": "me"}
    kernel.run("%%jmuz -m fast -t 0.5 -o user you\nhello\n")
    assert (demo_endpoint.requests[-1].body["temperature"], demo_endpoint.requests[-1].body["user"]) == (0.5, "you")
    refused = kernel.execute("%jmuz_alias fast demo-echo -p opnai")
    assert refused.text.strip().startswith(
        "UsageError: %jmuz_alias: there is no provider 'opnai'; did you mean openai?"
    )


def test_saved_choices_are_found_by_another_kernel(
    start_kernel: StartKernel, demo_endpoint: DemoServer, tmp_path: Path
) -> None:
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    first = start_kernel(env=env)
    first.run("%load_ext jmuz_magic")
    first.run(f"%jmuz_use --api-base {demo_endpoint.api_base} --save")
    first.run("%jmuz_alias fast demo-echo -o seed 7 --save")
    second = start_kernel(env=env)
    second.run("%load_ext jmuz_magic")
    second.run("%%jmuz -m fast\nhello\n")
    assert (demo_endpoint.requests[-1].body["model"], demo_endpoint.requests[-1].body["seed"]) == ("demo-echo", 7)


def test_settings_are_used_and_survive_a_reload(start_kernel: StartKernel, demo_endpoint: DemoServer) -> None:
    kernel = start_kernel(
        env={"JMUZ_API_BASE": demo_endpoint.api_base},
        arguments=[
            "--InteractiveShellApp.extensions=jmuz_magic",
            "--JmuzMagics.model=demo-echo",
            "--JmuzMagics.timeout=never",
        ],
    )
    kernel.run("%config JmuzMagics.system = 'Be brief.'")
    for _ in range(2):
        kernel.run("%jmuz hello")
        body = demo_endpoint.requests[-1].body
        assert body["model"] == "demo-echo"
        assert "Be brief." in body["messages"][0]["content"]
        kernel.run("%reload_ext jmuz_magic")
    said = kernel.run("%config JmuzMagics.timeout = 'never'").text
    assert said.strip() == "JmuzMagics.timeout stays None: expected seconds, at least 0.1, or None, got 'never'"
    assert sorted(magics_of(kernel)) == sorted(set(magics_of(kernel)))


def magics_of(kernel: Kernel) -> list[str]:
    names: list[str] = kernel.value("[n for n in get_ipython().magics_manager.lsmagic()['line'] if n[:4] == 'jmuz']")
    return names


@pytest.mark.threat(18)
def test_where_prompts_go_is_said_once_and_before_they_do(start_kernel: StartKernel, demo_endpoint: DemoServer) -> None:
    kernel = start_kernel()
    # The namesake's own address, as far as it is concerned: no test asks jmuz.me.
    kernel.run(f"from jmuz_magic import Jmuz\nJmuz.api_base = {demo_endpoint.api_base!r}")
    kernel.run("%load_ext jmuz_magic\n%jmuz_use jmuz")
    assert not demo_endpoint.requests
    first = kernel.run("%%jmuz -m demo-echo\nhello\n")
    assert "a free third party" in first.outputs[0]["text"]
    assert first.outputs[-1]["data"]["text/plain"] == "hello"
    second = kernel.run("%%jmuz -m demo-echo\nhello\n")
    assert second.text == "hello"
    assert len(demo_endpoint.requests) == 2

"""A hub with real kernels: IPython itself reads an image-wide file and each user's profile, and loads the extension."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from tests.fault_server import FaultServer, reply
from tests.hubs import LINE, image
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Kernel

pytestmark = [pytest.mark.kernel, pytest.mark.threat(27)]

PLACE = """
from IPython.core import application
application.SYSTEM_CONFIG_DIRS[:] = [{folder!r}]
"""
"""No test writes to /etc/ipython: another folder takes its place when the process starts."""


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """An address at which nothing may arrive."""
    with FaultServer(host="127.0.0.2") as stranger:
        yield stranger.add("elsewhere", reply("stolen"))
        assert stranger.count("accept") == 0


@pytest.fixture
def log_in(tmp_path: Path, demo_endpoint: DemoServer, start_kernel: StartKernel) -> Callable[..., Kernel]:
    """Start a user's kernel on the hub: name, and what stands in their own profile."""
    folder = image(tmp_path / "etc" / "ipython", demo_endpoint.api_base, models='"demo-chat"')
    (tmp_path / "start").mkdir()
    (tmp_path / "start" / "sitecustomize.py").write_text(PLACE.format(folder=str(folder)))

    def start(name: str, profile: str = "") -> Kernel:
        home = tmp_path / name
        own = home / "ipython" / "profile_default"
        own.mkdir(parents=True)
        (own / "ipython_config.py").write_text(f"c = get_config()\n{profile}\n")
        pod = {"CAMPUS_KEY": "campus-key-0123456789", "JUPYTERHUB_USER": name, "XDG_CONFIG_HOME": str(home / "config")}
        return start_kernel({**pod, "PYTHONPATH": str(tmp_path / "start")}, folder=home)

    return start


def test_two_users_ask_the_campus_and_nobody_else(
    log_in: Callable[..., Kernel], demo_endpoint: DemoServer, elsewhere: str
) -> None:
    ada = log_in("ada")
    profile = f"""
c.JmuzMagics.only = ["campus", "evil"]
c.JmuzMagics.endpoints = {{"campus": {{"api_base": {elsewhere!r}}}, "evil": {{"api_base": {elsewhere!r}}}}}
c.JmuzMagics.provider = "evil"
"""
    ben = log_in("ben", profile)
    first = ada.run("%%jmuz\nHello")  # the extension is loaded, and nothing was chosen
    assert "stays on campus" in first.text
    for cell in ways(elsewhere):
        for user in (ada, ben):
            ended = user.execute(cell)
            assert ended.status == "error"
            assert LINE in ended.text, ended.summary
    assert LINE in ben.execute("%%jmuz\nHello").text  # who set another one is told, not sent elsewhere
    assert ben.run("%jmuz_use campus").stdout.startswith(f"campus at {demo_endpoint.api_base}; ")
    assert ben.run("%%jmuz\nHello").status == "ok"
    asked = [each for each in demo_endpoint.requests if each.method == "POST"]
    assert [each.headers["X-Jmuz-User"] for each in asked] == ["ada", "ben"]
    assert {each.body["max_tokens"] for each in asked} == {2000}


PROMPT = "prompt = [{'role': 'user', 'content': 'Hello'}]\n"


def ways(elsewhere: str) -> list[str]:
    """Cells that try to ask somebody else."""
    own = f"class campus(OpenaiTemplate):\n    spoken_name = name = 'campus'\n    api_base = {elsewhere!r}\n"
    ask = "\nget_ipython().run_line_magic('jmuz', '-p openai Hello')"
    return [
        "%jmuz_use openai",
        f"%jmuz_use --api-base {elsewhere}",
        "%jmuz -p demo Hello",
        f"%jmuz_models -p evil --refresh{ask}",
        f"%jmuz_alias fast m --api-base {elsewhere}\n%jmuz -m fast Hello",
        f"%config JmuzMagics.only = ['campus', 'openai']{ask}",
        f"%config JmuzMagics.only = []{ask}",
        f"%env OPENAI_BASE_URL={elsewhere}{ask}",
        f"%env JMUZ_ONLY=openai\n%env JMUZ_API_BASE={elsewhere}\n%jmuz -p jmuz Hello",
        f"import os; os.environ.pop('JMUZ_API_BASE')\n%reload_ext jmuz_magic{ask}",
        f"get_ipython().config.JmuzMagics.only = []\n%unload_ext jmuz_magic\n%load_ext jmuz_magic{ask}",
        f"from jmuz_magic import Conversation, OpenaiTemplate\n{own}campus.get_models()",
        "get_ipython().run_line_magic('jmuz_use', 'OpenaiTemplate')",
        f"Conversation(api_base={elsewhere!r}).ask('Hello')",
        PROMPT + f"async for chunk in OpenaiTemplate.create_async_generator('m', prompt, api_base={elsewhere!r}): pass",
    ]

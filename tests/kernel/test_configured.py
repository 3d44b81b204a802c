"""Endpoints of configuration files, as IPython itself finds and merges them in a kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from jmuz_magic.demo import DemoServer
from tests.kernel.conftest import StartKernel

pytestmark = pytest.mark.kernel

ELSEWHERE = """\
from IPython.core import application

application.SYSTEM_CONFIG_DIRS[:] = [{folder!r}]
"""


def test_a_user_and_an_administrator_describe_endpoints(
    start_kernel: StartKernel, tmp_path: Path, demo_endpoint: DemoServer
) -> None:
    system_wide, profile = tmp_path / "etc", tmp_path / "ipython" / "profile_default"
    for folder in (system_wide, profile):
        folder.mkdir(parents=True)
    (tmp_path / "sitecustomize.py").write_text(ELSEWHERE.format(folder=str(system_wide)))
    address = f"'api_base': {demo_endpoint.api_base!r}, 'models': ['demo-echo']"
    (system_wide / "ipython_config.py").write_text(
        f"c.JmuzMagics.endpoints = {{'campus': {{{address}, 'headers': {{'X-Jmuz-User': '$JUPYTERHUB_USER'}}}}}}\n"
        "c.JmuzMagics.provider = 'campus'\n"
        "c.InteractiveShellApp.extensions = ['jmuz_magic']\n"
    )
    (profile / "ipython_config.py").write_text(
        f"c.JmuzMagics.endpoints = {{'mine': {{{address}}}, 'campus': {{'api_base': 'http://127.0.0.1:9/v1'}}}}\n"
    )
    kernel = start_kernel(env={"PYTHONPATH": str(tmp_path), "JUPYTERHUB_USER": "ada"}, folder=tmp_path)
    said = kernel.run("%jmuz hello").stdout
    assert said.startswith("each request says who you are: X-Jmuz-User sends JUPYTERHUB_USER\n")
    request = demo_endpoint.requests[-1]
    assert {name.lower(): value for name, value in request.headers.items()}["x-jmuz-user"] == "ada"
    assert kernel.run("%jmuz_use mine").stdout.startswith(
        f"mine at {demo_endpoint.api_base}; model demo-echo (default)"
    )
    assert (
        "stays as it is" in kernel.run("%reload_ext jmuz_magic\n%config JmuzMagics.endpoints = {'campus': {}}").stdout
    )
    assert kernel.run("%jmuz_use campus").stdout.startswith(f"campus at {demo_endpoint.api_base};")

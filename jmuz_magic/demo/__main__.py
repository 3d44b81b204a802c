"""`python -m jmuz_magic.demo`: the demo endpoint for scripts, other programs and other languages."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading

from jmuz_magic.demo import DELTAS_PER_SECOND, DemoServer

__all__ = ["main"]

DEFAULT_PORT = 8808

WELCOME = """\
The demo endpoint (prepared replies, no language model) is at {api_base}
It speaks chat completions, Responses and Messages.
In a notebook:  %jmuz_use --api-base {api_base}
Ctrl+C stops it."""


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; return the exit status."""
    options = make_parser().parse_args(arguments)
    api_key = os.environ.get(options.key_env) if options.key_env else None
    if options.key_env and not api_key:
        return fail(f"--key-env expects an environment variable that holds a key, but {options.key_env} is not set")
    server = DemoServer(options.port, deltas_per_second=options.deltas_per_second, api_key=api_key)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with server:
            print(WELCOME.format(api_base=server.api_base), flush=True)
            if options.run:
                return run(options.run, server.api_base)
            threading.Event().wait()
    except OSError as error:
        return fail(f"cannot listen on port {options.port} ({error.strerror}); choose another with --port")
    except KeyboardInterrupt:
        pass
    return 0


def run(command: list[str], api_base: str) -> int:
    """Run the command while the server runs; return its exit status.

    Ctrl+C reaches the command too, which decides what to do; signals that would end this process are passed on.
    """
    environment = {**os.environ, "JMUZ_API_BASE": api_base}
    signal.signal(signal.SIGINT, lambda *_: None)
    with subprocess.Popen(command, env=environment) as process:  # noqa: S603  # the user's own command
        for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), lambda *_: process.terminate())
        status = process.wait()
    return status if status >= 0 else 128 - status  # the shell's convention for a signal that ended it


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m jmuz_magic.demo",
        description="An endpoint on 127.0.0.1 that sends prepared replies; no language model. "
        "It speaks chat completions, Responses and Messages.",
    )
    parser.add_argument("--port", type=port, default=DEFAULT_PORT, help="0 picks a free one (default: %(default)s)")
    parser.add_argument(
        "--deltas-per-second",
        type=rate,
        default=DELTAS_PER_SECOND,
        metavar="N",
        help="how fast replies stream, in deltas of 4 characters; 0 means no pauses (default: %(default)g)",
    )
    parser.add_argument(
        "--run",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="serve only while this command runs; it finds the address in JMUZ_API_BASE",
    )
    parser.add_argument("--key-env", metavar="NAME", help="require the key that this environment variable holds")
    return parser


def port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


def rate(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, got {text!r}")
    return number


def fail(reason: str) -> int:
    print(f"python -m jmuz_magic.demo: {reason}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

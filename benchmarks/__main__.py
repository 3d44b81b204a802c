"""`python -m benchmarks [--full]`: measure, print a Markdown report, and write it to benchmarks/RESULTS.md.

The quick mode takes some minutes, `--full` about an hour.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.endpoint import running_endpoint
from benchmarks.table import Section, markdown

RESULTS = Path(__file__).parent / "RESULTS.md"


def cpu(full: bool) -> Section:
    from benchmarks.cpu import cpu_section

    with running_endpoint() as base:
        return cpu_section(base, full)


def dialects(full: bool) -> Section:
    from benchmarks.dialects import dialects_section

    with running_endpoint() as base:
        return dialects_section(base, full)


def ttft(full: bool) -> Section:
    from benchmarks.ttft import ttft_section

    with running_endpoint() as base:
        return ttft_section(base, full)


def streams(full: bool) -> Section:
    from benchmarks.concurrency import concurrency_section

    with running_endpoint() as base:
        return concurrency_section(base, full)


def decoders(full: bool) -> Section:
    from benchmarks.decoders import decoders_section

    return decoders_section(full)


def loading(full: bool) -> Section:
    from benchmarks.loading import loading_section

    return loading_section(full)


def interrupts(full: bool) -> Section:
    from benchmarks.interrupts import interrupts_section

    return interrupts_section(full)


def log(full: bool) -> Section:
    from benchmarks.log import log_section

    return log_section()


def cell(full: bool) -> Section:
    from benchmarks.display import display_section

    return display_section(chromium(), full)


def panel(full: bool) -> Section:
    from benchmarks.panel import panel_section

    return panel_section(chromium(), full)


def chromium() -> str:
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise NotHadError("no chromium (install it, or set CHROMIUM to its path)")
    return found


class NotHadError(Exception):
    """Something that a section needs is not on this machine."""


SECTIONS: dict[str, Callable[[bool], Section]] = {
    section.__name__: section
    for section in (cpu, dialects, ttft, streams, decoders, loading, interrupts, log, cell, panel)
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what the budgets are about.")
    parser.add_argument("--full", action="store_true", help="also the rows that take minutes each")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="some sections; writes no file")
    arguments = parser.parse_args()
    before = os.getloadavg()[0]
    done: list[Section] = []
    for name in arguments.only or SECTIONS:
        print(f"-- {name}", flush=True)
        try:
            done.append(SECTIONS[name](arguments.full))
        except NotHadError as error:
            done.append(Section(name, f"Not measured: {error}.", ()))
    report = markdown(done, before)
    if not arguments.only:
        RESULTS.write_text(report, encoding="utf-8")
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks [--full]`: measure, print a Markdown report, and write it to benchmarks/RESULTS.md."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from benchmarks.table import Section, markdown

RESULTS = Path(__file__).parent / "RESULTS.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what the budgets are about.")
    parser.add_argument("--full", action="store_true", help="also the rows that take minutes each")
    arguments = parser.parse_args()
    from benchmarks.log import log_section

    sections: list[Section] = [log_section()]
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("no chromium (install it, or set CHROMIUM to its path)", file=sys.stderr)
        return 1
    from benchmarks.display import display_section

    sections.append(display_section(chromium, arguments.full))
    from benchmarks.panel import panel_section

    sections.append(panel_section(chromium, arguments.full))
    report = markdown(sections)
    RESULTS.write_text(report, encoding="utf-8")
    print(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How a reply looks in a cell: constants for `style` attributes.

JupyterLab strips `<style>`, and every declaration with `var()`, from the outputs of a notebook that it does not trust.
What is left has to work alone, on any background: translucent greys do, in every theme and outside Jupyter.
"""

from __future__ import annotations

__all__ = ["CODE", "FOOT", "REASONING", "REPLY", "SCROLL", "WRAPPED"]

REPLY = "border-left:3px solid #8886;padding-left:1em"
CODE = "display:block;white-space:pre;overflow:auto;padding:.5em;background:#8881"
SCROLL = "overflow:auto"
WRAPPED = "white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"
REASONING = "border:1px dashed #8888;padding:0 1em;font-size:.9em"
FOOT = "margin-top:.5em;font-size:.85em;opacity:.75"

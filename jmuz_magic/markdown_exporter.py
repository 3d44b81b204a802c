"""Notebooks as Markdown with the Markdown that the models wrote: `jupyter nbconvert --to jmuz_markdown NOTEBOOK`.

nbconvert's own Markdown exporter prefers an output's HTML. This module is loaded by nbconvert alone, which finds the
exporter by its entry point.
"""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt
from nbconvert.exporters import MarkdownExporter
from nbconvert.preprocessors import Preprocessor
from traitlets import List

__all__ = ["ReplyMarkdown", "ReplyMarkdownExporter"]

_REPLY = '<div class="jmuz-reply"'  # nothing in a reply can write this: its HTML is ours


class ReplyMarkdown(Preprocessor):
    """Puts the model's Markdown in place of each reply's HTML, and leaves its reasoning out."""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Change the outputs of one cell; the other arguments are nbconvert's."""
        reply: list[Any] = []  # the outputs of one
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if _REPLY not in data.get("text/html", ""):
                _end(reply)
                continue
            text = "" if data.get("text/latex") == "" else data.get("text/plain", "")
            output["data"] = {"text/markdown": text}
            reply.append(output)
            if "jmuz" in output.get("metadata", {}):
                _end(reply)
        _end(reply)
        return cell, resources


def _end(reply: list[Any]) -> None:
    """End a code block in which a reply was cut off; else all that follows in the document would be code."""
    fence = _open_fence("\n".join(output["data"]["text/markdown"] for output in reply))
    if fence:
        reply[-1]["data"]["text/markdown"] += f"\n{fence}\n"
    reply.clear()


def _open_fence(markdown: str) -> str:
    """The fence that the text leaves open; "" if none. One in a list or quotation ends with it."""
    tokens = MarkdownIt("commonmark").parse(markdown)
    if not tokens or tokens[-1].type != "fence":
        return ""
    markup, (begin, end) = tokens[-1].markup, tokens[-1].map or (0, 0)
    last = markdown.split("\n")[begin + 1 : end][-1:]
    return "" if last and re.fullmatch(rf" {{0,3}}{markup}{markup[0]}*[ \t]*", last[0]) else markup


class ReplyMarkdownExporter(MarkdownExporter):
    """nbconvert's Markdown exporter with `ReplyMarkdown`."""

    # In JupyterLab's menu it would stand beside "Markdown", and nobody could tell them apart.
    export_from_notebook = None  # type: ignore[assignment]  # as in nbconvert's base class

    preprocessors = List([ReplyMarkdown]).tag(config=True)

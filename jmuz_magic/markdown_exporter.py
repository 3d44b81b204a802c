"""Notebooks as Markdown with the Markdown that the models wrote: `jupyter nbconvert --to jmuz_markdown NOTEBOOK`.

nbconvert's own Markdown exporter prefers an output's HTML. This module is loaded by nbconvert alone, which finds the
exporter by its entry point.
"""

from __future__ import annotations

from typing import Any

from nbconvert.exporters import MarkdownExporter
from nbconvert.preprocessors import Preprocessor
from traitlets import List

__all__ = ["ReplyMarkdown", "ReplyMarkdownExporter"]

_REPLY = '<div class="jmuz-reply"'  # nothing in a reply can write this: its HTML is ours


class ReplyMarkdown(Preprocessor):
    """Puts the model's Markdown in place of each reply's HTML, and leaves its reasoning out."""

    def preprocess_cell(self, cell: Any, resources: Any, index: int) -> tuple[Any, Any]:
        """Change the outputs of one cell; the other arguments are nbconvert's."""
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if _REPLY in data.get("text/html", ""):
                text = "" if data.get("text/latex") == "" else data.get("text/plain", "")
                output["data"] = {"text/markdown": text}
        return cell, resources


class ReplyMarkdownExporter(MarkdownExporter):
    """nbconvert's Markdown exporter with `ReplyMarkdown`."""

    # In JupyterLab's menu it would stand beside "Markdown", and nobody could tell them apart.
    export_from_notebook = None  # type: ignore[assignment]  # as in nbconvert's base class

    preprocessors = List([ReplyMarkdown]).tag(config=True)

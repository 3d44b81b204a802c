"""What nbconvert makes of replies: LaTeX and Markdown from their own forms, all else from HTML."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from collections.abc import Iterable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import nbformat
import pytest
from markdown_it import MarkdownIt
from nbconvert.exporters import HTMLExporter, LatexExporter, MarkdownExporter, RSTExporter, SlidesExporter

from jmuz_magic.display.bundle import reply_bundle
from jmuz_magic.display.transcript import transcript_bundle, turn_bundle
from jmuz_magic.messages import Reasoning, Reply
from tests.display.screen import Screen
from tests.formulas import formulas
from tests.hostile import hostile_replies
from tests.latex_list import FORBIDDEN, near_formulas

ROOT = Path(__file__).resolve().parent.parent.parent
REPLY = Reply(
    "Some **bold** `code_1` and $a^2$\n\n| a |\n|---|\n| 1 |\n", "because", model="demo", finish_reason="stop"
)


def notebook(bundles: Iterable[dict[str, str]]) -> nbformat.NotebookNode:
    outputs = [nbformat.v4.new_output("display_data", data=bundle) for bundle in bundles]
    made: nbformat.NotebookNode = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell("%%jmuz\nhi", outputs=outputs)]
    )
    return made


def converted(exporter: Any, content: nbformat.NotebookNode) -> str:
    body: str = exporter().from_notebook_node(content)[0]
    return body


def markdown_exporter() -> Any:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ((name, value),) = project["entry-points"]["nbconvert.exporters"].items()
    return EntryPoint(name, value, "nbconvert.exporters").load()


def live_bundles() -> list[dict[str, str]]:
    screen = Screen()
    view = screen.view()
    view.append(Reasoning(REPLY.reasoning))
    view.append(REPLY.text)
    view.close(REPLY)
    return list(screen.outputs.values())


@pytest.mark.parametrize("exporter", [HTMLExporter, SlidesExporter, MarkdownExporter, RSTExporter])
def test_whatever_shows_html_prefers_it(exporter: Any) -> None:
    body = converted(exporter, notebook([reply_bundle(REPLY)]))
    assert "<strong>bold</strong>" in body
    assert r"\textbf{bold}" not in body


def test_latex_has_the_reply_formatted_and_no_reasoning() -> None:
    body = converted(LatexExporter, notebook(live_bundles()))
    assert r"Some \textbf{bold} \texttt{code\_1} and $a^{2}$" in body
    assert "because" not in body


def test_latex_of_a_transcript_has_prompts_and_replies_and_no_reasoning() -> None:
    turns = [turn_bundle("Say $5\nfor 100 %", REPLY), turn_bundle("again", Reply("half", "because"), "it\nbroke off")]
    body = converted(LatexExporter, notebook([transcript_bundle(turns)]))
    assert "Say \\$5\\par\nfor 100 \\%\n\\end{quote}" in body
    assert r"Some \textbf{bold} \texttt{code\_1} and $a^{2}$" in body
    assert "incomplete: it broke off" in body
    assert "because" not in body


def test_markdown_has_what_the_model_wrote() -> None:
    exporter = markdown_exporter()
    other = {"text/html": "<b>mine</b>", "text/plain": "mine"}
    body = converted(exporter, notebook([*live_bundles(), other]))
    assert f"\n{REPLY.text}" in body
    assert "because" not in body
    assert "jmuz-reply" not in body
    assert "<b>mine</b>" in body


@pytest.mark.parametrize("text", ["```python\nif x:", "~~~~\na\n```", "- a\n\n  ```\n  b", "a\n```", "```\n\n\n"])
def test_code_that_was_cut_ends_with_its_reply(text: str) -> None:
    """Else what comes after it in the document would be code."""
    bundle = reply_bundle(Reply(text, finish_reason="length"))
    body = converted(markdown_exporter(), notebook([bundle, {"text/html": "<b>mine</b>", "text/plain": "mine"}]))
    assert "[cut by length" in body
    assert not [token for token in MarkdownIt().parse(body) if token.type == "fence" and "mine" in token.content]


def test_whole_replies_stay_as_they_are() -> None:
    for text in ("```\na\n```\n\n    b\n\n~~~\nc\n~~~", "```\n```", "```\na\u2028b\n  ```` \n\n"):
        body = converted(markdown_exporter(), notebook([reply_bundle(Reply(text))]))
        assert body.rstrip().endswith(f"```\n\n\n{text.rstrip()}")


ATTACKS = [
    r"$\input{decoy}$",
    r"\input{decoy}",
    r"$$\input decoy $$",
    "`\\input{decoy}`",
    "```\n\\end{Verbatim}\\input{decoy}\n```",
    "```\n\\end{Verbatim}\n\\input{decoy}\n```",
    "# \\input{decoy}",
    "|\\input{decoy}|\n|-|\n|$\\input{decoy}$|",
    "$^^5cinput{decoy}$",
    "^^5cinput{decoy}",
    "[\\input{decoy}](https://a.example/\\input{decoy})",
    "> \\input{decoy}",
    r"$\text{\input{decoy}}$",
    r"$\csname input\endcsname{decoy}$",
    "![\\input{decoy}](https://a.example/%5Cinput)",
    "    \\end{Verbatim}\n    \\input{decoy}",
    r"$\begin{filecontents}{out.tex}x\end{filecontents}$",
    "a}\\input{decoy}{",
    r"$\immediate\write18{touch out.tex}\openout5=out \immediate\write5{x}$",
    "x&#10;&#10;\\input{decoy}%",
    "1. \\item[\\input{decoy}]",
    "| *$\\begin{pmatrix}a & b\\end{pmatrix}$* | [$\\begin{cases}a & b\\end{cases}$](https://a.example) |\n|-|-|",
    *(f"$\\{name}{{decoy}}$" for name in FORBIDDEN),
]


@pytest.mark.tex
@pytest.mark.threat(1, 3)
@pytest.mark.timeout(600)
def test_a_document_of_hostile_replies_compiles_and_reads_no_file(tmp_path: Path) -> None:
    compiler, reader = shutil.which("xelatex"), shutil.which("pdftotext")
    if compiler is None or reader is None:
        pytest.skip("no xelatex with pdftotext (texlive-xetex, texlive-latex-extra, poppler-utils)")
    decoy = tmp_path / "decoy.tex"
    decoy.write_text("SECRETOFTHEDECOY", encoding="utf-8")
    texts = [*ATTACKS, *hostile_replies("http://127.0.0.1:9").values(), *formulas(3, 200), *near_formulas(3, 200)]
    replies = [Reply(text, "SECRETTHOUGHT", model=r"\input{decoy}", finish_reason="length") for text in texts]
    transcript = transcript_bundle([turn_bundle(text, REPLY, error=text, note="TURNNOTE") for text in texts])
    shown = pdf_text(tmp_path, notebook([*map(reply_bundle, replies), transcript]))
    assert "SECRETOFTHEDECOY" not in shown
    assert "SECRETTHOUGHT" not in shown
    assert "input{decoy}" in shown
    assert shown.count("TURNNOTE") == len(texts)
    assert not list(tmp_path.glob("out*"))
    assert "decoy.tex" not in (tmp_path / "document.fls").read_text(encoding="utf-8", errors="replace")
    bundle = {"text/latex": r"\input{decoy}", "text/plain": ""}  # the other side: it would be seen
    assert "SECRETOFTHEDECOY" in pdf_text(tmp_path, notebook([bundle]))


def pdf_text(folder: Path, content: nbformat.NotebookNode) -> str:
    """What the PDF of a notebook says; TeX stops at the first error, as nbconvert lets it."""
    body = converted(LatexExporter, content)
    (folder / "document.tex").write_text(body, encoding="utf-8")
    command = ["xelatex", "-halt-on-error", "-interaction=nonstopmode", "-recorder", "document.tex"]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace")
    assert made.returncode == 0, made.stdout[-2000:]
    return subprocess.run(["pdftotext", "document.pdf", "-"], cwd=folder, capture_output=True, text=True).stdout

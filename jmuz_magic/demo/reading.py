"""Questions about what a prompt contains: code, a table, a text, and what was said earlier."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jmuz_magic.demo.answer import Answer, code_blocks, question_of
from jmuz_magic.demo.request import ChatRequest, message_text

__all__ = ["explain_code", "recall", "summarise"]

EXPLAIN = re.compile(r"\b(?:explain|describe|what do(?:es)?|how does)\b", re.IGNORECASE)
SUMMARISE = re.compile(r"\b(?:summari[sz]e|summary|describe|overview)\b", re.IGNORECASE)

PARTS: Sequence[tuple[str, str]] = (
    (r"^import ([\w.]+) as (\w+)", r"`import` makes the module `\1` available as `\2`"),
    (r"^import ([\w.]+)$", r"`import` makes the module `\1` available"),
    (r"^from ([\w.]+) import ([\w, ]+)", r"`\2` comes from the module `\1`"),
    (r"^[ \t]*def (\w+)\(([^()]+)\)", r"`\1` is a function of `\2`"),
    (r"^[ \t]*def (\w+)\(\)", r"`\1` is a function without arguments"),
    (r"^[ \t]*class (\w+)", r"`\1` is a class: a kind of object with its own methods"),
    (
        r"[\[({](.{1,80}?) for (.{1,40}?) in (.{1,80}?)[\])}]",
        r"a comprehension takes each `\2` of `\3` and collects `\1`",
    ),
    (r"^[ \t]*for (.+?) in (.+?):", r"the loop takes one `\1` of `\2` after another"),
    (r"^[ \t]*while (.+?):", r"the loop goes on while `\1` is true"),
    (r"^[ \t]*if (.+?):", r"what is indented below runs only if `\1` is true"),
    (r"^[ \t]*with (.+?) as (\w+):", r"`with` opens `\1` as `\2`, and closes it at the end of the block"),
    (r"^[ \t]*try:", r"if anything in the `try` block fails, the block after `except` runs"),
    (r"^[ \t]*return (.+)$", r"the function returns `\1`"),
    (r"\bsum\(([^()]+)\)", r"`sum` adds up the values of `\1`"),
    (r"\blen\(([^()]+)\)", r"`len` counts the items of `\1`"),
    (r"\bsorted\(([^(),]+)", r"`sorted` returns the items of `\1` in order, as a new list"),
    (r"\.groupby\(([^()]+)\)", r"`groupby` collects rows that have the same \1"),
    (r"\bprint\((.+)\)$", r"`print` shows `\1`"),
)
"""What code may contain, and what is said about it."""

INSTRUCTION_CHARACTERS = 60
CODE_CHARACTERS = 10_000
"""Looked at: the time of some patterns grows with the square of a line."""

RESULT = re.compile(r"^Output of \[\d+\]:\n```text\n([^\n`]{1,80})\n```$", re.MULTILINE)
FRAME = re.compile(r"\b(?:Geo)?DataFrame: ([\d,]+) rows × ([\d,]+) columns\ndtypes: (.+)$", re.MULTILINE)
NAME = re.compile(r"\bmy name is (\w[\w'-]*)", re.IGNORECASE)
WHOSE = re.compile(r"\b(?:what(?:'s| is) my name|who am i|(?:know|remember) my name)\b", re.IGNORECASE)
SENTENCE = re.compile(r"(?<=[.!?])\s+")


def explain_code(request: ChatRequest) -> Answer | None:
    """What the parts of the last block of Python do, as far as they are known."""
    prompt = request.prompt
    blocks = [code for language, code in code_blocks(prompt) if language in ("", "py", "python")]
    code = (blocks[-1] if blocks else prompt.partition("\n")[2])[:CODE_CHARACTERS]
    if "`" in code or not EXPLAIN.search(question_of(prompt)):
        return None
    found = [(match.start(), match.expand(said)) for pattern, said in PARTS if (match := _search(pattern, code))]
    if not found:
        return None
    lines = [f"- {said}" for _, said in sorted(found)]
    result = RESULT.findall(prompt)
    end = f"\n\nIts result is `{result[-1]}`." if result else ""
    head = "What the cell does" if prompt.startswith("Earlier cells") else "What the code does"
    return Answer(f"{head}, in order:\n\n" + "\n".join(lines) + f"{end}\n", "Each part is looked up by its form.\n")


def _search(pattern: str, code: str) -> re.Match[str] | None:
    return re.search(pattern, code, re.MULTILINE)


def summarise(request: ChatRequest) -> Answer | None:
    """The columns of a table, or the first sentence of each paragraph of a text."""
    prompt = request.prompt
    if not SUMMARISE.search(question_of(prompt)):
        return None
    frame = FRAME.search(prompt)
    return _columns(frame) if frame else _extract(prompt)


def _columns(frame: re.Match[str]) -> Answer:
    rows, columns, types = frame.groups()
    pairs = [pair.rpartition(" ") for pair in types.split(", ")]
    table = "\n".join(f"| {name} | `{kind}` |" for name, _, kind in pairs if name)
    size = f"{rows} row{'' if rows == '1' else 's'} and {columns} column{'' if columns == '1' else 's'}"
    return Answer(f"The table has **{size}**:\n\n| column | type |\n|---|---|\n{table}\n", "The prompt lists them.\n")


def _extract(prompt: str) -> Answer | None:
    instruction, text = _instruction(prompt.strip())
    paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip())]
    firsts = [SENTENCE.split(paragraph)[0] for paragraph in paragraphs if paragraph]
    kept, words = sum(len(each.split()) for each in firsts), len(text.split())
    if kept >= words or not SUMMARISE.search(instruction):
        return None
    quoted = "\n".join(f"- {first}" for first in firsts)
    return Answer(
        f"{quoted}\n\nThat is the first sentence of each paragraph: {kept} of {words} words. A language model would "
        "find its own.\n",
        "An extract can be made without understanding the text.\n",
    )


def _instruction(prompt: str) -> tuple[str, str]:
    """What to do, and with which text: on the lines below, after a colon, or after the word that says it."""
    for end in ("\n", ":"):
        instruction, _, text = prompt.partition(end)
        if text.strip() and len(instruction) < INSTRUCTION_CHARACTERS and not SENTENCE.search(instruction.strip()):
            return instruction, text
    word = SUMMARISE.match(prompt)
    return (word[0], prompt[word.end() :]) if word else ("", "")


def recall(request: ChatRequest) -> Answer | None:
    """The user's name, if an earlier turn of the conversation contains it."""
    told = NAME.search(request.prompt)
    if told and len(request.prompt) < 200:
        text = f"Hello, {told[1]}. Ask for your name later in this conversation.\n"
        return Answer(text, "A name is introduced.\n")
    if not WHOSE.search(question_of(request.prompt)):
        return None
    earlier = [message_text(message) for message in request.messages[:-1] if message["role"] == "user"]
    names = [name[1] for text in earlier if (name := NAME.search(text))]
    if names:
        return Answer(f"Your name is **{names[-1]}**: you said so earlier in this conversation.\n", "It was said.\n")
    return Answer(
        "Your name is not in what was sent. A cell sends nothing of the cells before it, unless `--chat` joins a "
        "conversation.\n",
        "No earlier message contains a name.\n",
    )

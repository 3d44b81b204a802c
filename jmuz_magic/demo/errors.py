"""What Python's errors mean, for whoever asks to have one explained."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jmuz_magic.demo.answer import Answer, question_of
from jmuz_magic.demo.request import ChatRequest

__all__ = ["explain_error"]

NAMED = re.compile(r"\b([A-Z]\w*(?:Error|Exception|Interrupt))\b(?:: (.+))?")
SHOWN = ("Error of [", "Traceback (most recent call last)")
ASKED = re.compile(r"\b(?:why|explain|wrong|mean\w*|fail\w*|error|help)\b", re.IGNORECASE)

MEANINGS: Mapping[str, tuple[str, str]] = {
    "AttributeError": (
        "an object has no attribute or method of this name",
        "`type(x)` shows its type. If it is None, something before returned nothing, as `items.sort()` does.",
    ),
    "FileNotFoundError": (
        "no file or folder has this path",
        "A relative path begins at the notebook's folder; `%pwd` shows it and `%ls` lists what is there.",
    ),
    "ImportError": (
        "the module exists, but not this name in it",
        "Perhaps its version is another one, or a file of yours has the module's name and is found first.",
    ),
    "IndentationError": (
        "a line is indented further or less than its block",
        "Every line of a block begins in the same column; do not mix tabs and blanks.",
    ),
    "IndexError": (
        "a sequence is shorter than the index",
        "Indices count from 0, so the last one is `len(items) - 1`, or simply `-1`.",
    ),
    "KeyError": (
        "a dictionary, or a data frame, has no such key",
        "Upper case, lower case and blanks count. `list(d)` shows the keys; `d.get(key)` returns None without one.",
    ),
    "MemoryError": (
        "there was not enough memory for a value",
        "Read less at once, choose a smaller type, or `del` what is no longer needed.",
    ),
    "ModuleNotFoundError": (
        "no package of this name is installed for this kernel",
        "`%pip install` adds one to it; some are installed by another name than they are imported by.",
    ),
    "NameError": (
        "a name is used that nothing was assigned to",
        "Check its spelling, and whether the cell that defines it has run since the kernel started.",
    ),
    "RecursionError": (
        "a function called itself too often",
        "It needs a case in which it returns without calling itself, and every call must come closer to that case.",
    ),
    "SyntaxError": (
        "Python cannot read the cell, so none of it has run",
        "The mark points to where reading stopped; the mistake is often just before: a bracket, a quote or a colon.",
    ),
    "TypeError": (
        "a value has the wrong type for what is done with it",
        "Convert it first (`int(text)`, `str(number)`), or check the order and number of a function's arguments.",
    ),
    "ValueError": (
        "the type is right, but not the value",
        "Print the value just before; text from a file often has blanks, units or a decimal comma in it.",
    ),
    "ZeroDivisionError": (
        "something is divided by 0",
        "The divisor is often the length of something empty. Test it first, and decide what the result should be.",
    ),
}


def explain_error(request: ChatRequest) -> Answer | None:
    """What the error that a prompt names, or that a cell sent with it raised, means."""
    prompt = request.prompt
    question = question_of(prompt)
    named = NAMED.findall(question)
    if not named and ASKED.search(question) and any(words in prompt for words in SHOWN):
        named = NAMED.findall(prompt)
    for name, said in reversed(named):
        if name in MEANINGS:
            meaning, advice = MEANINGS[name]
            quoted = f" (`{said}`)" if said and "`" not in said else ""
            return Answer(f"A `{name}`{quoted} means that {meaning}.\n\n{advice}\n", f"It is about {name}.\n")
    return None

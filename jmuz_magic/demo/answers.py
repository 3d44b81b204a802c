"""Answers prepared for the questions that README and the notebooks ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["RIDDLE", "Answer", "Prepared", "find_answer"]


@dataclass(frozen=True)
class Answer:
    """Markdown, and what was "thought" before it."""

    text: str
    reasoning: str = ""


@dataclass(frozen=True)
class Prepared:
    """An answer, and the words that a prompt must contain to get it, in upper or lower case."""

    words: Sequence[str]
    answer: Answer

    def fits(self, prompt: str) -> bool:
        return all(word in prompt.lower() for word in self.words)


NOTE = "\n*(A demo: this answer was prepared. No language model was asked.)*\n"

NUMBERS = Answer(
    reasoning=(
        "Both numbers have the whole part 9, so the decimals decide.\n"
        "9.9 is 9.90: ninety hundredths. 9.11 has eleven hundredths.\n"
        "90 is more than 11. As version numbers 9.11 would come later, but these are numbers.\n"
    ),
    text=(
        "**9.9** is larger: $9.9 = 9.90$, and $9.90 - 9.11 = 0.79$.\n\n"
        "(As *versions* it would be the other way round: 9.11 comes after 9.9.)\n" + NOTE
    ),
)

RIDDLE = Answer(
    reasoning=(
        "A bat and a ball cost 1.10 together, and the bat costs 1 more than the ball.\n"
        "If the ball cost 0.10, the bat would cost 1.10 and both 1.20: too much.\n"
        "So twice the ball is 0.10, and the ball costs 0.05.\n"
    ),
    text=(
        "The ball costs **0.05**.\n\n"
        "With a ball at $b$ the bat costs $b + 1$, so $2b + 1 = 1.10$ and $b = 0.05$.\n" + NOTE
    ),
)

LIST_AND_TUPLE = Answer(
    """\
A **list** can be changed after it is made, a **tuple** cannot.

```python
basket = ["apple", "pear"]
basket.append("plum")    # fine: a list grows

point = (3, 4)
point[0] = 5             # TypeError: a tuple stays as it is
```

| | list | tuple |
|---|---|---|
| written as | `[1, 2]` | `(1, 2)` |
| can be changed | yes | no |
| can be a key of a `dict` | no | yes, if all in it can |
| good for | many things of one kind | a few things that belong together |
"""
    + NOTE
)

SORTING = Answer(
    """\
`sorted(items)` returns a new list; `items.sort()` changes the list that it is called on.

```python
names = ["Ada", "Grace", "Alan"]
print(sorted(names, key=len))    # ['Ada', 'Alan', 'Grace']
```
"""
    + NOTE
)

PREPARED = (
    Prepared(("9.11", "9.9"), NUMBERS),
    Prepared(("bat and a ball",), RIDDLE),
    Prepared(("list", "tuple"), LIST_AND_TUPLE),
    Prepared(("sort a list",), SORTING),
)


def find_answer(prompt: str) -> Answer | None:
    """The answer prepared for this prompt, or None."""
    return next((each.answer for each in PREPARED if each.fits(prompt)), None)

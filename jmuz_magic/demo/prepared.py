"""Prepared answers, and the words that ask for them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from jmuz_magic.demo.answer import Answer, question_of
from jmuz_magic.demo.request import ChatRequest

__all__ = ["RIDDLE", "look_up"]

RIDDLE = Answer(
    "The ball costs **0.05**.\n\nWith a ball at $b$ the bat costs $b + 1$, so $2b + 1 = 1.10$ and $b = 0.05$.\n",
    "A bat and a ball cost 1.10 together, and the bat costs 1 more than the ball.\n"
    "If the ball cost 0.10, the bat would cost 1.10 and both 1.20: too much.\n"
    "So twice the ball is 0.10, and the ball costs 0.05.\n",
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
""",
    "Both are sequences. What differs is whether they can be changed, and everything else follows from it.\n",
)

SORTING = Answer(
    """\
`sorted(items)` returns a new list; `items.sort()` changes the list that it is called on.

```python
names = ["Ada", "Grace", "Alan"]
print(sorted(names, key=len))    # ['Ada', 'Alan', 'Grace']
```
""",
    "There are a function and a method. Which one is right depends on whether the old order is still needed.\n",
)

DECORATOR = Answer(
    """\
A **decorator** is a function that takes a function and returns another one in its place.

```python
import functools
import time


def timed(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            print(f"{function.__name__} took {time.perf_counter() - start:.3f} s")

    return wrapper


@timed
def add(a, b):
    return a + b
```

`@timed` means `add = timed(add)`, so every call of `add` now says how long it took.
""",
    "An example says more than a definition: one that measures time needs no other knowledge.\n",
)

MONAD = Answer(
    """\
A **monad** is a type that wraps values, with a way to chain functions that return wrapped values. It needs two
operations: one puts a value into the wrapper, $a \\to M\\,a$, and one chains, $M\\,a \\to (a \\to M\\,b) \\to M\\,b$.

A list is one: the first is `[x]`, and the second applies a function that returns lists, and joins the results.

```python
def chain(items, function):
    return [result for item in items for result in function(item)]

chain([1, 2, 3], lambda n: [n, -n])    # [1, -1, 2, -2, 3, -3]
```
""",
    "The definition is short, but abstract; lists are a monad that everybody has used.\n",
)

FIBONACCI = Answer(
    """\
```python
def fibonacci(n: int) -> list[int]:
    numbers = [0, 1]
    while len(numbers) < n:
        numbers.append(numbers[-1] + numbers[-2])
    return numbers[:n]


print(fibonacci(10))    # [0, 1, 1, 2, 3, 5, 8, 13, 21, 34]
```

Each number is the sum of the two before it. A loop takes $n$ steps; the well-known recursive form takes about $1.6^n$.
""",
    "The recursive definition is slow, so a loop is better.\n",
)

SQL = Answer(
    """\
```sql
SELECT city, SUM(units) AS units
FROM sales
WHERE year = 2025
GROUP BY city
HAVING SUM(units) > 90
ORDER BY units DESC;
```

`WHERE` chooses rows before they are grouped, `HAVING` chooses groups.
""",
    "A total for each city is a GROUP BY.\n",
)

PLOT = Answer(
    """\
A swing that comes to rest, and the curve that limits it:

```python
import matplotlib.pyplot as plt
import numpy as np

seconds = np.linspace(0, 10, 500)
limit = np.exp(-seconds / 4)

figure, axes = plt.subplots(figsize=(6, 3))
axes.plot(seconds, limit * np.cos(4 * seconds), label="swing")
axes.plot(seconds, limit, "--", color="grey", label="limit")
axes.set(title="A damped oscillation", xlabel="time in s", ylabel="displacement")
axes.legend()
plt.show()
```
""",
    "A plot needs data, axes with labels, and a legend if there is more than one curve.\n",
)

PLANETS = Answer(
    """\
| Planet  | Diameter in km | Distance from the Sun in million km | Year in days |
|:--------|---------------:|------------------------------------:|-------------:|
| Mercury |          4,879 |                                57.9 |         88.0 |
| Venus   |         12,104 |                               108.2 |        224.7 |
| Earth   |         12,756 |                               149.6 |        365.2 |
| Mars    |          6,792 |                               228.0 |        687.0 |
| Jupiter |        142,984 |                               778.5 |        4,331 |
| Saturn  |        120,536 |                             1,432.0 |       10,747 |
| Uranus  |         51,118 |                             2,867.0 |       30,589 |
| Neptune |         49,528 |                             4,515.0 |       59,800 |

Diameters at the equator, distances on average, from NASA's Planetary Fact Sheet.
""",
    "A table is good for things of one kind with several properties, such as planets.\n",
)

NAMES = Answer(
    """\
1. **Juniper**: easy to say in many languages
2. **Halyard**: what hoists a sail
3. **Tern**: a small bird that flies from pole to pole
4. **Marlow**: soft, and hard to misspell
5. **Quill**: short, and it writes

Say each aloud, and search for it, before you choose: a name that everybody uses is hard to find.
""",
    "A good name is short, can be said aloud, and is not taken.\n",
)

QUADRATIC = Answer(
    r"""The equation $ax^2 + bx + c = 0$ with $a \neq 0$ has the solutions

$$x_{1,2} = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}$$

- $b^2 > 4ac$: two real solutions
- $b^2 = 4ac$: one, $x = -\frac{b}{2a}$
- $b^2 < 4ac$: none that is real
""",
    "Completing the square gives the formula; what stands under the root decides how many solutions there are.\n",
)

NORMAL = Answer(
    r"""A normal distribution with mean $\mu$ and standard deviation $\sigma$ has the density

$$f(x) = \frac{1}{\sigma\sqrt{2\pi}} \exp\left(-\frac{(x - \mu)^2}{2\sigma^2}\right)$$

About 68 % of all values lie within one $\sigma$ of $\mu$, 95 % within two, and 99.7 % within three.
""",
    "The formula, and what it means for data.\n",
)

PREPARED: Sequence[tuple[str, Answer]] = (
    (r"bat and a ball", RIDDLE),
    (r"\blists?\b.*\btuples?\b|\btuples?\b.*\blists?\b", LIST_AND_TUPLE),
    (r"\bsort(?:ed|ing)?\b.*\blists?\b|\blists?\b.*\bsorted\b", SORTING),
    (r"\bdecorators?\b", DECORATOR),
    (r"\bmonads?\b", MONAD),
    (r"\bfibonacci\b|\bsome code\b", FIBONACCI),
    (r"\bsql\b", SQL),
    (r"\b(?:plot|chart|graph|draw|histogram)\b", PLOT),
    (r"\bnormal distribution|\bgauss|\bbell curve", NORMAL),
    (r"\bquadratic|\bformula\b|\bequation\b", QUADRATIC),
    (r"\b(?:names|name ideas)\b.*\bfor\b|\b(?:suggest|invent|find|think of|give)\b.*\bnames?\b", NAMES),
    (r"\bplanets?\b|\btable\b", PLANETS),
)
"""The first that is found in the question, in upper or lower case, answers it."""


def look_up(request: ChatRequest) -> Answer | None:
    """The prepared answer."""
    question = question_of(request.prompt)
    return next((answer for pattern, answer in PREPARED if re.search(pattern, question, re.IGNORECASE)), None)

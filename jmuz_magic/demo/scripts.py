"""What the demo endpoint answers: one script for each model id. Same prompt, same answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from types import MappingProxyType
from typing import TypeAlias

from jmuz_magic.demo.answers import RIDDLE, Answer, find_answer
from jmuz_magic.demo.request import ChatRequest

__all__ = ["ADVERTS", "ADVERTS_CLEAN", "SCRIPTS", "Answer", "Script"]


Script: TypeAlias = Callable[[ChatRequest], Answer]

QUOTED_CHARACTERS = 200
LONG_CHARACTERS = 100_000

INTRODUCTION = """\
This is the **demo endpoint** of jmuz_magic{instead}. It is not a language model: it sends prepared text, so \
you can try everything without a key, a network or a cost. It has no answer prepared for what you wrote:

{prompt}

To ask a real model, choose where it runs and ask again:

- `%jmuz_use openai` takes your key from `OPENAI_API_KEY`;
- `%jmuz_use ollama` asks a model on your own machine;
- `%jmuz_use --api-base http://127.0.0.1:8080/v1` asks any other OpenAI-compatible server.

`%jmuz_models demo-` lists what else this endpoint can send.
"""

OTHER_RIDDLE = "No answer is prepared for that question, so here is a riddle: a bat and a ball cost 1.10 together. \
The bat costs 1 more than the ball. What does the ball cost?\n\n"


def chat(request: ChatRequest) -> Answer:
    """A prepared answer, or an introduction."""
    answer = find_answer(request.prompt)
    return introduce(request) if answer is None or request.images else Answer(answer.text)


def introduce(request: ChatRequest) -> Answer:
    """Say that this is not a model, quote the prompt, and show how to ask a real one."""
    instead = "" if request.model.startswith("demo-") else f", which stands in for `{request.model}`"
    lines = shortened(request.prompt).splitlines() or ["(nothing)"]
    quote = "\n".join(f"> {line}".rstrip() for line in [*lines, *image_lines(request)])
    return Answer(INTRODUCTION.format(instead=instead, prompt=quote))


def reason(request: ChatRequest) -> Answer:
    """A prepared answer with its reasoning; for any other prompt a riddle, which the reply admits."""
    answer = find_answer(request.prompt)
    if answer is not None and answer.reasoning:
        return answer
    return Answer(OTHER_RIDDLE + RIDDLE.text, OTHER_RIDDLE + RIDDLE.reasoning)


def echo(request: ChatRequest) -> Answer:
    """The last user message and a line about its images."""
    return Answer("\n\n".join(filter(None, [request.prompt, *image_lines(request)])))


def image_lines(request: ChatRequest) -> list[str]:
    images = request.images
    if not images:
        return []
    noun = "image" if len(images) == 1 else "images"
    return [f"{len(images)} {noun}, {'; '.join(image.description for image in images)}"]


def shortened(text: str) -> str:
    return text if len(text) <= QUOTED_CHARACTERS else f"{text[:QUOTED_CHARACTERS]}…"


MARKDOWN = r"""# A tour of Markdown

Text can be **strong**, *emphasised*, ~~struck out~~ or `code`.

## Lists

1. First things first
   - a point below
     - and one below that
2. Then the second
   1. with steps
   2. of its own

- [x] a task that is done
- [ ] a task that is not

> A quotation, with a second line
> that belongs to it.

## A table

| Language | Typing  | Since |
|:---------|:-------:|------:|
| Python   | dynamic |  1991 |
| Rust     | static  |  2015 |
| SQL      | static  |  1974 |

## Code in three languages

```python
def fibonacci(n: int) -> list[int]:
    numbers = [0, 1]
    while len(numbers) < n:
        numbers.append(numbers[-1] + numbers[-2])
    return numbers[:n]
```

```javascript
const squares = [1, 2, 3].map((x) => x ** 2);
console.log(`Squares: ${squares}`);
```

```sql
SELECT name, COUNT(*) AS replies FROM chats GROUP BY name ORDER BY replies DESC;
```

## Maths

Euler wrote $e^{i\pi} + 1 = 0$, and \(a^2 + b^2 = c^2\) is older. Coffee for $5 and cake for $10 are no maths.

$$\int_{-\infty}^{\infty} e^{-x^2}\,dx = \sqrt{\pi}$$

\[\sum_{k=1}^{n} k = \frac{n(n+1)}{2}\]

## Links, an image and raw HTML

Read about [CommonMark](https://commonmark.org "its home page") or visit <https://example.org>.

![A picture that is not loaded](https://example.org/picture.png)

<b onclick="alert('run')">Raw HTML</b> is shown as text, and so is <script>alert("run")</script>.

---

The end.
"""

HEAD_ADVERT = "Join for free\no1-preview and more: https://discord.gg/Ew6JzjA2NR...\n\n"
INLINE_ADVERT = "https://discord.gg/qXfu24JmsB..."
LINE_ADVERT = "Join for free and ask o1-preview: https://discord.gg/Ew6JzjA2NR\n"

ADVERTS_TEMPLATE = """{head}## Sorting a list

`sorted(items)` returns a new list;{inline} `items.sort()` changes the list that it is called on.

{line}```python
names = ["Ada", "Grace", "Alan"]
print(sorted(names, key=len))  # https://discord.gg/Ew6JzjA2NR... stays, this is code
```

Other people who write Python meet at https://discord.gg/python on many evenings.
"""
ADVERTS = ADVERTS_TEMPLATE.format(head=HEAD_ADVERT, inline=INLINE_ADVERT, line=LINE_ADVERT)
ADVERTS_CLEAN = ADVERTS_TEMPLATE.format(head="", inline="", line="")
"""The reply of `demo-adverts` after a cleaner has removed the adverts and nothing else."""

LONG_SECTION = """\
## Section {n}

Paragraph {n} says the same as the others, at length, because only the length matters here: it is there to be \
streamed, cut into groups, scrolled past and stored. Its number is **{n}**, and {n} times {n} is `{square}`.

- one point of section {n}
- another point, with a [link](https://example.org/section/{n})

```python
section = {n}
assert section ** 2 == {square}
```

| section | square |
|--------:|-------:|
| {n} | {square} |

"""


def long_text() -> str:
    """Numbered sections, exactly `LONG_CHARACTERS` of ASCII."""
    text = "# A long reply\n\n"
    for n in count(1):
        section = LONG_SECTION.format(n=n, square=n * n)
        if len(text) + len(section) > LONG_CHARACTERS:
            break
        text += section
    return text + "." * (LONG_CHARACTERS - len(text) - 1) + "\n"


def always(answer: Answer) -> Script:
    return lambda request: answer


SCRIPTS: Mapping[str, Script] = MappingProxyType(
    {
        "demo-chat": chat,
        "demo-adverts": always(Answer(ADVERTS)),
        "demo-echo": echo,
        "demo-long": lambda request: Answer(long_text()),
        "demo-markdown": always(Answer(MARKDOWN)),
        "demo-reasoning": reason,
        # The ids behind Jmuz's default and aliases; their reply says that the demo stands in for them.
        "gpt-4o": chat,
        "deepseek-v3": chat,
        "gemini-flash": chat,
        "gemini-pro": chat,
        "gemini-thinking": chat,
        "qwq-32b-preview": chat,
    }
)

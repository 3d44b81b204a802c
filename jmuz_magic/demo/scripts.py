"""What the demo endpoint answers: one script for each model id. Same prompt, same answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import count
from types import MappingProxyType
from typing import TypeAlias

from jmuz_magic.demo.answer import Answer
from jmuz_magic.demo.answers import find_answer
from jmuz_magic.demo.prepared import RIDDLE
from jmuz_magic.demo.request import ChatRequest

__all__ = ["ADVERTS", "ADVERTS_CLEAN", "SCRIPTS", "Answer", "Script", "stands_for"]


Script: TypeAlias = Callable[[ChatRequest], Answer]

QUOTED_CHARACTERS = 200
LONG_CHARACTERS = 100_000

INTRODUCTION = """\
This is the **demo endpoint** of jmuz_magic{instead}. It is not a language model: it sends scripted replies, so \
you can try everything without a key, a network or a cost.{prompt}

| it answers | for example |
|---|---|
| sums and comparisons | `What is 17 * 23?` · `Which is larger, 9.11 or 9.9?` |
| for code | `Plot a wave.` · `Explain the difference between a list and a tuple.` · `What is a decorator?` |
| about your code | `%jmuz_fix`, if a cell failed · `Explain this.` with `--context prev` · `What is a KeyError?` |
| for tables, formulas, names | `Show me the planets.` · `The quadratic formula?` · `Suggest names for a boat.` |
| about texts | `Translate "thank you" into French.` · `Summarise {{{{text}}}}` |
| in a conversation | `My name is Ada.`, then `What is my name?` with `--chat` in both cells |

To ask a real model, choose where it runs and ask again:

- `%jmuz_use openai` takes your key from `OPENAI_API_KEY`;
- `%jmuz_use ollama` asks a model on your own machine;
- `%jmuz_use --api-base http://127.0.0.1:8080/v1` asks any other OpenAI-compatible server.

`%jmuz_models demo-` lists what else this endpoint can send.
"""
UNKNOWN = "\n\nNo reply is scripted for what you wrote:\n\n{quote}"

OTHER_RIDDLE = "No answer is prepared for that question, so here is a riddle: a bat and a ball cost 1.10 together. \
The bat costs 1 more than the ball. What does the ball cost?\n\n"

GREETING = re.compile(
    r"\W*(?:hello|hi|hey|good (?:morning|evening)|help|(?:who|what) are you|what (?:can|do) you do)\b[^\n]{,60}",
    re.IGNORECASE,
)


def chat(request: ChatRequest) -> Answer:
    """The answer to what is asked, or an introduction."""
    answer = find_answer(request)
    return introduce(request) if answer is None else Answer(answer.text + note(request))


def note(request: ChatRequest) -> str:
    """What ends an answer, so that nobody takes it for a model's."""
    return f"\n*(A scripted reply of the demo{stand_in(request)}. No language model was asked.)*\n"


def stand_in(request: ChatRequest) -> str:
    return "" if stands_for(request.model) == request.model else f", which stands in for `{request.model}`"


def stands_for(model: str) -> str:
    """The script behind an id: `demo-chat` for those that belong to real models."""
    return model if model.startswith("demo-") else "demo-chat"


def introduce(request: ChatRequest) -> Answer:
    """Say that this is not a model, what it answers, and how to ask a real one."""
    lines = shortened(request.prompt).splitlines() or ["(nothing)"]
    quote = "\n".join(f"> {line}".rstrip() for line in [*lines, *image_lines(request)])
    greeted = GREETING.fullmatch(request.prompt.strip()) and not request.images
    unknown = "" if greeted else UNKNOWN.format(quote=quote)
    return Answer(INTRODUCTION.format(instead=stand_in(request), prompt=unknown))


def reason(request: ChatRequest) -> Answer:
    """The answer with its reasoning; to any other prompt a riddle, which the reply admits."""
    answer = find_answer(request) or Answer(OTHER_RIDDLE + RIDDLE.text, OTHER_RIDDLE + RIDDLE.reasoning)
    return Answer(answer.text + note(request), answer.reasoning)


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

Euler wrote $e^{i\pi} + 1 = 0$, and \(a^2 + b^2 = c^2\) is older. Coffee for $5 and cake for $10 are not maths.

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


REFUSAL = "I cannot help with that. (A scripted refusal of the demo, which this model sends to every request.)\n"
BROKEN = "This reply begins well, and breaks off with an error of the service before its end: the"
OVERLOADED = "the demo breaks off here, as a service does that is overloaded"


def always(answer: Answer) -> Script:
    return lambda request: answer


SCRIPTS: Mapping[str, Script] = MappingProxyType(
    {
        "demo-chat": chat,
        "demo-adverts": always(Answer(ADVERTS)),
        "demo-echo": echo,
        "demo-error": always(Answer(BROKEN, error=OVERLOADED)),
        "demo-long": lambda request: Answer(long_text()),
        "demo-markdown": always(Answer(MARKDOWN)),
        "demo-reasoning": reason,
        "demo-refusal": always(Answer(REFUSAL, is_refusal=True)),
        # Behind Jmuz's default and aliases; list, reply and foot say that they are not what their names say.
        "gpt-4o": chat,
        "deepseek-v3": chat,
        "gemini-flash": chat,
        "gemini-pro": chat,
        "gemini-thinking": chat,
        "qwq-32b-preview": chat,
    }
)

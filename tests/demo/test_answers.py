"""What the demo endpoint answers: chosen by what a prompt asks, and right where it can be calculated."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest

from jmuz_magic.demo import answers
from jmuz_magic.demo.request import ChatRequest
from jmuz_magic.demo.scripts import SCRIPTS
from jmuz_magic.messages import Reply

pytestmark = pytest.mark.finding("C7")

FRAME = (
    "DataFrame: 3 rows × 1 columns\ndtypes: units int64\nall rows:\n      units\nRome    120\nOslo     80\nLima     95"
)
CONTEXT = (
    "Earlier cells of this notebook, oldest first:\n\nIn [17]:\n```python\nsum(sales.units)\n```\n"
    "Output of [17]:\n```text\n295\n```\n\n{}"
)
FAILED = "In [3]:\n```python\nd['b']\n```\nError of [3]:\n```text\nKeyError: 'b'\n```\n\nWhy did that fail?"
FITTING: Sequence[tuple[str, str]] = [
    ("Plot a wave.", "plt.show()"),
    ("Write some code, please", "def fibonacci"),
    ("A query in SQL?", "GROUP BY city"),
    ("What is a decorator?", "functools.wraps"),
    ("what is a monad?", "chain("),
    ("Show me a table", "| Earth "),
    ("Suggest names for a boat.", "**Tern**"),
    ("The quadratic formula, please", r"\sqrt{b^2 - 4ac}"),
    ("The density of a normal distribution?", r"\exp"),
    ('Translate "thank you" into French.', "**Merci** in French"),
    ("How do you say good morning in German or Spanish: translate", "| Spanish | Buenos días |"),
    ("Translate it is raining", "only a few phrases"),
    ("What does KeyError mean?", "A `KeyError` means that a dictionary"),
    (FAILED, "A `KeyError` (`'b'`) means"),
    (CONTEXT.format("Explain this result."), "`sum` adds up the values of `sales.units`\n\nIts result is `295`."),
    ("Explain:\nfor x in range(3):\n    print(x)", "one `x` of `range(3)` after another\n- `print` shows `x`"),
    (f"Summarise {FRAME}", "**3 rows and 1 column**:\n\n| column | type |\n|---|---|\n| units | `int64` |"),
    ("Summarise Cats sleep. All day.\n\nDogs bark. At night.", "- Cats sleep.\n- Dogs bark.\n"),
    ("Summarise " + "Cats sleep. All day.\n\n" * 200, "- Cats sleep.\n" * 200),
    ("Explain:\n" + "for x in y:\n    print(x)\n" * 200, "the loop takes one `x` of `y` after another"),
    ("Summarise this:\nCats sleep. All day.\n\nDogs bark. At night.", "- Cats sleep.\n- Dogs bark.\n"),
]


def answer(prompt: str, *earlier: str, model: str = "demo-chat") -> str:
    messages = [{"role": "user", "content": text} for text in (*earlier, prompt)]
    return SCRIPTS[model](ChatRequest.parse({"model": model, "messages": messages})).text


@pytest.mark.parametrize(
    ("question", "result"),
    [
        ("What is 17 * 23?", "`17 * 23` is **391**"),
        ("12+30", "`12 + 30` is **42**"),
        ("How much is 1,200 times 3?", "`1200 * 3` is **3,600**"),
        ("what is 15 % of 80", "`15 / 100 * 80` is **12**"),
        ("2^10 =", "`2 ** 10` is **1,024**"),
        ("(2 + 3) * -4", "`(2 + 3) * -4` is **-20**"),
        ("0.1 + 0.2", "`0.1 + 0.2` is **0.3**"),
        ("What is 100 divided by 7?", "about **14.2857**, exactly 100/7"),
        ("123456789012345678901234567890.5 * 3", "**370,370,367,037,037,036,703,703,703,671.5**"),
        ("1 / 0", "nothing can be divided by zero"),
    ],
)
def test_sums_are_calculated(question: str, result: str) -> None:
    assert result in answer(question)


@pytest.mark.parametrize(
    "question",
    [
        *("9**9**9", "((9**64)**64)**64", "10**400 / 3", "(" * 99 + "1+1" + ")" * 99, "42"),
        *("Which is larger, 3, 4 or 5?", "Which is larger: 12345678901234567890, 5 or 7?"),
        "```a\n" * 20_000,
        "x\n" + "\n" * 40_000 + "x\nexplain",
        "x\n" + "(a for a in " * 2_000 + "\nexplain",
        "x\n" + "print(" * 15_000 + "\nexplain",
    ],
)
def test_what_would_take_too_long_or_is_no_sum_is_left_alone(question: str) -> None:
    began = time.process_time()
    assert "No reply is scripted" in answer(question)
    assert time.process_time() - began < 5


def test_a_long_line_in_a_traceback_takes_no_time() -> None:
    error = "File <" * 15_000 + "\nZeroDivisionError: division by zero"
    began = time.process_time()
    assert "1 / 0" in answer(f"x\nThe cell:\n```python\n1 / 0\n```\n\nThe error:\n```text\n{error}\n```\n")
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("question", "larger"),
    [
        ("Which is larger, 9.11 or 9.9?", "**9.9** is larger: $9.9 = 9.90$, and $9.90 - 9.11 = 0.79$."),
        ("Is 5 less than -3.5?", "**5** is larger: $5 = 5.0$, and $5.0 - (-3.5) = 8.5$."),
        ("Which is bigger: -1.5 or -1.4?", "**-1.4** is larger: $-1.4 - (-1.5) = 0.1$.\n\n*"),
        ("Which is more, 2 or 2.0?", "**equal**"),
        ("A bat and a ball cost 1.10, and the bat is 1.00 more than the ball. What does it cost?", "**0.05**"),
    ],
)
def test_numbers_are_compared(question: str, larger: str) -> None:
    assert answer(question).startswith(larger) or larger in answer(question).splitlines()[0]


@pytest.mark.parametrize(("question", "expected"), FITTING)
def test_the_answer_fits_what_is_asked(question: str, expected: str) -> None:
    text = answer(question)
    assert expected in text
    assert text.endswith("No language model was asked.)*\n")


@pytest.mark.parametrize("question", [f"Where did we sell more than 90?\n\n{FRAME}", "Summarise this.", "Explain."])
def test_without_an_answer_it_says_what_can_be_asked(question: str) -> None:
    text = answer(question)
    assert "No reply is scripted for what you wrote:" in text
    assert "`What is 17 * 23?`" in text


def test_the_examples_of_the_introduction_are_answered() -> None:
    examples = [
        example
        for line in answer("hello").splitlines()
        if line.startswith("| ")
        for example in line.split("`")[1::2]
        if example[0].isupper() and "{{" not in example and "name" not in example.lower().split()
    ]
    assert len(examples) >= 9
    for example in examples:
        asked = CONTEXT.format(example) if example == "Explain this." else example
        assert "No language model was asked.)*" in answer(asked), example


def test_a_conversation_knows_what_was_said_before() -> None:
    assert "Hello, Ada." in answer("My name is Ada.")
    assert "**Ada**" in answer("What is my name?", "My name is Ada.", "And what is 2 + 2?")
    assert "not in what was sent" in answer("What is my name?")


@pytest.mark.parametrize("question", ["plot", "fibonacci", "decorator", "monad", "list or tuple", "sort a list"])
def test_prepared_python_compiles(question: str) -> None:
    (block,) = Reply(answer(question)).code_blocks
    assert ast.parse(block.code).body


@pytest.mark.parametrize(
    "question", [*(question for question, _ in FITTING), "17 * 23?", "my name is Ada", "Who am I?"]
)
def test_nothing_is_left_unimported_that_would_answer(question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = answer(question)
    monkeypatch.setattr(answers, "KINDS", [([""], module, name) for _, module, name in answers.KINDS])
    assert answer(question) == found


def test_a_greeting_and_a_question_import_only_what_they_need() -> None:
    program = (
        "import sys, jmuz_magic.demo.scripts as s\nfrom jmuz_magic.demo.request import ChatRequest\n"
        "for text in ('hello', 'Which is larger, 9.11 or 9.9?'):\n"
        "    asked = {'model': 'demo-chat', 'messages': [{'role': 'user', 'content': text}]}\n"
        "    s.SCRIPTS['demo-chat'](ChatRequest.parse(asked))\n"
        "    print(*(name for name in sys.argv if {name, f'jmuz_magic.demo.{name}'} & {*sys.modules}))"
    )
    subjects = ["arithmetic", "corrections", "fractions", "phrases", "prepared", "reading", "sums"]
    done = subprocess.run([sys.executable, "-c", program, *subjects], capture_output=True, text=True, timeout=60)
    assert (done.stdout.splitlines(), done.stderr) == (["prepared", "arithmetic prepared"], "")

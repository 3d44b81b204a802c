from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from IPython.core.error import UsageError
from PIL import Image as Pillow

from jmuz_magic.magics.commands.jmuz import AskOptions, jmuz
from jmuz_magic.magics.prompt.builder import PromptBuilder
from jmuz_magic.magics.prompt.scope import Scope
from jmuz_magic.magics.session import Session
from jmuz_magic.messages import Message
from jmuz_magic.secret import Secret


class Asker:
    """Reads a line as `%%jmuz` does, up to the message."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.session = Session(shell)
        self.session.cells.attach(self.session.undo)

    def ask(self, line: str, question: str = "", *, max_bytes: int = 2**20) -> tuple[Message, AskOptions, Any]:
        _, options, prompt = jmuz.parser.read_prompt(line, question)
        builder = PromptBuilder(self.session, Scope(self.shell.user_ns), raw=options.raw, max_bytes=max_bytes)
        options = jmuz.parser.put_in(options, builder.expanded)
        builder.check_system(options.system)
        secrets = [Secret("swordfish")]
        message = builder.message(prompt, attached=options.attach, context=options.context, secrets=secrets)
        return message, options, builder.body(options.options)

    def text(self, line: str, question: str = "") -> str:
        content = self.ask(line, question)[0]["content"]
        assert isinstance(content, str)
        return content

    def refusal(self, line: str, question: str = "question", **settings: Any) -> str:
        with pytest.raises(UsageError) as caught:
            self.ask(line, question, **settings)
        assert caught.type is UsageError
        assert "\n" not in str(caught.value)
        return str(caught.value)


@pytest.fixture
def asker(shell: Any) -> Asker:
    shell.user_ns.update(x=3, half=0.5, name="gpt-4o", tools=[{"type": "function"}], word="0.5", table=[1, 2])
    return Asker(shell)


def picture(color: str = "red") -> bytes:
    buffer = BytesIO()
    Pillow.new("RGB", (1, 1), color).save(buffer, "PNG")
    return buffer.getvalue()


def test_expressions_in_option_values_are_replaced_and_read_as_their_types(asker: Asker) -> None:
    _, options, _ = asker.ask("-m {{name}} -t {{half}} --max-tokens={{x}} -s 'be {{x}}' --chat=c{{x}} hi")
    assert options.model == "gpt-4o"
    assert options.temperature == 0.5
    assert options.max_tokens == 3
    assert options.system == "be 3"
    assert options.chat == "c3"


@pytest.mark.parametrize(
    ("line", "system"),
    [
        ("-s {{d['a b']}} hi", "v"),
        ("-s a{{ d['a b'] + \"'\" }}b hi", "av'b"),
        ("-s \"{{d['a b']}} c\" hi", "v c"),
        ("-s '{{x + 1}} c' hi", "4 c"),
        ("-s={{x}} hi", "3"),
        ("--system={{x + 1}} hi", "4"),
        ("-s {{x}}{{x}} hi", "33"),
        ("-s {x} hi", "{x}"),
        ("-s a\\ b hi", "a b"),
        ("-s {'a':{'b':1}} hi", "{a:{b:1}}"),
    ],
)
def test_an_expression_in_an_option_keeps_its_quotes_and_blanks(asker: Asker, line: str, system: str) -> None:
    asker.shell.user_ns["d"] = {"a b": "v"}
    message, options, _ = asker.ask(line)
    assert (message["content"], options.system) == ("hi", system)


def test_a_value_of_the_wrong_type_is_refused_as_if_it_were_written(asker: Asker) -> None:
    assert "argument -t/--temperature: expected a number such as 0.7, got 'gpt-4o'" in asker.refusal("-t {{name}}")
    assert "argument --context: expected prev, all or a number of at least 1" in asker.refusal("--context {{name}}")
    assert "'{{half}}'" in asker.refusal("--raw -t {{half}}")


def test_an_expression_in_an_option_is_refused_with_the_options_name(asker: Asker) -> None:
    line = asker.refusal("-t {{halff}}")
    assert "{{halff}} in the value of --temperature: there is no 'halff'; did you mean 'half'?" in line
    assert "--raw" in line


@pytest.mark.parametrize(
    ("line", "body"),
    [
        ("-o seed 1 hi", {"seed": 1}),
        ("-o seed 0 -o flag false -o nothing null hi", {"seed": 0, "flag": False, "nothing": None}),
        ('-o stop \'["a", "b"]\' hi', {"stop": ["a", "b"]}),
        ("-o effort low hi", {"effort": "low"}),
        ("-o a 1 -o a 2 hi", {"a": 2}),
        ("-o top_p {{half}} hi", {"top_p": 0.5}),
        ("-o top_p {{word}} hi", {"top_p": 0.5}),
        ("-o tools {{tools}} hi", {"tools": [{"type": "function"}]}),
        ("-o user id-{{x}} hi", {"user": "id-3"}),
        ("-o n {{len}} hi", {"n": "<function len(obj, /)>"}),
        ("--raw -o n {{x}} hi", {"n": "{{x}}"}),
    ],
)
def test_options_of_the_body_are_json_if_they_parse(asker: Asker, line: str, body: dict[str, Any]) -> None:
    assert asker.ask(line)[2] == body


def test_raw_leaves_everything_as_it_is(asker: Asker) -> None:
    message, options, _ = asker.ask("--raw -s '{{x}}'", "x^{{2}} {{x}} {{")
    assert message["content"] == "x^{{2}} {{x}} {{"
    assert options.system == "{{x}}"


def test_images_stand_behind_the_text_those_named_in_it_first(asker: Asker) -> None:
    red, blue = Pillow.new("RGB", (1, 1), "red"), picture("blue")
    asker.shell.user_ns.update(red=red, blue=blue, pictures=[red])
    content = asker.ask("-a blue -a {{pictures[0]}}", "{{red}}?")[0]["content"]
    assert isinstance(content, list)
    assert [part["type"] for part in content] == ["text", "image_url", "image_url", "image_url"]
    assert content[0]["text"] == "[image 1]?"
    assert content[1] == content[3] != content[2]


def test_without_images_the_content_is_text(asker: Asker) -> None:
    assert asker.text("", "hi {{x}}") == "hi 3"


def test_context_stands_before_the_question_masked(asker: Asker) -> None:
    asker.shell.run_cell("a = 1", store_history=True)
    asker.shell.run_cell("'swordfish' + str(a)", store_history=True)
    text = asker.text("--context prev", "why?")
    assert text.startswith("Earlier cells of this notebook")
    assert text.endswith("\n\nwhy?")
    assert "In [2]" in text
    assert "In [1]" not in text
    assert "swordfish" not in text
    assert "In [1]" in asker.text("--context all", "why?")


@pytest.mark.threat(19)
def test_expressions_in_earlier_cells_are_not_evaluated(asker: Asker) -> None:
    asker.shell.run_cell("template = '{{x}}'", store_history=True)
    assert "template = '{{x}}'" in asker.text("--context 5", "why?")


def test_context_without_an_earlier_cell_is_refused(asker: Asker) -> None:
    assert "no earlier cell" in asker.refusal("--context prev")


@pytest.mark.fault(56)
def test_the_size_counts_with_everything_put_in(asker: Asker) -> None:
    asker.shell.user_ns["large"] = "y" * 200
    assert "the prompt has 200 bytes, more than the 100" in asker.refusal("", "{{large}}", max_bytes=100)
    assert "the prompt has 101 bytes" in asker.refusal("", "z" * 101, max_bytes=100)
    assert "the system message has 200 bytes" in asker.refusal("-s {{large}}", max_bytes=100)


@pytest.mark.fault(56)
def test_an_empty_prompt_is_refused_also_where_it_becomes_so(asker: Asker) -> None:
    asker.shell.user_ns["nothing"] = " "
    assert "the prompt is empty" in asker.refusal("", " ")
    assert "the prompt is empty" in asker.refusal("", "{{nothing}}")

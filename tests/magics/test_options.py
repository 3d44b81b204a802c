import ast
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError

from jmuz_magic.magics.line import parser as parser_file
from jmuz_magic.magics.line.magic import magic
from jmuz_magic.magics.line.options import Options, option, sent_with
from jmuz_magic.magics.line.parser import MagicParser


@dataclass(frozen=True)
class Given(Options):
    """Ask."""

    model: str | None = option("-m, --model MODEL", "whom")
    system: str | None = option("-s, --system TEXT", "how", may_be_empty=True)
    temperature: float | None = option("-t, --temperature NUMBER", "how wild", read=float)
    chat: str | None = option("-c, --chat [NAME]", "where", absent="main")
    code: str | None = option("-x, --code [LANG]", "what for", absent="")
    usage: bool = option("-u, --usage", "how much")
    option: tuple[tuple[str, str], ...] = option("-o, --option KEY VALUE", "what else", repeats=True)


@pytest.fixture
def parser() -> MagicParser[Given]:
    return MagicParser("%jmuz", Given, takes_prompt=True)


def given_by(options: Given) -> dict[str, Any]:
    """What a line says, without what it leaves open."""
    absent = Given()
    return {
        name: value
        for name, value in vars(options).items()
        if name != "written" and (type(value), value) != (type(getattr(absent, name)), getattr(absent, name))
    }


@pytest.mark.parametrize(
    ("line", "given", "question"),
    [
        ("", {}, "cell"),
        ("-m gpt-4o what's up?", {"model": "gpt-4o"}, "what's up?\ncell"),
        ("-m mistral:7b", {"model": "mistral:7b"}, "cell"),
        ("-m 'a b' -t -1", {"model": "a b", "temperature": -1.0}, "cell"),
        ("--model=x -t0", {"model": "x", "temperature": 0.0}, "cell"),
        ('-s "it\'s" "quoted" q', {"system": "it's"}, '"quoted" q\ncell'),
        ("-s -dashed- it's", {"system": "-dashed-"}, "it's\ncell"),
        ('-s ""', {"system": ""}, "cell"),
        ("--system= hi", {"system": ""}, "hi\ncell"),
        ("-- -m x", {}, "-m x\ncell"),
        ("-5 + 3 = ?", {}, "-5 + 3 = ?\ncell"),
        ("- a list", {}, "- a list\ncell"),
        ("what does -m mean?", {}, "what does -m mean?\ncell"),
        ("--chat hello there", {"chat": "main"}, "hello there\ncell"),
        ("--chat why?", {"chat": "main"}, "why?\ncell"),
        ("--chat -- hello", {"chat": "main"}, "hello\ncell"),
        ("--chat=hello", {"chat": "hello"}, "cell"),
        ("-c -u", {"chat": "main", "usage": True}, "cell"),
        ("-xu", {"code": "", "usage": True}, "cell"),
        ("-o stop -5 -o n 2 go", {"option": (("stop", "-5"), ("n", "2"))}, "go\ncell"),
    ],
)
def test_options_come_first_and_the_rest_is_the_question(
    parser: MagicParser[Given], line: str, given: dict[str, object], question: str
) -> None:
    target, options, asked = parser.read_prompt(line, "cell\n")
    assert target is None
    assert given_by(options) == given
    assert asked == question


def test_the_target_is_taken_off_before_the_options(parser: MagicParser[Given]) -> None:
    target, options, question = parser.read_prompt("answer << -m x a << b", "")
    assert (target, options.model, question) == ("answer", "x", "a << b")


def test_the_question_is_verbatim_but_for_the_line_breaks_at_its_end(parser: MagicParser[Given]) -> None:
    cell = "  {'a': 1} ${x} %d $\\frac{1}{2}$ \n\n\ttail  \n\n"
    assert parser.read_prompt("", cell)[2] == cell.rstrip("\n")


@pytest.mark.fault(57)
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--temp 3 x", "did you mean --temperature"),
        ("--nonsense x", "unknown option '--nonsense'"),
        ("-t abc x", "could not convert string to float: 'abc'"),
        ("-m", "argument -m/--model: expected MODEL, got nothing"),
        ("-o key", "argument -o/--option: expected KEY VALUE, got 'key'"),
        ("-s 'abc", "unclosed quote"),
        ("--helpless", "(for help run %jmuz?)"),
        ("class << hi", "'class' is a keyword"),
        ("--usage=yes", "expected no value, got 'yes'"),
        ("--usage= hi", "expected no value, got ''"),
        ("--chat= hi", "--chat: expected a name after =, got nothing"),
        ('--chat="" hi', "--chat: expected a name after =, got nothing"),
        ("--code= hi", "--code: expected a value after =, got nothing"),
        ("-m= hi", "-m: expected a value after =, got nothing"),
        ("--seed 5 hi", "unknown option '--seed'; for an option of the request write -o seed 5 ("),
        ("--top-p=0.5 hi", "unknown option '--top-p=0.5'; for an option of the request write -o top_p 0.5 ("),
        ("--stop", "unknown option '--stop'; for an option of the request write -o stop VALUE ("),
    ],
)
def test_a_wrong_option_is_one_line(parser: MagicParser[Given], line: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        parser.read_prompt(line, "cell\n")
    assert type(caught.value) is UsageError
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.threat(10)
@pytest.mark.parametrize("line", ["--api-key sk-1 hi", "--api-key=sk-1 hi", "-m x --api_key sk-1"])
def test_a_key_on_the_line_is_refused_and_not_repeated(parser: MagicParser[Given], line: str) -> None:
    with pytest.raises(UsageError, match="already in the notebook") as caught:
        parser.read_prompt(line, "cell\n")
    assert "sk-1" not in str(caught.value)
    with pytest.raises(UsageError, match="already in the notebook"):
        parser.read_arguments(line)


def test_a_question_may_speak_of_api_keys(parser: MagicParser[Given]) -> None:
    assert parser.read_prompt("what is --api-key for?", "")[2] == "what is --api-key for?"


@dataclass(frozen=True)
class Choice(Options):
    """Choose."""

    provider: str | None = option("PROVIDER", "whom")
    more: tuple[str, ...] = option("MORE …")
    model: str | None = option("--model MODEL")
    save: bool = option("--save", "for later")


def test_arguments_may_stand_in_any_order() -> None:
    parser = MagicParser("%jmuz_use", Choice)
    for line in ("ollama a b --save", "--save ollama a b", "ollama --save a b", "ollama a --save b"):
        options = parser.read_arguments(line)
        assert (options.provider, options.more, options.save) == ("ollama", ("a", "b"), True)
    with pytest.raises(UsageError, match="an unclosed quote in"):
        parser.read_arguments("'ollama")


def test_after_two_dashes_words_are_arguments() -> None:
    parser = MagicParser("%jmuz_use", Choice)
    assert parser.read_arguments("--save -- --odd # why") == Choice(provider="--odd", save=True)
    assert parser.read_arguments("odd -- -- --save") == Choice(provider="odd", more=("--", "--save"))


@pytest.mark.parametrize("word", ["-ö", "--5", "-1a", "---", "-{"])
def test_an_argument_does_not_begin_with_a_dash_unless_it_is_quoted_or_a_number(word: str) -> None:
    parser = MagicParser("%jmuz_use", Choice)
    with pytest.raises(UsageError, match="unknown option"):
        parser.read_arguments(f"--save {word}")
    for line in (f"'{word}'", f"-- {word}"):
        assert parser.read_arguments(line) == Choice(provider=word)
    assert parser.read_arguments("-3 -0.5 -") == Choice(provider="-3", more=("-0.5", "-"))


@pytest.mark.parametrize("line", ["-o seed -t 0.2 hi", "-o -t 0.2 hi", "-o seed --chat=x hi"])
def test_an_option_is_not_the_value_that_was_forgotten_before_it(parser: MagicParser[Given], line: str) -> None:
    with pytest.raises(UsageError, match="argument -o/--option: expected KEY VALUE, got"):
        parser.read_prompt(line)
    assert parser.read_prompt("-o penalty -1 -o stop '-x' hi")[1].option == (("penalty", "-1"), ("stop", "-x"))


def test_without_a_prompt_an_option_is_never_a_value() -> None:
    parser = MagicParser("%jmuz_use", Choice)
    with pytest.raises(UsageError, match="argument --model: expected MODEL, got nothing"):
        parser.read_arguments("--model --save")
    assert parser.read_arguments("--model -1").model == "-1"
    assert parser.read_arguments("--model=--save").model == parser.read_arguments("--model '--save'").model == "--save"


def test_where_no_expressions_are_replaced_a_number_is_a_number() -> None:
    parser = MagicParser("%jmuz_log", Given)
    with pytest.raises(UsageError, match="-t/--temperature: could not convert"):
        parser.read_arguments("-t {{x}}")


def test_a_word_too_many_is_named(parser: MagicParser[Given]) -> None:
    with pytest.raises(UsageError, match="unexpected argument 'extra'"):
        parser.read_arguments("-u extra")


def test_the_help_becomes_the_docstring() -> None:
    @magic(Given)
    def jmuz_ask(session: object, options: Given) -> None:
        """Ask somebody."""

    assert "Ask somebody." in str(jmuz_ask.__doc__)
    assert "--temperature NUMBER" in str(jmuz_ask.__doc__)
    assert jmuz_ask.parser.read_arguments("-t 1") == Given(temperature=1.0)


def test_an_option_that_is_taken_only_to_be_refused_is_not_offered() -> None:
    parser = MagicParser("%jmuz_use", Choice)
    assert parser.flags() == ["-h", "--help", "--save"]
    assert parser.argument(1) is None
    with pytest.raises(UsageError, match=r"unknown option '--mode' \("):
        parser.read_arguments("--mode")


@pytest.mark.parametrize(("line", "written"), [("--chat trip", "--chat=trip"), ("-x python -u", "--code=python")])
def test_a_value_that_would_be_sent_as_the_question_is_refused(
    parser: MagicParser[Given], line: str, written: str
) -> None:
    with pytest.raises(UsageError, match=f"after an equals sign: {written};"):
        parser.read_prompt(line, "cell\n")


def test_a_question_of_one_word_needs_no_cell(parser: MagicParser[Given]) -> None:
    assert parser.read_prompt("--chat hello")[2] == "hello"


def test_parsing_hangs_on_no_inner_part_of_argparse() -> None:
    """What argparse does not document changes: Python 3.13 parses words in any order without `parse_known_args`."""
    for path in Path(str(parser_file.__file__)).parent.parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not [node for node in imports if "argparse" in ast.unparse(node)], path


def test_what_a_line_says_is_typed_and_does_not_change(parser: MagicParser[Given]) -> None:
    options = parser.read_prompt("-m x -t 0 -u")[1]
    assert options == Given(model="x", temperature=0.0, usage=True)
    with pytest.raises(FrozenInstanceError):
        options.model = "y"  # type: ignore[misc]  # frozen: mypy says so, too


def test_the_flag_is_known_as_it_was_typed(parser: MagicParser[Given]) -> None:
    for line, written in (("-t 0", "-t"), ("-t0", "-t"), ("--temperature=0", "--temperature")):
        assert parser.read_prompt(line)[1].written == {"temperature": (written, "0")}


def test_flags_of_one_letter_go_together_and_the_last_may_have_a_value(parser: MagicParser[Given]) -> None:
    assert parser.read_prompt("-xumphi4 hi")[1] == Given(code="", usage=True, model="phi4")
    assert parser.read_arguments("-uxm phi4") == Given(code="", usage=True, model="phi4")


@pytest.mark.finding("A17")
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('{"type":"json_object"}', '{"type":"json_object"}'),
        ('{"type": "json object", "n": [1, "it\'s }"]}', '{"type": "json object", "n": [1, "it\'s }"]}'),
        ('["a b", "c"]', '["a b", "c"]'),
        ('\'{"type": "text"}\'', '{"type": "text"}'),
        ("[INST]", "[INST]"),
        ("{{schema}}", "{{schema}}"),
    ],
)
def test_json_after_an_option_is_taken_to_its_end(parser: MagicParser[Given], written: str, read: str) -> None:
    _, given, question = parser.read_prompt(f"-o response_format {written} -u why?", "")
    assert (given.option, given.usage, question) == ((("response_format", read),), True, "why?")
    given = parser.read_arguments(f"-o response_format {written} -u")
    assert (given.option, given.usage) == ((("response_format", read),), True)


@pytest.mark.finding("A17")
@pytest.mark.parametrize("written", ["{type:json_object}", '{"type": "x"', "{'a': 1}"])
def test_what_begins_as_json_and_is_none_is_refused(parser: MagicParser[Given], written: str) -> None:
    with pytest.raises(UsageError, match="-o response_format: expected JSON, got") as caught:
        parser.read_prompt(f"-o response_format {written} why?", "")
    assert "\n" not in str(caught.value)


@pytest.mark.finding("A17")
@pytest.mark.parametrize("name", ["notes\\chat.jmuz.jsonl", "notes\\2025\\new.md", ".\\notes\\chat.md"])
def test_a_windows_path_into_a_folder_names_a_file_in_it(
    parser: MagicParser[Given], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes" / "2025").mkdir(parents=True)
    system = parser.read_arguments(f"-s {name}").system
    assert system
    assert Path(system).parent.resolve().is_relative_to(tmp_path / "notes")
    assert parser.read_prompt(f"-s {name} why?", "")[1].system == system


@pytest.mark.finding("A17")
@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r"C:\Users\me\chat.md", r"C:\Users\me\chat.md"),
        (r"\\server\share\chat.md", r"\\server\share\chat.md"),
        (r"nowhere\chat.md", r"nowhere\chat.md"),
        (r"with\ blank", "with blank"),
        (r"it\'s", "it's"),
        (r"a\\b", r"a\b"),
        (r'"say \"hi\""', 'say "hi"'),
    ],
)
def test_a_backslash_before_a_letter_stays(parser: MagicParser[Given], written: str, read: str) -> None:
    assert parser.read_arguments(f"-s {written}").system == read


@pytest.mark.finding("C1")
@pytest.mark.parametrize(
    ("line", "given", "question"),
    [
        ("-m x  # note", {"model": "x"}, "cell"),
        ("-m x #note, isn't it?", {"model": "x"}, "cell"),
        ("# a 'note", {}, "cell"),
        ("-u --chat # as before", {"chat": "main", "usage": True}, "cell"),
        ("-m '#x' -s \"a # b\" # note", {"model": "#x", "system": "a # b"}, "cell"),
    ],
)
def test_a_comment_after_the_options_of_a_cell_is_not_sent(
    parser: MagicParser[Given], line: str, given: dict[str, object], question: str
) -> None:
    for start in ("", "answer << "):
        _, options, asked = parser.read_prompt(start + line, "cell\n")
        assert (given_by(options), asked) == (given, question)


@pytest.mark.parametrize(
    ("line", "cell", "question"),
    [
        ("-m x what is # here?", "", "what is # here?"),
        ("-m x # Title", "", "# Title"),
        ("-m x # Title", "\n", "# Title"),
        ("-m x -- # Title", "cell\n", "# Title\ncell"),
        ("-m x issue # 5", "cell\n", "issue # 5\ncell"),
        ("-m c# why?", "", "why?"),
        ("", "# Title\ntext # more\n", "# Title\ntext # more"),
    ],
)
def test_in_a_prompt_a_hash_is_text(parser: MagicParser[Given], line: str, cell: str, question: str) -> None:
    assert parser.read_prompt(line, cell)[2] == question


@pytest.mark.finding("C1")
@pytest.mark.parametrize(
    "line", ["-m x -u # or openai, gemini", "-m x #it's -u\"", "-u -m x\t#", "  -m x -u   # -t 0 --nonsense"]
)
def test_a_comment_ends_a_line_of_arguments(parser: MagicParser[Given], line: str) -> None:
    assert parser.read_arguments(line).model == "x"
    assert parser.read_arguments(line).temperature is None


@pytest.mark.parametrize(
    ("line", "model"), [("-m '# x'", "# x"), ('-m "#"', "#"), (r"-m \#x", "#x"), ("-m c#", "c#"), ("-m #x", "#x")]
)
def test_a_hash_that_is_quoted_or_in_a_word_is_text(parser: MagicParser[Given], line: str, model: str) -> None:
    assert parser.read_arguments(line).model == model


@pytest.mark.parametrize("read", [MagicParser.read_arguments, MagicParser.read_prompt])
def test_a_comment_is_no_value(parser: MagicParser[Given], read: Callable[[MagicParser[Given], str], object]) -> None:
    with pytest.raises(UsageError, match="expected MODEL, got nothing"):
        read(parser, "-m # the model")


def test_what_is_sent_is_what_the_user_gave() -> None:
    @dataclass(frozen=True)
    class Sent(Options):
        seed: int | None = option("--seed N", "the same again", read=int, sent=True)
        top_p: float | None = option("--top-p P", "how many words", read=float, sent=True)
        usage: bool = option("--usage", "how much")

    options = MagicParser("%jmuz", Sent).read_arguments("--seed 0 --usage")
    assert sent_with(options) == {"seed": 0}
    assert options.written["seed"][0] == "--seed"

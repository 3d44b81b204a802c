import argparse
import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from IPython.core.error import UsageError

from jmuz_magic.magics.line import parser as options
from jmuz_magic.magics.line.parser import MagicParser, documented_by, read_arguments, read_question


@pytest.fixture
def parser() -> MagicParser:
    parser = MagicParser("%jmuz", "Ask.")
    parser.add_argument("-m", "--model")
    parser.add_argument("-s", "--system")
    parser.add_argument("-t", "--temperature", type=float)
    parser.add_argument("-c", "--chat", nargs="?", const="main")
    parser.add_argument("-x", "--code", nargs="?", const="")
    parser.add_argument("-o", "--option", nargs=2, action="append")
    parser.add_argument("-u", "--usage", action="store_true")
    return parser


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
        ("-o stop -5 -o n 2 go", {"option": [["stop", "-5"], ["n", "2"]]}, "go\ncell"),
    ],
)
def test_options_come_first_and_the_rest_is_the_question(
    parser: MagicParser, line: str, given: dict[str, object], question: str
) -> None:
    target, options, asked = read_question(parser, line, "cell\n")
    assert target is None
    assert {name: value for name, value in vars(options).items() if value is not None and value is not False} == given
    assert asked == question


def test_the_target_is_taken_off_before_the_options(parser: MagicParser) -> None:
    target, options, question = read_question(parser, "answer << -m x a << b", "")
    assert (target, options.model, question) == ("answer", "x", "a << b")


def test_the_question_is_verbatim_but_for_the_line_breaks_at_its_end(parser: MagicParser) -> None:
    cell = "  {'a': 1} ${x} %d $\\frac{1}{2}$ \n\n\ttail  \n\n"
    assert read_question(parser, "", cell)[2] == cell.rstrip("\n")


@pytest.mark.fault(57)
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--temp 3 x", "did you mean --temperature"),
        ("--nonsense x", "there is no '--nonsense'"),
        ("-t abc x", "invalid float value: 'abc'"),
        ("-m", "expected one argument"),
        ("-o key", "expected 2 arguments"),
        ("-s 'abc", "unclosed quote"),
        ("--help", "(%jmuz? shows all)"),
        ("class << hi", "'class' is a keyword"),
        ("--usage=yes", "ignored explicit argument"),
    ],
)
def test_a_wrong_option_is_one_line(parser: MagicParser, line: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_question(parser, line, "cell\n")
    assert type(caught.value) is UsageError
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.threat(10)
@pytest.mark.parametrize("line", ["--api-key sk-1 hi", "--api-key=sk-1 hi", "-m x --api_key sk-1"])
def test_a_key_on_the_line_is_refused_and_not_repeated(parser: MagicParser, line: str) -> None:
    with pytest.raises(UsageError, match="already in the notebook") as caught:
        read_question(parser, line, "cell\n")
    assert "sk-1" not in str(caught.value)
    with pytest.raises(UsageError, match="already in the notebook"):
        read_arguments(parser, line)


def test_a_question_may_speak_of_api_keys(parser: MagicParser) -> None:
    assert read_question(parser, "what is --api-key for?", "")[2] == "what is --api-key for?"


def test_arguments_may_stand_in_any_order() -> None:
    parser = MagicParser("%jmuz_use", "Choose.")
    parser.add_argument("provider", nargs="?")
    parser.add_argument("more", nargs="*")
    parser.add_argument("--save", action="store_true")
    for line in ("ollama a b --save", "--save ollama a b", "ollama --save a b", "ollama a --save b"):
        options = read_arguments(parser, line)
        assert (options.provider, options.more, options.save) == ("ollama", ["a", "b"], True)
    with pytest.raises(UsageError, match="an unclosed quote in"):
        read_arguments(parser, "'ollama")


def test_a_word_too_many_is_named(parser: MagicParser) -> None:
    with pytest.raises(UsageError, match="unexpected argument 'extra'"):
        read_arguments(parser, "-u extra")


def test_the_help_becomes_the_docstring(parser: MagicParser) -> None:
    @documented_by(parser)
    def jmuz() -> None: ...

    assert "--temperature" in str(jmuz.__doc__)


def test_an_option_that_is_taken_only_to_be_refused_is_not_offered() -> None:
    parser = MagicParser("%jmuz_use", "Choose.")
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--save", action="store_true")
    assert parser.options() == ["--save"]
    with pytest.raises(UsageError, match=r"there is no '--mode' \("):
        read_arguments(parser, "--mode")


@pytest.mark.parametrize(("line", "written"), [("--chat trip", "--chat=trip"), ("-x python -u", "--code=python")])
def test_a_value_that_would_be_sent_as_the_question_is_refused(parser: MagicParser, line: str, written: str) -> None:
    with pytest.raises(UsageError, match=f"after an equals sign: {written};"):
        read_question(parser, line, "cell\n")


def test_a_question_of_one_word_needs_no_cell(parser: MagicParser) -> None:
    assert read_question(parser, "--chat hello")[2] == "hello"


def test_parsing_hangs_on_no_inner_part_of_argparse() -> None:
    """What argparse does not document changes: Python 3.13 parses words in any order without `parse_known_args`."""
    tree = ast.parse(Path(options.__file__).read_text(encoding="utf-8"))
    (parser,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "MagicParser")
    own = {node.name for node in parser.body if isinstance(node, ast.FunctionDef)}
    assert own & set(dir(argparse.ArgumentParser)) - {"__init__"} == {"add_argument", "error", "format_help"}
    private = {node.attr for node in ast.walk(parser) if isinstance(node, ast.Attribute) and node.attr.startswith("_")}
    assert private & set(vars(argparse.ArgumentParser())) == set()
    assert private & set(dir(argparse.ArgumentParser)) == {"__init__"}


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
def test_json_after_an_option_is_taken_to_its_end(parser: MagicParser, written: str, read: str) -> None:
    _, given, question = read_question(parser, f"-o response_format {written} -u why?", "")
    assert (given.option, given.usage, question) == ([["response_format", read]], True, "why?")
    given = read_arguments(parser, f"-o response_format {written} -u")
    assert (given.option, given.usage) == ([["response_format", read]], True)


@pytest.mark.finding("A17")
@pytest.mark.parametrize("written", ["{type:json_object}", '{"type": "x"', "{'a': 1}"])
def test_what_begins_as_json_and_is_none_is_refused(parser: MagicParser, written: str) -> None:
    with pytest.raises(UsageError, match="-o response_format: expected JSON, got") as caught:
        read_question(parser, f"-o response_format {written} why?", "")
    assert "\n" not in str(caught.value)


@pytest.mark.finding("A17")
@pytest.mark.parametrize("name", ["notes\\chat.jmuz.jsonl", "notes\\2025\\new.md", ".\\notes\\chat.md"])
def test_a_windows_path_into_a_folder_names_a_file_in_it(
    parser: MagicParser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes" / "2025").mkdir(parents=True)
    system = read_arguments(parser, f"-s {name}").system
    assert Path(system).parent.resolve().is_relative_to(tmp_path / "notes")
    assert read_question(parser, f"-s {name} why?", "")[1].system == system


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
def test_a_backslash_before_a_letter_stays(parser: MagicParser, written: str, read: str) -> None:
    assert read_arguments(parser, f"-s {written}").system == read


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
    parser: MagicParser, line: str, given: dict[str, object], question: str
) -> None:
    for start in ("", "answer << "):
        _, options, asked = read_question(parser, start + line, "cell\n")
        got = {name: value for name, value in vars(options).items() if value is not None and value is not False}
        assert (got, asked) == (given, question)


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
def test_in_a_prompt_a_hash_is_text(parser: MagicParser, line: str, cell: str, question: str) -> None:
    assert read_question(parser, line, cell)[2] == question


@pytest.mark.finding("C1")
@pytest.mark.parametrize(
    "line", ["-m x -u # or openai, gemini", "-m x #it's -u\"", "-u -m x\t#", "  -m x -u   # -t 0 --nonsense"]
)
def test_a_comment_ends_a_line_of_arguments(parser: MagicParser, line: str) -> None:
    assert read_arguments(parser, line).model == "x"
    assert read_arguments(parser, line).temperature is None


@pytest.mark.parametrize(
    ("line", "model"), [("-m '# x'", "# x"), ('-m "#"', "#"), (r"-m \#x", "#x"), ("-m c#", "c#"), ("-m #x", "#x")]
)
def test_a_hash_that_is_quoted_or_in_a_word_is_text(parser: MagicParser, line: str, model: str) -> None:
    assert read_arguments(parser, line).model == model


@pytest.mark.parametrize("read", [read_arguments, read_question])
def test_a_comment_is_no_value(parser: MagicParser, read: Callable[[MagicParser, str], object]) -> None:
    with pytest.raises(UsageError, match="expected one argument"):
        read(parser, "-m # the model")

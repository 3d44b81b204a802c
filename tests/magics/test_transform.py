import pytest
from IPython.core.error import UsageError
from IPython.core.inputtransformer2 import TransformerManager

from jmuz_magic.magics.commands.jmuz import jmuz
from jmuz_magic.magics.line.transform import transforms
from tests.magics.loaded import UserShell


def plain() -> TransformerManager:
    return TransformerManager()  # type: ignore[no-untyped-call]  # IPython leaves it unannotated


@pytest.fixture
def transform() -> TransformerManager:
    manager: TransformerManager = plain()
    manager.cleanup_transforms.extend(transforms(jmuz.parser))
    return manager


def line_call(text: str) -> str:
    return f"get_ipython().run_line_magic('jmuz', {text!r})\n"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("%jmuz what is X?\n", line_call("what is X?")),
        ("%jmuz why??", line_call("why??")),
        ('%jmuz -m a it\'s "so"? \n', line_call('-m a it\'s "so"?')),
        ("x = 1\n%jmuz what is X?\ny = 2\n", "x = 1\n" + line_call("what is X?") + "y = 2\n"),
        ("%pwd\n%jmuz what?\n", "get_ipython().run_line_magic('pwd', '')\n" + line_call("what?")),
        ("if 1:\n    %jmuz what?\n", "if 1:\n    " + line_call("what?")),
        ("%%jmuz -m a one line?\n", "get_ipython().run_cell_magic('jmuz', '-m a one line?', '\\n')\n"),
    ],
)
def test_a_question_stays_a_question(transform: TransformerManager, cell: str, expected: str) -> None:
    assert transform.transform_cell(cell) == expected


@pytest.mark.finding("C1")
@pytest.mark.parametrize("line", ["demo  # or openai?", "# which?", "-p ollama #so?"])
def test_a_comment_that_ends_in_a_question_mark_is_no_request_for_help(
    transform: TransformerManager, line: str
) -> None:
    expected = f"get_ipython().run_line_magic('jmuz_use', {line!r})\n"
    assert transform.transform_cell(f"%jmuz_use {line}\n") == expected


@pytest.mark.parametrize("cell", ["%jmuz?\n", "%jmuz??\n", "%%jmuz?\n", "?%jmuz\n", "%jmuz_use demo?\n"])
def test_a_request_for_help_stays_one(transform: TransformerManager, cell: str) -> None:
    assert "pinfo" in transform.transform_cell(cell)


def assigned_call(text: str, name: str = "jmuz") -> str:
    return f"get_ipython().run_line_magic({name!r}, {f'--assigned {text}'!r})\n"


@pytest.mark.finding("C16")
@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("answer = %jmuz why\n", "answer = " + assigned_call("why")),
        ("answer=%jmuz -m a what is X?\n", "answer=" + assigned_call("-m a what is X?")),
        ("answer: Reply = %jmuz why??\n", "answer: Reply = " + assigned_call("why??")),
        ("a['x = 1'] = %jmuz it's \"so\"  \n", "a['x = 1'] = " + assigned_call('it\'s "so"')),
        ("f(a=1).b = %jmuz what does x = %jmuz y\n", "f(a=1).b = " + assigned_call("what does x = %jmuz y")),
        ("answer = %jmuz_fix why?\n", "answer = " + assigned_call("why?", "jmuz_fix")),
        ("a = %jmuz b << -m a hi\n", "a = get_ipython().run_line_magic('jmuz', 'b << --assigned -m a hi')\n"),
        ("a = %jmuz 1 (\nb = %jmuz '\nc = 1\n", f"a = {assigned_call('1 (')}b = {assigned_call(chr(39))}c = 1\n"),
        ("if 1:\n    a = %jmuz one \\\n  two\nb = 2\n", "if 1:\n    a = " + assigned_call("one    two") + "b = 2\n"),
        ("x = 1\nanswer = %jmuz\n", "x = 1\nanswer = get_ipython().run_line_magic('jmuz', '--assigned')\n"),
    ],
)
def test_an_assigned_prompt_returns_its_reply(transform: TransformerManager, cell: str, expected: str) -> None:
    assert transform.transform_cell(cell) == expected


@pytest.mark.finding("C16")
@pytest.mark.parametrize("cell", ["a = %jmuz?\n", "a = %jmuz??\n", "a = %jmuz_fix?\n", "a = %jmuz(hi)\n"])
def test_what_is_no_prompt_is_not_sent(transform: TransformerManager, cell: str) -> None:
    assert transform.transform_cell(cell) == plain().transform_cell(cell)
    assert (
        transform.transform_cell(f"b = %jmuz hi\n{cell}") == f"b = {assigned_call('hi')}{plain().transform_cell(cell)}"
    )


LATE = "%%jmuz must be in the first line of its cell"


@pytest.mark.finding("C16")
@pytest.mark.parametrize(
    "cell",
    [
        "x = 1\n%%jmuz -m a hi\n",
        "# a comment\n\n%%jmuz\nhi it's\n",
        "%load_ext jmuz_magic\n%%jmuz\nhi\n",
        's = """\n%%jmuz in a string\n"""\n%%jmuz\nhi\n',
        "if 1:\n    %%jmuz hi\n",
        "%jmuz what's\n%%jmuz hi\n",
    ],
)
def test_a_cell_magic_below_the_first_line_is_refused(transform: TransformerManager, cell: str) -> None:
    with pytest.raises(UsageError, match=LATE):
        transform.transform_cell(cell)
    transform.check_complete(cell)  # a console asks at every line


@pytest.mark.finding("C16")
def test_nothing_of_such_a_cell_runs_and_one_line_says_why(user: UserShell) -> None:
    refusal = user.refusal("late = 1\n%%jmuz\nWhat's this?\n")
    assert refusal.startswith(LATE)
    assert user.refusal("%%time\nlate = 1\n%%jmuz\nhi").startswith(LATE)
    assert "late" not in user.shell.user_ns


@pytest.mark.parametrize(
    "cell",
    [
        's = """\n%%jmuz what\n"""\n',
        's = """\na = %jmuz what?\n"""\n',
        "# a = %jmuz b\n# %%jmuz\nx = 1\n",
        "%%writefile x.txt\n%%jmuz what?\na = %jmuz b\n",
        "%%jmuz one\n%%jmuz two\na = %jmuz b\n",
        "\n\n%%jmuz one\ntwo\n",
        "%%time\n%%jmuz one\ntwo\n",
        "x = [1,\n%%jmuz\n]\n",
        "x = '%%jmuz'\n",
        "%timeit -n1 a = %jmuz b\n",
        "!echo a = %jmuz b\n",
        "print(a = %jmuz b)\n",
        "a = %jmuz_use\n",
        "a = %jmuzzle b\n",
        "a = b % jmuz\n",
        "x = 1\n%%jmuz_use demo\n",
        's = """\n%jmuz what?\n"""\n',
        "%%jmuz\nIs this kept?\n%jmuz inside?\n",
        "%%writefile x.py\n%jmuz what?\n",
        "%timeit f()\n",
        "%jmuz no question mark\n",
        "a ? b\n",
    ],
)
def test_other_cells_are_as_without_the_transformer(transform: TransformerManager, cell: str) -> None:
    assert transform.transform_cell(cell) == plain().transform_cell(cell)


@pytest.mark.finding("A5")
@pytest.mark.parametrize("first", ["%%jmuz -m x", "%%jmuz", "%%jmuz -m x What is this?"])
def test_a_console_goes_on_to_the_prompt_after_the_first_line(user: UserShell, first: str) -> None:
    manager = user.shell.input_transformer_manager
    assert manager.check_complete(first) == manager.check_complete("%%time")
    assert manager.check_complete(first)[0] == "incomplete"
    assert manager.check_complete(f"{first}\nWhat is X?")[0] == "incomplete"
    assert manager.check_complete(f"{first}\nWhat is X?\n\n")[0] == "complete"
    assert manager.check_complete(f"{first}\n\n")[0] == "complete"


@pytest.mark.finding("A25")
@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x85"])
def test_a_prompt_goes_on_after_a_rare_line_separator(user: UserShell, separator: str) -> None:
    cell = user.shell.transform_cell
    text = f"one{separator}two{separator}three"
    assert cell(f"%jmuz -m x {text}") == f"get_ipython().run_line_magic('jmuz', {f'-m x {text}'!r})\n"
    assert cell(f"x = 1\nif x:\n    %jmuz {text}?\n").endswith(f"    {line_call(f'{text}?')}")
    assert cell(f"a = %jmuz {text}?\n") == f"a = {assigned_call(f'{text}?')}"
    assert cell(f"%%jmuz {text}\nmore") == f"get_ipython().run_cell_magic('jmuz', {text!r}, 'more\\n')\n"
    other = f"answer = '{text}'\n".splitlines(keepends=True)
    assert all(transform(other) == other for transform in transforms(jmuz.parser))

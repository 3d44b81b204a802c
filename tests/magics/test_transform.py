import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tests.magics.loaded import UserShell


def plain() -> TransformerManager:
    return TransformerManager()  # type: ignore[no-untyped-call]  # IPython leaves it unannotated


@pytest.fixture
def transform() -> TransformerManager:
    from jmuz_magic.magics.line.transform import TRANSFORMS

    manager: TransformerManager = plain()
    manager.cleanup_transforms.extend(TRANSFORMS)
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


@pytest.mark.parametrize(
    "cell",
    [
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
    assert cell(f"%%jmuz {text}\nmore") == f"get_ipython().run_cell_magic('jmuz', {text!r}, 'more\\n')\n"
    from jmuz_magic.magics.line.transform import TRANSFORMS

    other = f"answer = '{text}'\n".splitlines(keepends=True)
    assert [transform(other) for transform in TRANSFORMS] == [other] * len(TRANSFORMS)

import pytest
from IPython.core.inputtransformer2 import TransformerManager

from jmuz_magic.magics.transform import keep_questions


def plain() -> TransformerManager:
    return TransformerManager()  # type: ignore[no-untyped-call]  # IPython leaves it unannotated


@pytest.fixture
def transform() -> TransformerManager:
    manager: TransformerManager = plain()
    manager.cleanup_transforms.append(keep_questions)
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


@pytest.mark.parametrize("cell", ["%jmuz?\n", "%jmuz??\n", "%%jmuz?\n", "?%jmuz\n"])
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

"""What a prompt becomes on its way from a cell to the endpoint, through a real kernel and a real socket."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from jmuz_magic.demo import DemoServer
from tests.kernel.kernel import Execution, Kernel

pytestmark = pytest.mark.kernel

KEY = "sk-proj-Abc123def456Ghi789jkl012"


def last_body(server: DemoServer) -> dict[str, Any]:
    body = server.requests[-1].body
    assert isinstance(body, dict)
    return body


def prompt(server: DemoServer) -> Any:
    """The content of the last request's last message."""
    return last_body(server)["messages"][-1]["content"]


def images(server: DemoServer) -> list[bytes]:
    urls = [part["image_url"]["url"] for part in prompt(server) if part["type"] == "image_url"]
    return [base64.b64decode(url.partition(";base64,")[2]) for url in urls]


def refusal(execution: Execution, server: DemoServer) -> str:
    """The one line of a cell that sent nothing."""
    assert execution.status == "error"
    assert not server.requests
    lines = execution.text.strip().splitlines()
    assert len(lines) == 1, execution.text
    assert lines[0].startswith("UsageError: ")
    return lines[0]


@pytest.mark.threat(19)
@pytest.mark.parametrize(
    "text",
    [
        "{'a': 1}",
        "{}",
        "${x} $x %x %(x)s {x} !x ?x",
        r"\int_{0}^{\infty} e^{-x^{2}} dx = \frac{\sqrt{\pi}}{2}",
        "{k: v for k, v in {'a': {'b': 1}}.items()}",
        '{"type": "object", "properties": {"x": {"type": "array", "items": {"$ref": "#/x"}}}}',
        "a }} b\n\n    indented\n\ttab  two blanks  \nlast",
    ],
)
def test_single_braces_and_all_else_arrive_unchanged(jmuz_kernel: Kernel, demo_endpoint: DemoServer, text: str) -> None:
    jmuz_kernel.run("x = 'WRONG'")
    jmuz_kernel.run(f"%%jmuz -m demo-echo\n{text}\n")
    assert prompt(demo_endpoint) == text


@pytest.mark.threat(19)
def test_a_value_that_holds_braces_arrives_unexpanded(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("other = 'WRONG'; outer = '{{other}} and {{1/0}}'")
    jmuz_kernel.run("%%jmuz -m demo-echo\nsay {{outer}}!\n")
    assert prompt(demo_endpoint) == "say {{other}} and {{1/0}}!"


@pytest.mark.threat(18)
@pytest.mark.threat(19)
def test_nothing_of_the_namespace_is_sent_unless_named(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("private = 'swordfish'; 'the ' + private")
    jmuz_kernel.run("%%jmuz -m demo-echo\nhello\n")
    assert last_body(demo_endpoint)["messages"] == [{"role": "user", "content": "hello"}]


def test_latex_braces_are_refused_with_the_way_out_and_raw_sends_them(
    jmuz_kernel: Kernel, demo_endpoint: DemoServer
) -> None:
    for text in ("x^{{2}}", r"\frac{{a_undefined}}{2}", "int a[] = {{1, 2}, {3, 4}};", "{{ open"):
        assert "--raw" in refusal(jmuz_kernel.execute(f"%%jmuz -m demo-echo\n{text}\n"), demo_endpoint)
    jmuz_kernel.run("%%jmuz --raw -m demo-echo\nx^{{2}} {{no_such}} {{\n")
    assert prompt(demo_endpoint) == "x^{{2}} {{no_such}} {{"


def test_an_expression_is_evaluated_once_in_prompt_system_and_options(
    jmuz_kernel: Kernel, demo_endpoint: DemoServer
) -> None:
    jmuz_kernel.run("calls = []\ndef count():\n    calls.append(1)\n    return len(calls)")
    jmuz_kernel.run(
        "%%jmuz -m demo-{{'echo'.lower()}} -s 'be {{count()}}' -o seed {{count()}} --max-tokens {{count() + 99}}\n"
        "{{count()}} and {{ count() }}\n"
    )
    body = last_body(demo_endpoint)
    assert [message["content"] for message in body["messages"]] == ["be 1", "1 and 1"]
    assert (body["seed"], body["max_tokens"]) == (1, 101)
    assert jmuz_kernel.value("len(calls)") == 2, "count() once, and count() + 99 once"


@pytest.mark.fault(60)
@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("frme", "there is no 'frme'; did you mean 'frame'?"),
        ("1/0", "raised ZeroDivisionError: division by zero"),
        ("frame['x']", "raised TypeError"),
        ("bad", "raised ValueError: not today"),
        ("frame frame", "this is not a Python expression"),
    ],
)
def test_what_cannot_be_evaluated_or_shown_is_one_line_and_nothing_is_sent(
    jmuz_kernel: Kernel, demo_endpoint: DemoServer, expression: str, said: str
) -> None:
    jmuz_kernel.run(
        "frame = 1\nclass Bad:\n    def __repr__(self):\n        raise ValueError('not today')\nbad = Bad()"
    )
    line = refusal(jmuz_kernel.execute(f"%%jmuz -m demo-echo\nabout {{{{{expression}}}}}\n"), demo_endpoint)
    assert "{{" + expression + "}}" in line
    assert said in line
    assert "--raw" in line


@pytest.mark.fault(60)
def test_tables_arrays_and_huge_values_arrive_bounded(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("import pandas as pd, numpy as np\nframe = pd.DataFrame({'n': range(10_000)})")
    jmuz_kernel.run("%%jmuz -m demo-echo\n{{frame}}\n{{frame.n}}\n{{np.zeros((500, 500))}}\n{{list(range(10**6))}}\n")
    text = prompt(demo_endpoint)
    for part in (
        "DataFrame: 10,000 rows × 1 columns\ndtypes: n int64\nfirst 20 of 10,000 rows:",
        "Series 'n': 10,000 values, dtype int64",
        "ndarray: shape (500, 500), dtype float64",
        "this list has 1,000,000]",
    ):
        assert part in text
    assert len(text) < 15_000


def test_figures_and_pictures_in_a_prompt_become_images(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("from matplotlib.figure import Figure\nfigure = Figure(); figure.subplots().plot([1, 2])")
    jmuz_kernel.run("from PIL import Image\npicture = Image.new('RGB', (2, 1), 'red')")
    jmuz_kernel.run("%%jmuz -m demo-echo\ncompare {{figure}} with {{picture}}\n")
    assert prompt(demo_endpoint)[0] == {"type": "text", "text": "compare [image 1] with [image 2]"}
    figure, picture = images(demo_endpoint)
    assert Pillow.open(BytesIO(figure)).width > 100
    assert Pillow.open(BytesIO(picture)).size == (2, 1)


def test_files_and_variables_are_attached(jmuz_kernel: Kernel, demo_endpoint: DemoServer, tmp_path: Path) -> None:
    path = tmp_path / "a picture.webp"
    Pillow.new("RGB", (3, 1)).save(path)
    jmuz_kernel.run(f"raw = open({str(path)!r}, 'rb').read()")
    jmuz_kernel.run(f"%%jmuz -m demo-echo -a '{path}' -a raw --attach {{{{raw}}}}\nlook\n")
    assert prompt(demo_endpoint)[0] == {"type": "text", "text": "look"}
    assert images(demo_endpoint) == [path.read_bytes()] * 3
    assert prompt(demo_endpoint)[1]["image_url"]["url"].startswith("data:image/webp;base64,")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("pictre", "neither a variable nor a file; did you mean 'picture'?"),
        ("/no/such/file.png", "neither a variable nor a file"),
        ("text", "a value of type dict"),
    ],
)
def test_what_cannot_be_attached_is_one_line(
    jmuz_kernel: Kernel, demo_endpoint: DemoServer, word: str, said: str
) -> None:
    jmuz_kernel.run("picture = b''; text = {}")
    assert said in refusal(jmuz_kernel.execute(f"%%jmuz -m demo-echo -a {word}\nlook\n"), demo_endpoint)


def test_earlier_cells_go_along_when_asked_for(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("first_cell = 1")
    jmuz_kernel.run(f"api_key = '{KEY}'\nprint('printed')\nfirst_cell + 41")
    jmuz_kernel.execute("first_cell / 0")
    jmuz_kernel.run("%%jmuz -m demo-echo\nnot part of it\n")
    jmuz_kernel.run("%%jmuz -m demo-echo --context 2\nwhy?\n")
    text = prompt(demo_endpoint)
    assert text.startswith("Earlier cells of this notebook, oldest first:")
    assert text.endswith("```\n\nwhy?")
    assert "42\n```" in text
    assert ("printed\n42" in text) is jmuz_kernel.value("hasattr(get_ipython().history_manager, 'outputs')")
    assert "ZeroDivisionError: division by zero" in text
    assert "\x1b" not in text
    assert "Cell In[" in text
    assert KEY not in text
    assert "api_key = '***'" in text
    assert "not part of it" not in text
    assert "first_cell = 1" not in text
    jmuz_kernel.run("%%jmuz -m demo-echo --context prev\nwhy?\n")
    assert "first_cell / 0" in prompt(demo_endpoint)
    assert "42" not in prompt(demo_endpoint)
    jmuz_kernel.run("%%jmuz -m demo-echo --context all\nwhy?\n")
    assert "first_cell = 1" in prompt(demo_endpoint)


@pytest.mark.threat(19)
def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    line = "%%jmuz -m demo-echo -s Brief. -t 0 -o seed 0 -o flag false"
    shown = jmuz_kernel.run(f"{line} --dry-run\n{{{{6 * 7}}}}?\n").text
    assert not demo_endpoint.requests
    jmuz_kernel.run(f"{line}\n{{{{6 * 7}}}}?\n")
    head, _, rest = shown.partition("\n")
    messages, _, rest = rest.partition("\n{")
    body, _, last = f"{{{rest}".rstrip().rpartition("\n")
    assert messages.endswith("\nContent-Type: application/json\nsystem:\nBrief.\nuser:\n42?")
    assert head == f"POST {demo_endpoint.api_base}/chat/completions"
    assert json.loads(body) == last_body(demo_endpoint)
    assert (last_body(demo_endpoint)["seed"], last_body(demo_endpoint)["flag"]) == (0, False)
    assert last.startswith("nothing was sent; ")
    assert "an estimate" in last


def test_a_dry_run_of_a_conversation_leaves_it_as_it_was(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("%%jmuz --chat=dry -m demo-echo -s Brief.\none\n")
    shown = jmuz_kernel.run("%%jmuz --chat=dry -m demo-echo --dry-run\ntwo\n").text
    assert [word in shown for word in ("Brief.", '"one"', '"two"')] == [True, True, True]
    shown = jmuz_kernel.run("%%jmuz --chat=dry --new -s Other. -m demo-echo --dry-run\ntwo\n").text
    assert [word in shown for word in ("Brief.", "Other.", '"one"')] == [False, True, False]
    jmuz_kernel.run("%%jmuz --chat=dry -m demo-echo\nthree\n")
    said = [message["content"] for message in last_body(demo_endpoint)["messages"]]
    assert said == ["Brief.", "one", "one", "three"]


@pytest.mark.fault(56)
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("x" * 5_000_000, "5,000,000 bytes, more than the 1,048,576"),
        ("a\0b", "a NUL character"),
        ("{{'y' * 2_000_000}}", "2,000,000 bytes"),
        ("{{chr(0xd800)}}", "half of a surrogate pair"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_any_request(
    jmuz_kernel: Kernel, demo_endpoint: DemoServer, cell: str, said: str
) -> None:
    assert said in refusal(jmuz_kernel.execute(f"%%jmuz -m demo-echo\n{cell}\n"), demo_endpoint)


def test_the_size_that_is_refused_is_a_setting(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("%config JmuzMagics.max_prompt_bytes = 10")
    try:
        line = refusal(jmuz_kernel.execute("%%jmuz -m demo-echo\nmore than ten\n"), demo_endpoint)
        assert "more than the 10 that %config JmuzMagics.max_prompt_bytes allows" in line
    finally:
        jmuz_kernel.run("%config JmuzMagics.max_prompt_bytes = 2**20")


LINE = "get_ipython().run_line_magic('jmuz', '-m demo-echo say {{text}}')"
CELL = "get_ipython().run_cell_magic('jmuz', '-m demo-echo', 'say {{text}}')"


@pytest.mark.finding("A4")
@pytest.mark.threat(19)
@pytest.mark.parametrize(
    "code",
    [
        "def f(text):\n    %jmuz -m demo-echo say {{text}}\nf('own')",
        f"def f(text):\n    {CELL}\nf('own')",
        f"(lambda text: {LINE})('own')",
        f"[{LINE} for text in ['own']]",
        f"list({CELL} for text in ['own'])",
        f"def f(text):\n    return [{CELL} for _ in range(1)]\nf('own')",
        f"def f(text):\n    def inner():\n        {LINE}\n    inner()\nf('own')",
        f"class Reader:\n    text = 'own'\n    {LINE}",
        "def f(text):\n    %jmuz -m demo-echo -s 'be {{text}}' say own\nf('own')",
        f"exec({LINE!r}, {{'get_ipython': get_ipython, 'text': 'own'}})",
        f"exec({f'def f():{chr(10)}    {CELL}{chr(10)}f()'!r}, {{'get_ipython': get_ipython, 'text': 'own'}})",
    ],
)
def test_a_name_is_the_function_s_own_before_the_notebook_s(
    jmuz_kernel: Kernel, demo_endpoint: DemoServer, code: str
) -> None:
    jmuz_kernel.run("text = 'PRIVATE'")
    jmuz_kernel.run(code)
    assert "own" in prompt(demo_endpoint)
    assert "PRIVATE" not in json.dumps(last_body(demo_endpoint))


@pytest.mark.finding("A4")
@pytest.mark.threat(19)
@pytest.mark.parametrize("call", [LINE, CELL, LINE.replace("say", "-a text say").replace("{{text}}", "it")])
def test_a_name_that_may_be_an_unseen_function_s_is_refused(
    jmuz_kernel: Kernel, demo_endpoint: DemoServer, call: str
) -> None:
    jmuz_kernel.run("text = 'PRIVATE'")
    code = f"def outer(text):\n    def inner():\n        {call}\n    return inner\nouter('own')()"
    line = refusal(jmuz_kernel.execute(code), demo_endpoint)
    assert line.endswith(
        "{{text}} could mean a variable of an enclosing function, which is out of reach here; "
        "pass it as an argument: text=text"
    )
    jmuz_kernel.run(code.replace("inner()", "inner(text=text)").replace("-a text say it", "say {{text}}"))
    assert prompt(demo_endpoint) == "say own"


def test_a_function_sees_the_notebook_s_names_and_a_thread_too(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("text = 'global'; n = 1")
    jmuz_kernel.run(f"def f(n):\n    {CELL.replace('{{text}}', '{{text}} {{n}}')}\nf(2)")
    assert prompt(demo_endpoint) == "say global 2"
    jmuz_kernel.run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "args = 'mine'\n"
        "with ThreadPoolExecutor() as pool:\n"
        "    pool.submit(get_ipython().run_cell_magic, 'jmuz', '-m demo-echo --quiet', '{{args}} {{text}}').result()"
    )
    assert prompt(demo_endpoint) == "mine global"
    jmuz_kernel.run("await_me = 1\n%jmuz -m demo-echo say {{text}} {{(made := 3)}}")
    assert jmuz_kernel.value("made") == 3

"""Conversations, code and background replies through a real kernel, asserted on the wire and in the notebook."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jmuz_magic.demo import DemoServer
from tests.kernel.kernel import Kernel
from tests.waiting import wait_until

pytestmark = pytest.mark.kernel


def said(server: DemoServer) -> list[tuple[str, str]]:
    """Roles and contents of the last request."""
    body: Any = server.requests[-1].body
    return [(message["role"], message["content"]) for message in body["messages"]]


@pytest.mark.threat(20)
def test_a_cell_is_stateless_without_chat(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("%%jmuz -m demo-echo\none\n")
    jmuz_kernel.run("%%jmuz -m demo-echo\ntwo\n")
    assert said(demo_endpoint) == [("user", "two")]


def test_chat_sends_the_turns_before_and_new_starts_afresh(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("%%jmuz --chat=a --new -m demo-echo -s Brief.\none\n")
    jmuz_kernel.run("%%jmuz --chat=b -m demo-echo\nother\n")
    jmuz_kernel.run("%%jmuz --chat=a -m demo-echo\ntwo\n")
    assert said(demo_endpoint) == [("system", "Brief."), ("user", "one"), ("assistant", "one"), ("user", "two")]
    jmuz_kernel.run("%%jmuz --chat=a --new -m demo-echo\nthree\n")
    assert said(demo_endpoint) == [("system", "Brief."), ("user", "three")]


def test_a_failed_turn_leaves_the_history_as_it_was(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    jmuz_kernel.run("%%jmuz --chat=c -m demo-echo\none\n")
    assert jmuz_kernel.execute("%%jmuz --chat=c -m nope\nlost\n").status == "error"
    jmuz_kernel.run("%%jmuz --chat=c -m demo-echo\ntwo\n")
    assert said(demo_endpoint) == [("user", "one"), ("assistant", "one"), ("user", "two")]


def test_an_interrupted_turn_enters_with_its_partial_reply(kernel: Kernel) -> None:
    with DemoServer(deltas_per_second=50, keep_requests=100) as server:
        kernel.run("%load_ext jmuz_magic")
        kernel.run(f"%jmuz_use --api-base {server.api_base}")
        execution = kernel.submit("%%jmuz --chat=d -m demo-markdown\ngo\n")
        kernel.wait(execution, lambda: "tour" in execution.html, "the reply has begun")
        kernel.interrupt()
        kernel.finish(execution)
        partial = kernel.value("str(_jmuz)")
        assert 0 < len(partial) < 1000
        kernel.run("%%jmuz --chat=d -m demo-echo\nand now?\n")
        assert said(server) == [("user", "go"), ("assistant", partial), ("user", "and now?")]
        assert "interrupted" in kernel.run("%jmuz_history d").html
        wait_until(lambda: server.open_streams == 0, "nothing streams any more")


def test_undo_takes_the_last_turn_out(jmuz_kernel: Kernel, demo_endpoint: DemoServer) -> None:
    for word in ("one", "two"):
        jmuz_kernel.run(f"%%jmuz --chat=e -m demo-echo\n{word}\n")
    assert "removed" in jmuz_kernel.run("%jmuz_history e --undo").text
    jmuz_kernel.run("%%jmuz --chat=e -m demo-echo\nthree\n")
    assert said(demo_endpoint) == [("user", "one"), ("assistant", "one"), ("user", "three")]
    jmuz_kernel.run("%jmuz_history e --clear")
    jmuz_kernel.run("%%jmuz --chat=e -m demo-echo\nfour\n")
    assert said(demo_endpoint) == [("user", "four")]


def test_history_is_shown_and_exported(jmuz_kernel: Kernel, tmp_path: Path) -> None:
    jmuz_kernel.run("%%jmuz --chat=f -m demo-echo\n<b>**one**\n")
    shown = jmuz_kernel.run("%jmuz_history f")
    assert "<strong>one</strong>" in shown.html
    assert "<b>" not in shown.html
    for kind in ("md", "json", "ipynb"):
        jmuz_kernel.run(f"%jmuz_history f --export '{tmp_path}/talk.{kind}'")
    assert "<b>**one**" in (tmp_path / "talk.md").read_text()
    assert json.loads((tmp_path / "talk.json").read_text())["turns"][0]["reply"] == "<b>**one**"
    notebook = nbformat.read(tmp_path / "talk.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert "<strong>one</strong>" in notebook.cells[1].outputs[0].data["text/html"]
    again = jmuz_kernel.execute(f"%jmuz_history f --export '{tmp_path}/talk.md'")
    assert "already exists" in again.text


@pytest.mark.parametrize("line", ["%jmuz_history nobody", "%%jmuz --new\nx\n", "%%jmuz --next\nx\n"])
def test_what_makes_no_sense_is_one_line(jmuz_kernel: Kernel, demo_endpoint: DemoServer, line: str) -> None:
    execution = jmuz_kernel.execute(line)
    assert "UsageError" in execution.text
    assert len(execution.text.strip().splitlines()) == 1
    assert not demo_endpoint.requests


CODE = """Prose first.

```python
a = 1
```

~~~~python
b = '''
```
not a fence
```
'''
~~~~

````markdown
```python
nested = True
```
````

```sql
SELECT 1
```
"""
PYTHON = "a = 1\n\nb = '''\n```\nnot a fence\n```\n'''"


@pytest.mark.threat(9)
def test_code_is_picked_shown_and_inserted_once(jmuz_kernel: Kernel) -> None:
    cell = f"%%jmuz -x --next -m demo-echo\n{CODE}"
    first = jmuz_kernel.run(cell)
    assert "Prose first." in first.text
    assert [(p["source"], p["text"], p["replace"]) for p in first.payload] == [("set_next_input", PYTHON, False)]
    assert jmuz_kernel.run(cell).payload == []
    assert jmuz_kernel.value("_jmuz_code") == PYTHON


def test_code_of_another_language_and_of_all(jmuz_kernel: Kernel) -> None:
    jmuz_kernel.run(f"%%jmuz --code=sql -m demo-echo\n{CODE}")
    assert jmuz_kernel.value("_jmuz_code") == "SELECT 1"
    jmuz_kernel.run(f"%%jmuz --code=all -m demo-echo\n{CODE}")
    assert jmuz_kernel.value("_jmuz_code").startswith("a = 1")
    assert "no rust code block" in jmuz_kernel.run(f"%%jmuz --code=rust -m demo-echo\n{CODE}").text


def test_a_block_is_inserted_later(jmuz_kernel: Kernel) -> None:
    jmuz_kernel.run(f"%%jmuz -m demo-echo\n{CODE}")
    assert jmuz_kernel.run("%jmuz_insert 4").payload[0]["text"] == "SELECT 1"
    assert "from 1 to 4" in jmuz_kernel.execute("%jmuz_insert 9").text


def test_the_foot_is_shown_unless_switched_off_and_quiet_shows_nothing(jmuz_kernel: Kernel) -> None:
    foot = re.compile(r">demo-echo · \d+ \+ \d+ tokens · \d+\.\d s</div>")
    assert foot.search(jmuz_kernel.run("%%jmuz -m demo-echo\nhi\n").html)
    jmuz_kernel.run("%config JmuzMagics.show_footer = False")
    assert "tokens" not in jmuz_kernel.run("%%jmuz -m demo-echo\nhi\n").html
    asked = jmuz_kernel.run("%%jmuz -u -m demo-echo\nhi\n")
    assert foot.search(asked.html)
    assert asked.stdout == ""
    jmuz_kernel.run("%config JmuzMagics.show_footer = True")
    quiet = jmuz_kernel.run("%%jmuz x << --quiet -m demo-echo\nhi\n")
    assert quiet.outputs == []
    assert jmuz_kernel.value("str(x)") == "hi"


@pytest.mark.fault(50)
def test_background_replies_grow_in_their_own_outputs(jmuz_kernel: Kernel) -> None:
    first = jmuz_kernel.run("%%jmuz one << --background -m demo-markdown\ngo\n")
    second = jmuz_kernel.run("%%jmuz two << --background -m demo-echo\n**hi**\n")
    last = jmuz_kernel.run("texts = one.result().text, two.result().text")
    assert last.outputs == []
    jmuz_kernel.wait(first, lambda: "The end." in first.html, "the first reply is whole")
    jmuz_kernel.wait(second, lambda: "<strong>hi</strong>" in second.html, "the second reply is whole")
    assert len(first.outputs) == len(second.outputs) == 1
    assert first.outputs[0]["data"]["text/plain"].startswith("# A tour")
    assert jmuz_kernel.value("[str(_jmuz), one.done(), texts[1]]") == ["**hi**", True, "**hi**"]


def test_a_background_job_is_returned_and_can_be_cancelled(kernel: Kernel) -> None:
    with DemoServer(deltas_per_second=20) as server:
        kernel.run("%load_ext jmuz_magic")
        kernel.run(f"%jmuz_use --api-base {server.api_base}")
        execution = kernel.run("%%jmuz --background -m demo-long\ngo\n")
        assert execution.received("execute_result")
        kernel.run("job = _")
        kernel.wait(execution, lambda: execution.html, "the reply has begun")
        kernel.run("job.cancel()")
        wait_until(lambda: server.open_streams == 0, "the endpoint saw the close")
        ended = kernel.execute("job.result()")
        assert ended.error is not None
        assert ended.error["ename"] == "ReplyInterrupted"
        assert kernel.value("_jmuz.finish_reason") == "interrupted"


def test_a_failing_background_job_fails_where_its_result_is_asked_for(jmuz_kernel: Kernel) -> None:
    jmuz_kernel.run("%%jmuz job << --background -m nope\ngo\n")
    execution = jmuz_kernel.execute("job.result()")
    assert execution.error is not None
    assert execution.error["ename"] == "ModelNotFoundError"
    assert len(execution.error["traceback"]) == 1

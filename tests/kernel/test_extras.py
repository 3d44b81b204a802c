"""What services send besides text, through a kernel's messages to what a notebook stores."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.allow_list import problems
from tests.fault_server import DONE, FaultServer, Script, delta, event, finish, head, stream
from tests.kernel.conftest import StartKernel
from tests.kernel.kernel import Execution, Kernel
from tests.providers.test_pictures import part, png

pytestmark = pytest.mark.kernel


def ask(kernel: Kernel, server: FaultServer, script: Script, line: str = "-m any") -> Execution:
    kernel.run("%load_ext jmuz_magic")
    kernel.run(f"%jmuz_use --api-base {server.add('s', script)}")
    return kernel.execute(f"%%jmuz {line}\ngo\n")


def data_of(execution: Execution) -> list[dict[str, Any]]:
    return [output["data"] for output in execution.outputs if "data" in output]


def evalue(execution: Execution) -> str:
    assert execution.error is not None
    return str(execution.error["evalue"])


def html_of(execution: Execution) -> str:
    return "".join(data.get("text/html", "") for data in data_of(execution))


@pytest.mark.finding("A20")
def test_sources_are_links_below_the_reply(kernel: Kernel, server: FaultServer) -> None:
    cited = [{"type": "url_citation", "url_citation": {"url": "https://a.example/x", "title": "A page"}}]
    execution = ask(kernel, server, stream(delta("Says [1]."), delta(annotations=cited), finish(), DONE))
    html = html_of(execution)
    assert '<a href="https://a.example/x" rel="noopener noreferrer nofollow">A page</a> (a.example)' in html
    assert problems(html) == []
    assert kernel.value("[source.url for source in _jmuz.citations]") == ["https://a.example/x"]


def test_an_image_part_is_an_output_of_its_own(kernel: Kernel, server: FaultServer) -> None:
    execution = ask(kernel, server, stream(delta("", images=[part(png(), "image/svg+xml")]), finish(), DONE))
    assert execution.status == "ok"
    (image,) = [data for data in data_of(execution) if "image/png" in data]
    assert base64.b64decode(image["image/png"]) == png()
    assert "src" not in html_of(execution)
    assert "empty reply" not in html_of(execution)
    assert kernel.value("_jmuz.images[0].media_type") == "image/png"


def test_an_address_in_place_of_an_image_is_never_asked(kernel: Kernel, server: FaultServer) -> None:
    address = server.api_base("beacon") + "/x.png"
    parts = [{"type": "image_url", "image_url": {"url": address}}]
    execution = ask(kernel, server, stream(delta("See", images=parts), finish(), DONE))
    assert "not shown: image at an address" in html_of(execution)
    assert [request.target for request in server.requests] == ["/v1/s/chat/completions"]
    assert kernel.value("_jmuz.unshown[0].value['image_url']['url']") == address


def test_sound_is_named_and_its_transcript_is_text(kernel: Kernel, server: FaultServer) -> None:
    sound = [delta(audio={"id": "a", "transcript": "Hello", "data": "AAAA"}), finish(), DONE]
    execution = ask(kernel, server, stream(*sound))
    assert "Hello" in html_of(execution)
    assert "not shown: audio" in html_of(execution)
    assert kernel.value("[str(_jmuz), _jmuz.unshown[0].value['data']]") == ["Hello", ["AAAA"]]


@pytest.mark.finding("A2")
@pytest.mark.parametrize("reason", ["error", "network_error", "insufficient_system_resource"])
def test_a_reply_that_the_service_broke_off_fails_the_cell(
    kernel: Kernel, server: FaultServer, tmp_path: Path, reason: str
) -> None:
    recording = tmp_path / "replies.jmuz.jsonl"
    broken = event({"choices": [{"delta": {}, "finish_reason": reason, "error": {"message": "upstream is away"}}]})
    kernel.run("%load_ext jmuz_magic")
    kernel.run(f"%jmuz_record {recording}")
    execution = ask(kernel, server, stream(delta("half"), broken, DONE), f"-m any --chat={reason}")
    assert execution.status == "error"
    assert "upstream is away" in evalue(execution)
    assert "half" in html_of(execution)
    assert "incomplete" in html_of(execution)
    assert kernel.value("[_jmuz.text, _jmuz.finish_reason]") == ["half", "error"]
    again = ask(kernel, server, stream(delta("whole"), finish(), DONE), f"-m any --chat={reason}")
    assert again.status == "ok"
    assert [message["content"] for message in server.requests[-1].json["messages"]] == ["go"]
    recorded = recording.read_text()
    assert ("half" in recorded, "whole" in recorded) == (False, True)


@pytest.mark.finding("A6")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'error: {"code":400,"message":"the context size is exceeded"}\n\n', "the context size is exceeded"),
        (b"<html><title>Sign in</title><body>\n\nWho are you?</body></html>", "Sign in"),
        (b'event: response.created\ndata: {"type":"response.created"}\n\n', "Responses dialect"),
    ],
)
def test_what_is_no_reply_fails_the_cell_in_one_line(
    kernel: Kernel, server: FaultServer, body: bytes, said: str
) -> None:
    execution = ask(kernel, server, [("send", head(Content_Length=str(len(body))) + body)])
    assert execution.status == "error"
    assert said in evalue(execution)
    assert "\n" not in evalue(execution)
    assert "empty reply" not in html_of(execution)


def test_images_are_replayed_and_seen_again_in_the_log(
    start_kernel: StartKernel, server: FaultServer, tmp_path: Path
) -> None:
    kernel = start_kernel(env={"JMUZ_LOG": str(tmp_path / "log.sqlite3")})
    kernel.run("%load_ext jmuz_magic")
    kernel.run(f"%jmuz_record {tmp_path / 'replies.jmuz.jsonl'}")
    ask(kernel, server, stream(delta("See", images=[part(png())]), finish(), DONE))
    kernel.run(f"%jmuz_record {tmp_path / 'replies.jmuz.jsonl'}")
    replayed = kernel.execute("%%jmuz -m any\ngo\n")
    logged = kernel.execute("%jmuz_log --show=last")
    for execution in (replayed, logged):
        assert [data["image/png"] for data in data_of(execution) if "image/png" in data] == [
            base64.b64encode(png()).decode()
        ]
    json.dumps(replayed.outputs)
    assert len(server.requests) == 1

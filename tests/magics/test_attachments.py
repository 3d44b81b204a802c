from __future__ import annotations

import base64
import os
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib.figure
import pytest
from IPython.core.error import UsageError
from IPython.display import Image as DisplayImage
from PIL import Image as Pillow

from jmuz_magic.demo import DemoServer
from jmuz_magic.magics.prompt.attachments import load_file
from jmuz_magic.notebook.files import Document
from jmuz_magic.notebook.images import Image
from tests.fault_server import FaultServer, reply
from tests.magics.expanding import expand
from tests.magics.loaded import UserShell

KINDS = ["PNG", "JPEG", "WEBP", "GIF"]


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (4, 3)) -> bytes:
    buffer = BytesIO()
    Pillow.new(mode, size).save(buffer, kind)
    return buffer.getvalue()


def load_image(word: str, namespace: dict[str, Any], **options: Any) -> Image:
    found = load_file(word, namespace, **options)
    assert isinstance(found, Image)
    return found


def load_document(word: str, namespace: dict[str, Any] | None = None) -> dict[str, Any]:
    """The part of a message that a text or a PDF becomes."""
    found = load_file(word, namespace or {}, takes_pdf=True)
    assert isinstance(found, Document)
    return found.part


def opened(image: Image) -> Pillow.Image:
    return Pillow.open(BytesIO(image.data))


def refusal(word: str, namespace: dict[str, Any] | None = None, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        load_file(word, namespace or {}, **options)
    assert caught.type is UsageError
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_sent_as_it_is_with_the_type_that_its_bytes_say(here: Path, kind: str) -> None:
    data = encoded(kind)
    (here / "image.dat").write_bytes(data)
    image = load_image("image.dat", {})
    assert image == Image(data, f"image/{kind.lower()}", "image.dat")
    url = image.part["image_url"]["url"]
    assert image.part["type"] == "image_url"
    assert url.startswith(f"data:image/{kind.lower()};base64,")
    assert base64.b64decode(url.partition(",")[2]) == data


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_of_an_image_file_are_one(kind: str) -> None:
    data = encoded(kind)
    for value in (data, bytearray(data), memoryview(data)):
        assert load_image("raw", {"raw": value}).data == data


def test_a_variable_may_hold_a_path(here: Path) -> None:
    (here / "a.png").write_bytes(encoded("PNG"))
    assert load_image("where", {"where": here / "a.png"}).mime == "image/png"
    assert load_image("where", {"where": "a.png"}).name == "where"


def test_a_variable_wins_over_a_file_of_its_name(here: Path) -> None:
    (here / "picture").write_bytes(encoded("PNG"))
    assert load_image("picture", {"picture": encoded("GIF")}).mime == "image/gif"
    assert load_image("./picture", {"picture": encoded("GIF")}).mime == "image/png"


def test_the_home_directory_may_be_a_tilde(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    (here / "a.png").write_bytes(encoded("PNG"))
    assert load_image("~/a.png", {}).mime == "image/png"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "F", "I", "I;16"])
def test_a_pil_image_of_any_mode_is_sent_as_png(mode: str) -> None:
    image = load_image("picture", {"picture": Pillow.new(mode, (4, 3))})
    assert image.mime == "image/png"
    assert opened(image).size == (4, 3)


def test_a_photo_that_came_as_jpeg_stays_one() -> None:
    picture = Pillow.open(BytesIO(encoded("JPEG")))
    assert load_image("picture", {"picture": picture}).mime == "image/jpeg"


def test_a_figure_is_drawn_and_so_are_axes() -> None:
    figure = matplotlib.figure.Figure()
    axes = figure.subplots()
    axes.plot([1, 2])
    for value in (figure, axes):
        image = load_image("plot", {"plot": value})
        assert image.mime == "image/png"
        assert opened(image).width > 100


def test_an_image_of_ipython_is_its_bytes() -> None:
    data = encoded("PNG")
    image: Any = DisplayImage
    assert load_image("shown", {"shown": image(data=data)}).data == data
    assert "only a URL" in refusal("shown", {"shown": image(url="http://127.0.0.1/x.png")})


def test_what_is_neither_a_variable_nor_a_file_is_named_with_the_nearest_variable(here: Path) -> None:
    line = refusal("figre", {"figure": 1})
    assert "'figure'" in line
    assert "neither a variable nor a file" in line
    assert refusal("nothing.png", {"figure": 1}) == (
        "-a nothing.png: neither a variable nor a file; give the path of a file, or a variable that holds an image"
    )
    assert refusal("x", {"x": "nothing.png"}) == "-a x: nothing.png is not a file"


def test_a_text_is_sent_fenced_under_its_name_alone(here: Path) -> None:
    (here / "private").mkdir()
    (here / "private" / "note.txt").write_text("a ``` note")
    for word, namespace in (("private/note.txt", {}), ("where", {"where": here / "private" / "note.txt"})):
        part = load_document(word, namespace)
        assert part["text"] == "File note.txt:\n````text\na ``` note\n````"
        assert "private" not in str(part)
    (here / "page.png").write_text("<html>")  # judged by the bytes
    assert load_document("page.png")["text"].startswith("File page.png:")


def test_a_pdf_is_sent_where_the_endpoint_takes_it(here: Path) -> None:
    (here / "report.pdf").write_bytes(b"%PDF-1.7\n\xff")
    assert load_document("report.pdf")["file"]["filename"] == "report.pdf"
    assert refusal("report.pdf") == (
        "report.pdf: this endpoint takes no PDF; send its text, or choose another endpoint"
    )


def test_a_file_that_is_neither_is_refused_and_so_is_a_large_one(here: Path) -> None:
    (here / "data.bin").write_bytes(b"\xff\xfe\x00")
    assert (
        refusal("data.bin") == "data.bin: expected an image (PNG, JPEG, WebP, GIF), a text or a PDF, got something else"
    )
    (here / "big.csv").write_bytes(b"a,b\n")
    os.truncate(here / "big.csv", 2**40)
    assert refusal("big.csv") == "big.csv: expected a file of at most 5 MB, but it has 1048576 MB; make it smaller"


def test_what_is_no_image_is_refused(here: Path) -> None:
    assert "a directory" in refusal(str(here))
    assert "a URL" in refusal("https://example.invalid/a.png")
    assert "a value of type list" in refusal("x", {"x": [1]})
    assert "5 bytes of something else" in refusal("x", {"x": b"hello"})
    assert "is not a file" in refusal("x", {"x": "missing.png"})
    assert "neither a variable nor a file" in refusal("a\0b")


def test_a_file_that_may_not_be_read_says_why(here: Path) -> None:
    if os.geteuid() == 0:  # root may read everything; a name that is too long fails for anybody
        refusal("x" * 300 + ".png")
        return
    (here / "a.png").write_bytes(encoded("PNG"))
    (here / "a.png").chmod(0)
    assert "cannot be read: Permission denied" in refusal("a.png")


def test_a_pipe_is_not_read(here: Path) -> None:
    os.mkfifo(here / "pipe")
    assert "neither a variable nor a file" in refusal("pipe")


def test_an_image_that_is_too_large_says_how_large_and_the_bound(here: Path) -> None:
    data = encoded("PNG")
    (here / "a.png").write_bytes(data)
    for word in ("a.png", "raw"):
        line = refusal(word, {"raw": data}, max_bytes=len(data) - 1)
        assert f"{len(data):,} bytes" in line
        assert f"{len(data) - 1:,}" in line
    assert load_image("a.png", {}, max_bytes=len(data)).data == data


def test_a_file_that_is_too_large_is_not_even_read(here: Path) -> None:
    (here / "a.png").write_bytes(encoded("PNG"))
    os.truncate(here / "a.png", 2**40)
    assert "1,099,511,627,776 bytes" in refusal("a.png")


def test_a_drawing_that_raises_is_one_line() -> None:
    figure = matplotlib.figure.Figure()
    figure.text(0.5, 0.5, r"$\broken$")
    line = refusal("figure", {"figure": figure})
    assert "drawing this Figure raised ValueError" in line


def test_images_in_a_prompt_are_attached_in_order_once() -> None:
    red, blue = Pillow.new("RGB", (1, 1), "red"), Pillow.new("RGB", (1, 1), "blue")
    expanded = expand("{{red}} and {{blue}}, {{red}} again; {{note}}", {"red": red, "blue": blue, "note": "{{red}}"})
    assert expanded.text == "[image 1] and [image 2], [image 1] again; {{red}}"
    assert [opened(image).getpixel((0, 0)) for image in expanded.images] == [(255, 0, 0), (0, 0, 255)]


def test_an_image_outside_of_the_prompt_is_refused() -> None:
    from jmuz_magic.magics.prompt.expander import Expander

    with pytest.raises(UsageError, match=r"\{\{picture\}\} in the system message: this is an image"):
        Expander({"picture": Pillow.new("RGB", (1, 1))}).text("{{picture}}", what="system message")


@pytest.fixture
def asking(user: UserShell, demo_endpoint: DemoServer, here: Path) -> UserShell:
    user.line(f"%jmuz_use --api-base {demo_endpoint.api_base}")
    return user


def parts_asked(server: DemoServer) -> Any:
    body = server.requests[-1].body
    assert isinstance(body, dict)
    return body["messages"][-1]["content"]


def test_files_go_with_the_prompt_and_are_replayed_with_it(
    asking: UserShell, demo_endpoint: DemoServer, here: Path
) -> None:
    (here / "notes.txt").write_text("milk")
    (here / "a.png").write_bytes(encoded("PNG"))
    ask = "%%jmuz -m demo-echo -a notes.txt -a a.png\nwhat is in it?"
    assert "File notes.txt:" in asking.line(ask.replace("%%jmuz", "%%jmuz --dry-run"))
    assert not demo_endpoint.requests
    asking.line("%jmuz_record kept.jmuz.jsonl")
    said = asking.line(ask)
    prompt, text, image = parts_asked(demo_endpoint)
    assert prompt == {"type": "text", "text": "what is in it?"}
    assert text == {"type": "text", "text": "File notes.txt:\n```text\nmilk\n```"}
    assert image["type"] == "image_url"
    asking.line("%jmuz_record --only")
    assert said in asking.line(ask)
    (here / "notes.txt").write_text("bread")
    assert not asking.run(ask).ok
    assert len(demo_endpoint.requests) == 1


def test_a_long_text_is_cut_and_the_reply_says_so(asking: UserShell, here: Path) -> None:
    (here / "long.csv").write_text("0123456789,\n" * 30_000)
    asking.line("%jmuz -m demo-echo -a long.csv what is in it?")
    assert asking.shell.user_ns["_jmuz"].sent_in_part == ("100 kB of 352 kB of `long.csv`",)


def test_a_pdf_goes_only_to_a_class_that_takes_it(user: UserShell, server: FaultServer, here: Path) -> None:
    (here / "report.pdf").write_bytes(b"%PDF-1.7\n\xff")
    api_base = server.add("s", reply("Sales rose."))
    user.line(f"%jmuz_use --api-base {api_base}")
    assert "this endpoint takes no PDF" in user.refusal("%jmuz -m m -a report.pdf sum up")
    assert not server.requests
    user.line(
        "from jmuz_magic import OpenaiTemplate\n"
        f"class Taking(OpenaiTemplate):\n    api_base = {api_base!r}\n    takes_pdf = True"
    )
    assert "Sales rose." in user.line("%jmuz -p Taking -m m -a report.pdf sum up")
    assert server.requests[0].json["messages"][0]["content"][1]["file"]["filename"] == "report.pdf"

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

from jmuz_magic.magics.prompt.attachments import load_image
from jmuz_magic.notebook.images import Image
from tests.magics.expanding import expand

KINDS = ["PNG", "JPEG", "WEBP", "GIF"]


def encoded(kind: str, mode: str = "RGB", size: tuple[int, int] = (4, 3)) -> bytes:
    buffer = BytesIO()
    Pillow.new(mode, size).save(buffer, kind)
    return buffer.getvalue()


def opened(image: Image) -> Pillow.Image:
    return Pillow.open(BytesIO(image.data))


def refusal(word: str, namespace: dict[str, Any] | None = None, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        load_image(word, namespace or {}, **options)
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
        "-a nothing.png: neither a variable nor a file; "
        "give the path of an image file, or a variable that holds an image"
    )
    assert refusal("x", {"x": "nothing.png"}) == "-a x: nothing.png is not a file"


def test_a_text_and_a_pdf_are_told_another_way(here: Path) -> None:
    (here / "note.txt").write_text("a note")
    (here / "report.pdf").write_bytes(b"%PDF-1.7\n\xff")
    (here / "data.bin").write_bytes(b"\xff\xfe\x00")
    assert refusal("note.txt").endswith(
        "note.txt is not one; write {{open('note.txt').read()}} in the prompt, or attach it in the panel (%jmuz_chat)"
    )
    assert refusal("report.pdf").endswith("report.pdf is not one; attach it in the panel (%jmuz_chat)")
    assert refusal("data.bin").endswith("data.bin is not one")


def test_what_is_no_image_is_refused(here: Path) -> None:
    (here / "page.png").write_text("<html>")
    (here / "empty.png").write_text("")
    assert "but page.png is not one" in refusal("page.png")
    assert "empty.png is not one" in refusal("empty.png")
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

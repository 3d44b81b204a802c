"""Images that services send: what is shown, and what is refused by its bytes."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.fault_server import DONE, FaultServer, delta, event, finish, json_answer, stream
from tests.providers.asking import Answer, ask
from tests.providers.test_shapes import of_kind


def png(width: int = 3, height: int = 2, padding: int = 0) -> bytes:
    """A grey picture; its header may promise any size."""

    def section(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (width + 1) * height) if width * height < 1000 else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + section(b"IHDR", header)
        + section(b"IDAT", rows)
        + section(b"IEND", b"")
        + b"\0" * padding
    )


def jpeg(width: int = 3, height: int = 2, before: bytes = b"") -> bytes:
    frame = b"\xff\xc2" + struct.pack(">HBHH", 17, 8, height, width) + b"\3" + b"\0" * 9
    return b"\xff\xd8\xff\xe0\0\x10JFIF\0" + b"\0" * 9 + before + frame + b"\xff\xda\0\2\xff\xd9"


def gif(width: int = 3, height: int = 2) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def webp(kind: bytes, content: bytes) -> bytes:
    chunk = kind + struct.pack("<I", len(content)) + content
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def lossy(width: int = 3, height: int = 2) -> bytes:
    return webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height) + b"\0" * 8)


def lossless(width: int = 3, height: int = 2) -> bytes:
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + b"\0" * 8)


def extended(width: int = 3, height: int = 2) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp(b"VP8X", b"\0\0\0\0" + sides + b"\0" * 8)


MAKERS: dict[str, Callable[[int, int], bytes]] = {
    "png": png,
    "jpeg": jpeg,
    "gif": gif,
    "webp": lossy,
    "webp lossless": lossless,
    "webp extended": extended,
}


def url(data: bytes, claimed: str = "image/png") -> str:
    return f"data:{claimed};base64,{base64.b64encode(data).decode()}"


def part(data: bytes, claimed: str = "image/png") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url(data, claimed)}}


def read(server: FaultServer, *images: Any) -> Answer:
    answer = ask(api_base=server.add("s", stream(delta("", images=list(images)), finish(), DONE)))
    assert answer.error is None
    return answer


def refusals(answer: Answer) -> list[str]:
    assert of_kind(answer, "Image") == []
    return [chunk.kind for chunk in of_kind(answer, "Unshown")]


@pytest.mark.parametrize("name", MAKERS)
def test_row_14_an_image_is_decoded_and_known_by_its_first_bytes(server: FaultServer, name: str) -> None:
    data = MAKERS[name](3, 2)
    (image,) = of_kind(read(server, part(data, "image/svg+xml")), "Image")
    assert (image.data, image.media_type) == (data, f"image/{name.split(maxsplit=1)[0]}")


@pytest.mark.parametrize(
    "shape",
    [
        {"type": "image_url", "image_url": url(png())},
        {"type": "image", "image": url(png())},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": url(png())[22:]}},
        {"type": "output_image", "image_url": url(png())},
        {"b64_json": url(png())[22:]},
        url(png()),
    ],
)
def test_an_image_is_found_in_every_shape_of_a_part(server: FaultServer, shape: Any) -> None:
    (image,) = of_kind(read(server, shape), "Image")
    assert image.data == png()


def test_an_image_may_be_a_part_of_the_content(server: FaultServer) -> None:
    parts = [{"type": "text", "text": "See: "}, part(png())]
    answer = ask(
        api_base=server.add("s", stream(delta(), event({"choices": [{"delta": {"content": parts}}]}), finish()))
    )
    assert answer.text == "See: "
    assert len(of_kind(answer, "Image")) == 1


def test_an_image_of_a_whole_reply_and_of_a_message_at_the_end(server: FaultServer) -> None:
    message = {"content": "", "images": [part(png())]}
    end = {"choices": [{"message": message, "finish_reason": "stop"}]}
    assert len(of_kind(ask(api_base=server.add("a", json_answer(end))), "Image")) == 1
    streamed = stream(delta("", images=[part(png())]), event(end), DONE)
    assert len(of_kind(ask(api_base=server.add("b", streamed)), "Image")) == 1


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ("https://evil.example/x.png", "image at an address"),
        ({"type": "image_url", "image_url": {"url": "http://evil.example/x.png"}}, "image at an address"),
        ({"type": "image_url", "image_url": {"url": "file:///etc/passwd"}}, "image without data"),
        ({"type": "image_url"}, "image without data"),
        ("data:image/png,plain", "image without data"),
        ("data:image/png;base64,#!?", "image that is not base64"),
        ("data:image/png;base64,", "image of unknown type"),
        (url(b"<svg onload=alert(1)>", "image/svg+xml"), "image of unknown type"),
        (url(b"<html><script>alert(1)</script>"), "image of unknown type"),
        (url(b"BM" + b"\0" * 60, "image/bmp"), "image of unknown type"),
        (url(png()[:18]), "image of unknown size"),
        (url(b"\xff\xd8\xff\xda\0\2"), "image of unknown size"),
        (url(png(0, 5)), "image of unknown size"),
        (url(webp(b"ALPH", b"\0" * 20)), "image of unknown size"),
        (url(png(padding=5 * 2**20)), "image of more than 5 MiB"),
        (url(png(padding=8 * 2**20)), "image of more than 5 MiB"),
    ],
)
def test_an_image_that_is_refused_is_kept_with_the_reason(server: FaultServer, shape: Any, reason: str) -> None:
    assert refusals(read(server, shape)) == [reason]


@pytest.mark.parametrize("name", MAKERS)
def test_an_image_of_many_pixels_is_refused_by_its_header(server: FaultServer, name: str) -> None:
    # WebP has at most 14 bits for a side, but where it is extended.
    assert refusals(read(server, part(MAKERS[name](16_000, 2_501)))) == ["image of more than 40 megapixels"]
    assert len(of_kind(read(server, part(MAKERS[name](16_000, 2_500))), "Image")) == 1


def test_the_frame_of_a_jpeg_is_found_behind_other_segments(server: FaultServer) -> None:
    thumbnail = b"\xff\xe1" + struct.pack(">H", 40) + b"\xff\xc0" + b"\0" * 36  # looks like a frame inside
    assert refusals(read(server, part(jpeg(9_000, 9_000, before=thumbnail + b"\xff\xff\xfe\0\4hi")))) == [
        "image of more than 40 megapixels"
    ]


def test_an_image_of_5_mib_is_shown(server: FaultServer) -> None:
    data = png(padding=5 * 2**20 - len(png()))
    assert len(data) == 5 * 2**20
    assert len(of_kind(read(server, part(data)), "Image")) == 1


def test_the_ninth_image_is_kept_but_not_shown(server: FaultServer) -> None:
    answer = read(server, *[part(png())] * 10)
    assert len(of_kind(answer, "Image")) == 8
    assert [chunk.kind for chunk in of_kind(answer, "Unshown")] == ["image after the first 8"] * 2


@pytest.mark.parametrize("text", ["![x](data:image/png;base64,iVBORw0KGgo=)", "data:image/png;base64,iVBORw0KGgo="])
def test_an_image_in_the_text_is_text(server: FaultServer, text: str) -> None:
    answer = ask(api_base=server.add("s", stream(delta(text), finish(), DONE)))
    assert answer.text == text
    assert of_kind(answer, "Image") == []

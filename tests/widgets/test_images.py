"""Images on their way from a view into a message, and what is shown of them."""

from __future__ import annotations

import base64

import pytest

from jmuz_magic.demo import DemoServer
from jmuz_magic.errors import JmuzError
from jmuz_magic.messages import Message
from jmuz_magic.widgets.images import describe_images, pasted_image, remember_thumbnail
from tests.widgets.conftest import Driver

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
THUMBNAIL = "data:image/webp;base64,UklGRg=="


@pytest.mark.parametrize(
    ("data", "kind"),
    [(PNG, "png"), (b"\xff\xd8\xff\xe0", "jpeg"), (b"GIF89a", "gif"), (b"RIFF\0\0\0\0WEBPVP8 ", "webp")],
)
def test_the_kind_is_read_from_the_bytes(data: bytes, kind: str) -> None:
    address = pasted_image(data)["image_url"]["url"]
    assert address.startswith(f"data:image/{kind};base64,")
    assert base64.b64decode(address.partition(",")[2]) == data


@pytest.mark.parametrize("data", [b"", b"<svg onload=alert(1)>", b"RIFF\0\0\0\0AVI ", b"%PDF-1.7"])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(JmuzError, match="expected a PNG, JPEG, WebP or GIF image, but cat is not one"):
        pasted_image(data, "cat")


def test_a_large_image_is_refused_with_both_sizes() -> None:
    with pytest.raises(JmuzError, match=r"at most 20 MB, but cat has 20\.1 MB"):
        pasted_image(PNG + bytes(20 * 2**20 + 100_000), "cat")


def test_a_thumbnail_is_shown_where_its_image_is() -> None:
    part = pasted_image(PNG)
    message: Message = {"role": "user", "content": [{"type": "text", "text": "?"}, part]}
    assert describe_images(message)[0]["label"].startswith("image/png, ")
    remember_thumbnail(part, THUMBNAIL)
    assert describe_images(message)[0]["data"] == THUMBNAIL


@pytest.mark.parametrize(
    "thumbnail",
    [
        None,
        "https://example.org/beacon.png",
        "data:image/svg+xml;base64,PHN2Zz4=",
        'data:image/png;base64,AA" onerror="alert(1)',
        "data:image/png;base64," + "A" * 70_000,
    ],
)
def test_what_is_no_small_picture_is_not_taken_for_one(thumbnail: object) -> None:
    part = pasted_image(PNG + str(thumbnail).encode())
    remember_thumbnail(part, thumbnail)
    assert describe_images({"role": "user", "content": [part]})[0]["data"] == ""


def test_of_many_thumbnails_the_oldest_are_forgotten() -> None:
    parts = [pasted_image(PNG + bytes([number])) for number in range(201)]
    for part in parts:
        remember_thumbnail(part, THUMBNAIL)
    shown = [describe_images({"role": "user", "content": [part]})[0]["data"] for part in parts]
    assert shown == ["", *[THUMBNAIL] * 200]


def test_an_image_elsewhere_is_called_so() -> None:
    part = {"type": "image_url", "image_url": {"url": "https://plots.example/a.png"}}
    assert describe_images({"role": "user", "content": [part]}) == [{"label": "image (linked)", "data": ""}]


@pytest.mark.finding("B30")
@pytest.mark.parametrize("megabytes", [5.1, 6, 7.9])
def test_an_image_that_a_cell_takes_is_taken_here(selected: DemoServer, megabytes: float) -> None:
    driver = Driver()
    assert driver.ask("?", PNG + bytes(int(megabytes * 2**20))) == {}
    assert driver.turns[-1]["state"] == "complete", driver.turns[-1]["error"]


def test_images_that_are_too_much_together_are_refused(selected: DemoServer) -> None:
    driver = Driver()
    image = PNG + bytes(5 * 2**20)
    assert "at most 8 MB of images" in driver.send("ask", image, image, text="?")["error"]
    assert list(selected.requests) == []


def test_an_image_reaches_the_request_and_stays_when_the_prompt_is_edited(selected: DemoServer) -> None:
    driver = Driver()
    driver.ask("What is this?", PNG, names=["dot.png"], thumbnails=[THUMBNAIL])
    assert driver.turns[0]["images"][0]["data"] == THUMBNAIL
    driver.ask("And now?", replaces=driver.turns[0]["id"])
    for request, text in zip(selected.requests, ("What is this?", "And now?"), strict=True):
        (message,) = request.body["messages"]
        assert message["content"][0] == {"type": "text", "text": text}
        assert message["content"][1] == pasted_image(PNG)


def test_what_is_no_image_is_refused_and_nothing_is_sent(selected: DemoServer) -> None:
    driver = Driver()
    assert "cat.svg is not one" in driver.send("ask", b"<svg>", text="?", names=["cat.svg"])["error"]
    assert list(selected.requests) == []
    assert driver.turns == []

"""Turns a response into the chunks of its reply: the kind of body, where it ends, what remains when it breaks off."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from jmuz_magic.errors import JmuzError, ResponseError
from jmuz_magic.messages import Chunk
from jmuz_magic.providers.dialects.reader import PayloadReader
from jmuz_magic.providers.http.call import Call
from jmuz_magic.providers.http.error_text import html_title
from jmuz_magic.providers.http.policy import Policy
from jmuz_magic.providers.http.response import BLANKS, Response
from jmuz_magic.streaming.sse import SSEDecoder

__all__ = ["ReplyReading"]

SHOWN = 200  # characters of a foreign body that an error quotes


class ReplyReading:
    """Reads one reply: a stream of events or one JSON object, whichever was asked for and whatever it claims to be."""

    def __init__(self, reader: PayloadReader, call: Call, policy: Policy) -> None:
        """Start reading the answer to `call`."""
        self._reader, self._call, self._policy = reader, call, policy

    async def chunks(self, response: Response) -> AsyncGenerator[list[Chunk], None]:
        """See `Reading`; if the generator raises, the caller gets what is still held from `rest`."""
        head = await _read_head(response)
        kind = _kind(head, response.content_type)
        if kind == "events":
            return self._read_events(head, response)
        if kind == "json":
            return self._read_json(head, response)
        raise _foreign_error(head, response.content_type, self._call)

    def rest(self) -> list[Chunk]:
        """See `Reading`."""
        return self._reader.rest()

    async def _read_events(self, data: bytes, response: Response) -> AsyncGenerator[list[Chunk], None]:
        reader, decoder = self._reader, SSEDecoder(self._policy.largest_event)
        while data:
            if events := decoder.feed(data):
                chunks = reader.read(events)
                if chunks:
                    yield chunks
                if reader.ended:
                    break
                response.expect_end(reader.ending)
                if reader.heard or reader.ending:
                    response.touch()  # last: time that the reader takes does not count
            data = await self._next(response)
        else:
            if chunks := reader.read_cut_off(decoder.flush()) + reader.read_strays(bytes(decoder.strays)):
                yield chunks
        reader.settle()
        if reader.failure:
            raise reader.failure
        response.release()
        yield reader.finish()

    async def _read_json(self, head: bytes, response: Response) -> AsyncGenerator[list[Chunk], None]:
        reader = self._reader
        yield reader.read_body(await response.read_all(head))
        if reader.failure:
            raise reader.failure
        yield reader.finish()

    async def _next(self, response: Response) -> bytes:
        failure: JmuzError | None = None
        try:
            return await response.read()
        except JmuzError as error:
            failure = error
        # The reply is complete: if the server then drops the connection or sends no [DONE], that is not an error.
        if self._reader.complete:
            response.close()
            return b""
        raise failure


async def _read_head(response: Response) -> bytes:
    """The body up to the piece with its first visible byte."""
    head = await response.read()
    while not head.strip(BLANKS) and len(head) < 65536 and (data := await response.read()):
        head += data
    return head


def _kind(head: bytes, content_type: str) -> str:
    start = head.lstrip(BLANKS)[:1]
    if start in (b"{", b"["):
        return "json"
    if start == b"<" or content_type == "text/html":
        return "page"
    if content_type == "text/event-stream":
        return "events"
    if head.lstrip(BLANKS).startswith((b"data", b"event", b"id", b"retry", b":")):
        return "events"
    return "other"


def _foreign_error(head: bytes, content_type: str, call: Call) -> JmuzError:
    text = call.redact(head.decode("utf-8", "replace"))
    came = call.shown(content_type, 80) or "a body without a type"
    if not text.strip():
        came = "an empty body"
    elif title := html_title(text):
        came += f" with the title {title!r}"
    elif not text.lstrip().startswith("<"):
        came += f": {call.shown(text, SHOWN)!r}"
    return ResponseError(
        f"expected JSON or event stream from {call.origin}, got {came}", origin=call.origin, attempts=1
    )

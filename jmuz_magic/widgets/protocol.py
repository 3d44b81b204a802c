"""The messages between kernel and browser; the browser's half is `front/protocol.js`, and a test compares the two.

The kernel sends dicts, typed here. What comes from a browser may be anything, such as a message from an older page:
`read` turns it into one of the classes below.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NotRequired, TypeAlias, TypedDict, TypeVar, get_args, get_type_hints

from msgspec import Struct, ValidationError, convert

from jmuz_magic.conversation.export import Format
from jmuz_magic.request.request import State

__all__ = [
    "PANEL_MESSAGES", "SELECTOR_MESSAGES", "Answer", "AnswerMessage", "AnsweredMessage", "Ask", "Attach", "Bye", "Chip",
    "ChooseProvider", "Clear", "Delete", "Describe", "Described", "Export", "ExportedFile", "Hello", "Kind",
    "Known", "Limits", "ListModels", "ModelEntry", "Offer", "Offered", "OpenBlocks", "Operation", "PanelAbout",
    "PanelAction", "PanelLook", "PanelOperation", "Part", "PartMessage", "Picture", "Refresh", "Regenerate",
    "Resume", "Resync", "SelectorAbout", "SelectorOperation", "SelectorState", "SetSettings", "Settings", "Show",
    "ShownTurn", "Stop", "TakenMessage", "TurnsMessage", "Undo", "Unknown", "Use", "name_of", "queued_words", "read",
    "taken",
]  # fmt: skip

# --- From the kernel: the transcript of a panel ---

Kind: TypeAlias = Literal["reasoning", "text"]
Part: TypeAlias = tuple[Kind, str]
"""A finished block of a reply, as safe HTML."""


class OpenBlocks(TypedDict):
    """The blocks still being written, as safe HTML."""

    reasoning: str
    text: str


class Picture(TypedDict):
    """An image of a prompt: a label, and its thumbnail as a `data:` image or ""."""

    label: str
    data: str


_From = TypedDict("_From", {"from": int})


class PartChange(_From):
    """A running turn, with its parts after the first `from`."""

    turn: str
    parts: list[Part]
    open: OpenBlocks
    note: str
    state: State


class PartMessage(PartChange):
    """`PartChange`, with its numbers."""

    type: Literal["part"]
    sequence: int
    version: int


class ShownTurn(_From):
    """A turn without its first `from` parts; `source`, `error` and `facts` come with its end.

    `prompt` is what was sent, and `typed` what was written if that is something else, else "".
    A queued one is a prompt that waits for the end of another reply.
    """

    id: str
    prompt: str
    typed: str
    images: list[Picture]
    parts: list[Part]
    open: OpenBlocks
    note: str
    state: State | Literal["queued"]
    ended: bool
    error: str
    source: str
    facts: list[str]


class TurnsMessage(TypedDict):
    """Which turns there are, and some of them; in reply to `Resync` also answers that were lost.

    `versions` says of turns at which branches part which version of how many is shown.
    """

    type: Literal["turns"]
    sequence: int
    version: int
    order: list[str]
    versions: dict[str, tuple[int, int]]
    turns: list[ShownTurn]
    answered: NotRequired[dict[str, Answer]]


# --- From the kernel: answers ---

ModelEntry: TypeAlias = list[str]
"""Id, note, and the label if it differs from the id."""


class ExportedFile(TypedDict):
    """A file for the browser to save."""

    name: str
    type: str
    text: str


class Described(TypedDict):
    """What an expression stands for: type and size, or why it has no value; both are "" if it is only text."""

    about: str
    problem: str


class Offered(TypedDict):
    """What can be put into a prompt: the variables with type and size, the cells with how they begin."""

    variables: list[tuple[str, str]]
    cells: list[tuple[int, str]]


class Answer(TypedDict, total=False):
    """The result of an operation; empty if it has none.

    `prompt` is one that was undone, a `question` is to be asked before it is done, `providers` are as in
    `SelectorState`.
    """

    error: str
    note: str
    prompt: str
    question: str
    file: ExportedFile
    entries: list[ModelEntry]
    providers: list[list[str]]
    described: list[Described]
    offered: Offered


class AnswerMessage(Answer):
    """The answer to one request."""

    type: Literal["answer"]
    request: str


class TakenMessage(TypedDict):
    """An operation that waits for an endpoint has begun, so the kernel is not busy."""

    type: Literal["taken"]
    request: str


class AnsweredMessage(TypedDict):
    """A selector's answer to `Resync`: the lost answers, by request."""

    answered: dict[str, Answer]


# --- From the kernel: what the widgets' traits hold ---


class Limits(TypedDict):
    """Limits for the files of one prompt: the types of images, the bytes of each file, and their number."""

    types: list[str]
    each: int
    files: int


class PanelAbout(TypedDict):
    """What never changes: the conversation's name, what to call operations while they are queued, and suggestions."""

    name: str
    limits: Limits
    operations: dict[str, str]
    suggestions: list[str]


class Settings(TypedDict):
    """The settings for the next turn, what is shown of the endpoint, and what an empty panel may resume.

    `provider` is "" for the cells' endpoint.
    """

    model: str
    model_label: str
    provider: str
    endpoint: str
    shared: bool
    system: str
    temperature: float | None
    max_tokens: float | None
    ready: bool
    hint: str
    resume: str


class SelectorAbout(TypedDict):
    """What to call operations while they are queued."""

    operations: dict[str, str]


class SelectorState(TypedDict):
    """Everything that a selector shows.

    `providers` are names with labels, `model` is the one to mark, `hint` says what to do if none is listed, `asking`
    is the address that is being asked for its models.
    """

    providers: list[list[str]]
    provider: str
    entries: list[ModelEntry]
    model: str
    using: str
    hint: str
    problem: str
    asking: str
    pattern: str


# --- From a browser; a member with a default may be missing ---

Known: TypeAlias = Literal["ended"] | int
"""How much of a turn a view has: all of it, or a number of parts."""


class Hello(Struct, frozen=True, tag_field="op", tag="hello"):
    """A view of a panel was opened in a page, which has another name each time that it is loaded."""

    view: str = ""
    page: str = ""


class Bye(Struct, frozen=True, tag_field="op", tag="bye"):
    """A view of a panel was closed; `leaving` if its page was, which may be reloading."""

    view: str = ""
    leaving: bool = False


class Resync(Struct, frozen=True, tag_field="op", tag="resync"):
    """A view may have missed something: how much of each turn it has, and which requests await an answer."""

    known: dict[str, Known] = {}
    waiting: list[str] = []


class Operation(Struct, frozen=True, tag_field="op"):
    """What a user asks for; the answer names the request's id.

    Attributes:
        queued: what to call it while it waits for a busy kernel; "" for its name.
        asks: whether it waits for an endpoint, so that a late answer does not mean that the kernel is busy.
    """

    queued: ClassVar[str] = ""
    asks: ClassVar[bool] = False
    request: str = ""


class Chip(TypedDict):
    """A typed `{{source}}`, and the code point of the prompt at which its braces begin."""

    source: str
    at: int


class SentFile(TypedDict):
    """A file of a prompt: the id by which it came, its name, and for an image a thumbnail as a `data:` image or ""."""

    id: str
    name: str
    thumbnail: str


class Attach(Struct, frozen=True, tag_field="op", tag="attach"):
    """A file for the prompt that follows, as the only buffer: each comes alone, since large messages end connections.

    Attributes:
        file: its id.
    """

    file: str = ""


class Ask(Operation, frozen=True, tag="ask"):
    """Send a prompt, with files that came before; `replaces` is the turn of which it is an edited form.

    Of the text only the `chips` are expanded: what looks like one elsewhere was not typed. `cells` are the numbers of
    cells to send with it.
    It is queued while a reply is written.
    """

    queued = "your prompt"
    text: str = ""
    chips: list[Chip] = []
    cells: list[int] = []
    files: list[SentFile] = []
    replaces: str | None = None


class Clear(Operation, frozen=True, tag="clear"):
    """Remove all turns."""


class Delete(Operation, frozen=True, tag="delete"):
    """Remove a turn, or a prompt that is queued."""

    turn: str = ""


class Describe(Operation, frozen=True, tag="describe"):
    """Say of typed expressions what they stand for."""

    queued = "a variable"
    sources: list[str] = []


class Export(Operation, frozen=True, tag="export"):
    """Export the conversation as a file."""

    format: Format = "md"


class ListModels(Operation, frozen=True, tag="models"):
    """List the endpoint's models, and the providers; `refresh` fetches the models again."""

    queued = "the list of models"
    asks = True
    refresh: bool = False


class Offer(Operation, frozen=True, tag="offer"):
    """List the variables and the cells of the notebook."""

    queued = "the variables"


class Regenerate(Operation, frozen=True, tag="regenerate"):
    """Send the prompt of a turn again."""

    turn: str = ""


class Resume(Operation, frozen=True, tag="resume"):
    """Go on with the conversation as the log has it; `agreed` is the question that the user said yes to."""

    agreed: str = ""


class SetSettings(Operation, frozen=True, tag="set"):
    """Change settings, given as typed; None leaves one unchanged."""

    queued = "a setting"
    provider: str | None = None
    model: str | None = None
    system: str | None = None
    temperature: str | None = None
    max_tokens: str | None = None


class Show(Operation, frozen=True, tag="show"):
    """Show another version of a turn, counted from 1, with what followed it."""

    turn: str = ""
    version: int = 0


class Stop(Operation, frozen=True, tag="stop"):
    """Stop the running reply."""

    queued = "Stop"


class Undo(Operation, frozen=True, tag="undo"):
    """Undo the last change of the turns."""


class ChooseProvider(Operation, frozen=True, tag="provider"):
    """List the models of another provider."""

    queued = "a provider"
    name: str = ""


class Refresh(Operation, frozen=True, tag="refresh"):
    """Ask the endpoint for its models."""

    asks = True


class Use(Operation, frozen=True, tag="use"):
    """Use a model in this notebook; "" for the provider's default."""

    queued = "your choice"
    model: str = ""


class Unknown(Operation, frozen=True):
    """An operation from a page of another version."""


PanelAction: TypeAlias = (
    Ask | Clear | Delete | Export | ListModels | Regenerate | Resume | SetSettings | Show | Stop | Undo
)
PanelLook: TypeAlias = Describe | Offer
"""What is answered at once, where the user's code runs."""

PanelOperation: TypeAlias = PanelAction | PanelLook
SelectorOperation: TypeAlias = ChooseProvider | Refresh | Use
PanelMessage: TypeAlias = PanelOperation | Attach | Hello | Bye | Resync
SelectorMessage: TypeAlias = SelectorOperation | Resync
Received = TypeVar("Received")


def name_of(kind: type[Struct]) -> str:
    """What a kind of message is called in its member `op`."""
    return str(kind.__struct_config__.tag)


PANEL_MESSAGES: Mapping[str, type[PanelMessage]] = {name_of(kind): kind for kind in get_args(PanelMessage)}
SELECTOR_MESSAGES: Mapping[str, type[SelectorMessage]] = {name_of(kind): kind for kind in get_args(SelectorMessage)}


def read(kinds: Mapping[str, type[Received]], content: Mapping[str, object]) -> Received | Unknown:
    """The message that a browser sent; a missing or malformed member gets its default."""
    kind: type[Any] = kinds.get(str(content.get("op")), Unknown)
    hints, members = get_type_hints(kind), {}
    for name in kind.__struct_fields__:
        with contextlib.suppress(KeyError, ValidationError, UnicodeError):  # the last for half of a surrogate pair
            members[name] = _converted(content[name], hints[name])
    made: Received | Unknown = kind(**members)
    return made


def _converted(value: object, hint: Any) -> Any:
    """The value as that type; a number, for example, is accepted as text."""
    try:
        return convert(value, hint)
    except ValidationError:
        return convert(str(value), hint)


def queued_words(operations: object) -> dict[str, str]:
    """What to call the operations of a union while they are queued, by name."""
    return {name_of(kind): kind.queued or name_of(kind) for kind in get_args(operations)}


def taken(request: str) -> TakenMessage:
    """The message that a request that waits for an endpoint has begun."""
    return {"type": "taken", "request": request}

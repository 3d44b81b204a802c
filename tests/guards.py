"""`make guards`: take each guard out, in a copy of the tree, and see that a test fails.

A test that passes whether its guard is there or not proves nothing. Each entry names a guard, the symbol that holds
it, the small edit there that takes it out (`edits.py`), and the tests that must fail then. `test_guards.py`, part of
`make test`, sees that every edit still finds its place. Arguments select guards by words of their names:
`python -m tests.guards redirect retry`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.edits import (
    Edit,
    PlaceError,
    call,
    condition,
    edited,
    first,
    never,
    operand,
    option,
    path_of,
    piece,
    returns,
    statement,
)

__all__ = ["GUARDS", "SCRIPT_GUARDS", "Guard", "ScriptGuard"]

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 180
FAILED, NOTHING_RAN = 1, 5  # pytest's exit status; others than 0 and 1 mean that nothing was tested


class Guard:
    """One guard.

    Attributes:
        name: what it prevents or ensures.
        symbol: where it stands: module and qualified name.
        edits: what takes it out there.
        tests: arguments of pytest that choose the tests.
    """

    def __init__(self, name: str, symbol: str, *edits: Edit, tests: str) -> None:
        self.name = name
        self.symbol = symbol
        self.edits = edits
        self.tests = tests

    def taken_out(self, root: Path) -> str:
        """The source of the symbol's module without the guard.

        Raises:
            PlaceError: the symbol or a place in it has gone; it may have been rewritten.
        """
        return edited(self.path(root).read_text(encoding="utf-8"), self.symbol, self.edits)

    def path(self, root: Path) -> Path:
        """The file that holds it."""
        return path_of(self.symbol, root)

    @property
    def edit(self) -> str:
        """What takes it out, in words."""
        return "; ".join(edit.what for edit in self.edits)


class ScriptGuard:
    """One guard in the front end, taken out by another body of the function or method that holds it.

    Attributes:
        name: what it prevents or ensures.
        symbol: where it stands: module of `widgets/front/` and name.
        edit: what the function does then.
        tests: arguments of pytest that choose the tests.
    """

    def __init__(self, name: str, symbol: str, edit: str, *, tests: str) -> None:
        self.name = name
        self.symbol = symbol
        self.edit = edit
        self.tests = f"tests/widgets/test_front_end.py -k {tests}"

    def taken_out(self, root: Path) -> str:
        """The source of the module without the guard.

        Raises:
            PlaceError: the function has gone.
        """
        name = self.symbol.partition(":")[2]
        function = rf"^( *)((?:export )?(?:async )?(?:function )?{name}\([^\n]*\) \{{\n).*?^\1\}}$"
        source = self.path(root).read_text(encoding="utf-8")
        changed, count = re.subn(function, rf"\1\2{self.edit}\n\1}}", source, flags=re.MULTILINE | re.DOTALL)
        if count != 1:
            raise PlaceError(f"expected one {self.symbol}, found {count}")
        return changed

    def path(self, root: Path) -> Path:
        """The file that holds it."""
        return root / "jmuz_magic" / "widgets" / "front" / f"{self.symbol.partition(':')[0]}.js"


ASK_AGAIN = """\
if not getattr(cls, "again", False):
    cls.again = True
    try:
        async for chunk in cls._answer(build, connection):
            yield chunk
        return
    except JmuzError:
        pass
"""

GUARDS = (
    Guard(
        "links lead only to http, https and mail",
        "jmuz_magic.display.html.links:safe_href",
        returns("href"),
        tests="tests/display/test_links.py tests/display/test_markdown.py",
    ),
    Guard(
        "images are links, never loaded",
        "jmuz_magic.display.html.rendering:Renderer._span",
        call("_image", """f'<img src="{escape_html(str($1.attrs.get("src", "")))}">'"""),
        tests="tests/display/test_markdown.py",
    ),
    Guard(
        "HTML of a reply is text",
        "jmuz_magic.display.html.rendering:Renderer._span",
        first('if token.type == "text":\n    return token.content'),
        tests="tests/display/test_markdown.py",
    ),
    Guard(
        "a parser without HTML",
        "jmuz_magic.display.html.parser:make_parser",
        option("html", "True"),
        tests="tests/display/test_markdown.py",
    ),
    Guard(
        "lone dollars and backslashes are no formula",
        "jmuz_magic.display.text:text_html",
        returns("escape_html(text)"),
        tests="tests/display/test_markdown.py tests/display/test_maths.py",
    ),
    Guard(
        "formulas that reach out are shown as source",
        "jmuz_magic.display.html.maths:_shown_as_source",
        operand("_REACHES_OUT"),
        tests="tests/display/test_maths.py",
    ),
    Guard(
        "formulas for MathML are bounded",
        "jmuz_magic.display.html.maths:_mathml",
        operand("len"),
        operand("sum"),
        tests="tests/display/test_maths.py",
    ),
    Guard(
        "converted formulas are written anew",
        "jmuz_magic.display.html.maths:_mathml",
        call("rewrite_mathml", "$1"),
        tests="tests/display/test_mathml.py",
    ),
    Guard(
        "a label with a formula shows its target",
        "jmuz_magic.display.html.rendering:Link.opened_by",
        statement("opaque", "maths"),
        tests="tests/display/test_links.py",
    ),
    Guard(
        "only a trusted output shows the button that copies code",
        "jmuz_magic.display.html.copying:_COPIED",
        piece(">.jp-mod-trusted", ">.jp-RenderedHTMLCommon"),
        tests="tests/display/test_copying.py",
    ),
    Guard(
        "the button that copies code is hidden without its style",
        "jmuz_magic.display.html.copying:BUTTON",
        piece(' style="display:none"', ""),
        tests="tests/display/test_copying.py",
    ),
    Guard(
        "a button that copies stands only where the renderer wrote code",
        "jmuz_magic.display.html.copying:_BLOCK",
        piece('<div class="highlight">', "&lt;div class="),
        tests="tests/display/test_copying.py",
    ),
    Guard(
        "control characters are shown, not obeyed",
        "jmuz_magic.text:clean_text",
        returns("text"),
        tests="tests/display/test_text.py",
    ),
    Guard(
        "bidi overrides are shown, not obeyed",
        "jmuz_magic.text:_INERT",
        piece(r"\u202a-\u202e\u2066-\u206f", ""),
        tests="tests/display/test_text.py",
    ),
    Guard(
        "no package takes a name of the catalog",
        "jmuz_magic.providers.registry:find_provider",
        never("provider"),
        tests="tests/providers/test_registry.py -k takes_a_name",
    ),
    Guard(
        "Tab imports no package",
        "jmuz_magic.providers.registry:find_provider",
        condition("may_search", becomes="True"),
        tests="tests/providers/test_registry.py -k before_its_name",
    ),
    Guard(
        "a key goes to the origin that it belongs to",
        "jmuz_magic.providers.endpoint.endpoint:_pick_key",
        operand("key_origin"),
        tests="tests/providers/test_endpoint.py",
    ),
    Guard(
        "a class's key goes to its own origin",
        "jmuz_magic.providers.endpoint.endpoint:_pick_key",
        condition("api_key", "own_origin", becomes="provider.api_key"),
        tests="tests/providers/test_endpoint.py tests/providers/test_jmuz.py",
    ),
    Guard(
        "a header goes to the origin that it was given for",
        "jmuz_magic.providers.endpoint.headers:headers_at",
        condition("origin", "", becomes="False"),
        tests="tests/magics/test_headers.py -k no_other_address",
    ),
    Guard(
        "a class's headers stay at its own origin",
        "jmuz_magic.providers.endpoint.headers:headers_at",
        condition("origin", becomes="True", unless=("",)),
        tests="tests/magics/test_headers.py -k own_address",
    ),
    Guard(
        "a class for another address inherits no headers",
        "jmuz_magic.providers.openai_template:OpenaiTemplate.__init_subclass__",
        condition("api_base", becomes="False"),
        tests="tests/providers/test_headers.py -k inherits_neither",
    ),
    Guard(
        "a typed header carries no key",
        "jmuz_magic.magics.line.headers:_check_typed",
        call("is_secret_header", "False"),
        tests="tests/magics/test_headers.py -k typed_key",
    ),
    Guard(
        "a header never expands a secret",
        "jmuz_magic.providers.description:_check_headers",
        call("filter", "()"),
        tests="tests/magics/test_configured.py -k never_expanded",
    ),
    Guard(
        "only an administrator's headers expand variables",
        "jmuz_magic.providers.endpoint.headers:Header.variables",
        condition("administered", becomes="False"),
        tests="tests/magics/test_headers.py -k own_address",
    ),
    Guard(
        "an administrator's endpoint stays as it is",
        "jmuz_magic.magics.descriptions:read_descriptions",
        condition("fixed", "str", becomes="(lower := str(name).lower()) or True"),
        tests="tests/magics/test_configured.py -k stays_as_it_is",
    ),
    Guard(
        "a header that is secret shows nowhere",
        "jmuz_magic.providers.endpoint.headers:checked_value",
        returns("value.reveal()"),
        tests="tests/magics/test_configured.py -k never_shown",
    ),
    Guard(
        "no key over plain http",
        "jmuz_magic.providers.endpoint.endpoint:resolve_endpoint",
        never("is_plain"),
        tests="tests/providers/test_endpoint.py",
    ),
    Guard(
        "an endpoint that an administrator does not allow is refused when it is resolved",
        "jmuz_magic.providers.allowed:check_class",
        never("_later"),
        tests="tests/providers/test_allowed.py -k same_address",
    ),
    Guard(
        "an allowed endpoint has no other address",
        "jmuz_magic.providers.allowed:check_address",
        never("addresses"),
        tests="tests/providers/test_allowed.py -k demo",
    ),
    Guard(
        "no connection is opened to what an administrator does not allow",
        "jmuz_magic.providers.http.transport:open_response",
        statement("check_url"),
        tests="tests/providers/test_allowed.py -k connection",
    ),
    Guard(
        "an address does not lead up again from an allowed one",
        "jmuz_magic.providers.allowed:check_url",
        operand("_climbs"),
        tests="tests/providers/test_allowed.py -k connection",
    ),
    Guard(
        "what may be asked is never widened",
        "jmuz_magic.providers.allowed:narrow",
        never("set"),
        tests="tests/providers/test_allowed.py -k narrowed",
    ),
    Guard(
        "what an endpoint's description fixes cannot be taken away",
        "jmuz_magic.providers.fixed:_taken",
        returns("frozenset()"),
        tests="tests/providers/test_fixed.py -k dropped",
    ),
    Guard(
        "redirects are not followed",
        "jmuz_magic.providers.http.transport:_send",
        option("allow_redirects", "True"),
        tests="tests/providers/test_transport.py -k redirect",
    ),
    Guard(
        "certificates are checked",
        "jmuz_magic.providers.http.transport:_send",
        option("ssl", "False"),
        tests="tests/providers/test_transport.py -k certificate_that_is_not_accepted",
    ),
    Guard(
        "loopback is never proxied",
        "jmuz_magic.providers.http.proxies:find_proxy",
        never("is_loopback"),
        tests="tests/providers/test_transport.py -k never_proxied",
    ),
    Guard(
        "credentials of a proxy do not travel through its tunnel",
        "jmuz_magic.providers.http.transport:_send",
        option("headers", "_revealed({**call.headers, **for_proxy})"),
        tests="tests/providers/test_proxies.py -k open_a_tunnel",
    ),
    Guard(
        "credentials of a proxy are redacted",
        "jmuz_magic.providers.http.call:Call.redact",
        call("proxy_secrets", "()"),
        tests="tests/providers/test_proxies.py -k redacted",
    ),
    Guard(
        "an address has no query but the version of Azure's API",
        "jmuz_magic.providers.endpoint.address:_split",
        never("fragment"),
        tests="tests/magics/test_gateways.py -k key_in_the_query",
    ),
    Guard(
        "Colab is not asked for its key by Tab",
        "jmuz_magic.providers.platforms:_colab_key",
        call("get", "True"),
        tests="tests/providers/test_platforms.py -k tab",
    ),
    Guard(
        "a region cannot lead to another host",
        "jmuz_magic.providers.platforms:Bedrock.environment_api_base",
        never("_REGION"),
        tests="tests/providers/test_platforms.py -k another_host",
    ),
    Guard(
        ".netrc is not read",
        "jmuz_magic.providers.http.sessions:_make_client",
        option("trust_env", "True"),
        tests="tests/providers/test_transport.py -k netrc",
    ),
    Guard(
        "nothing is asked again after the first byte",
        "jmuz_magic.providers.openai_template:OpenaiTemplate._answer",
        first(ASK_AGAIN),
        tests="tests/providers/test_transport.py -k not_retried",
    ),
    Guard(
        "a timeout is not tried again",
        "jmuz_magic.providers.http.transport:_attempt",
        call("Failure", "Failure($1, retry=True)", "first_data_error"),
        tests="tests/providers/test_transport.py -k first_data_timer",
    ),
    Guard(
        "a budget that is used up is not tried again",
        "jmuz_magic.providers.http.failures:status_error",
        never("is_budget"),
        tests="tests/providers/test_budgets.py -k one_line",
    ),
    Guard(
        "what a user describes is not what an administrator named",
        "jmuz_magic.providers.allowed:introduce",
        never("administered"),
        tests="tests/providers/test_allowed.py -k described",
    ),
    Guard(
        "an exhausted quota is not tried again",
        "jmuz_magic.providers.http.failures:_rate_limit",
        call("Failure", "Failure($1, True, $3)"),
        tests="tests/providers/test_transport.py -k quota",
    ),
    Guard(
        "a Retry-After beyond the cap is not waited for",
        "jmuz_magic.providers.http.policy:Policy.delay",
        condition("longest_wait", becomes="True"),
        tests="tests/providers/test_transport.py -k beyond_the_cap",
    ),
    Guard(
        "what only keeps a connection alive is no data",
        "jmuz_magic.providers.dialects.reading:ReplyReading._read_events",
        condition("heard", becomes="True"),
        tests="tests/providers/test_transport.py -k only_kept_alive",
    ),
    Guard(
        "an option that was typed is never left out",
        "jmuz_magic.providers.concessions:Terms._leave_out",
        operand("_how_typed"),
        tests="tests/providers/test_concessions.py tests/magics/test_refused_options.py",
    ),
    Guard(
        "only options about sampling and form are left out",
        "jmuz_magic.providers.concessions:_is_dispensable",
        returns("True"),
        tests="tests/providers/test_concessions.py -k other_option",
    ),
    Guard(
        "a quoted piece of the prompt names no option",
        "jmuz_magic.providers.http.refusals:_named",
        condition("_is_repeated", becomes="True"),
        tests="tests/providers/test_refusals.py -k quoted",
    ),
    Guard(
        "a turn asks three further times at most",
        "jmuz_magic.providers.concessions:Terms.concede",
        operand("MOST"),
        tests="tests/providers/test_concessions.py -k three_options",
    ),
    Guard(
        "an event has a largest size",
        "jmuz_magic.streaming.sse:SSEDecoder._within_limit",
        returns("events"),
        tests="tests/streaming/test_sse.py tests/providers/test_transport.py -k limit",
    ),
    Guard(
        "an image has a largest size",
        "jmuz_magic.providers.dialects.pictures:_refusal",
        never("MOST_BYTES"),
        tests="tests/providers/test_pictures.py -k refused",
    ),
    Guard(
        "an image is measured before it is shown",
        "jmuz_magic.providers.dialects.pictures:_refusal",
        never("MOST_PIXELS"),
        tests="tests/providers/test_pictures.py -k pixels",
    ),
    Guard(
        "an image part is data, never an address",
        "jmuz_magic.providers.dialects.pictures:read_image",
        condition("opening", becomes='opening is None and not url.startswith(("http:", "https:"))'),
        tests="tests/providers/test_pictures.py -k refused",
    ),
    Guard(
        "only four types of images are outputs",
        "jmuz_magic.display.pictures:image_bundles",
        condition("media_type", becomes="True"),
        tests="tests/display/test_extras.py -k media_type",
    ),
    Guard(
        "a source shows its host",
        "jmuz_magic.display.html.rendering:_target_html",
        returns("''"),
        tests="tests/display/test_extras.py -k lie",
    ),
    Guard(
        "a finish reason in mid-reply is no end",
        "jmuz_magic.providers.dialects.chat.choices:ReplyChoice._take_end",
        statement("ending", becomes="self.ending = True"),
        tests="tests/providers/test_ends.py -k mid_reply",
    ),
    Guard(
        "a reply that broke off has no calls to run",
        "jmuz_magic.providers.dialects.chat.reader:ReplyReader.rest",
        call("unfinished_calls", "[ToolCalls($0.tool_calls)]"),
        tests="tests/providers/test_shapes.py -k not_to_be_run",
    ),
    Guard(
        "an unfinished call of a Responses stream is not to be run",
        "jmuz_magic.providers.dialects.responses.reader:ResponsesReader.finish",
        condition("whole", becomes="True"),
        tests="tests/providers/test_responses_events.py -k not_to_be_run",
    ),
    Guard(
        "nothing is stored at a service of the Responses dialect",
        "jmuz_magic.providers.dialects.responses.body:build_body",
        option("store", "True"),
        tests="tests/providers/test_responses_bodies.py -k nothing_is_stored",
    ),
    Guard(
        "a stream has a largest size",
        "jmuz_magic.providers.http.response:Response._read_some",
        never("largest_body"),
        tests="tests/providers/test_transport.py -k endless",
    ),
    Guard(
        "a server's text shows no key",
        "jmuz_magic.secret:redact",
        returns("text"),
        tests="tests/providers/test_secrecy.py tests/providers/test_openai_template.py -k key",
    ),
    Guard(
        "no key in the log",
        "jmuz_magic.request.written:_redacted",
        call("redact", "$1"),
        tests="tests/request/test_written.py",
    ),
    Guard(
        "the cleaner is flushed at the end",
        "jmuz_magic.providers.openai_template:OpenaiTemplate._answer",
        call("last", "()", unless=("reading",)),
        tests="tests/providers/test_jmuz.py",
    ),
    Guard(
        "the cleaner is flushed at an error",
        "jmuz_magic.providers.openai_template:OpenaiTemplate._answer",
        call("chain", "$1 if isinstance(error, JmuzError) else chain($1, cleaning.last([]))"),
        tests="tests/providers/test_jmuz.py",
    ),
    Guard(
        "the cleaner is flushed at an interrupt",
        "jmuz_magic.providers.openai_template:OpenaiTemplate._answer",
        call("chain", "chain($1, cleaning.last([])) if isinstance(error, JmuzError) else $1"),
        tests="tests/providers/test_jmuz.py",
    ),
    Guard(
        "an interrupted turn takes what the cleaner held",
        "jmuz_magic.conversation.turn:Turn.chunks",
        statement("_take_rest"),
        tests="tests/conversation/test_conversation.py tests/providers/test_jmuz.py tests/kernel/test_interrupts.py",
    ),
    Guard(
        "a failed or filtered turn is not sent with later ones",
        "jmuz_magic.conversation.turn:Turn.is_remembered",
        operand("failed"),
        operand("content_filter"),
        tests="tests/conversation/test_history.py",
    ),
    Guard(
        "a cell that is run again and fails leaves its old turn",
        "jmuz_magic.conversation.placing:entered",
        never("_may_replace"),
        tests="tests/conversation/test_placing.py",
    ),
    Guard(
        "reasoning goes to nobody but the origin that it came from",
        "jmuz_magic.request.request:Request.arguments",
        condition("origin", becomes="True"),
        tests="tests/conversation/test_earlier_reasoning.py",
    ),
    Guard(
        "opaque reasoning goes to nobody but the model and the dialect that it came from",
        "jmuz_magic.providers.dialects.dialect:items_by_message",
        condition("model", becomes="each"),
        tests="tests/providers/test_dialects.py -k items_go_back",
    ),
    Guard(
        "a dry run shows no key, even of a class that sends it in the clear",
        "jmuz_magic.magics.running.dry_run:_masked",
        condition("is_secret_header", becomes="isinstance(value, Secret)"),
        tests="tests/magics/test_dry_run.py -k no_key",
    ),
    Guard(
        "how a request travels is no part of its key",
        "jmuz_magic.request.written:written_options",
        returns("dict(options)"),
        tests="tests/recordings/test_recorded_lines.py tests/request/test_written.py",
    ),
    Guard(
        "a recording says what follows a step, not the sequel",
        "jmuz_magic.conversation.turn:Turn._follow",
        condition("_replayed", becomes="False"),
        tests="tests/conversation/test_steps.py -k replayed",
    ),
    Guard(
        "a complete step stays complete, whatever ends the turn",
        "jmuz_magic.conversation.turn:Turn._close_step",
        never("_is_whole"),
        tests="tests/conversation/test_steps.py -k sequel_that_fails",
    ),
    Guard(
        "creating a turn reserves nothing",
        "jmuz_magic.recordings.recording:Recording.find",
        first("return self.take(asked, cell, fresh=fresh)[1]"),
        tests="tests/recordings/test_recording.py -k never_begins",
    ),
    Guard(
        "replay 'only' asks no endpoint",
        "jmuz_magic.recordings.recording:Recording._recorded",
        never("only"),
        tests="tests/recordings/test_recording.py",
    ),
    Guard(
        "%jmuz_record --only that fails asks nobody",
        "jmuz_magic.magics.commands.jmuz_record:_use",
        operand("only"),
        tests="tests/magics/test_logbook.py -k asks_nobody",
    ),
    Guard(
        "what deletes all of the log asks first",
        "jmuz_magic.magics.commands.jmuz_log:_delete",
        never("yes"),
        tests="tests/magics/test_log.py -k takes_all",
    ),
    Guard(
        "servers are looked for on this machine alone",
        "jmuz_magic.providers.local:local_servers",
        condition("is_loopback", becomes="True"),
        tests="tests/providers/test_local.py -k on_loopback",
    ),
    Guard(
        "a server of another user is not asked",
        "jmuz_magic.providers.local:_models",
        never("owner"),
        tests="tests/providers/test_local.py -k another_user",
    ),
    Guard(
        "servers are looked for only where somebody watches",
        "jmuz_magic.magics.local:_reason_not_to",
        never("is_watched"),
        tests="tests/magics/test_local.py -k nobody_watches",
    ),
    Guard(
        "no server is looked for while only some endpoints may be asked",
        "jmuz_magic.magics.local:_reason_not_to",
        never("allowed_names"),
        tests="tests/magics/test_local.py -k only_some_endpoints",
    ),
    Guard(
        "no server is looked for while only a recording answers",
        "jmuz_magic.magics.local:_reason_not_to",
        call("asks_nobody", "False"),
        tests="tests/magics/test_local.py -k only_a_recording_answers",
    ),
    Guard(
        "a model is suggested only by an id that is what it looks like",
        "jmuz_magic.magics.local:_suggestion",
        operand("clean_id"),
        tests="tests/magics/test_local.py -k inert",
    ),
    Guard(
        "a key in what is wrong with a line is not repeated",
        "jmuz_magic.magics.line.parser:MagicParser.refusal",
        never("looks_like_key"),
        tests="tests/magics/test_keys.py",
    ),
    Guard(
        "a key is no name of a model",
        "jmuz_magic.magics.line.values:model_name",
        call("model_looks_like_key", "False"),
        tests="tests/magics/test_keys.py",
    ),
    Guard(
        "a key typed into a widget is no model",
        "jmuz_magic.widgets.models:model_of",
        never("model_looks_like_key"),
        tests="tests/widgets/test_selector.py tests/widgets/test_panel.py -k typed_for_a_model",
    ),
    Guard(
        "an image of a recording is checked again",
        "jmuz_magic.request.facts:with_facts",
        call("read_image", 'Image(base64.b64decode(image.data), "text/html")'),
        tests="tests/request/test_facts.py -k image",
    ),
    Guard(
        "a conversation is resumed only where somebody watches",
        "jmuz_magic.conversation.resuming:check_may_resume",
        never("is_watched"),
        tests="tests/conversation/test_resuming.py -k nobody_watches",
    ),
    Guard(
        "nothing is resumed beside a recording",
        "jmuz_magic.conversation.resuming:refuse_beside",
        never("recording"),
        tests="tests/conversation/test_resuming.py -k beside_a_recording",
    ),
    Guard(
        "resumed turns go to another origin only if the user agrees",
        "jmuz_magic.magics.resuming:resume",
        never("goes_elsewhere"),
        tests="tests/magics/test_resuming.py -k another_origin",
    ),
    Guard(
        "a panel's turns go to another origin only after a yes to that question",
        "jmuz_magic.widgets.resuming:resume",
        never("agreed"),
        tests="tests/widgets/test_resuming.py -k another_origin",
    ),
    Guard(
        "what was undone is not resumed",
        "jmuz_magic.conversation.conversation:Conversation._tell",
        condition("kind", becomes="event.kind == 'ended'"),
        tests="tests/conversation/test_resuming.py -k undone",
    ),
    Guard(
        "the path of a notebook leaves the log nowhere",
        "jmuz_magic.log.writer:notebook_name",
        returns("path"),
        tests="tests/log/test_conversations.py -k path",
    ),
    Guard(
        "version 0.1 reads what is recorded and logged",
        "jmuz_magic.request.facts:usage_values",
        returns("usage.as_dict() if usage else None"),
        tests="tests/legacy/test_side_by_side.py",
    ),
    Guard(
        "a slow reader pauses the stream",
        "jmuz_magic.streaming.bridge:Stream._pump",
        never("QUEUE_BOUND"),
        tests="tests/streaming/test_bridge.py",
    ),
    Guard(
        "leaving a stream ends its generator",
        "jmuz_magic.streaming.bridge:Stream.close",
        statement("call_soon"),
        tests="tests/streaming/test_bridge.py",
    ),
    Guard(
        "a forked child gets a bridge of its own",
        "jmuz_magic.streaming.bridge:",
        statement("register_at_fork"),
        tests="tests/streaming/test_bridge.py tests/magics/test_processes.py -k fork",
    ),
    Guard(
        "unloading ends the bridge",
        "jmuz_magic.magics.extension:_add_all",
        statement("close_bridge"),
        tests="tests/magics/test_extension.py",
    ),
    Guard(
        "unloading removes the transform",
        "jmuz_magic.magics.extension:_add_transformers",
        statement("remove"),
        tests="tests/magics/test_extension.py",
    ),
    Guard(
        "unloading removes the matcher",
        "jmuz_magic.magics.extension:_add_matcher",
        statement("remove"),
        tests="tests/magics/test_extension.py",
    ),
    Guard(
        "what is put in is not expanded again",
        "jmuz_magic.magics.prompt.expander:Expander._shown",
        statement("shown", becomes='return self.text(shown) if "{{" in shown else shown', unless=("_texts", "images")),
        tests="tests/magics/test_prompt.py",
    ),
    Guard(
        "the log keeps no file",
        "jmuz_magic.log.exchange_row:_without_files",
        returns("messages"),
        tests="tests/log/test_log.py -k of_a_file",
    ),
    Guard(
        "in a panel an expression calls nothing",
        "jmuz_magic.notebook.lookup:look_up",
        returns("eval(path.source, dict(namespace))"),
        tests="tests/notebook/test_lookup.py",
    ),
    Guard(
        "in a panel an index is a literal",
        "jmuz_magic.notebook.lookup:_is_literal",
        returns("True"),
        tests="tests/notebook/test_lookup.py",
    ),
    Guard(
        "in a panel only what was typed is expanded",
        "jmuz_magic.widgets.sight:_pieces",
        first(
            "import re\n"
            "found = re.finditer(r'\\{\\{(.+?)\\}\\}', asked.text)\n"
            'asked = replace(asked, chips=[{"source": each[1], "at": each.start()} for each in found])',
        ),
        tests="tests/widgets/test_sight.py",
    ),
    Guard(
        "a prompt has a largest size",
        "jmuz_magic.magics.prompt.limits:check_text",
        never("max_bytes"),
        tests="tests/magics/test_limits.py tests/magics/test_building.py",
    ),
    Guard(
        "an interrupt does not cut off the last update",
        "jmuz_magic.magics.running.foreground:_deferred_interrupts",
        call("signal", "signal.getsignal($1)", "append"),
        tests="tests/kernel/test_interrupts.py -k shown_to_its_end",
    ),
    Guard(
        "where prompts go is said",
        "jmuz_magic.providers.endpoint.endpoint:Endpoint.notice",
        returns("None"),
        tests="tests/kernel/test_choices.py -k where_prompts_go",
    ),
    Guard(
        "a closed panel is let go",
        "jmuz_magic.widgets.front_end:joined",
        returns('FRONT / f"{name}.js", ""'),
        tests="tests/widgets/test_memory.py",
    ),
    Guard(
        "a stopped turn is let go",
        "jmuz_magic.widgets.asking:Asking._start",
        statement("_tasks", "pop"),
        tests="tests/widgets/test_memory.py",
    ),
)

SCRIPT_GUARDS = (
    ScriptGuard(
        "a refusal leaves the clipboard alone",
        "cells:insertCell",
        'if ((await tried(code, panels)) !== "inserted") { await copyText(code); return "Nothing inserted."; }'
        ' inserted(); return "Inserted below as a new cell; it was not run.";',
        tests="cells",
    ),
    ScriptGuard("Copy copies", "clipboard:copyText", "return true;", tests="turn_view"),
    ScriptGuard(
        "Copy clicked twice offers itself again",
        "buttons:acknowledge",
        'const before = [...button.childNodes]; const label = button.getAttribute("aria-label");'
        ' button.replaceChildren(icon("check")); button.setAttribute("aria-label", words);'
        ' setTimeout(() => { button.replaceChildren(...before); button.setAttribute("aria-label", label); }, 1500);',
        tests="turn_view",
    ),
    ScriptGuard(
        "Enter makes no model of typed text", "model_list:#enter", "this.#take(this.text);", tests="model_list"
    ),
    ScriptGuard("a kernel that asks an endpoint is not called busy", "link:#take", "", tests="selector"),
    ScriptGuard("an answer that was lost is asked for", "link:resync", "", tests="panel"),
    ScriptGuard(
        "of a dead kernel nobody waits for an answer",
        "link:#die",
        "this.live = false; this.changed();",
        tests="panel",
    ),
    ScriptGuard(
        "HTML of a saved notebook is checked", "safe_html:copied", "return node.cloneNode(true);", tests="safe_html"
    ),
    ScriptGuard("keys stay in the panel", "keys:guardKeys", "return () => {};", tests="panel"),
    ScriptGuard(
        "pasted text makes no chip",
        "typed:#input",
        "this.#replace(0, this.text.length, this.field.value.length, true);",
        tests="typed",
    ),
    ScriptGuard("files have a largest size", "files:judged", 'return { kind: "image" };', tests="composer"),
)


def main(words: Sequence[str]) -> int:
    """Check the guards whose names hold one of the words, or all; the exit status."""
    chosen = [each for each in (*GUARDS, *SCRIPT_GUARDS) if not words or any(word in each.name for word in words)]
    problems = []
    with copied_tree() as tree:
        for each in chosen:
            outcome = check(tree, each)
            print(f"{each.name}\n    {each.symbol}: {each.edit}")
            print(f"    {each.tests}\n    {outcome or 'failed, as it should'}", flush=True)
            problems += [f"{each.name}: {outcome}"] if outcome else []
    print("\n".join(problems) or f"all {len(chosen)} guards are seen by their tests")
    return bool(problems)


@contextmanager
def copied_tree() -> Iterator[Path]:
    """The tree as it is now, somewhere else."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("jmuz_magic", "tests"):
            unneeded = shutil.ignore_patterns("__pycache__", "node_modules")
            shutil.copytree(ROOT / name, Path(folder, name), ignore=unneeded)
        Path(folder, "tests", "node", "node_modules").symlink_to(ROOT / "tests" / "node" / "node_modules")
        shutil.copy(ROOT / "pyproject.toml", folder)
        yield Path(folder)


def check(tree: Path, each: Guard | ScriptGuard) -> str:
    """What is wrong with the tests of a guard; "" if one fails without it."""
    path = each.path(tree)
    source = path.read_text(encoding="utf-8")
    try:
        changed = each.taken_out(tree)
    except PlaceError as error:
        return str(error)
    if status := pytest_status_unchanged(tree, each.tests):
        return f"its tests do not pass although it is there (status {status})"
    path.write_text(changed, encoding="utf-8")
    try:
        status = pytest_status(tree, each.tests)
    finally:
        path.write_text(source, encoding="utf-8")
    if status == FAILED or status < 0:  # a signal: what was guarded against has ended the process
        return ""
    return "its tests pass without it" if status == 0 else f"its tests did not run (status {status})"


@cache
def pytest_status_unchanged(tree: Path, tests: str) -> int:
    return pytest_status(tree, tests)


def pytest_status(tree: Path, tests: str) -> int:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", f"--timeout={SECONDS}"]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1", **git_variables()}
    try:
        done = subprocess.run(
            [*command, *tests.split()], cwd=tree, env=environment, capture_output=True, text=True, timeout=2 * SECONDS
        )
    except subprocess.TimeoutExpired:
        return FAILED  # it hangs without the guard
    return done.returncode if done.returncode or " passed" in done.stdout else NOTHING_RAN


@cache
def git_variables() -> dict[str, str]:
    """What lets tests in the copy read the history, as those with version 0.1 do."""
    command = ["git", "rev-parse", "--absolute-git-dir"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return {"GIT_DIR": found.stdout.strip()} if found.returncode == 0 else {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

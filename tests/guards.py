"""`make guards`: take each guard out, in a copy of the tree, and see that a test fails.

A test that passes whether its guard is there or not proves nothing. Each entry names a guard, the file that holds
it, the text that is it, what stands there without it, and the tests that must fail then. Arguments select guards
by words of their names: `python -m tests.guards redirect retry`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["GUARDS", "Guard"]

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 180
FAILED = 1  # pytest's exit status; others mean that nothing was tested


class Guard(NamedTuple):
    """One guard.

    Attributes:
        name: what it prevents or ensures.
        path: in `jmuz_magic/`.
        changes: pairs of what stands there and what stands there without the guard.
        tests: arguments of pytest that choose the tests.
    """

    name: str
    path: str
    changes: tuple[tuple[str, str], ...]
    tests: str


def guard(name: str, path: str, before: str, after: str, tests: str) -> Guard:
    return Guard(name, path, ((before, after),), tests)


ASK_AGAIN = """        except (JmuzError, asyncio.CancelledError) as error:
            if type(error).__name__ == "StreamError" and not getattr(cls, "again", False):
                cls.again = True
                async for chunk in cls._answer(question):
                    yield chunk
                return
"""

GUARDS = (
    guard(
        "links lead only to http, https and mail",
        "display/html/links.py",
        'if not re.match(r"https?://", href, re.IGNORECASE):',
        'if not re.match(r"[a-z]+:", href, re.IGNORECASE):\n        return href\n    if False:',
        "tests/display/test_links.py tests/display/test_markdown.py",
    ),
    guard(
        "images are links, never loaded",
        "display/html/rendering.py",
        "            return self._image(token, linked)",
        '            return f\'<img src="{escape_html(str(token.attrs.get("src", "")))}">\'',
        "tests/display/test_markdown.py",
    ),
    Guard(
        "HTML of a reply is text",
        "display/html/rendering.py",
        (
            (
                "return self._tag(token) if token.nesting else text_html(token.content)\n\n    @staticmethod",
                "return self._tag(token) if token.nesting else token.content\n\n    @staticmethod",
            ),
            ("return text_html(token.content) if linked else _linked_text_html(token.content)", "return token.content"),
        ),
        "tests/display/test_markdown.py",
    ),
    guard(
        "a parser without HTML",
        "display/html/parser.py",
        '"html": False',
        '"html": True',
        "tests/display/test_markdown.py",
    ),
    guard(
        "lone dollars and backslashes are no formula",
        "display/text.py",
        'return _TEX_MARKS.sub(r"<span>\\g<0></span>", escape_html(text))',
        "return escape_html(text)",
        "tests/display/test_markdown.py tests/display/test_maths.py",
    ),
    guard(
        "formulas that reach out are shown as source",
        "display/html/maths.py",
        "_REACHES_OUT.search(source) is not None",
        "False",
        "tests/display/test_maths.py",
    ),
    guard(
        "formulas for MathML are bounded",
        "display/html/maths.py",
        'or len(source) > 4000 or sum(map(source.count, "{\\\\^_")) > 200',
        "",
        "tests/display/test_maths.py",
    ),
    guard(
        "converted formulas are written anew",
        "display/html/maths.py",
        "return rewrite_mathml(converted)",
        "return converted",
        "tests/display/test_mathml.py",
    ),
    guard(
        "a label with a formula shows its target",
        "display/html/rendering.py",
        'opaque = opaque or token.type == "maths"',
        "pass",
        "tests/display/test_links.py",
    ),
    guard(
        "control characters are shown, not obeyed",
        "text.py",
        "return _INERT.sub(_visible, text)",
        "return text",
        "tests/display/test_text.py",
    ),
    guard(
        "bidi overrides are shown, not obeyed",
        "text.py",
        "\\u202a-\\u202e\\u2066-\\u206f",
        "",
        "tests/display/test_text.py",
    ),
    guard(
        "a key goes to the origin that it belongs to",
        "providers/endpoint/endpoint.py",
        "if found and origin == provider.key_origin():",
        "if found:",
        "tests/providers/test_endpoint.py",
    ),
    guard(
        "a class's key goes to its own origin",
        "providers/endpoint/endpoint.py",
        "if provider.api_key and origin == provider.own_origin():",
        "if provider.api_key:",
        "tests/providers/test_endpoint.py tests/providers/test_jmuz.py",
    ),
    guard(
        "no key over plain http",
        "providers/endpoint/endpoint.py",
        "if key and _is_plain(address) and not allow_http:",
        "if False:",
        "tests/providers/test_endpoint.py",
    ),
    guard(
        "redirects are not followed",
        "providers/http/transport.py",
        "allow_redirects=False,",
        "allow_redirects=True,",
        "tests/providers/test_transport.py -k redirect",
    ),
    guard(
        "certificates are checked",
        "providers/http/transport.py",
        "ssl=session.ssl_context() if secure else True,",
        "ssl=False,",
        "tests/providers/test_transport.py -k certificate_that_is_not_accepted",
    ),
    guard(
        "loopback is never proxied",
        "providers/http/proxies.py",
        "if is_loopback(host):",
        "if False:",
        "tests/providers/test_transport.py -k never_proxied",
    ),
    guard(
        ".netrc is not read",
        "providers/http/sessions.py",
        "trust_env=False,",
        "trust_env=True,",
        "tests/providers/test_transport.py -k netrc",
    ),
    guard(
        "nothing is asked again after the first byte",
        "providers/openai_template.py",
        "        except (JmuzError, asyncio.CancelledError) as error:\n",
        ASK_AGAIN,
        "tests/providers/test_transport.py -k not_retried",
    ),
    guard(
        "a timeout is not tried again",
        "providers/http/transport.py",
        "return Failure(first_data_error(call, policy))",
        "return Failure(first_data_error(call, policy), retry=True)",
        "tests/providers/test_transport.py -k first_data_timer",
    ),
    guard(
        "an exhausted quota is not tried again",
        "providers/http/failures.py",
        "not exhausted, asked)",
        "True, asked)",
        "tests/providers/test_transport.py -k quota",
    ),
    guard(
        "a Retry-After beyond the cap is not waited for",
        "providers/http/policy.py",
        "return asked if asked <= self.longest_wait else None",
        "return asked",
        "tests/providers/test_transport.py -k beyond_the_cap",
    ),
    guard(
        "what only keeps a connection alive is no data",
        "providers/dialects/chat/reading.py",
        "            if reader.heard or reader.ending:",
        "            if True:",
        "tests/providers/test_transport.py -k only_kept_alive",
    ),
    guard(
        "an option that was typed is never left out",
        "providers/concessions.py",
        "next((name for name in names if _is_dispensable(name) and not _how_typed(name, self._typed)), None)",
        "next((name for name in names if _is_dispensable(name)), None)",
        "tests/providers/test_concessions.py tests/magics/test_refused_options.py",
    ),
    guard(
        "only options about sampling and form are left out",
        "providers/concessions.py",
        'return name in DISPENSABLE or name.endswith("_penalty")',
        "return True",
        "tests/providers/test_concessions.py -k other_option",
    ),
    guard(
        "a quoted piece of the prompt names no option",
        "providers/http/refusals.py",
        "if not any(_is_repeated(text, start, end, prompt) for prompt in prompts):",
        "if True:",
        "tests/providers/test_refusals.py -k quoted",
    ),
    guard(
        "a turn asks three further times at most",
        "providers/concessions.py",
        "if names and self._conceded < MOST and",
        "if names and",
        "tests/providers/test_concessions.py -k three_options",
    ),
    guard(
        "an event has a largest size",
        "streaming/sse.py",
        "if not self._overflown and len(self._line) + len(self._data) <= self._max:",
        "if True:",
        "tests/streaming/test_sse.py tests/providers/test_transport.py -k limit",
    ),
    guard(
        "an image has a largest size",
        "providers/dialects/chat/pictures.py",
        "if len(data) > MOST_BYTES:",
        "if False:",
        "tests/providers/test_pictures.py -k refused",
    ),
    guard(
        "an image is measured before it is shown",
        "providers/dialects/chat/pictures.py",
        "if width * height > MOST_PIXELS",
        "if False",
        "tests/providers/test_pictures.py -k pixels",
    ),
    guard(
        "an image part is data, never an address",
        "providers/dialects/chat/pictures.py",
        "if opening is None:",
        'if opening is None and not url.startswith(("http:", "https:")):',
        "tests/providers/test_pictures.py -k refused",
    ),
    guard(
        "only four types of images are outputs",
        "display/pictures.py",
        "if image.media_type in _SHOWN:",
        "if True:",
        "tests/display/test_extras.py -k media_type",
    ),
    guard(
        "a source shows its host",
        "display/html/rendering.py",
        "{_target_html(label, href, opaque=True)}",
        "",
        "tests/display/test_extras.py -k lie",
    ),
    guard(
        "a finish reason in mid-reply is no end",
        "providers/dialects/chat/choices.py",
        "self.ending = alone and",
        "self.ending = True or",
        "tests/providers/test_ends.py -k mid_reply",
    ),
    guard(
        "a reply that broke off has no calls to run",
        "providers/dialects/chat/reader.py",
        "            chunks += choice.unfinished_calls()",
        "            chunks.append(ToolCalls(choice.tool_calls))",
        "tests/providers/test_shapes.py -k not_to_be_run",
    ),
    guard(
        "a stream has a largest size",
        "providers/http/transport.py",
        "if self._received > self._policy.largest_body:",
        "if False:",
        "tests/providers/test_transport.py -k endless",
    ),
    guard(
        "a server's text shows no key",
        "providers/http/failures.py",
        '        text = text.replace(spelling, "***")',
        "        pass",
        "tests/providers/test_secrecy.py tests/providers/test_openai_template.py -k key",
    ),
    guard(
        "no key in the log",
        "request/written.py",
        "return redact(value, key) if key else value",
        "return value",
        "tests/conversation/test_private.py",
    ),
    guard(
        "the cleaner is flushed at the end",
        "providers/openai_template.py",
        "            for chunk in cleaning.last([]):\n",
        "            for chunk in ():\n",
        "tests/providers/test_jmuz.py",
    ),
    guard(
        "the cleaner is flushed at an error",
        "providers/openai_template.py",
        "for chunk in chain(left, cleaning.last(reader.rest() if reader else [])):",
        "for chunk in left if isinstance(error, JmuzError) else chain(left, cleaning.last([])):",
        "tests/providers/test_jmuz.py",
    ),
    guard(
        "the cleaner is flushed at an interrupt",
        "providers/openai_template.py",
        "for chunk in chain(left, cleaning.last(reader.rest() if reader else [])):",
        "for chunk in chain(left, cleaning.last([])) if isinstance(error, JmuzError) else left:",
        "tests/providers/test_jmuz.py",
    ),
    guard(
        "an interrupted turn takes what the cleaner held",
        "conversation/turn.py",
        "await self._take_rest(source)",
        "pass",
        "tests/conversation/test_conversation.py tests/providers/test_jmuz.py tests/kernel/test_interrupts.py",
    ),
    guard(
        "a failed or filtered turn is not sent with later ones",
        "conversation/turn.py",
        'if self.is_set_aside or self.state == "failed" or reply.finish_reason == "content_filter":',
        "if self.is_set_aside:",
        "tests/conversation/test_history.py",
    ),
    guard(
        "a cell that is run again and fails leaves its old turn",
        "conversation/placing.py",
        "if not _may_replace(turn, old):",
        "if False:",
        "tests/conversation/test_placing.py",
    ),
    guard(
        "reasoning goes to nobody but the origin that it came from",
        "conversation/turn.py",
        "each if each and each.origin == endpoint.origin else None",
        "each",
        "tests/conversation/test_earlier_reasoning.py",
    ),
    Guard(
        "replay 'only' asks no endpoint",
        "recordings/recording.py",
        (('elif self.mode == "only":', "elif False:"),),
        "tests/conversation/test_recording.py",
    ),
    guard(
        "%jmuz_record --only that fails asks nobody",
        "magics/commands/jmuz_log.py",
        '        if path and mode != "only":',
        "        if path:",
        "tests/magics/test_logbook.py -k asks_nobody",
    ),
    guard(
        "an image of a recording is checked again",
        "request/facts.py",
        'images = [read_image({"b64_json": image.data}) for image in facts.images[:MOST_IMAGES]]',
        'images = [Image(base64.b64decode(image.data), "text/html") for image in facts.images]',
        "tests/conversation/test_facts.py -k image",
    ),
    guard(
        "version 0.1 reads what is recorded and logged",
        "request/facts.py",
        "return {name: getattr(usage, name) for name in COUNTS} if usage else None",
        "return usage.as_dict() if usage else None",
        "tests/legacy/test_side_by_side.py",
    ),
    guard(
        "a slow reader pauses the stream",
        "streaming/bridge.py",
        "                    if self._queue.qsize() >= QUEUE_BOUND:\n",
        "                    if False:\n",
        "tests/streaming/test_bridge.py",
    ),
    guard(
        "leaving a stream ends its generator",
        "streaming/bridge.py",
        "                self._bridge.call_soon(self._cancel)\n",
        "",
        "tests/streaming/test_bridge.py",
    ),
    guard(
        "a forked child gets a bridge of its own",
        "streaming/bridge.py",
        "os.register_at_fork(after_in_child=_forget_after_fork)",
        "pass",
        "tests/streaming/test_bridge.py tests/magics/test_processes.py -k fork",
    ),
    guard(
        "unloading ends the bridge",
        "magics/extension.py",
        "    session.undo.callback(close_bridge)",
        "    pass",
        "tests/magics/test_extension.py",
    ),
    guard(
        "unloading removes the transform",
        "magics/extension.py",
        "        session.undo.callback(transforms.remove, transform)",
        "        pass",
        "tests/magics/test_extension.py",
    ),
    guard(
        "unloading removes the matcher",
        "magics/extension.py",
        "    session.undo.callback(matchers.remove, matcher)",
        "    pass",
        "tests/magics/test_extension.py",
    ),
    guard(
        "what is put in is not expanded again",
        "magics/prompt/expander.py",
        "        if isinstance(shown, str):\n            return shown\n",
        '        if isinstance(shown, str):\n            return self.text(shown) if "{{" in shown else shown\n',
        "tests/magics/test_prompt.py",
    ),
    guard(
        "a prompt has a largest size",
        "magics/prompt/limits.py",
        "if size > max_bytes:",
        "if False:",
        "tests/magics/test_limits.py tests/magics/test_building.py",
    ),
    guard(
        "an interrupt does not cut off the last update",
        "magics/running/foreground.py",
        "    before = signal.signal(signal.SIGINT, lambda *_: came.append(True))\n",
        "    before = signal.getsignal(signal.SIGINT)\n",
        "tests/kernel/test_interrupts.py -k shown_to_its_end",
    ),
    guard(
        "where prompts go is said",
        "providers/endpoint/endpoint.py",
        "return self.provider.third_party_notice if self.own_origin else None",
        "return None",
        "tests/kernel/test_choices.py -k where_prompts_go",
    ),
    guard(
        "a closed panel is let go",
        "widgets/panel.py",
        '_esm = (HERE / "widgets.js").read_text(encoding="utf-8")',
        '_esm = HERE / "widgets.js"',
        "tests/widgets/test_memory.py",
    ),
    guard(
        "a stopped turn is let go",
        "widgets/actions.py",
        "task.add_done_callback(lambda _: _tasks.pop(turn, None))",
        "pass",
        "tests/widgets/test_memory.py",
    ),
)


def main(words: Sequence[str]) -> int:
    """Check the guards whose names hold one of the words, or all; the exit status."""
    chosen = [each for each in GUARDS if not words or any(word in each.name for word in words)]
    problems = []
    with copied_tree() as tree:
        for each in chosen:
            outcome = check(tree, each)
            print(f"{each.name}\n    {each.path}: {each.changes[0][0].strip().splitlines()[0][:90]}")
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
        shutil.copy(ROOT / "pyproject.toml", folder)
        yield Path(folder)


def check(tree: Path, each: Guard) -> str:
    """What is wrong with the tests of a guard; "" if one fails without it."""
    path = tree / "jmuz_magic" / each.path
    source = path.read_text(encoding="utf-8")
    changed = source
    for before, after in each.changes:
        if before not in changed:
            return f"the guard is not found; it may have been rewritten: {before.strip()!r}"
        changed = changed.replace(before, after)
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
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*command, *tests.split()], cwd=tree, env=environment, capture_output=True, text=True, timeout=2 * SECONDS
        )
    except subprocess.TimeoutExpired:
        return FAILED  # it hangs without the guard
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

// A chat panel: from a click or a key to what the kernel is asked, and from its messages to the page.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import * as dom from "../../node/dom.mjs";

// The script as it is sent, where a test of the kernel's side has joined it.
const { JMUZ_SCRIPTS } = process.env;
const { default: panel } = await import(
  JMUZ_SCRIPTS ? `${JMUZ_SCRIPTS}/panel.mjs` : "../../../jmuz_magic/widgets/front/panel.js"
);
const { allOf, click, Kernel, one, part, passed, press, running, settled, turn, turns, write } = dom;

const OPERATIONS = { ask: "your prompt", export: "export", undo: "undo" };
const ABOUT = {
  name: "main",
  limits: { types: ["image/png"], each: 1000, files: 10 },
  operations: OPERATIONS,
  suggestions: [],
};
const OPTIONS = { system: "", temperature: null, max_tokens: null };
const ENDPOINT = {
  provider: "",
  model: "m",
  model_label: "m",
  endpoint: "Demo",
  shared: true,
  ready: true,
  hint: "It streams in here.",
  resume: "",
};
const SETTINGS = { ...ENDPOINT, ...OPTIONS };
const FILE = { name: "chat-main.md", type: "text/markdown", text: "# Chat" };

let kernel, view, el;

beforeEach(async () => {
  dom.newPage();
  kernel = new Kernel({ about: ABOUT, settings: SETTINGS });
  view = dom.shown(panel, kernel);
  el = view.el;
  await settled();
});
afterEach(() => view.end());

const field = () => one(el, "textbox", "Message");
const turnOf = (id) =>
  [...el.querySelectorAll(".jmuz-turn")].find((node) => node.textContent.includes(`prompt of ${id}`));
const status = () => one(el, "status").textContent;
const prompts = () => [...el.querySelectorAll(".jmuz-said")].filter(dom.isShown).map((node) => node.lastChild?.data);
const reply = () => [...el.querySelectorAll(".jmuz-answer > .jmuz-markdown")].at(-1).textContent;

async function choose(item) {
  await click(el, "Conversation");
  await click(el, item, "menuitem");
}

/** The files that the page hands to the browser from now on. */
function downloads(context) {
  const names = [];
  context.mock.method(document.createElement("a").constructor.prototype, "click", function () {
    names.push(this.download);
  });
  return names;
}

test("a view says that it is there, and that it goes", () => {
  const [hello] = kernel.sent;
  assert.equal(hello.op, "hello");
  view.leave();
  assert.deepEqual(kernel.sent.at(-1), { op: "bye", view: hello.view, buffers: [] });
});

test("a page that was opened after the cell ran says that the notebook keeps no new turns", async () => {
  await kernel.change({ page: kernel.asked("hello").page });
  assert.equal(status(), "");
  await kernel.change({ page: "another" });
  assert.match(status(), /^This page was opened after the cell ran\. Run the cell again/);
});

test("a page that is left says so", () => {
  window.dispatchEvent(new window.Event("pagehide"));
  assert.equal(kernel.asked("bye").leaving, true);
});

test("a whole state that comes late is shown, and an old one is not", async () => {
  const [old, now] = [turns(turn("a")), turns(turn("a"), turn("b"))];
  await kernel.change({ transcript: now });
  await kernel.change({ transcript: old });
  assert.deepEqual(prompts(), ["prompt of a", "prompt of b"]);
});

test("without turns the panel says what to do", () => {
  assert.match(one(el, "log", "Conversation main").textContent, /^Ask somethingIt streams in here\.$/);
});

test("without turns the panel suggests prompts, which go into the field and are not sent", async () => {
  const about = { ...ABOUT, suggestions: ["Explain this: ", "Write a poem"] };
  const other = dom.shown(panel, new Kernel({ about, settings: SETTINGS }));
  const message = one(other.el, "textbox", "Message");
  await click(other.el, "Explain this: …");
  assert.deepEqual([message.value, document.activeElement], ["Explain this: ", message]);
  await click(other.el, "Write a poem");
  assert.equal(message.value, "Write a poem");
  await write(message, "E=mc²");
  await click(other.el, "Explain this: …");
  assert.deepEqual([message.value, message.selectionStart], ["Explain this: E=mc²", 14]);
  assert.equal(kernel.asked("ask"), undefined);
  other.end();
});

test("settings that are open do not keep Escape from stopping a reply", async () => {
  await click(el, "Settings");
  await kernel.say(turns(running("one")));
  await press("Escape", { node: field() });
  assert.ok(kernel.asked("stop"));
  assert.ok(one(el, "region", "Settings"));
});

test("without an endpoint the panel says what is missing", async () => {
  await kernel.change({ settings: { ...SETTINGS, ready: false, hint: "Run %jmuz_use first." } });
  assert.equal(one(el, "log").textContent, "No endpoint yetRun %jmuz_use first.");
});

const QUESTION = "This conversation went to A; send its turns to B from now on?";
const RESUME = "Resume 2 turns of 2026-11-27 18:04";

async function offered(settings = {}) {
  await kernel.change({ settings: { ...SETTINGS, resume: "2 turns of 2026-11-27 18:04", ...settings } });
}

test("an empty panel offers to resume, and says who will read it", async () => {
  await offered();
  assert.match(one(el, "log").textContent, /18:04The next prompt sends them to Demo\.$/);
  await offered({ endpoint: "Other" });
  assert.match(one(el, "log").textContent, /to Other\.$/);
  await click(el, RESUME);
  assert.equal(kernel.asked("resume").agreed, "");
  await kernel.answer("resume", { note: "resumed 2 turns" });
  assert.equal(status(), "resumed 2 turns");
  assert.equal(document.activeElement, field());
});

test("without an endpoint nothing is offered", async () => {
  await offered({ ready: false });
  assert.deepEqual(
    allOf(el, "button").filter((button) => button.textContent.startsWith("Resume")),
    [],
  );
});

test("another origin is asked about, and only a yes sends the question back", async () => {
  await offered();
  await click(el, RESUME);
  await kernel.answer("resume", { question: QUESTION });
  assert.ok(one(el, "alertdialog", QUESTION));
  await press("Escape");
  assert.deepEqual(allOf(el, "alertdialog"), []);
  assert.equal(document.activeElement, field());
  assert.equal(kernel.sent.filter(({ op }) => op === "resume").length, 1);
  await click(el, RESUME);
  await kernel.answer("resume", { question: QUESTION });
  await click(el, "Send them there");
  assert.equal(kernel.sent.at(-1).agreed, QUESTION);
});

test("a prompt is sent by Enter, shown at once, and gone from the field", async () => {
  await write(field(), "Sort a list");
  await press("Enter");
  const { op, text, chips, cells, files, replaces, buffers } = kernel.asked("ask");
  assert.deepEqual([op, text, chips, cells, files, replaces, buffers], ["ask", "Sort a list", [], [], [], null, []]);
  assert.equal(field().value, "");
  assert.deepEqual(prompts(), ["Sort a list"]);
});

test("a reply grows in the page and ends with its buttons", async () => {
  await kernel.say(turns(running("one", { state: "waiting", note: "Waiting for the model …" })));
  assert.equal(el.querySelector(".jmuz-note").textContent, "Waiting for the model …");
  assert.equal(one(el, "log").getAttribute("aria-busy"), "true");
  await kernel.say(part("one", 0, [["text", "<p>One</p>"]], { open: { reasoning: "", text: "<p>Tw" } }));
  assert.equal(reply(), "OneTw");
  assert.ok(one(el, "button", "Stop"));
  await kernel.say(
    turns(
      turn("one", {
        parts: [
          ["text", "<p>One</p>"],
          ["text", "<p>Two</p>"],
        ],
        facts: ["m", "2 tokens"],
      }),
    ),
  );
  assert.equal(reply(), "OneTwo");
  assert.equal(el.querySelector(".jmuz-facts").textContent, "m · 2 tokens");
  assert.equal(one(el, "log").getAttribute("aria-busy"), "false");
  for (const name of ["Copy the reply", "Regenerate the reply", "Edit and send again", "Delete the turn"])
    assert.ok(one(el, "button", name));
});

test("a part that was missed is asked for, with what is there", async () => {
  await kernel.say(turns(running("one")));
  const first = part("one", 0, [["text", "<p>One</p>"]]);
  const second = part("one", 1, [["text", "<p>Two</p>"]]);
  await passed(1000);
  await kernel.say(second);
  assert.deepEqual(kernel.asked("resync").known, { one: 0 });
  assert.equal(reply(), "");
  await kernel.say({ ...turns(running("one", { parts: [...first.parts, ...second.parts] })), answered: {} });
  assert.equal(reply(), "OneTwo");
});

test("a kernel that is silent while a reply is due is asked what was missed, less and less often", async () => {
  await kernel.say(turns(running("one")));
  const asked = () => kernel.sent.filter(({ op }) => op === "resync").length;
  await passed(5300);
  assert.equal(asked(), 1);
  await passed(9000);
  assert.equal(asked(), 1);
  await passed(2000);
  assert.equal(asked(), 2);
});

test("an export is handed to the browser", async (context) => {
  const names = downloads(context);
  await kernel.say(turns(turn("one")));
  await choose("Export as Markdown");
  assert.equal(kernel.asked("export").format, "md");
  await kernel.answer("export", { file: FILE });
  assert.deepEqual(names, ["chat-main.md"]);
  assert.equal(status(), "Exported chat-main.md");
});

test("an export whose answer was lost comes after all, once", async (context) => {
  const names = downloads(context);
  await kernel.say(turns(turn("one")));
  await choose("Export as notebook");
  const { request } = kernel.asked("export");
  await passed(600);
  assert.equal(status(), "Kernel busy. Queued: export.");
  await passed(5000);
  assert.deepEqual(kernel.asked("resync").waiting, [request]);
  await kernel.say({ ...turns(), answered: { [request]: { file: FILE } } });
  assert.deepEqual(names, ["chat-main.md"]);
  await kernel.say({ type: "answer", request, file: FILE });
  assert.deepEqual(names, ["chat-main.md"], "an answer that is only late is not taken again");
  assert.equal(status(), "Exported chat-main.md");
});

test("what is said is forgotten after some seconds", async () => {
  await kernel.say(turns(turn("one")));
  await choose("Undo");
  await kernel.answer("undo", { error: "a reply is still being written" });
  assert.equal(status(), "a reply is still being written");
  await passed(6100);
  assert.equal(status(), "");
});

test("a prompt that is refused comes back, before what was written meanwhile", async () => {
  await write(field(), "first");
  await press("Enter");
  await write(field(), "second");
  await kernel.answer("ask", { error: "no" });
  assert.equal(field().value, "first\nsecond");
  assert.equal(status(), "no");
});

test("a prompt goes to the kernel while another one is on its way, and is shown", async () => {
  await write(field(), "first");
  await press("Enter");
  await write(field(), "second");
  await press("Enter");
  assert.equal(kernel.sent.filter(({ op }) => op === "ask").length, 2);
  assert.deepEqual(prompts(), ["first", "second"]);
});

test("while a reply streams Enter queues, which the composer says", async () => {
  assert.match(el.querySelector(".jmuz-hint").textContent, /^Enter to send/);
  await kernel.say(turns(running("one")));
  assert.equal(el.querySelector(".jmuz-hint").textContent, "Enter to queue, Esc to stop the reply");
  await write(field(), "later");
  await press("Enter");
  assert.equal(kernel.asked("ask").text, "later");
});

test("Stop asks the kernel to stop, and so does Escape, wherever the focus is in the panel", async () => {
  await kernel.say(turns(running("one")));
  await click(el, "Stop");
  for (const node of [field(), one(el, "log"), one(el, "button", "Conversation")]) await press("Escape", { node });
  assert.equal(kernel.sent.filter(({ op }) => op === "stop").length, 4);
});

test("Escape that closes something does not stop the reply", async () => {
  await kernel.say(turns(turn("one"), running("two")));
  await click(el, "Conversation");
  await press("Escape");
  await click(el, "Edit and send again");
  await press("Escape");
  await choose("Clear…");
  await press("Escape");
  assert.equal(kernel.asked("stop"), undefined);
  await kernel.say(turns(turn("one")));
  await press("Escape", { node: field() });
  assert.equal(kernel.asked("stop"), undefined, "there is no reply to stop");
});

test("any prompt is edited: it is asked instead of that turn, and the draft returns", async () => {
  await kernel.say(turns(turn("one"), turn("two"), turn("three")));
  await write(field(), "a draft");
  await click(turnOf("three"), "Edit and send again");
  assert.match(el.textContent, /Editing the last prompt/);
  await click(turnOf("two"), "Edit and send again");
  assert.match(el.textContent, /Editing prompt 2 of 3/);
  assert.equal(field().value, "prompt of two");
  await write(field(), "better");
  await press("Enter");
  assert.equal(kernel.asked("ask").replaces, "two");
  assert.equal(field().value, "a draft");
});

test("an edited prompt is not queued: it stays in the field, and the panel says why", async () => {
  await kernel.say(turns(turn("one"), running("two")));
  await click(el, "Edit and send again");
  await press("Enter");
  assert.equal(kernel.asked("ask"), undefined);
  assert.equal(field().value, "prompt of one");
  assert.equal(status(), "A reply is still being written; stop it first.");
});

test("a failed turn is tried again", async () => {
  await kernel.say(turns(turn("one", { state: "failed", error: "the endpoint is gone", source: "" })));
  assert.match(el.querySelector(".jmuz-error").textContent, /^the endpoint is gone/);
  await click(el, "Retry");
  assert.equal(kernel.asked("regenerate").turn, "one");
});

test("any turn is regenerated, deleted and switched", async () => {
  await kernel.say({ ...turns(turn("one"), turn("two")), versions: { one: [2, 2] } });
  await click(turnOf("one"), "Regenerate the reply");
  assert.equal(kernel.asked("regenerate").turn, "one");
  await click(turnOf("one"), "Previous version");
  const { turn: switched, version } = kernel.asked("show");
  assert.deepEqual([switched, version], ["one", 1]);
  await kernel.answer("show", { note: "version 1 of 2" });
  assert.equal(status(), "version 1 of 2");
  await click(turnOf("two"), "Delete the turn");
  assert.equal(kernel.asked("delete").turn, "two");
  assert.equal(document.activeElement, field());
});

test("a page opened later knows the versions", async () => {
  await kernel.say({ ...turns(turn("one")), versions: { one: [2, 2] } });
  assert.deepEqual(kernel.traits.transcript.versions, { one: [2, 2] });
});

test("undo says what it did, and gives back a prompt that it removed, unless another one is written", async () => {
  await choose("Undo");
  await kernel.answer("undo", { note: "the last turn was removed", prompt: "precious" });
  assert.deepEqual([field().value, status()], ["precious", "the last turn was removed"]);
  await choose("Undo");
  await kernel.answer("undo", { note: "the last turn was removed", prompt: "another" });
  assert.equal(field().value, "precious");
});

test("clearing is asked about, and Escape keeps", async () => {
  await kernel.say(turns(turn("one")));
  await choose("Clear…");
  assert.ok(one(el, "alertdialog", "Clear the whole conversation?"));
  await press("Escape");
  assert.deepEqual(allOf(el, "alertdialog"), []);
  assert.equal(document.activeElement, one(el, "button", "Conversation"));
  assert.equal(kernel.asked("clear"), undefined);
  await choose("Clear…");
  await click(el, "Clear");
  await kernel.answer("clear");
  assert.equal(document.activeElement, field());
});

async function paste(...files) {
  field().dispatchEvent(Object.assign(new window.Event("paste", { bubbles: true }), { clipboardData: { files } }));
  await settled();
}

test("files go before their prompt, each alone", async () => {
  await paste(dom.someFile("a.png", { content: "0123456789" }), dom.someFile("b.txt", { type: "", content: "text" }));
  await press("Enter", { node: field() });
  const attached = kernel.sent.filter(({ op }) => op === "attach");
  assert.deepEqual(attached.map(({ buffers }) => buffers.map(({ byteLength }) => byteLength)).toSorted(), [[10], [4]]);
  const [a, b] = kernel.asked("ask").files;
  assert.deepEqual([a.name, a.thumbnail, b.name, b.thumbnail], ["a.png", "", "b.txt", ""]);
  assert.deepEqual([a.id, b.id].toSorted(), attached.map(({ file }) => file).toSorted());
  assert.equal(kernel.sent.at(-1).op, "ask");
});

test("variables and cells are asked for when the list is opened", async () => {
  one(el, "button", "Add a variable or a cell").click();
  await settled();
  await kernel.answer("offer", { offered: { variables: [], cells: [[7, "df"]] } });
  await click(el, "Cell [7]df", "menuitem");
  await dom.type(field(), "{{df}}");
  await kernel.answer("describe", { described: [{ about: "list", problem: "" }] });
  assert.deepEqual(kernel.asked("describe").sources, ["df"]);
  await press("Enter", { node: field() });
  const { cells, chips } = kernel.asked("ask");
  assert.deepEqual([cells, chips], [[7], [{ source: "df", at: 0 }]]);
});

test("why a file was refused is gone with the next prompt", async () => {
  await paste(dom.someFile("a.png", { size: 5000 }));
  assert.match(status(), /^a.png: 5 kB, more than/);
  await write(field(), "Without it, then");
  await press("Enter");
  assert.equal(status(), "");
});

test("a file that cannot be read any more gives the prompt back", async () => {
  const gone = { ...dom.someFile("a.png", { content: "0" }), arrayBuffer: () => Promise.reject(new Error("gone")) };
  await paste(gone);
  await write(field(), "Look");
  await press("Enter", { node: field() });
  assert.equal(kernel.asked("ask"), undefined);
  assert.deepEqual([field().value, status()], ["Look", "a file cannot be read any more; nothing was sent"]);
});

for (const [how, tell] of [
  ["dies", "die"],
  ["is restarted by somebody else", "restart"],
]) {
  test(`a kernel that ${how} leaves a panel to read, and gives the prompt back`, async () => {
    await write(field(), "lost?");
    await press("Enter");
    await kernel[tell]();
    assert.match(status(), /^The kernel is gone, so this is read-only/);
    assert.equal(field().value, "lost?");
    assert.equal(field().disabled, true);
    view.leave();
    assert.equal(kernel.asked("bye"), undefined, "nobody is told any more");
  });
}

test("keys stay in the panel, but for Ctrl+S, which saves the notebook", async () => {
  const heard = [];
  const hear = ({ key }) => heard.push([key, el.hasAttribute("data-lm-suppress-shortcuts")]);
  document.addEventListener("keydown", hear);
  field().focus();
  await press("Enter", { shiftKey: true });
  await press("z", { ctrlKey: true });
  assert.equal(el.hasAttribute("data-lm-suppress-shortcuts"), true);
  await press("s", { ctrlKey: true });
  document.removeEventListener("keydown", hear);
  assert.deepEqual(heard, [["s", false]]);
});

test("settings open by their button and close by Escape, the focus goes along", async () => {
  await click(el, "Settings");
  assert.equal(one(el, "button", "Settings").getAttribute("aria-expanded"), "true");
  assert.equal(document.activeElement, one(el, "combobox", "Model"));
  await kernel.answer("models", { entries: [] });
  await press("Escape"); // the list
  await press("Escape");
  assert.deepEqual(allOf(el, "region"), []);
  assert.equal(document.activeElement, one(el, "button", "Settings"));
});

test("all that is sent while the kernel is busy is named", async () => {
  await kernel.say(turns(turn("one")));
  await choose("Undo");
  await write(field(), "next");
  await press("Enter");
  await passed(600);
  assert.equal(status(), "Kernel busy. Queued: undo, your prompt.");
});

test("two views show the same, and a page opened later all that was saved", async () => {
  const other = document.createElement("div");
  document.body.append(other);
  view.render(other);
  await kernel.say(turns(turn("one", { parts: [["text", "<p>Both</p>"]] })));
  assert.match(other.textContent, /Both/);
  const later = dom.shown(
    panel,
    new Kernel({ ...kernel.traits, transcript: structuredClone(kernel.traits.transcript) }),
  );
  assert.match(later.el.textContent, /Both/);
  later.end();
});

// One turn on the page: its prompt, its blocks, and their buttons.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { TurnView } from "../../../jmuz_magic/widgets/front/turn_view.js";
import * as dom from "../../node/dom.mjs";

const { allOf, click, copied, nameOf, one, passed, running, turn } = dom;
const PICTURE = "data:image/png;base64,AAAA";

let view, page, asked;

beforeEach(() => {
  page = dom.newPage();
  page.classList.add("jmuz-panel");
  asked = [];
  const note = (what) => (id, version) => asked.push(version ? [what, id, version] : [what, id]);
  view = new TurnView({
    regenerate: note("regenerate"),
    edit: note("edit"),
    remove: note("remove"),
    show: note("show"),
  });
  page.append(view.node);
});

const text = (...blocks) => blocks.map((html) => ["text", html]);
const buttons = () => allOf(page, "button").map(nameOf);

test("a prompt is text, whatever it holds", () => {
  view.update(turn("one", { prompt: "<img src=x onerror=alert(1)>" }), true);
  assert.equal(view.prompt.lastChild.data, "<img src=x onerror=alert(1)>");
  assert.equal(page.querySelector("img"), null);
});

test("prompt and reply are told apart by those who do not see the page", () => {
  view.update(turn("one", { prompt: "Hi", parts: text("<p>Hello</p>") }), true);
  assert.match(view.node.textContent, /^You:HiReply:.*Hello/);
});

test("a prompt is shown as it was written, and what was sent for it can be opened", () => {
  view.update(turn("one", { prompt: "Look: <b>1, 2</b>", typed: "Look: {{x}}" }), true);
  const fold = view.prompt.querySelector("details");
  assert.equal(view.prompt.childNodes[1].data, "Look: {{x}}");
  assert.deepEqual([fold.open, nameOf(fold.querySelector("summary"))], [false, "What was sent"]);
  assert.equal(one(page, "region", "What was sent").textContent, "Look: <b>1, 2</b>");
  const other = new TurnView(view.act);
  other.update(turn("two", { typed: undefined }), true);
  assert.equal(other.node.querySelector("details.jmuz-sent"), null);
});

test("images of a prompt are shown where they are small pictures, else named", () => {
  const images = [PICTURE, "", "https://a.example/x.png", "data:image/svg+xml;base64,AAAA"];
  view.update(turn("one", { images: images.map((data, index) => ({ label: `image ${index}`, data })) }), true);
  assert.deepEqual(
    [...page.querySelectorAll("img")].map(({ src, alt }) => [src, alt]),
    [[PICTURE, "image 0"]],
  );
  assert.deepEqual([...page.querySelectorAll(".jmuz-chip")].map(nameOf), ["image 1", "image 2", "image 3"]);
});

test("Copy puts the reply's source on the clipboard", async () => {
  view.update(turn("one", { source: "**source**" }), true);
  await click(page, "Copy the reply");
  assert.deepEqual(copied, ["**source**"]);
});

test("Copy says that it did, and offers itself again", async () => {
  view.update(turn("one"), true);
  const copy = one(page, "button", "Copy the reply");
  const drawing = copy.innerHTML;
  await click(page, "Copy the reply");
  assert.equal(nameOf(copy), "Copied");
  await passed(1600);
  assert.equal(nameOf(copy), "Copy the reply");
  assert.equal(copy.innerHTML, drawing);
});

test("Copy clicked twice offers itself again", async () => {
  view.update(turn("one"), true);
  const copy = one(page, "button", "Copy the reply");
  const drawing = copy.innerHTML;
  await click(page, "Copy the reply");
  await passed(1000);
  await click(page, "Copied");
  await passed(1000);
  assert.equal(nameOf(copy), "Copied", "for a moment more");
  await passed(600);
  assert.equal(nameOf(copy), "Copy the reply");
  assert.equal(copy.innerHTML, drawing);
  assert.deepEqual(copied, ["source of one", "source of one"]);
});

test("without a clipboard a selected field is copied, and Copy does not claim what did not happen", async (context) => {
  const fields = [];
  navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"));
  const command = context.mock.method(document, "execCommand", () => fields.push(document.activeElement?.value) > 1);
  view.update(turn("one"), true);
  const copy = one(page, "button", "Copy the reply");
  await click(page, "Copy the reply");
  assert.equal(nameOf(copy), "Copy the reply");
  await click(page, "Copy the reply");
  assert.equal(nameOf(copy), "Copied");
  assert.deepEqual(command.mock.calls[0].arguments, ["copy"]);
  assert.equal(page.querySelector("textarea"), null);
});

test("code is copied without its last line break", async () => {
  view.update(turn("one", { parts: text('<div class="highlight"><pre>a\nb\n</pre></div>') }), true);
  await click(page, "Copy code");
  assert.deepEqual(copied, ["a\nb"]);
});

test("code that the kernel can run becomes a cell when its panel is asked", async () => {
  const asked = [];
  page.addEventListener("jmuz-insert", ({ detail }) => asked.push(detail), { once: true });
  view.update(turn("one", { parts: text("<pre>a\nb\n</pre>") }), true);
  const insert = one(page, "button", "Insert as cell");
  await click(page, "Insert as cell");
  assert.deepEqual([asked.map(({ code }) => code), copied], [["a\nb"], []]);
  asked[0].inserted();
  assert.equal(nameOf(insert), "Inserted below");
});

const labelled = (label, code) => {
  const shown = label && `<div class="jmuz-label"><code>${label}</code></div>`;
  return text(`${shown}<div class="highlight"><pre>${code}</pre></div>`);
};

for (const [label, code, offered] of [
  ["python", "a", true],
  ["Py", "a", true],
  ["ipython", "a", true],
  ["", "a", true],
  ["bash", "%%bash\nls", true],
  ["sql", "SELECT 1", false],
  ["bash", "ls", false],
  ["javascript", "1", false],
])
  test(`a ${label || "nameless"} block ${JSON.stringify(code)} ${offered ? "can" : "cannot"} become a cell`, () => {
    view.update(turn("one", { parts: labelled(label, code), source: "" }), false);
    const ofCode = buttons().filter((name) => /code|cell/.test(name));
    assert.deepEqual(ofCode, offered ? ["Insert as cell", "Copy code"] : ["Copy code"]);
  });

test("a reply brings no buttons of its own", () => {
  view.update(turn("one", { parts: text('<button data-commandlinker-command="x">Run</button>'), source: "" }), false);
  assert.deepEqual(buttons(), ["Regenerate the reply", "Edit and send again", "Delete the turn"]);
});

test("a code block keeps its label above it", () => {
  view.update(
    turn("one", { parts: text('<div class="jmuz-label">py</div><div class="highlight"><pre>a</pre></div>') }),
    true,
  );
  const [label, block, tools] = page.querySelector(".jmuz-code-frame.jmuz-labelled").children;
  assert.deepEqual([label.className, block.className, tools.className], ["jmuz-label", "highlight", "jmuz-code-tools"]);
});

for (const last of [false, true]) {
  test(`any turn is copied, asked anew, edited and deleted (${last ? "the last" : "an earlier"} one)`, async () => {
    view.update(running("one"), last);
    assert.deepEqual(buttons(), []);
    view.update(turn("one"), last);
    assert.deepEqual(buttons(), ["Copy the reply", "Regenerate the reply", "Edit and send again", "Delete the turn"]);
    for (const name of buttons().slice(1)) await click(page, name);
    view.update(turn("one", { error: "gone", source: "" }), last);
    assert.deepEqual(buttons(), ["Retry", "Edit and send again", "Delete the turn"]);
    await click(page, "Retry");
    assert.deepEqual(asked, [
      ["regenerate", "one"],
      ["edit", "one"],
      ["remove", "one"],
      ["regenerate", "one"],
    ]);
  });
}

test("a turn that becomes an earlier one keeps its buttons, one of which may have the focus", () => {
  const ended = turn("one");
  view.update(ended, true);
  const button = one(page, "button", "Delete the turn");
  view.update(ended, false);
  assert.equal(one(page, "button", "Delete the turn"), button);
});

test("a queued prompt says so and can be taken away", async () => {
  view.update(turn("one", { state: "queued", ended: false, note: "Queued", source: "" }), true);
  assert.match(view.node.textContent, /Queued/);
  assert.deepEqual(buttons(), ["Remove from the queue"]);
  await click(page, "Remove from the queue");
  assert.deepEqual(asked, [["remove", "one"]]);
});

test("where branches part, the versions are named and switched", async () => {
  view.update(turn("one"), false);
  assert.deepEqual(allOf(page, "group"), []);
  view.update(turn("one"), false, [2, 3]);
  assert.equal(one(page, "group", "Version 2 of 3").textContent, "2/3");
  await click(page, "Previous version");
  await click(page, "Next version");
  assert.deepEqual(asked, [
    ["show", "one", 1],
    ["show", "one", 3],
  ]);
  view.update(turn("one"), false, [1, 2]);
  assert.equal(one(page, "button", "Previous version").disabled, true);
  assert.equal(one(page, "button", "Next version").disabled, false);
  view.update(turn("one"), false);
  assert.deepEqual(allOf(page, "group"), []);
});

test("reasoning is open while the model thinks, and folds when the reply begins, unless the reader chose", () => {
  const thinking = running("one", { open: { reasoning: "<p>Hm</p>", text: "" } });
  view.update(thinking, true);
  assert.deepEqual([view.fold.hidden, view.fold.open], [false, true]);
  view.update({ ...thinking, open: { reasoning: "<p>Hm</p>", text: "<p>So</p>" } }, true);
  assert.equal(view.fold.open, false);
  view.fold.querySelector("summary").dispatchEvent(new window.Event("click"));
  view.fold.open = true;
  view.update({ ...thinking, open: { reasoning: "<p>Hm</p>", text: "<p>So be</p>" } }, true);
  assert.equal(view.fold.open, true);
});

test("a turn without reasoning has no fold", () => {
  view.update(turn("one", { parts: text("<p>Hello</p>") }), true);
  assert.equal(view.fold.hidden, true);
});

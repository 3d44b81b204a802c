// Where prompts are written: its keys, its one button, its images.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Composer } from "../../../jmuz_magic/widgets/front/composer.js";
import * as dom from "../../node/dom.mjs";

const { allOf, click, someFile, insert, nameOf, one, press, settled, type, write } = dom;
const LIMITS = { types: ["image/png", "image/jpeg"], each: 2 * 2 ** 20, files: 3 };
const EARLIER = ["last", "first"];

const VALUES = { df: "DataFrame, 400 rows × 5 columns", " x ": "int" };
const PROBLEM = "{{gone}}: there is no variable 'gone'";

let composer, page, sent, said, stops, accepts, described, offered;

beforeEach(() => {
  page = dom.newPage();
  [sent, said, stops, accepts, described] = [[], [], 0, true, []];
  offered = {
    variables: [
      ["df", "DataFrame, 400 rows × 5 columns"],
      ["cfg", "dict, 2 entries"],
    ],
    cells: [[3, "df.head()"]],
  };
  composer = new Composer(LIMITS, {
    send: (prompt) => accepts && sent.push(prompt) > 0,
    stop: () => (stops += 1),
    recall: (back) => EARLIER[back],
    say: (words) => said.push(words),
    offer: async () => offered,
    describe: async (sources) => {
      described.push(sources);
      const problem = (source) => (source === "gone" ? PROBLEM : "");
      return sources.map((source) => ({ about: VALUES[source] ?? "", problem: problem(source) }));
    },
  });
  page.append(composer.node);
});

const field = () => one(page, "textbox", "Message");
const texts = () => sent.map(({ text }) => text);
const previews = () => [...page.querySelectorAll(".jmuz-preview img")].map(({ alt }) => alt);
const files = () => [...page.querySelectorAll(".jmuz-file")].map((file) => file.textContent);

async function paste(...files) {
  const event = Object.assign(new window.Event("paste", { cancelable: true }), { clipboardData: { files } });
  const untouched = field().dispatchEvent(event);
  await settled();
  return untouched;
}

test("Enter sends what was written, without the blanks around it", async () => {
  await write(field(), "  Hello\n");
  assert.equal(await press("Enter"), false, "the browser breaks no line");
  assert.deepEqual([texts(), field().value], [["Hello"], ""]);
});

test("Shift+Enter is the browser's, which breaks the line", async () => {
  await write(field(), "Hello");
  assert.equal(await press("Enter", { shiftKey: true }), true);
  assert.deepEqual(texts(), []);
});

for (const more of [{ isComposing: true }, { keyCode: 229 }]) {
  test(`Enter that ends a composition (${Object.keys(more)}) does not send`, async () => {
    await write(field(), "こん");
    assert.equal(await press("Enter", more), true);
    assert.deepEqual(texts(), []);
  });
}

test("nothing is nothing to send", async () => {
  await write(field(), "  ");
  await press("Enter");
  assert.deepEqual(texts(), []);
  assert.equal(one(page, "button", "Send").disabled, true);
});

test("the button sends, and stops while a reply is written", async () => {
  await write(field(), "Hello");
  await click(page, "Send");
  assert.deepEqual(texts(), ["Hello"]);
  composer.update(true, true);
  await write(field(), "later");
  await click(page, "Stop");
  assert.deepEqual([stops, texts(), field().value], [1, ["Hello"], "later"]);
  await press("Enter");
  assert.deepEqual([stops, texts(), field().value], [1, ["Hello", "later"], ""]);
});

test("what cannot be sent now stays", async () => {
  accepts = false;
  await write(field(), "Hello");
  await press("Enter");
  assert.equal(field().value, "Hello");
});

test("without a kernel nothing can be written", () => {
  composer.update(false, false);
  assert.deepEqual([field().disabled, one(page, "button", "Send").disabled], [true, true]);
});

test("Up in an empty field recalls earlier prompts, Down returns", async () => {
  field().focus();
  const seen = [];
  for (const key of ["ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowDown"]) {
    await press(key);
    seen.push(field().value);
  }
  assert.deepEqual(seen, ["last", "first", "first", "last", ""]);
});

test("Up in what was written moves the cursor", async () => {
  await write(field(), "Hello");
  assert.equal(await press("ArrowUp"), true);
  assert.equal(field().value, "Hello");
});

test("editing begins with the prompt, and Escape brings the draft back", async () => {
  await write(field(), "draft");
  composer.edit("one", "Hello", "Editing the last prompt");
  assert.equal(document.activeElement, field());
  assert.equal(field().value, "Hello");
  assert.ok(one(page, "button", "Cancel"));
  await press("Escape");
  assert.equal(field().value, "draft");
  assert.equal(allOf(page, "button").map(nameOf).includes("Cancel"), false);
});

test("an edited prompt names its turn", async () => {
  composer.edit("one", "Hello", "Editing the last prompt");
  await press("Enter");
  assert.deepEqual(sent[0].editing, { id: "one", draft: { text: "", marks: "" } });
  await write(field(), "next");
  await press("Enter");
  assert.equal(sent[1].editing, null);
});

test("pasted images are shown, sent, and gone", async () => {
  assert.equal(await paste(someFile("a.png"), someFile("b.jpg", { type: "image/jpeg" })), false);
  assert.deepEqual(previews(), ["a.png", "b.jpg"]);
  await press("Enter", { node: field() });
  assert.deepEqual(
    sent[0].files.map(({ file }) => file.name),
    ["a.png", "b.jpg"],
  );
  assert.deepEqual(previews(), []);
});

test("pasted text is the browser's", async () => {
  assert.equal(await paste(), true);
});

test("texts and PDFs are named with their size", async () => {
  const csv = someFile("data.csv", { type: "application/vnd.ms-excel", content: "a,b\r\n1,2\u00e9\n" });
  await paste(csv, someFile("paper.pdf", { type: "", content: "%PDF-1.7\0", size: 1.5 * 2 ** 20 }));
  assert.deepEqual(files(), ["data.csv11 bytes", "paper.pdf1.5 MB"]);
  await press("Enter", { node: field() });
  assert.deepEqual(
    sent[0].files.map(({ file, kind }) => [file.name, kind]),
    [
      ["data.csv", "text"],
      ["paper.pdf", "pdf"],
    ],
  );
});

test("names are text, whatever they hold", async () => {
  const hostile = "<img src=x onerror=alert(1)>";
  offered = { variables: [[hostile, hostile]], cells: [[1, hostile]] };
  await paste(someFile(`${hostile}.csv`, { type: "" }));
  await click(page, "Add a variable or a cell");
  await click(page, `Cell [1]${hostile}`, "menuitem");
  assert.equal(page.querySelector("img"), null);
  assert.equal(files()[0], `${hostile}.csv0 bytes`);
});

for (const [name, content] of [
  ["utf-16.txt", "\u00ff\u00fea\0"],
  ["escapes.log", "\u001b[31mred"],
]) {
  test(`${name} is text`, async () => {
    const bytes = Uint8Array.from([...content].map((character) => character.codePointAt(0)));
    const arrayBuffer = async () => bytes.buffer;
    await paste({ name, type: "", size: bytes.length, arrayBuffer, slice: () => ({ arrayBuffer }) });
    assert.equal(files().length, 1);
  });
}

async function drag(type, dataTransfer) {
  const event = Object.assign(new window.Event(type, { bubbles: true, cancelable: true }), { dataTransfer });
  field().dispatchEvent(event);
  await settled();
  return event.defaultPrevented;
}

test("files are dropped, text that is dropped is the browser's", async () => {
  composer.attachments.catchDrops(page);
  const dropped = { types: ["Files"], files: [someFile("a.png")] };
  assert.equal(await drag("dragover", dropped), true);
  assert.equal(page.classList.contains("jmuz-dropping"), true);
  assert.equal(await drag("drop", dropped), true);
  assert.deepEqual([previews(), page.classList.contains("jmuz-dropping")], [["a.png"], false]);
  assert.equal(await drag("dragover", { types: ["text/plain"], files: [] }), false);
  assert.equal(await drag("drop", { types: ["text/plain"], files: [] }), false);
  assert.equal(page.classList.contains("jmuz-dropping"), false);
});

test("an image is taken back", async () => {
  await paste(someFile("a.png"), someFile("b.png"));
  await click(page, "Remove a.png");
  assert.deepEqual(previews(), ["b.png"]);
  assert.equal(document.activeElement, field());
});

test("files are chosen from the disk, too", async () => {
  const picker = page.querySelector("input[type=file]");
  Object.defineProperty(picker, "files", { value: [someFile("a.png")] });
  picker.dispatchEvent(new window.Event("change"));
  await settled();
  assert.deepEqual(previews(), ["a.png"]);
  assert.ok(one(page, "button", "Attach files (up to 3, 2 MB each)"));
});

test("a file that is too large, of another kind, or one too many is refused with the reason", async () => {
  await paste(someFile("a.png", { size: 3 * 2 ** 20 }));
  await paste(someFile("b.zip", { type: "application/zip", content: "PK\u0003\u0004" }));
  const unreadable = { arrayBuffer: () => Promise.reject(new Error("a folder")) };
  await paste({ name: "folder", type: "", size: 4096, slice: () => unreadable });
  await paste(someFile("c.png"), someFile("d.png"), someFile("e.png"), someFile("f.png"));
  assert.deepEqual(said, [
    "a.png: 3 MB, more than the 2 MB that a file may have",
    "b.zip: expected an image, a text or a PDF, got application/zip",
    "folder: it cannot be read; a folder is sent file by file",
    "f.png: there are 3 files already; remove one",
  ]);
  assert.deepEqual(previews(), ["c.png", "d.png", "e.png"]);
});

test("a prompt that came back has its images again", async () => {
  await paste(someFile("a.png"));
  await write(field(), "Hello");
  await press("Enter");
  await paste(someFile("b.png"));
  composer.restore(sent[0]);
  assert.deepEqual([field().value, previews()], ["Hello", ["a.png", "b.png"]]);
});

test("an edited prompt that could not be sent is edited again, and what was written since is its draft", async () => {
  composer.edit("one", "Hello", "Editing the last prompt");
  await press("Enter");
  await write(field(), "Later");
  composer.restore(sent[0]);
  assert.deepEqual([field().value, page.querySelector(".jmuz-banner").hidden], ["Hello", false]);
  await press("Enter");
  assert.equal(sent[1].editing.id, "one");
  assert.equal(field().value, "Later");
});

const chips = () => [...page.querySelectorAll(".jmuz-chips .jmuz-chip")].map((chip) => chip.textContent);

test("a typed expression becomes a chip with type and size, and is sent with its place", async () => {
  await type(field(), "  \u{1f40d} {{df}} + {{ x }}");
  assert.deepEqual(chips(), ["dfDataFrame, 400 rows × 5 columns", "xint"]);
  assert.equal(one(page, "group", "Values to send").getAttribute("aria-live"), "polite");
  await press("Enter");
  assert.deepEqual(sent[0].text, "\u{1f40d} {{df}} + {{ x }}");
  assert.deepEqual(sent[0].chips, [
    { source: "df", at: 2 },
    { source: " x ", at: 11 },
  ]);
  assert.deepEqual(chips(), []);
});

test("a pasted one becomes none, nor does one of an edited or recalled prompt", async () => {
  await insert(field(), "{{df}}", "insertFromPaste");
  await press("Enter");
  composer.edit("one", "{{df}}");
  await press("Enter");
  assert.deepEqual([sent.map((prompt) => prompt.chips), chips(), described], [[[], []], [], []]);
});

test("what is no expression, or has no value, is sent as text, and the latter says so", async () => {
  await type(field(), "{{ .Values.x }} {{gone}} {{df}}");
  assert.deepEqual(chips(), [`${PROBLEM}; sent as text`, "dfDataFrame, 400 rows × 5 columns"]);
  await press("Enter");
  assert.deepEqual(sent[0].chips, [{ source: "df", at: 25 }]);
});

test("a chip is asked about once, and again when the field gets the focus", async () => {
  await type(field(), "{{df}} {{df}}!");
  assert.deepEqual([described, chips().length], [[["df"]], 1]);
  VALUES.df = "DataFrame, 2 rows × 1 columns";
  field().blur();
  field().focus();
  await settled();
  assert.deepEqual([described.length, chips()], [2, ["dfDataFrame, 2 rows × 1 columns"]]);
});

test("a chip can be sent as text", async () => {
  await type(field(), "{{df}} {{df}}");
  await click(page, "Send {{df}} as text");
  assert.deepEqual([chips(), document.activeElement === field()], [[], true]);
  await press("Enter");
  assert.deepEqual([sent[0].text, sent[0].chips], ["{{df}} {{df}}", []]);
});

test("a chip that the kernel has not described yet is sent, for the kernel to decide", async () => {
  composer.chips.act.describe = () => new Promise(() => {});
  await type(field(), "{{df}}");
  assert.deepEqual(chips(), ["df…"]);
  await press("Enter");
  assert.deepEqual(sent[0].chips, [{ source: "df", at: 0 }]);
});

test("a prompt that came back has its chips again, and so has a draft", async () => {
  await type(field(), "{{df}}");
  await press("Enter");
  await type(field(), "{{ x }}");
  composer.restore(sent[0]);
  await settled();
  assert.deepEqual([field().value, chips().length], ["{{df}}\n{{ x }}", 2]);
  composer.edit("one", "{{df}}");
  assert.deepEqual(chips(), []);
  await press("Escape");
  assert.equal(chips().length, 2);
});

const ADD = "Add a variable or a cell";
const items = () => allOf(page, "menuitem").map(nameOf);

test("a variable is added at the cursor, as if typed", async () => {
  await type(field(), "Look: !");
  field().setSelectionRange(6, 6);
  await click(page, ADD);
  assert.deepEqual(items(), ["dfDataFrame, 400 rows × 5 columns", "cfgdict, 2 entries", "Cell [3]df.head()"]);
  assert.equal(document.activeElement, allOf(page, "menuitem")[0]);
  await click(page, "dfDataFrame, 400 rows × 5 columns", "menuitem");
  assert.deepEqual([field().value, document.activeElement === field()], ["Look: {{df}}!", true]);
  await press("Enter");
  assert.deepEqual(sent[0].chips, [{ source: "df", at: 6 }]);
});

test("a cell is added once, shown, taken back, and gone with its prompt", async () => {
  for (let times = 0; times < 2; times += 1) {
    await click(page, ADD);
    await click(page, "Cell [3]df.head()", "menuitem");
  }
  assert.equal(one(page, "group", "Cells to send").textContent, "[3]df.head()");
  assert.equal(document.activeElement, field());
  await click(page, "Remove cell [3]");
  assert.equal(allOf(page, "group").map(nameOf).includes("Cells to send"), false);
  await click(page, ADD);
  await click(page, "Cell [3]df.head()", "menuitem");
  await type(field(), "Why?");
  await press("Enter");
  assert.deepEqual(sent[0].cells, [[3, "df.head()"]]);
  assert.equal(allOf(page, "group").map(nameOf).includes("Cells to send"), false);
  composer.restore(sent[0]);
  assert.equal(one(page, "group", "Cells to send").textContent, "[3]df.head()");
});

test("in the list arrows and first letters move, Escape returns", async () => {
  one(page, "button", ADD).focus();
  await press("ArrowDown");
  assert.equal(nameOf(document.activeElement), "dfDataFrame, 400 rows × 5 columns");
  await press("c");
  assert.equal(nameOf(document.activeElement), "cfgdict, 2 entries");
  await press("c");
  assert.equal(nameOf(document.activeElement), "Cell [3]df.head()");
  await press("D");
  assert.equal(nameOf(document.activeElement), "dfDataFrame, 400 rows × 5 columns");
  await press("Escape");
  assert.deepEqual([document.activeElement, items()], [one(page, "button", ADD), []]);
});

test("where there is nothing yet the list says so", async () => {
  offered = { variables: [], cells: [] };
  await click(page, ADD);
  assert.deepEqual(items(), ["Nothing yet; run a cell first"]);
  assert.equal(allOf(page, "menuitem")[0].disabled, true);
});

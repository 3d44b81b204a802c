// Where prompts are written: its keys, its one button, its images.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Composer } from "../../../jmuz_magic/widgets/front/composer.js";
import * as dom from "../../node/dom.mjs";

const { allOf, click, imageFile, insert, nameOf, one, press, settled, type, write } = dom;
const LIMITS = { types: ["image/png", "image/jpeg"], images: 2 * 2 ** 20 };
const EARLIER = ["last", "first"];

const VALUES = { df: "DataFrame, 400 rows × 5 columns", " x ": "int" };
const PROBLEM = "{{gone}}: there is no variable 'gone'";

let composer, page, sent, said, stops, accepts, described;

beforeEach(() => {
  page = dom.newPage();
  [sent, said, stops, accepts, described] = [[], [], 0, true, []];
  composer = new Composer(LIMITS, {
    send: (prompt) => accepts && sent.push(prompt) > 0,
    stop: () => (stops += 1),
    recall: (back) => EARLIER[back],
    say: (words) => said.push(words),
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

async function paste(...files) {
  const event = Object.assign(new window.Event("paste", { cancelable: true }), { clipboardData: { files } });
  return field().dispatchEvent(event);
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
  await press("Enter");
  await click(page, "Stop");
  assert.deepEqual([stops, texts(), field().value], [1, ["Hello"], "later"]);
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
  composer.edit("one", "Hello");
  assert.equal(document.activeElement, field());
  assert.equal(field().value, "Hello");
  assert.ok(one(page, "button", "Cancel"));
  await press("Escape");
  assert.equal(field().value, "draft");
  assert.equal(allOf(page, "button").map(nameOf).includes("Cancel"), false);
});

test("an edited prompt names its turn", async () => {
  composer.edit("one", "Hello");
  await press("Enter");
  assert.deepEqual(sent[0].editing, { id: "one", draft: { text: "", marks: "" } });
  await write(field(), "next");
  await press("Enter");
  assert.equal(sent[1].editing, null);
});

test("pasted images are shown, sent, and gone", async () => {
  assert.equal(await paste(imageFile("a.png"), imageFile("b.jpg", { type: "image/jpeg" })), false);
  assert.deepEqual(previews(), ["a.png", "b.jpg"]);
  await press("Enter", { node: field() });
  assert.deepEqual(
    sent[0].images.map(({ file }) => file.name),
    ["a.png", "b.jpg"],
  );
  assert.deepEqual(previews(), []);
});

test("pasted text is the browser's", async () => {
  assert.equal(await paste({ name: "notes.txt", type: "text/plain" }), true);
});

test("an image is taken back", async () => {
  await paste(imageFile("a.png"), imageFile("b.png"));
  await click(page, "Remove a.png");
  assert.deepEqual(previews(), ["b.png"]);
  assert.equal(document.activeElement, field());
});

test("images are chosen from the disk, too", async () => {
  const picker = page.querySelector("input[type=file]");
  assert.equal(picker.accept, "image/png,image/jpeg");
  Object.defineProperty(picker, "files", { value: [imageFile("a.png")] });
  picker.dispatchEvent(new window.Event("change"));
  assert.deepEqual(previews(), ["a.png"]);
  assert.ok(one(page, "button", "Attach images (up to 2 MB in total)"));
});

test("an image that is too large, or of another kind, is refused with the reason", async () => {
  await paste(imageFile("a.png", { size: 3 * 2 ** 20 }));
  await paste(imageFile("b.svg", { type: "image/svg+xml" }));
  await paste(imageFile("c.png", { size: 1.5 * 2 ** 20 }), imageFile("d.png", { size: 2 ** 20 }));
  assert.deepEqual(said, [
    "a.png: 3 MB, more than the 2 MB that a panel can send; make it smaller",
    "b.svg: expected a PNG, JPEG, WebP or GIF image, got image/svg+xml",
    "d.png: 2.5 MB in total, more than 2 MB; remove one",
  ]);
  assert.deepEqual(previews(), ["c.png"]);
});

test("a prompt that came back has its images again", async () => {
  await paste(imageFile("a.png"));
  await write(field(), "Hello");
  await press("Enter");
  await paste(imageFile("b.png"));
  composer.restore(sent[0]);
  assert.deepEqual([field().value, previews()], ["Hello", ["a.png", "b.png"]]);
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

// Which characters of a field were typed, and the expressions among them.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { TypedText } from "../../../jmuz_magic/widgets/front/typed.js";
import * as dom from "../../node/dom.mjs";

const { insert, press, type } = dom;

let field, typed;

beforeEach(() => {
  field = document.createElement("textarea");
  dom.newPage().append(field);
  typed = new TypedText(field);
});

const sources = () => typed.expressions.map(({ source }) => source);
const cursor = (start, end = start) => field.setSelectionRange(start, end);

test("what is typed by keys is typed", async () => {
  await type(field, "a {{df}} and\n{{ cfg.lr }}{{d['a'][0]}}");
  assert.deepEqual(sources(), ["df", " cfg.lr ", "d['a'][0]"]);
  assert.deepEqual(typed.expressions[0], { source: "df", start: 2, end: 8 });
});

for (const way of [
  "insertFromPaste",
  "insertFromPasteAsQuotation",
  "insertFromDrop",
  "insertFromYank",
  "insertReplacementText",
  "insertTranspose",
  "historyUndo",
  "historyRedo",
  "",
]) {
  test(`what comes by ${way || "a script's event"} is not, even after a key`, async () => {
    await press("v", { node: field, ctrlKey: true });
    await insert(field, "{{df}}", way);
    assert.deepEqual(sources(), []);
  });
}

test("text without a key is not typed, nor is more than a key writes", async () => {
  await insert(field, "{{df}}", "insertText");
  assert.deepEqual(sources(), []);
  await press("x", { node: field });
  await insert(field, "{{df}}", "insertText");
  assert.deepEqual(sources(), []);
});

test("one key writes once", async () => {
  await press("{", { node: field });
  for (const character of "{{x}}") await insert(field, character, "insertText");
  assert.deepEqual(sources(), []);
});

test("a composition is typed", async () => {
  await type(field, "{{");
  for (const [text, before] of [
    ["へ", 0],
    ["へん", 1],
    ["変", 2],
  ])
    await insert(field, text, "insertCompositionText", before);
  await type(field, "}}");
  assert.deepEqual(sources(), ["変"]);
});

test("one pasted character makes an expression text", async () => {
  await type(field, "{{d");
  await insert(field, "f", "insertFromPaste");
  await type(field, "}}");
  assert.deepEqual(sources(), []);
  cursor(4);
  await insert(field, "", "deleteContentBackward", 1);
  await type(field, "f");
  assert.deepEqual([field.value, sources()], ["{{df}}", ["df"]]);
});

test("braces typed around pasted text are none", async () => {
  await insert(field, "df", "insertFromPaste");
  cursor(0);
  await type(field, "{{");
  cursor(4);
  await type(field, "}}");
  assert.deepEqual([field.value, sources()], ["{{df}}", []]);
});

test("what is pasted before and after a typed one leaves it, though it looks the same", async () => {
  await type(field, "{{df}}");
  cursor(0);
  await insert(field, "{{df}} ", "insertFromPaste");
  cursor(field.value.length);
  await insert(field, " {{df}}", "insertFromDrop");
  assert.deepEqual(typed.expressions, [{ source: "df", start: 7, end: 13 }]);
});

test("a typed character among equal pasted ones is told apart", async () => {
  await insert(field, "{{{{", "insertFromPaste");
  cursor(2);
  await type(field, "{");
  assert.equal(typed.marks, "--t--");
});

test("typing over what is chosen replaces it", async () => {
  await type(field, "{{df}} {{x}}");
  cursor(2, 4);
  await type(field, "y");
  assert.deepEqual(sources(), ["y", "x"]);
  cursor(0, field.value.length);
  await insert(field, "{{y}} {{x}}", "insertFromPaste");
  assert.deepEqual(sources(), []);
});

test("pasted text that begins and ends as what it replaces is not typed", async () => {
  await type(field, "{{df}} and {{x}}");
  cursor(0, field.value.length);
  await insert(field, "{{df}} or {{x}}", "insertFromPaste");
  assert.deepEqual(sources(), []);
});

test("what an undo or a correction leaves is not typed, though it looks the same", async () => {
  for (const way of ["historyUndo", "insertReplacementText", ""]) {
    typed.set("");
    await type(field, "{{df}}");
    await insert(field, "!", way);
    assert.deepEqual([way, sources()], [way, []]);
  }
});

test("where a browser does not say what is chosen, pasting leaves nothing typed", async () => {
  await type(field, "{{df}}");
  field.value += " more";
  field.dispatchEvent(new window.InputEvent("input", { bubbles: true, inputType: "insertFromPaste" }));
  assert.deepEqual(sources(), []);
});

test("deleting leaves the rest as it is", async () => {
  await type(field, "{{df}}");
  await insert(field, " {{x}}", "insertFromPaste");
  await insert(field, "", "deleteWordBackward", 3);
  assert.deepEqual([field.value, sources()], ["{{df}} {{", ["df"]]);
});

test("a text that is set is not typed, unless its marks come with it", async () => {
  typed.set("{{df}}");
  assert.deepEqual(sources(), []);
  typed.set("{{df}}", "tttttt");
  assert.deepEqual([field.value, sources()], ["{{df}}", ["df"]]);
});

test("what a script puts into the field is not typed", async () => {
  await type(field, "{{df}}");
  field.value = "{{df}}{{df}}";
  await type(field, "!");
  assert.deepEqual(sources(), []);
  field.value = "{{ab}}";
  typed.settle();
  assert.deepEqual(sources(), []);
});

test("what is chosen from a list is written at the cursor, as if typed", async () => {
  await type(field, "ab");
  cursor(1);
  typed.write("{{df}}");
  assert.deepEqual([field.value, sources(), field.selectionStart], ["a{{df}}b", ["df"], 7]);
});

test("an expression that is released is text", async () => {
  await type(field, "{{df}} {{x}} {{df}}");
  typed.release("df");
  assert.deepEqual(sources(), ["x"]);
});

for (const text of ["{{}}", "{{{df}}}", "{df}", "{{a\nb}}", "{{a{b}}", "}}df{{", `{{${"a".repeat(501)}}}`]) {
  test(`${text.slice(0, 12)} is none`, async () => {
    await type(field, text);
    assert.deepEqual(sources(), []);
  });
}

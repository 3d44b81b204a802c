// The settings beside the transcript: what they show, and what the kernel is asked when they change.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Drawer } from "../../../jmuz_magic/widgets/front/drawer.js";
import { click, isShown, newPage, one, passed, press, settled, write } from "../../node/dom.mjs";

const SETTINGS = {
  model: "m",
  provider: "",
  endpoint: "Demo at http://x",
  shared: true,
  system: "Be brief",
  temperature: 0.5,
  max_tokens: null,
};

let drawer, page, sent, answers, said, closed;

beforeEach(async () => {
  page = newPage();
  sent = [];
  answers = {
    models: {
      entries: [
        ["m", "default"],
        ["n", ""],
      ],
      providers: [
        ["demo", "Demo"],
        ["ollama", "Ollama"],
      ],
    },
  };
  [said, closed] = [[], 0];
  drawer = new Drawer({
    send: async (operation) => (sent.push(operation), answers[operation.op] ?? {}),
    close: () => (closed += 1),
    say: (words) => said.push(words),
  });
  page.append(drawer.node);
  drawer.update(SETTINGS);
  await drawer.open();
});

const value = (role, name) => one(page, role, name).value;
const help = () => page.querySelector(".jmuz-help").textContent;
const problems = () => [...page.querySelectorAll("[role=alert]")].map((node) => node.textContent).filter(Boolean);
const options = () => [...one(page, "combobox", "Provider").options].map(({ text }) => text);

async function change(role, name, text) {
  const field = one(page, role, name);
  await write(field, text);
  field.dispatchEvent(new window.Event("change"));
  await settled();
}

test("it shows the settings by names that can be heard", () => {
  assert.ok(one(page, "region", "Settings"));
  assert.equal(value("combobox", "Model"), "m");
  assert.equal(value("textbox", "System message"), "Be brief");
  assert.deepEqual([value("spinbutton", "Temperature"), value("spinbutton", "Max tokens")], ["0.5", ""]);
  assert.equal(help(), "Demo at http://x. %%jmuz cells use this model, too.");
});

test("models are listed when it is first opened, and asked for again by the button", async () => {
  await drawer.open();
  assert.deepEqual(sent, [{ op: "models", refresh: false }]);
  await click(page, "Ask the endpoint for its models");
  assert.deepEqual(sent.at(-1), { op: "models", refresh: true });
  assert.equal(one(page, "button", "Ask the endpoint for its models").disabled, false);
});

test("while the list is waited for it says so", async () => {
  let answer;
  drawer.act.send = () => new Promise((resolve) => (answer = resolve));
  const progress = page.querySelector(".jmuz-progress");
  await click(page, "Ask the endpoint for its models");
  assert.equal(isShown(progress), false);
  await passed(2000);
  assert.deepEqual([isShown(progress), progress.textContent], [true, "Waiting for the list of models… 2 s"]);
  answer({ entries: [] });
  await settled();
  assert.equal(isShown(progress), false);
});

test("a model is chosen by Enter", async () => {
  await write(one(page, "combobox", "Model"), "n");
  await press("Enter");
  assert.deepEqual(sent.at(-1), { op: "set", model: "n" });
});

for (const [role, name, text, asked] of [
  ["textbox", "System message", "", { system: "" }],
  ["spinbutton", "Temperature", "0.7", { temperature: "0.7" }],
  ["spinbutton", "Max tokens", "100", { max_tokens: "100" }],
]) {
  test(`${name} is sent as it was typed`, async () => {
    await change(role, name, text);
    assert.deepEqual(sent.at(-1), { op: "set", ...asked });
  });
}

test("what the field does not allow is not sent", async () => {
  await change("spinbutton", "Max tokens", "0");
  assert.equal(sent.at(-1).op, "models");
  assert.match(problems()[0], /^Max tokens: /);
});

test("a refusal is shown until a change is taken", async () => {
  answers.set = { error: "expected a number" };
  await change("spinbutton", "Temperature", "9");
  const field = one(page, "spinbutton", "Temperature");
  assert.deepEqual(problems(), ["Temperature: expected a number"]);
  assert.equal(field.getAttribute("aria-invalid"), "true");
  assert.equal(document.getElementById(field.getAttribute("aria-describedby")).textContent, problems()[0]);
  answers.set = {};
  await change("spinbutton", "Max tokens", "1");
  assert.equal(problems().length, 1, "the other field is still wrong");
  await change("spinbutton", "Temperature", "1");
  assert.deepEqual([problems(), field.hasAttribute("aria-invalid")], [[], false]);
});

test("a provider is chosen among those that there are; who reads on is said", async () => {
  assert.deepEqual(options(), ["The one that cells ask", "Demo", "Ollama"]);
  answers.set = { note: "the next prompt and the turns above go to Ollama" };
  await change("combobox", "Provider", "ollama");
  assert.deepEqual(sent.at(-1), { op: "set", provider: "ollama" });
  assert.deepEqual(said, ["the next prompt and the turns above go to Ollama"]);
});

test("a provider that is refused is named, and the one in force is shown again", async () => {
  answers.set = { error: "no address" };
  await change("combobox", "Provider", "ollama");
  assert.deepEqual([problems(), value("combobox", "Provider")], [["Provider: no address"], ""]);
});

test("an endpoint that has no name of its own is shown by its address", () => {
  drawer.update({ ...SETTINGS, provider: "mine", endpoint: "Mine at http://y" });
  assert.deepEqual([options().at(-1), value("combobox", "Provider")], ["Mine at http://y", "mine"]);
});

test("the models of another endpoint are not those of the one before, and are not asked for unbidden", async () => {
  drawer.update({ ...SETTINGS, endpoint: "Ollama at http://y" });
  one(page, "combobox", "Model").click();
  assert.equal(page.querySelectorAll("[role=option]").length, 0);
  assert.equal(sent.length, 1);
  await drawer.open();
  assert.deepEqual(sent.slice(1), [{ op: "models", refresh: false }]);
});

test("Escape closes it, and goes no further", async () => {
  let heard = 0;
  page.addEventListener("keydown", () => (heard += 1), { once: true });
  await press("Escape", { node: one(page, "spinbutton", "Temperature") });
  assert.deepEqual([closed, heard], [1, 0]);
});

test("a list that does not come is said, and the old one stays", async () => {
  answers.models = { error: "no answer" };
  await click(page, "Ask the endpoint for its models");
  assert.deepEqual(problems(), ["Model: no answer"]);
  one(page, "combobox", "Model").click();
  assert.equal(page.querySelectorAll("[role=option]").length, 2);
});

test("a field in use is not written over", () => {
  one(page, "textbox", "System message").focus();
  one(page, "textbox", "System message").value = "half writ";
  drawer.update({ ...SETTINGS, system: "from elsewhere", temperature: 1 });
  assert.deepEqual([value("textbox", "System message"), value("spinbutton", "Temperature")], ["half writ", "1"]);
});

test("a model of its own is said to be so", () => {
  drawer.update({ ...SETTINGS, shared: false });
  assert.match(help(), /Only this conversation uses this model\.$/);
});

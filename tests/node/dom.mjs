// For tests of the front end: a page without a browser, what users do there, and the kernel's end of a widget.
import { mock } from "node:test";

import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!doctype html>", { url: "http://127.0.0.1/", pretendToBeVisual: true });
for (const name of ["document", "window", "Node", "Element", "DOMParser", "CustomEvent"])
  globalThis[name] = window[name];

// What a page has and jsdom has not.
globalThis.ResizeObserver = class {
  constructor(sized) {
    this.observe = () => sized();
    this.disconnect = () => {};
  }
};
Object.defineProperty(globalThis, "navigator", { value: { clipboard: {} }, configurable: true });
document.execCommand = () => false;
URL.createObjectURL = () => "blob:here";
URL.revokeObjectURL = () => {};

// Frames are drawn when a test says so.
const frames = new Map();
let lastFrame = 0;
globalThis.requestAnimationFrame = (draw) => frames.set((lastFrame += 1), draw) && lastFrame;
globalThis.cancelAnimationFrame = (number) => frames.delete(number);

/** What was copied in this test. */
export const copied = [];

/** An empty page, where time stands still. */
export function newPage() {
  mock.reset();
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  frames.clear();
  copied.length = 0;
  navigator.clipboard.writeText = async (text) => void copied.push(text);
  document.body.replaceChildren();
  return document.body;
}

/** Let happen what was promised, and draw what is due. */
export async function settled() {
  for (let round = 0; round < 5; round += 1) {
    await new Promise(setImmediate);
    const due = [...frames.values()];
    frames.clear();
    for (const draw of due) draw();
  }
}

export async function passed(milliseconds) {
  mock.timers.tick(milliseconds);
  await settled();
}

// --- What users see and do ---

const ROLES = {
  button: "button:not([role])",
  combobox: "[role=combobox], select",
  spinbutton: "input[type=number]",
  textbox: "textarea",
};

export function isShown(node) {
  return node.isConnected && !node.closest("[hidden]");
}

/** What assistive technology calls it. */
export function nameOf(node) {
  const id = node.getAttribute("aria-labelledby");
  const label = id ? document.getElementById(id) : node.id && document.querySelector(`label[for="${node.id}"]`);
  return node.getAttribute("aria-label") ?? (label || node).textContent;
}

/** All that is shown and has that role. */
export function allOf(root, role) {
  return [...root.querySelectorAll(ROLES[role] ?? `[role=${role}]`)].filter(isShown);
}

/** The one that is shown and has that role and name. */
export function one(root, role, name) {
  const all = allOf(root, role);
  const found = all.filter((node) => name === undefined || nameOf(node) === name);
  if (found.length === 1) return found[0];
  throw new Error(`expected one ${role} "${name}", got ${found.length} among ${all.map(nameOf).join(", ")}`);
}

export async function click(root, name, role = "button") {
  one(root, role, name).click();
  await settled();
}

/** Press a key where the focus is, or in a node; false where the page kept it from the browser. */
export async function press(key, { node = document.activeElement, ...more } = {}) {
  const event = new window.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  const untouched = node.dispatchEvent(event);
  await settled();
  return untouched;
}

/** Write text into a field. */
export async function write(field, text) {
  field.focus();
  field.value = text;
  field.dispatchEvent(new window.Event("input", { bubbles: true }));
  await settled();
}

/**
 * What a browser does when text comes into a field: it stands before the cursor, or takes the place of what is chosen.
 * `backwards` is how many characters before that it replaces, as a composition does.
 */
export async function insert(field, text, inputType, backwards = 0) {
  field.focus();
  field.dispatchEvent(new window.InputEvent("beforeinput", { bubbles: true, inputType, data: text }));
  field.setRangeText(text, field.selectionStart - backwards, field.selectionEnd, "end");
  field.dispatchEvent(new window.InputEvent("input", { bubbles: true, inputType, data: text }));
  await settled();
}

/** Type text by single keys. */
export async function type(field, text) {
  field.focus();
  for (const character of text) {
    await press(character, { node: field });
    await insert(field, character, character === "\n" ? "insertLineBreak" : "insertText");
    field.dispatchEvent(new window.KeyboardEvent("keyup", { key: character, bubbles: true }));
  }
}

/** A file as a picker, a paste or a drop gives it; `content` is how it begins. */
export function someFile(name, { type = "image/png", size, content = "" } = {}) {
  const bytes = new TextEncoder().encode(content);
  const arrayBuffer = async () => bytes.buffer;
  return { name, type, size: size ?? bytes.length, arrayBuffer, slice: () => ({ arrayBuffer }) };
}

// --- The kernel ---

/** The kernel's end of a widget: what the widget sent, and what it hears. */
export class Kernel {
  sent = [];

  constructor(traits) {
    const handlers = {};
    this.traits = traits;
    this.model = {
      get: (name) => traits[name],
      set: (name, value) => (traits[name] = value),
      on: (event, handler) => (handlers[event] ??= []).push(handler),
      send: (content, _, buffers) => this.sent.push({ ...content, buffers }),
      widget_manager: { kernel: { iopubMessage: { connect: (slot) => (this.slot = slot), disconnect: () => {} } } },
    };
    this.handle = (event, content) => handlers[event]?.forEach((handler) => handler(content));
  }

  async say(message) {
    this.handle("msg:custom", message);
    await settled();
  }

  async change(traits) {
    Object.assign(this.traits, traits);
    for (const name of Object.keys(traits)) this.handle(`change:${name}`);
    this.handle("change");
    await settled();
  }

  /** Its process ends, which the front end knows. */
  async die() {
    this.handle("comm_live_update");
    await settled();
  }

  /** Somebody else restarts it, of which only its own word tells. */
  async restart() {
    this.slot(null, { header: { msg_type: "shutdown_reply" } });
    await settled();
  }

  /** The last operation of that name. */
  asked(op) {
    return this.sent.findLast((content) => content.op === op);
  }

  /** Answer the last operation of that name. */
  async answer(op, answer = {}) {
    await this.say({ type: "answer", request: this.asked(op).request, ...answer });
  }
}

/** A widget with one view. */
export function shown(widget, kernel) {
  const el = document.createElement("div");
  document.body.append(el);
  const { initialize, render } = widget();
  const end = initialize({ model: kernel.model });
  const leave = render({ model: kernel.model, el });
  return { el, end, leave, render: (other) => render({ model: kernel.model, el: other }) };
}

export const turn = (id, more = {}) => ({
  id,
  from: 0,
  prompt: `prompt of ${id}`,
  typed: "",
  images: [],
  parts: [],
  open: { reasoning: "", text: "" },
  note: "",
  state: "complete",
  ended: true,
  error: "",
  source: `source of ${id}`,
  facts: [],
  ...more,
});

export const running = (id, more = {}) => turn(id, { state: "streaming", ended: false, source: "", ...more });

let sequence = 0;
let version = 0;

/** The message that these are all turns. */
export function turns(...all) {
  return {
    type: "turns",
    sequence: (sequence += 1),
    version: (version += 1),
    order: all.map(({ id }) => id),
    versions: {},
    turns: all,
  };
}

/** The message that a turn has grown. */
export function part(id, from, parts, more = {}) {
  const open = { reasoning: "", text: "" };
  return {
    type: "part",
    sequence: (sequence += 1),
    version,
    turn: id,
    from,
    parts,
    open,
    note: "",
    state: "streaming",
    ...more,
  };
}

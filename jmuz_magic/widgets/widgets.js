// The front end of jmuz_magic's two widgets, the model selector and the chat panel, as anywidget runs it.
//
// What a model wrote reaches the page at one place, `place()`: HTML that the kernel's renderer made safe is read by an
// inert parser and built anew from a list, since a saved notebook may hold what no kernel of ours sent.
// All other text from outside (prompts, model ids, errors, names) goes through text nodes. Nothing is loaded.

const QUEUED_AFTER = 400; // ms without the kernel's answer before a click is shown as queued
const SILENT_AFTER = 5000; // ms without a message, while one is due, before the kernel is asked what was missed
const AT_END = 4; // px from the end of the transcript that still count as its end
const THUMBNAIL_PIXELS = 240;
const RUN = 16; // parts of a reply that are laid out together; a long one has as many runs as a run has parts
const SHOWN_MODELS = 100; // rows of a list of models; the search narrows the others

// --- The transcript, as messages build it ---------------------------------------------------------------------

/**
 * The turns as the kernel says they are, whatever messages are lost, doubled or out of order.
 *
 * Every message has a number; what is not newer than the last one taken is dropped. A `part` names how many
 * parts of its turn came before it: if they are not here, it is not taken and `missed` becomes true, until a
 * `turns` brings what is missing. `turns` holds the order of all turns and some of them whole.
 */
export class Transcript {
  constructor() {
    this.sequence = -1;
    this.version = 0; // of the order: which turns there are
    this.order = [];
    this.turns = new Map();
    this.missed = false;
  }

  get list() {
    return this.order.map((id) => this.turns.get(id)).filter(Boolean);
  }

  get last() {
    return this.list.at(-1);
  }

  get running() {
    return this.list.find((turn) => turn.state === "waiting" || turn.state === "streaming");
  }

  /** What the kernel need not send again: ended turns whole, the others as far as they are here. */
  get known() {
    return Object.fromEntries(this.list.map((turn) => [turn.id, turn.ended ? "ended" : turn.parts.length]));
  }

  /** The state for a page that is opened later. */
  get snapshot() {
    return { type: "turns", sequence: this.sequence, version: this.version, order: this.order, turns: this.list };
  }

  /** Take a message; false where it changed nothing. */
  take(message) {
    if (message.sequence <= this.sequence) return false;
    const taken = message.type === "part" ? this.#grow(message) : this.#arrange(message);
    if (taken) this.sequence = message.sequence;
    this.missed = !taken;
    return taken;
  }

  #grow({ version, turn: id, from, parts, ...now }) {
    const turn = this.turns.get(id);
    if (version !== this.version || !turn || from > turn.parts.length) return false;
    this.turns.set(id, { ...turn, ...now, parts: [...turn.parts.slice(0, from), ...parts] });
    return true;
  }

  #arrange({ version, order, turns }) {
    const next = new Map(order.map((id) => [id, this.turns.get(id)]));
    for (const { from = 0, ...turn } of turns) {
      const before = next.get(turn.id)?.parts ?? [];
      if (!next.has(turn.id) || from > before.length) return false;
      next.set(turn.id, { ...turn, parts: [...before.slice(0, from), ...turn.parts] });
    }
    if (order.some((id) => !next.get(id))) return false;
    Object.assign(this, { version, order, turns: next });
    return true;
  }
}

// --- The way to the kernel and back, shared by all views of a widget ------------------------------------------

const randomId = () => Math.random().toString(36).slice(2);

/** Sends operations; each is answered by the kernel, however late: a busy kernel serves them after the cell. */
class Link {
  constructor(model) {
    this.model = model;
    this.transcript = new Transcript();
    this.waiting = new Map(); // operations without an answer, by their id
    this.views = new Set();
    this.live = true;
    this.heard = Date.now();
    this.patience = SILENT_AFTER;
    if (model.get("transcript")) this.transcript.take(model.get("transcript"));
    model.on("msg:custom", (message) => this.#take(message));
    model.on("change", () => this.changed());
    // ipywidgets says this to a model that exists only when its kernel is restarted from this page or died.
    model.on("comm_live_update", () => this.#die());
    // Of a restart by somebody else only the kernel's own word tells, where the front end shows its messages.
    this.messages = model.widget_manager?.kernel?.iopubMessage;
    this.heed = (_, message) => message.header.msg_type === "shutdown_reply" && this.#die();
    this.messages?.connect(this.heed);
    this.timer = setInterval(() => this.#look(), QUEUED_AFTER / 2);
  }

  /** Ask the kernel for something; the promise ends with its answer, `{error?, …}`. */
  send(op, fields = {}, buffers = []) {
    const id = randomId();
    return new Promise((answer) => {
      this.waiting.set(id, { op, fields, answer, since: Date.now() });
      this.post({ op, request: id, ...fields }, buffers);
      this.changed();
    });
  }

  /** Whoever waits for the kernel is told, so that no prompt is lost. */
  #die() {
    this.live = false;
    for (const { answer } of this.waiting.values()) answer({ error: "the kernel is gone; run the cell again" });
    this.waiting.clear();
    this.changed();
  }

  /** Operations that wait for a busy kernel, in words. */
  get queued() {
    const late = [...this.waiting.values()].filter(({ since }) => Date.now() - since > QUEUED_AFTER);
    return late.map(({ op }) => this.model.get("about").operations[op]).join(", ");
  }

  changed() {
    for (const view of this.views) view.redraw();
  }

  end() {
    clearInterval(this.timer);
    this.messages?.disconnect(this.heed);
  }

  /** Say something that needs no answer. */
  post(content, buffers = []) {
    this.model.send(content, undefined, buffers);
  }

  #take(message) {
    this.heard = Date.now();
    if (message.type === "answer") this.#answer(message.request, message);
    else if (message.type && this.transcript.take(message)) this.#keep(message);
    else if (this.transcript.missed) this.#resync();
    if (message.answered) this.patience = SILENT_AFTER;
    for (const [id, answer] of Object.entries(message.answered ?? {})) this.#answer(id, answer);
    this.changed();
  }

  #answer(id, answer) {
    this.waiting.get(id)?.answer(answer);
    this.waiting.delete(id);
  }

  /** The state that the front end saves with the notebook: whole turns, never sent back to the kernel. */
  #keep(message) {
    if (message.type === "turns") this.model.set("transcript", this.transcript.snapshot, { silent: true });
  }

  #look() {
    const due = this.transcript.running || this.waiting.size;
    if (this.live && due && Date.now() - this.heard > this.patience) this.#resync();
    if (this.queued) this.changed();
  }

  // Asked less and less often: each question waits in a busy kernel's queue until the cell ends.
  #resync() {
    if (Date.now() - (this.asked ?? 0) < Math.max(1000, this.patience - SILENT_AFTER)) return;
    this.asked = this.heard = Date.now();
    this.patience = Math.min(this.patience * 2, 60_000);
    this.post({ op: "resync", known: this.transcript.known, waiting: [...this.waiting.keys()] });
  }
}

// --- Elements -------------------------------------------------------------------------------------------------

/** An element; children that are strings become text nodes, attributes that are false or null are left out. */
function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// --- What a reply may be made of ------------------------------------------------------------------------------

const LENGTH = /^-?(\d{1,2}|\d{0,2}\.\d{1,10})(r?em|ex|pt|px)?$/;
const SWITCH = /^(true|false)$/;
const MATHML_STYLE = new RegExp(
  `^(${[
    "border-(bottom|left|right|top): 0\\.05em (dashed|solid) currentcolor",
    "justify-items: (center|end|start)",
    "margin-left: -?0?\\.\\d{1,10}em",
    "math-shift: compact",
    "padding-(bottom|left|right|top): (0|1em|0?\\.\\d{1,10}em)",
    "text-align: (center|left|right)",
    "width: (100|50|7\\.5)%",
  ].join("|")})$`,
);
const ALIGNED = { style: /^text-align:(left|center|right|start)$/ };
const DIRECTED = { dir: /^auto$/ };

/** Tags with their attributes, and what the value of each must look like. */
const HTML_LIST = {
  a: { href: /^(https?:\/\/|mailto:)[!-~]+$/i, title: /^/, rel: /^noopener noreferrer nofollow$/ },
  code: { class: /^language-[\w+#.-]{1,40}$/, ...DIRECTED },
  details: { open: /^$/ },
  div: { class: /^(highlight|jmuz-(calls|footer|label|math|reasoning|sources|waiting))$/ },
  ol: { start: /^\d{1,9}$/, ...DIRECTED },
  span: { class: /^[a-z][a-z\d]{0,3}$/, style: /^font-variant-caps: small-caps$/ },
  td: ALIGNED,
  th: ALIGNED,
  p: { style: /^text-align:start$/, ...DIRECTED },
  ...named("blockquote h1 h2 h3 h4 h5 h6 pre table ul", DIRECTED),
  ...named("b br em hr i li s strong summary tbody thead tr u", {}),
};
const MATHML_ATTRIBUTES = {
  columnspan: /^\d{1,2}$/,
  display: /^block$/,
  form: /^(infix|prefix|postfix)$/,
  mathcolor: /^#[\dA-F]{6}$/i,
  mathvariant: /^normal$/,
  notation: /^(actuarial|box|phasorangle|(up|down)diagonalstrike( downdiagonalstrike)?)$/,
  scriptlevel: /^[+-]?\d$/,
  ...named("depth height linethickness lspace maxsize minsize rspace voffset width", LENGTH),
  ...named("accent accentunder displaystyle fence largeop movablelimits separator stretchy symmetric", SWITCH),
};
const MATHML_LIST = named(
  "math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle msub " +
    "msubsup msup mtable mtd mtext mtr munder munderover none",
  { ...MATHML_ATTRIBUTES, style: { test: (value) => value.split(";").every((constant) => MATHML_STYLE.test(constant)) } },
);
const LISTS = { "http://www.w3.org/1999/xhtml": HTML_LIST, "http://www.w3.org/1998/Math/MathML": MATHML_LIST };
const PICTURE = /^data:image\/(png|jpeg|webp|gif);base64,[\dA-Za-z+/]+={0,2}$/;

function named(words, value) {
  return Object.fromEntries(words.split(" ").map((word) => [word, value]));
}

/** The one place where HTML enters the page: parsed where nothing runs or is loaded, and built anew from the list. */
export function place(node, html) {
  node.replaceChildren(...copies(new DOMParser().parseFromString(`<body>${html}`, "text/html").body));
  return node;
}

function copies(parent) {
  return [...parent.childNodes].map(copied).filter(Boolean);
}

/** The node made anew; of an element off the list only its text, of comments and the like nothing. */
function copied(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.data);
  if (node.nodeType !== Node.ELEMENT_NODE) return null;
  const list = LISTS[node.namespaceURI];
  if (!list || !Object.hasOwn(list, node.localName)) return document.createTextNode(node.textContent);
  const copy = document.createElementNS(node.namespaceURI, node.localName);
  const allowed = list[node.localName];
  for (const { name, value } of node.attributes) {
    if (Object.hasOwn(allowed, name) && allowed[name].test(value)) copy.setAttribute(name, value);
  }
  if (copy.localName === "a") copy.setAttribute("rel", "noopener noreferrer nofollow");
  copy.append(...copies(node));
  return copy;
}

const ICONS = {
  send: "M8 13V3.5M3.5 8 8 3.5 12.5 8",
  stop: "M5 5h6v6H5z",
  copy: "M6 6h7v7H6zM10 3.5V3H3v7h.5",
  check: "m3 8.5 3.5 3.5L13 4.5",
  insert: "M2.5 3h11v4.5h-11zM8 10v4.5M5.75 12.25h4.5",
  again: "M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3",
  edit: "M10.5 3 13 5.5 6 12.5l-3 .5.5-3z",
  more: "M3 8a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0M7.5 8a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0M12 8a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0",
  settings: "M2.5 5h5.5M11.5 5h2M8 5a1.75 1.75 0 1 0 3.5 0A1.75 1.75 0 1 0 8 5M2.5 11h2M8 11h5.5M4.5 11A1.75 1.75 0 1 0 8 11a1.75 1.75 0 1 0-3.5 0",
  image: "M2.5 3h11v10h-11zM3 11l3-3 2.5 2.5L10 9l3 3M10.5 6h.01",
  close: "m4 4 8 8M12 4l-8 8",
  latest: "M8 3v9.5M3.5 8 8 12.5 12.5 8",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button with a drawn icon; its words are its tooltip and its name for those who do not see it. */
function iconButton(name, label, onclick, attributes = {}) {
  return h("button", { type: "button", class: "jmuz-icon", title: label, "aria-label": label, onclick, ...attributes }, icon(name));
}

function textButton(label, onclick, attributes = {}) {
  return h("button", { type: "button", class: "jmuz-button", onclick, ...attributes }, label);
}

const acknowledged = new WeakMap(); // buttons that show so, with what puts them back

/** Show for a moment that a button did its work; clicked again meanwhile, for a moment more. */
function acknowledge(button, words) {
  clearTimeout(acknowledged.get(button)?.timer);
  const { before, label } = acknowledged.get(button) ?? { before: [...button.childNodes], label: button.getAttribute("aria-label") };
  button.replaceChildren(icon("check"));
  button.setAttribute("aria-label", words);
  const timer = setTimeout(() => {
    button.replaceChildren(...before);
    button.setAttribute("aria-label", label);
    acknowledged.delete(button);
  }, 1500);
  acknowledged.set(button, { before, label, timer });
}

let numbers = 0;
const uniqueId = (word) => `jmuz-${word}-${(numbers += 1)}`;

/** Marks the output area that shows a widget of a kind, so that the style sheet hides the plain output beside it. */
class Mark {
  constructor(el, kind) {
    Object.assign(this, { el, shown: `jmuz-${kind}`, mark: `jmuz-live-${kind}` });
    el.classList.add(this.shown);
    this.sizes = new ResizeObserver(() => this.#put()); // it has its first size before it is painted
    this.sizes.observe(el);
  }

  end() {
    this.sizes.disconnect();
    this.el.classList.remove(this.shown);
    if (!this.area?.querySelector(`.${this.shown}`)) this.area?.classList.remove(this.mark);
  }

  #put() {
    this.area = this.el.closest(".jp-OutputArea");
    this.area?.classList.add(this.mark);
  }
}

// --- Clipboard, download, notebook cells ----------------------------------------------------------------------

/** Copy; where the page has no clipboard (plain http to another host), by a selected field. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h("textarea", { class: "jmuz-offscreen" });
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}

function download({ name, type, text }) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/**
 * Put code into a new cell below, never run; "inserted", or "copied" where the front end does not let us.
 *
 * JupyterLab and Notebook 7 run the command that a clicked element names. The element must lie inside the panel:
 * from a trusted notebook they then do not ask, and one command for both steps means one question at most.
 */
async function insertCell(panel, code) {
  const notebook = panel.closest(".jp-Notebook") ?? document.querySelector(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook");
  if (notebook) {
    const before = notebook.querySelector(".jp-Cell.jp-mod-active");
    clickCommand(panel, "apputils:run-all-enabled", {
      commands: ["notebook:insert-cell-below", "notebook:replace-selection"],
      args: { text: code },
      errorIfNotEnabled: true,
    });
    if (await appeared(notebook, before)) return "inserted";
  }
  return (await copyText(code)) ? "copied" : "failed";
}

function clickCommand(panel, command, parameters) {
  const link = h("button", {
    type: "button",
    hidden: true,
    "data-commandlinker-command": command,
    "data-commandlinker-args": JSON.stringify(parameters),
  });
  panel.append(link);
  link.click();
  link.remove();
}

/** Whether another cell became the active one and has text; waits while the front end asks the user. */
async function appeared(notebook, before) {
  for (let quiet = 0; quiet < 40; quiet += 1) {
    await new Promise((done) => setTimeout(done, 25));
    const cell = notebook.querySelector(".jp-Cell.jp-mod-active");
    if (cell && cell !== before && cell.querySelector(".cm-content")?.textContent.trim()) return true;
    if (document.querySelector(".jp-Dialog")) quiet = 0;
  }
  return false;
}

// --- A turn ---------------------------------------------------------------------------------------------------

/** Blocks of HTML that only grow, in runs: finished ones are placed once, the unfinished one each time it changes. */
class Growing {
  constructor(className) {
    this.open = h("div", { class: "jmuz-part", "aria-live": "off" });
    this.node = h("div", { class: className }, this.open);
    this.placed = [];
    this.openHtml = "";
  }

  update(parts, openHtml) {
    let same = 0;
    while (same < this.placed.length && this.placed[same].html === parts[same]) same += 1;
    for (const { node } of this.placed.splice(same)) this.#remove(node);
    for (const html of parts.slice(same)) {
      const node = place(h("div", { class: "jmuz-part" }), html);
      addCodeTools(node);
      this.#run().append(node);
      this.placed.push({ html, node });
    }
    if (openHtml !== this.openHtml) place(this.open, openHtml);
    this.openHtml = openHtml;
  }

  #run() {
    const last = this.open.previousElementSibling;
    if (last && last.childElementCount < RUN) return last;
    const run = h("div", { class: "jmuz-run" });
    this.open.before(run);
    return run;
  }

  #remove(node) {
    const run = node.parentNode;
    node.remove();
    if (!run.childElementCount) run.remove();
  }
}

// The buttons are made here: a reply cannot bring its own.
function addCodeTools(part) {
  for (const pre of part.querySelectorAll("pre")) {
    const block = pre.closest(".highlight") ?? pre;
    const label = block.previousElementSibling?.matches(".jmuz-label") ? block.previousElementSibling : null;
    const frame = h("div", { class: label ? "jmuz-code-frame jmuz-labelled" : "jmuz-code-frame" });
    block.replaceWith(frame);
    frame.append(...(label ? [label] : []), block, codeTools(pre));
  }
}

function codeTools(pre) {
  const code = () => pre.textContent.replace(/\n$/, "");
  const copy = iconButton("copy", "Copy code", async () => {
    if (await copyText(code())) acknowledge(copy, "Copied");
  });
  const insert = iconButton("insert", "Insert as cell", async () => {
    const panel = insert.closest(".jmuz-panel");
    const done = await insertCell(panel, code());
    if (done === "inserted") acknowledge(insert, "Inserted below");
    panel.dispatchEvent(new CustomEvent("jmuz-inserted", { detail: done }));
  });
  return h("div", { class: "jmuz-code-tools" }, insert, copy);
}

// With a direction of its own, so that it does not count for that of the text beside it.
const hidden = (text) => h("span", { class: "jmuz-offscreen", dir: "ltr" }, text);

/** One turn of the transcript: the prompt, the reasoning in a fold, the reply, and what there is to say of it. */
class TurnView {
  constructor(act) {
    this.act = act;
    this.reasoning = new Growing("jmuz-markdown");
    this.reply = new Growing("jmuz-markdown");
    this.prompt = h("div", { class: "jmuz-said", dir: "auto" });
    this.fold = h("details", { class: "jmuz-fold" }, this.#summary(), this.reasoning.node);
    this.note = h("p", { class: "jmuz-note" });
    this.error = h("div", { class: "jmuz-error" });
    this.facts = h("span", { class: "jmuz-facts" });
    this.tools = h("span", { class: "jmuz-tools" });
    this.foot = h("div", { class: "jmuz-foot" }, this.facts, this.tools);
    const answer = h("div", { class: "jmuz-answer" }, hidden("Reply:"), this.fold, this.reply.node, this.note, this.error, this.foot);
    this.node = h("div", { class: "jmuz-turn" }, this.prompt, answer);
  }

  update(turn, last) {
    if (turn === this.turn && last === this.isLast) return;
    const first = this.turn === undefined;
    Object.assign(this, { turn, isLast: last });
    if (first) this.prompt.replaceChildren(hidden("You:"), ...promptNodes(turn.prompt, turn.images));
    this.node.dataset.state = turn.state;
    this.node.classList.toggle("jmuz-last", last);
    this.#showText(turn);
    if (this.note.textContent !== turn.note) this.note.textContent = turn.note;
    this.note.hidden = !turn.note;
    if (first || turn.ended) this.#showEnd(turn, last);
  }

  #summary() {
    const summary = h("summary", {}, "Reasoning");
    summary.addEventListener("click", () => (this.foldTouched = true));
    return summary;
  }

  #showText({ parts, open, ended }) {
    const html = (kind) => parts.filter((part) => part[0] === kind).map((part) => part[1]);
    const [reasoning, reply] = [html("reasoning"), html("text")];
    this.reasoning.update(reasoning, open.reasoning);
    this.reply.update(reply, open.text);
    const thinking = !ended && !reply.length && !open.text;
    this.fold.hidden = !reasoning.length && !open.reasoning;
    if (!this.foldTouched && this.fold.open !== thinking) this.fold.open = thinking;
  }

  #showEnd({ id, ended, error, facts, source }, last) {
    this.error.hidden = !error;
    this.error.replaceChildren(h("p", {}, error), textButton("Retry", () => this.act.retry(id)));
    this.facts.textContent = facts.join(" · ");
    const tools = [];
    if (source) tools.push(this.#copyButton(source));
    if (ended && last && !error) tools.push(iconButton("again", "Regenerate the reply", () => this.act.regenerate()));
    if (ended && last) tools.push(iconButton("edit", "Edit and send again", () => this.act.edit(id)));
    this.tools.replaceChildren(...tools);
    this.foot.hidden = !ended;
  }

  #copyButton(source) {
    const copy = iconButton("copy", "Copy the reply", async () => {
      if (await copyText(source)) acknowledge(copy, "Copied");
    });
    return copy;
  }
}

function promptNodes(text, images) {
  const pictures = images.map(({ label, data }) =>
    PICTURE.test(data) ? h("img", { class: "jmuz-picture", src: data, alt: label }) : h("span", { class: "jmuz-chip" }, icon("image"), label),
  );
  return [pictures.length ? h("div", { class: "jmuz-pictures" }, ...pictures) : null, text].filter(Boolean);
}

// --- The transcript on the screen -----------------------------------------------------------------------------

/** Turns in a scrolled box that follows the latest text until the reader scrolls up. */
class TranscriptView {
  constructor(title, act) {
    this.act = act;
    this.views = new Map();
    this.following = true;
    this.top = 0;
    this.empty = h("div", { class: "jmuz-empty" });
    this.pending = h("div", { class: "jmuz-turn jmuz-pending", hidden: true });
    this.content = h("div", { class: "jmuz-turns" }, this.empty, this.pending);
    this.log = h(
      "div",
      { class: "jmuz-log", role: "log", "aria-live": "polite", "aria-label": `Conversation ${title}`, tabindex: "0" },
      this.content,
    );
    this.latest = iconButton("latest", "Jump to latest", () => this.jump(), { class: "jmuz-icon jmuz-latest", hidden: true });
    this.node = h("div", { class: "jmuz-transcript-box" }, this.log, this.latest);
    this.log.addEventListener("scroll", () => this.#scrolled());
    // A wheel begins softly: its first frames move less than a line, and following would take them back.
    this.log.addEventListener("wheel", ({ deltaY }) => this.#turned(deltaY), { passive: true });
    this.sizes = new ResizeObserver(() => this.#follow());
    this.sizes.observe(this.content);
    this.sizes.observe(this.log);
  }

  update(transcript, prompts) {
    const turns = transcript.list;
    for (const [id, view] of this.views) if (!transcript.turns.has(id)) this.#drop(id, view);
    let before = this.empty;
    for (const turn of turns) before = this.#place(turn, turn === turns.at(-1), before);
    this.pending.hidden = !prompts.length;
    if (prompts.length || this.pending.childElementCount) {
      this.pending.replaceChildren(...prompts.map((text) => h("div", { class: "jmuz-said", dir: "auto" }, text)));
    }
    this.empty.hidden = turns.length > 0 || prompts.length > 0;
    this.log.setAttribute("aria-busy", String(Boolean(transcript.running)));
    this.#follow();
  }

  jump() {
    this.following = true;
    this.#follow();
    this.log.focus({ preventScroll: true });
  }

  end() {
    this.sizes.disconnect();
  }

  #place(turn, last, before) {
    const view = this.views.get(turn.id) ?? new TurnView(this.act);
    this.views.set(turn.id, view);
    view.update(turn, last);
    if (before.nextSibling !== view.node) before.after(view.node);
    return view.node;
  }

  #drop(id, view) {
    view.node.remove();
    this.views.delete(id);
  }

  #turned(deltaY) {
    if (deltaY < 0 && this.log.scrollHeight > this.log.clientHeight) this.following = false;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    const below = scrollHeight - scrollTop - clientHeight;
    if (scrollTop > this.top && below < AT_END) this.following = true;
    // Upwards goes only who wants to read, but for a text that became shorter: then the end stays in sight.
    else if (scrollTop < this.top && below >= 1) this.following = false;
    this.top = scrollTop;
    this.latest.hidden = this.following;
  }

  #follow() {
    if (this.following) this.log.scrollTop = this.log.scrollHeight;
    else this.latest.hidden = false;
  }
}

// --- The composer ---------------------------------------------------------------------------------------------

/** Where a prompt is written: Enter sends, Shift+Enter breaks the line, Up in an empty field recalls. */
class Composer {
  constructor(limits, { send, stop, recall, say }) {
    Object.assign(this, { limits, send, stop, recall, say });
    this.images = [];
    this.editing = null;
    this.recalled = -1;
    this.field = h("textarea", { rows: 1, dir: "auto", placeholder: "Ask…", "aria-label": "Message", oninput: () => this.#written() });
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.field.addEventListener("paste", (event) => this.#paste(event));
    this.previews = h("div", { class: "jmuz-pictures", hidden: true });
    this.banner = h("div", { class: "jmuz-banner", hidden: true }, "Editing the last prompt", textButton("Cancel", () => this.cancel()));
    this.picker = h("input", { type: "file", accept: limits.types.join(), multiple: true, hidden: true, onchange: () => this.#picked() });
    const attach = iconButton("image", `Attach images (up to ${megabytes(limits.images)} in all)`, () => this.picker.click());
    this.button = h("button", { type: "button", class: "jmuz-send", onclick: () => this.#clicked() });
    const row = h("div", { class: "jmuz-composer-row" }, attach, this.picker, h("span", { class: "jmuz-hint" }, HINT), this.button);
    this.node = h("div", { class: "jmuz-composer" }, this.banner, this.previews, this.field, row);
    this.update(false, true);
  }

  update(running, live) {
    this.field.disabled = !live;
    const label = running ? "Stop" : "Send";
    if (this.button.dataset.does !== label) this.button.replaceChildren(icon(running ? "stop" : "send"), label);
    this.button.dataset.does = label;
    this.button.disabled = !live || !(running || this.#ready());
    this.running = running;
  }

  /** Put a prompt that could not be sent back, before what was written meanwhile. */
  restore({ text, images }) {
    this.field.value = [text, this.field.value].filter(Boolean).join("\n");
    this.images.unshift(...images);
    this.#written();
    this.#showImages();
  }

  edit(id, text) {
    this.editing = { id, draft: this.field.value };
    this.banner.hidden = false;
    this.#set(text);
    this.field.focus();
  }

  cancel() {
    const draft = this.editing?.draft ?? "";
    this.#close();
    this.#set(draft);
    this.field.focus();
  }

  #close() {
    this.editing = null;
    this.banner.hidden = true;
  }

  #set(text) {
    this.field.value = text;
    this.#written();
  }

  #ready() {
    return this.field.value.trim() !== "" || this.images.length > 0;
  }

  #written() {
    // Where the style sheet cannot let a field grow with its text (field-sizing).
    if (!globalThis.CSS?.supports("field-sizing", "content")) {
      this.field.style.height = "auto";
      this.field.style.height = `${this.field.scrollHeight}px`;
    }
    if (this.button) this.update(this.running, !this.field.disabled);
  }

  #key(event) {
    // A composition's own Enter (Japanese, Chinese, Korean) chooses a word; 229 is how Safari says so.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !composing) {
      event.preventDefault();
      if (!this.running) this.#submit();
    } else if (event.key === "Escape" && this.editing && !composing) this.cancel();
    else if (event.key === "ArrowUp" && this.#recalling()) this.#recall(event, 1);
    else if (event.key === "ArrowDown" && this.recalled >= 0 && this.#recalling()) this.#recall(event, -1);
  }

  #recalling() {
    return this.field.value === "" || (this.recalled >= 0 && this.field.value === this.recall(this.recalled));
  }

  #recall(event, step) {
    const text = this.recalled + step < 0 ? "" : this.recall(this.recalled + step);
    if (text === undefined) return;
    event.preventDefault();
    this.recalled += step;
    this.#set(text);
  }

  #clicked() {
    if (this.running) this.stop();
    else this.#submit();
  }

  #submit() {
    if (!this.#ready() || this.field.disabled) return;
    const prompt = { text: this.field.value.trim(), images: this.images, editing: this.editing };
    if (this.send(prompt) === false) return;
    const draft = this.editing?.draft ?? "";
    this.images = [];
    this.recalled = -1;
    this.#close();
    this.#set(draft);
    this.#showImages();
  }

  #paste(event) {
    const files = [...event.clipboardData.files].filter(({ type }) => type.startsWith("image/"));
    if (!files.length) return;
    event.preventDefault();
    this.#add(files);
  }

  #picked() {
    this.#add([...this.picker.files]);
    this.picker.value = "";
    this.field.focus();
  }

  #add(files) {
    for (const file of files) {
      const problem = this.#refusal(file);
      if (problem) this.say(problem);
      else this.images.push({ file, address: URL.createObjectURL(file) });
    }
    this.#showImages();
  }

  #refusal({ name, type, size }) {
    const { types, images } = this.limits;
    const all = this.images.reduce((sum, { file }) => sum + file.size, size);
    if (!types.includes(type)) return `${name}: expected a PNG, JPEG, WebP or GIF image, got ${type || "something else"}`;
    if (size > images) return `${name}: ${megabytes(size)}, more than the ${megabytes(images)} that a panel can send; make it smaller`;
    if (all > images) return `${name}: ${megabytes(all)} in all, more than ${megabytes(images)}; remove one`;
    return null;
  }

  #showImages() {
    this.previews.hidden = !this.images.length;
    this.previews.replaceChildren(...this.images.map((image) => this.#preview(image)));
    this.#written();
  }

  #preview(image) {
    const remove = iconButton("close", `Remove ${image.file.name}`, () => {
      this.images = this.images.filter((other) => other !== image);
      URL.revokeObjectURL(image.address);
      this.#showImages();
      this.field.focus();
    });
    return h("div", { class: "jmuz-preview" }, h("img", { class: "jmuz-picture", src: image.address, alt: image.file.name }), remove);
  }
}

/** A small picture for the transcript; "" where the browser cannot read the image. */
async function thumbnail(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, THUMBNAIL_PIXELS / Math.max(bitmap.width, bitmap.height));
    const canvas = h("canvas", { width: Math.ceil(bitmap.width * scale), height: Math.ceil(bitmap.height * scale) });
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return canvas.toDataURL("image/webp", 0.8);
  } catch {
    return "";
  }
}

const HINT = "Enter to send, Shift+Enter for a new line";

function megabytes(bytes) {
  const value = bytes / 2 ** 20;
  return value < 0.1 ? `${Math.ceil(bytes / 1024)} kB` : `${value.toFixed(value < 10 && value % 1 ? 1 : 0)} MB`;
}

// --- Menu and list of models ----------------------------------------------------------------------------------

/** A button that opens a menu; arrows move, Escape closes and returns. */
class Menu {
  constructor(label, items) {
    this.items = items.map(({ label: words, run }) =>
      h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: () => this.#run(run) }, words),
    );
    this.list = h("div", { class: "jmuz-menu", role: "menu", "aria-label": label, hidden: true }, ...this.items);
    this.button = iconButton("more", label, () => this.toggle(), { "aria-haspopup": "menu", "aria-expanded": "false" });
    this.node = h("div", { class: "jmuz-menu-box" }, this.button, this.list);
    this.node.addEventListener("keydown", (event) => this.#key(event));
    this.node.addEventListener("focusout", (event) => this.node.contains(event.relatedTarget) || this.toggle(false));
  }

  toggle(open = this.list.hidden) {
    this.list.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (open) this.items.find((item) => !item.disabled)?.focus();
  }

  #run(run) {
    this.toggle(false);
    this.button.focus();
    run();
  }

  #key(event) {
    const enabled = this.items.filter((item) => !item.disabled);
    const at = enabled.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape" && !this.list.hidden) {
      this.toggle(false);
      this.button.focus();
    } else if (to !== undefined) {
      event.preventDefault();
      if (this.list.hidden) this.toggle(true);
      else enabled.at(to % enabled.length)?.focus();
    }
  }
}

/**
 * A search field over a list of models, of which at most `SHOWN_MODELS` rows are in the page.
 *
 * An entry is `[id, note, label]`; the label is the id with invisible characters made visible, where it has any.
 * What was typed is itself a choice: endpoints know more models than they list. `point` is called for a row that is
 * clicked, `choose` for one that is taken (Enter, a double click).
 */
class ModelList {
  constructor({ choose, point = choose, folds = false }) {
    Object.assign(this, { choose, point, folds, entries: [], active: -1, rows: [], found: [] });
    const id = uniqueId("models");
    this.field = h("input", {
      type: "text", role: "combobox", class: "jmuz-field", "aria-label": "Model", "aria-controls": id, "aria-expanded": String(!folds),
      "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false", placeholder: "Search or type a model…",
      oninput: () => this.#open(), onclick: () => this.#open(), onblur: () => this.#close(),
    });
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.list = h("div", { class: "jmuz-models-list", id, role: "listbox", "aria-label": "Models", hidden: folds });
    this.count = h("div", { class: "jmuz-count", "aria-live": "polite", hidden: folds });
    this.node = h("div", { class: "jmuz-models-box" }, this.field, this.list, this.count);
    // A press on a row must not take the focus from the field before the click arrives.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  update({ entries, value }) {
    if (entries === this.entries && value === this.value) return;
    if (entries !== this.entries) this.keys = entries.map((entry) => entry.join(" ").toLowerCase());
    Object.assign(this, { entries, value });
    if (this.list.hidden) this.field.value = this.#label(value);
    else this.#search(this.pointed);
  }

  /** The id of the active row. */
  get pointed() {
    return this.found[this.active]?.[0];
  }

  #label(value) {
    return this.entries.find(([id]) => id === value)?.[2] ?? value ?? "";
  }

  #open() {
    if (this.list.hidden) {
      if (this.field.value === this.#label(this.value)) this.field.value = "";
      this.#show(true);
    }
    this.#search();
  }

  #close() {
    if (!this.folds) return;
    this.#show(false);
    this.field.value = this.#label(this.value);
  }

  #show(open) {
    this.list.hidden = this.count.hidden = !open;
    this.field.setAttribute("aria-expanded", String(open));
  }

  #search(keep = null) {
    const typed = this.field.value.trim();
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.entries.filter((_, index) => words.every((word) => this.keys[index].includes(word)));
    this.found = found.slice(0, SHOWN_MODELS);
    const active = typed ? Math.max(this.#at(typed), 0) : this.#at(this.value);
    if (typed && !found.some(([id]) => id === typed)) this.found.push([typed, "as typed"]);
    this.rows = this.found.map((entry) => this.#row(entry));
    this.list.replaceChildren(...this.rows);
    this.#activate(keep === null || this.#at(keep) < 0 ? active : this.#at(keep));
    const all = found.length === 1 ? "1 model" : `${found.length.toLocaleString("en")} models`;
    this.count.textContent = found.length > SHOWN_MODELS ? `${SHOWN_MODELS} of ${all} shown, type to narrow` : all;
  }

  #at(id) {
    return this.found.findIndex(([known]) => known === id);
  }

  #row([id, note, label]) {
    const chosen = id === this.value;
    return h(
      "div",
      { role: "option", id: uniqueId("model"), class: "jmuz-model", "aria-selected": String(chosen), onclick: () => this.#point(id), ondblclick: () => this.#take(id) },
      h("bdi", { class: "jmuz-model-id" }, label ?? id),
      note ? h("span", { class: "jmuz-model-note" }, note) : null,
      chosen ? icon("check") : null,
    );
  }

  #activate(index) {
    this.rows[this.active]?.classList.remove("jmuz-active");
    this.active = index;
    this.onmove?.();
    const row = this.rows[index];
    row?.classList.add("jmuz-active");
    if (!row) return this.field.removeAttribute("aria-activedescendant");
    this.field.setAttribute("aria-activedescendant", row.id);
    const { offsetTop, offsetHeight } = row; // not scrollIntoView: it would also move the notebook
    const { scrollTop, clientHeight } = this.list;
    if (offsetTop < scrollTop) this.list.scrollTop = offsetTop;
    else if (offsetTop + offsetHeight > scrollTop + clientHeight) this.list.scrollTop = offsetTop + offsetHeight - clientHeight;
  }

  #key(event) {
    const to = { ArrowDown: this.active + 1, ArrowUp: this.active - 1 }[event.key];
    if (to !== undefined && this.list.hidden) this.#open();
    else if (to !== undefined && this.rows.length) {
      event.preventDefault();
      this.#activate((to + this.rows.length) % this.rows.length);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      if (this.pointed && !this.list.hidden) this.#take(this.pointed);
    } else if (event.key === "Escape" && this.folds && !this.list.hidden) {
      event.stopPropagation();
      this.#close();
    }
  }

  #point(id) {
    this.#activate(this.#at(id));
    this.point(id);
    this.#close();
  }

  #take(id) {
    this.choose(id);
    this.#close();
  }
}

// --- The chat panel -------------------------------------------------------------------------------------------

/** Model, system message and options, beside the transcript. */
class Drawer {
  constructor(set, onclose) {
    this.set = set;
    this.models = new ModelList({ choose: (model) => this.#change({ model }), folds: true });
    this.refresh = iconButton("again", "Ask the endpoint for its models", () => this.#refresh());
    this.system = this.#field("textarea", "system", { rows: 4, placeholder: "None" });
    this.temperature = this.#field("input", "temperature", { type: "number", step: "any", placeholder: "The endpoint's own" });
    this.maxTokens = this.#field("input", "max_tokens", { type: "number", min: 1, step: 1, placeholder: "The endpoint's own" });
    this.where = h("p", { class: "jmuz-help" });
    this.problem = h("p", { class: "jmuz-problem", role: "alert" });
    this.node = h(
      "div",
      { class: "jmuz-drawer", role: "dialog", "aria-label": "Settings", hidden: true },
      h("div", { class: "jmuz-drawer-head" }, h("strong", {}, "Settings"), iconButton("close", "Close the settings", onclose)),
      labelled("Model", h("div", { class: "jmuz-row" }, this.models.node, this.refresh), this.where),
      labelled("System prompt", this.system),
      labelled("Temperature", this.temperature),
      labelled("Max tokens", this.maxTokens),
      this.problem,
    );
  }

  update(settings) {
    if (settings !== this.settings) this.#show(settings);
    for (const [field, name] of [[this.system, "system"], [this.temperature, "temperature"], [this.maxTokens, "max_tokens"]]) {
      if (document.activeElement !== field) field.value = settings[name] ?? "";
    }
  }

  #show(settings) {
    this.settings = settings;
    this.#showModels();
    this.where.textContent = `${settings.endpoint}. ${settings.shared ? "%%jmuz cells use this model, too." : "Only this conversation uses this model."}`;
  }

  #showModels() {
    this.models.update({ entries: this.entries ?? NO_ENTRIES, value: this.settings.model });
  }

  async open() {
    this.node.hidden = false;
    this.models.field.focus();
    if (!this.entries) await this.#list(false);
  }

  async #list(refresh) {
    const { entries, error } = await this.set("models", { refresh });
    if (entries) this.entries = entries;
    this.problem.textContent = error ?? "";
    this.#showModels();
  }

  async #refresh() {
    this.refresh.disabled = true;
    await this.#list(true);
    this.refresh.disabled = false;
  }

  async #change(change) {
    const { error } = await this.set("set", change);
    this.problem.textContent = error ?? "";
  }

  #field(tag, name, attributes) {
    const change = () => {
      if (field.validity.valid) return this.#change({ [name]: field.value });
      this.problem.textContent = field.validationMessage;
      return null;
    };
    const field = h(tag, { class: "jmuz-field", ...attributes, onchange: change });
    return field;
  }
}

const NO_ENTRIES = [];

function labelled(words, field, ...more) {
  const control = field.matches("input, textarea, select") ? field : field.querySelector("input, select");
  control.id = uniqueId("field");
  return h("div", { class: "jmuz-setting" }, h("label", { for: control.id }, words), field, ...more);
}

/** One view of a panel; several of one panel share its link and show the same. */
class PanelView {
  constructor(link, el) {
    Object.assign(this, { link, el, id: randomId(), frame: 0 });
    const { name, limits } = link.model.get("about");
    this.transcript = new TranscriptView(name, {
      retry: (id) => this.#do("retry", { turn: id }),
      regenerate: () => this.#do("regenerate"),
      edit: (id) => this.#edit(id),
    });
    this.composer = new Composer(limits, {
      send: (prompt) => this.#send(prompt),
      stop: () => this.#do("stop"),
      recall: (back) => this.#recall(back),
      say: (words) => this.#say(words),
    });
    this.drawer = new Drawer((op, fields) => link.send(op, fields), () => this.#toggleDrawer(false));
    this.status = h("div", { class: "jmuz-status", role: "status" });
    this.confirm = this.#makeConfirm();
    this.mark = new Mark(el, "panel");
    el.append(this.#makeHead(name), this.transcript.node, this.confirm, this.composer.node, this.status, this.drawer.node);
    this.#guardKeys();
    this.leave = () => link.post({ op: "bye", view: this.id, leaving: true });
    window.addEventListener("pagehide", this.leave);
    el.addEventListener("jmuz-inserted", ({ detail }) => this.#say(INSERTED[detail]));
    link.views.add(this);
    link.post({ op: "hello", view: this.id });
    this.draw();
  }

  redraw() {
    // Once per frame, however many messages came.
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    const { link } = this;
    const settings = link.model.get("settings");
    const prompts = [...link.waiting.values()].filter(({ op }) => op === "ask").map(({ fields }) => fields.text);
    this.transcript.update(link.transcript, prompts);
    this.#showEmpty(settings);
    this.composer.update(Boolean(link.transcript.running), link.live);
    this.drawer.update(settings);
    const label = settings.model_label || "Choose a model";
    if (this.model.textContent !== label) this.model.textContent = label;
    for (const item of this.menu.items.slice(0, -1)) item.disabled = !link.transcript.order.length;
    this.#showStatus();
  }

  end() {
    cancelAnimationFrame(this.frame);
    window.removeEventListener("keydown", this.guard, true);
    window.removeEventListener("pagehide", this.leave);
    this.transcript.end();
    this.mark.end();
    this.link.views.delete(this);
    if (this.link.live) this.link.post({ op: "bye", view: this.id });
  }

  #makeHead(name) {
    this.model = h("button", { type: "button", class: "jmuz-button jmuz-model-button", title: "Model and settings", onclick: () => this.#toggleDrawer() }, "");
    this.menu = new Menu("Conversation", [
      { label: "Undo the last turn", run: () => this.#do("undo") },
      { label: "Export as Markdown", run: () => this.#export("md") },
      { label: "Export as notebook", run: () => this.#export("ipynb") },
      { label: "Export as JSON", run: () => this.#export("json") },
      { label: "Clear…", run: () => this.#ask(true) },
    ]);
    this.settings = iconButton("settings", "Settings", () => this.#toggleDrawer(), { "aria-expanded": "false" });
    return h("div", { class: "jmuz-head" }, h("bdi", { class: "jmuz-name" }, name), this.model, this.settings, this.menu.node);
  }

  #makeConfirm() {
    const clear = textButton("Clear", () => this.#clear(), { class: "jmuz-button jmuz-danger" });
    const keep = textButton("Keep", () => this.#ask(false));
    const words = h("span", { id: uniqueId("confirm") }, "Clear the whole conversation?");
    const box = h("div", { class: "jmuz-confirm", role: "alertdialog", "aria-labelledby": words.id, hidden: true }, words, clear, keep);
    box.addEventListener("keydown", ({ key }) => key === "Escape" && this.#ask(false));
    return box;
  }

  // JupyterLab listens for keys on the document and takes Shift+Enter and Ctrl+Z; Notebook 7 does so before the
  // panel hears of them, and heeds only the attribute. Ctrl+S must still save the notebook.
  #guardKeys() {
    const saves = (event) => (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
    this.guard = (event) => {
      if (this.el.contains(event.target)) this.el.toggleAttribute("data-lm-suppress-shortcuts", !saves(event));
    };
    window.addEventListener("keydown", this.guard, true);
    this.el.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.drawer.node.hidden) this.#toggleDrawer(false);
      if (!saves(event)) event.stopPropagation();
    });
  }

  #showEmpty({ ready, hint }) {
    const { empty } = this.transcript;
    if (empty.hidden || empty.dataset.hint === hint) return;
    empty.dataset.hint = hint;
    empty.replaceChildren(h("p", { class: "jmuz-empty-title" }, ready ? "Ask something" : "No endpoint yet"), h("p", {}, hint));
  }

  #showStatus() {
    const words = this.link.queued;
    let text = this.said ?? "";
    if (!this.link.live) text = "The kernel is gone, so this is read-only. Run the cell again to go on.";
    else if (words) text = `Kernel busy. Queued: ${words}.`;
    if (this.status.textContent !== text) this.status.textContent = text;
    this.status.classList.toggle("jmuz-waits", Boolean(words));
  }

  #say(words) {
    clearTimeout(this.forget);
    this.said = words;
    this.forget = setTimeout(() => {
      this.said = "";
      this.redraw();
    }, 6000);
    this.redraw();
  }

  async #do(op, fields = {}) {
    const { error, note } = await this.link.send(op, fields);
    if (error || note) this.#say(error ?? note);
    return !error;
  }

  #send(prompt) {
    const { transcript, waiting } = this.link;
    if (transcript.running || [...waiting.values()].some(({ op }) => op === "ask")) return false;
    this.transcript.following = true;
    this.#deliver(prompt);
    return true;
  }

  async #deliver(prompt) {
    const { text, images, editing } = prompt;
    const bytes = await Promise.all(images.map(({ file }) => file.arrayBuffer()));
    const thumbnails = await Promise.all(images.map(({ file }) => thumbnail(file)));
    const names = images.map(({ file }) => file.name);
    const { error, note } = await this.link.send("ask", { text, names, thumbnails, replaces: editing?.id ?? null }, bytes);
    if (error) this.composer.restore(prompt);
    if (error || note) this.#say(error ?? note);
  }

  #edit(id) {
    this.composer.edit(id, this.link.transcript.turns.get(id).prompt);
  }

  #recall(back) {
    return this.link.transcript.list.at(-1 - back)?.prompt;
  }

  async #export(format) {
    const { error, file } = await this.link.send("export", { format });
    if (file) download(file);
    this.#say(error ?? `Exported ${file.name}`);
  }

  #ask(open) {
    this.confirm.hidden = !open;
    if (open) this.confirm.querySelector("button").focus();
    else this.menu.button.focus();
  }

  async #clear() {
    this.#ask(false);
    await this.#do("clear");
    this.composer.field.focus();
  }

  #toggleDrawer(open = this.drawer.node.hidden) {
    this.settings.setAttribute("aria-expanded", String(open));
    if (open) this.drawer.open();
    else {
      this.drawer.node.hidden = true;
      this.settings.focus();
    }
  }
}

const INSERTED = {
  inserted: "Inserted below as a new cell; it was not run.",
  copied: "This front end inserts no cells from here; the code is on the clipboard.",
  failed: "Neither inserted nor copied; select the code and copy it.",
};

// --- The model selector ---------------------------------------------------------------------------------------

/** Providers, a searchable list of models, and the button that puts one to use. */
class SelectorView {
  constructor(link, el) {
    Object.assign(this, { link, el, frame: 0 });
    this.models = new ModelList({ choose: (model) => this.#use(model), point: () => this.models.field.focus() });
    this.models.onmove = () => this.redraw();
    this.use = textButton("Use in this notebook", () => this.#use(this.models.pointed), { class: "jmuz-button jmuz-primary" });
    this.provider = h("select", { class: "jmuz-field", "aria-label": "Provider", onchange: () => this.#do("provider", { name: this.provider.value }) });
    this.refresh = iconButton("again", "Ask the endpoint for its models", () => this.#do("refresh"));
    this.now = h("p", { class: "jmuz-now" });
    this.problem = h("p", { class: "jmuz-problem", role: "alert" });
    this.status = h("div", { class: "jmuz-status", role: "status" });
    this.mark = new Mark(el, "selector");
    const head = h("div", { class: "jmuz-row" }, this.provider, this.refresh);
    const foot = h("div", { class: "jmuz-selector-foot" }, this.now, this.use);
    el.append(head, this.models.node, this.problem, foot, this.status);
    el.setAttribute("data-lm-suppress-shortcuts", "true");
    el.addEventListener("keydown", (event) => event.stopPropagation());
    this.models.field.value = link.model.get("state").pattern;
    link.views.add(this);
    this.draw();
  }

  redraw() {
    this.frame ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.frame = 0;
    const state = this.link.model.get("state");
    this.#showProviders(state);
    this.models.update({ entries: state.entries, value: state.model });
    this.problem.textContent = state.problem;
    this.now.replaceChildren(...inUse(state.using));
    this.refresh.disabled = state.asking || !this.link.live;
    this.use.disabled = !this.link.live || !this.models.pointed || this.models.pointed === state.model;
    this.el.setAttribute("aria-busy", String(state.asking));
    const words = this.link.queued;
    if (!this.link.live) this.status.textContent = "The kernel is gone. Run the cell again to choose.";
    else this.status.textContent = words ? `Kernel busy. Queued: ${words}.` : "";
  }

  end() {
    cancelAnimationFrame(this.frame);
    this.mark.end();
    this.link.views.delete(this);
  }

  #showProviders({ providers, provider }) {
    if (providers !== this.providers) {
      this.provider.replaceChildren(...providers.map(([name, label]) => h("option", { value: name }, label)));
    }
    this.providers = providers;
    this.provider.value = provider;
  }

  #use(model) {
    this.#do("use", { model });
  }

  async #do(op, fields = {}) {
    const { error } = await this.link.send(op, fields);
    if (error) this.problem.textContent = error;
  }
}

function inUse(using) {
  return using ? ["In use in this notebook: ", h("bdi", {}, using)] : ["Nothing is in use in this notebook yet; choose a model."];
}

// --- anywidget ------------------------------------------------------------------------------------------------

const VIEWS = { panel: PanelView, selector: SelectorView };

// A function, not an object: anywidget gives `initialize` and `render` different models, and all views of a widget
// must share one link, which hears messages from before the first view exists.
export default () => {
  let link;
  return {
    initialize({ model }) {
      link = new Link(model);
      return () => link.end();
    },
    render({ model, el }) {
      const view = new VIEWS[model.get("kind")](link, el);
      return () => view.end();
    },
  };
};

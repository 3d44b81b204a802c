/** @import { Attached } from "./attachments.js" */
/** @import { Chip, Described, Limits, Offered } from "./protocol.js" */

import { Attachments } from "./attachments.js";
import { textButton } from "./buttons.js";
import { Chips } from "./chips.js";
import { h } from "./elements.js";
import { icon } from "./icons.js";
import { Offers } from "./offers.js";
import { TypedText } from "./typed.js";

const HINT = "Enter to send, Shift+Enter for a new line";
const RUNNING_HINT = "Enter to queue, Esc to stop the reply";

/** @typedef {{ text: string, marks: string }} Written A text, and which of its characters were typed. */
/** @typedef {{ id: string, draft: Written }} Editing The edited turn, and the draft written before. */
/** @typedef {Written & More} Prompt */
/** @typedef {{ chips: Chip[], cells: [number, string][], files: Attached[], editing: Editing | null }} More */

/**
 * What a composer needs from its panel.
 * @typedef {object} ComposerActions
 * @property {(prompt: Prompt) => boolean} send False where it cannot be sent now.
 * @property {() => void} stop
 * @property {(back: number) => string | undefined} recall An earlier prompt; 0 is the last one.
 * @property {(words: string) => void} say
 * @property {(sources: string[]) => Promise<Described[] | undefined>} describe What typed expressions stand for.
 * @property {() => Promise<Offered | undefined>} offer What can be put into a prompt.
 */

/** The field for a prompt: Enter sends, Shift+Enter starts a new line, Up in an empty field recalls earlier prompts. */
export class Composer {
  /** @type {Editing | null} */
  editing = null;
  recalled = -1;
  suggested = "";
  running = false;

  /**
   * @param {Limits} limits
   * @param {ComposerActions} act
   */
  constructor(limits, act) {
    this.act = act;
    this.field = this.#makeField();
    this.typed = new TypedText(this.field);
    this.chips = new Chips(this.typed, { describe: act.describe, done: () => this.field.focus() });
    this.field.addEventListener("input", () => this.#written());
    this.field.addEventListener("focus", () => this.chips.refresh());
    this.attachments = new Attachments(limits, {
      changed: () => this.#written(),
      done: () => this.field.focus(),
      say: (words) => act.say(words),
    });
    this.offers = new Offers({
      offer: act.offer,
      variable: (name) => this.#write(`{{${name}}}`),
      changed: () => this.update(this.running, !this.field.disabled),
      done: () => this.field.focus(),
    });
    const cancel = textButton("Cancel", () => this.cancel());
    this.what = h("span");
    this.banner = h("div", { class: "jmuz-banner", hidden: true }, this.what, cancel);
    this.button = h("button", { type: "button", class: "jmuz-send", onclick: () => this.#clicked() });
    const { button: attach, picker, previews } = this.attachments;
    this.hint = h("span", { class: "jmuz-hint" });
    const row = h("div", { class: "jmuz-composer-row" }, this.offers.node, attach, picker, this.hint, this.button);
    this.node = h(
      "div",
      { class: "jmuz-composer" },
      this.banner,
      previews,
      this.field,
      this.offers.chosen,
      this.chips.node,
      row,
    );
    this.update(false, true);
  }

  /**
   * @param {boolean} running
   * @param {boolean} live
   */
  update(running, live) {
    this.field.disabled = this.offers.button.disabled = !live;
    const label = running ? "Stop" : "Send";
    if (this.button.dataset.does !== label) this.button.replaceChildren(icon(running ? "stop" : "send"), label);
    this.button.dataset.does = label;
    const hint = running ? RUNNING_HINT : HINT;
    if (this.hint.textContent !== hint) this.hint.textContent = hint;
    this.button.disabled = !live || !(running || this.#ready());
    this.running = running;
  }

  /**
   * Put back a prompt that could not be sent, before anything written since; one that was edited is edited again.
   * @param {Prompt} prompt
   */
  restore({ text, marks, cells, files, editing }) {
    const again = editing && !this.editing;
    if (again) {
      this.editing = { id: editing.id, draft: this.#draft };
      this.banner.hidden = false;
    }
    const later = again ? { text: "", marks: "" } : this.#draft;
    const between = text && later.text ? "\n" : "";
    this.#set({ text: text + between + later.text, marks: marks + "-".repeat(between.length) + later.marks });
    this.attachments.restore(files);
    if (cells.length) this.offers.set(cells);
  }

  /**
   * @param {string} id
   * @param {string} text
   * @param {string} what Which prompt it is, in words.
   */
  edit(id, text, what) {
    this.editing = { id, draft: this.editing?.draft ?? this.#draft };
    this.what.textContent = what;
    this.banner.hidden = false;
    this.#set({ text });
    this.field.focus();
  }

  /**
   * Put text into the field if nothing is there.
   * @param {string} text
   */
  offer(text) {
    if (!this.field.value && !this.field.disabled) this.#set({ text });
  }

  /**
   * Put a suggestion before what is written, in place of another one.
   * @param {string} text
   */
  suggest(text) {
    const written = this.field.value === this.suggested ? { text: "", marks: "" } : this.#draft;
    this.suggested = text;
    this.#set({ text: text + written.text, marks: "-".repeat(text.length) + written.marks });
    this.field.focus();
    this.field.setSelectionRange(text.length, text.length);
  }

  cancel() {
    const draft = this.editing?.draft ?? { text: "" };
    this.#close();
    this.#set(draft);
    this.field.focus();
  }

  #makeField() {
    const named = { dir: "auto", placeholder: "Ask…", "aria-label": "Message" };
    const field = h("textarea", { rows: 1, ...named });
    field.addEventListener("keydown", (event) => this.#key(event));
    field.addEventListener("paste", (event) => this.#paste(event));
    return field;
  }

  #close() {
    this.editing = null;
    this.banner.hidden = true;
  }

  /** @param {string} text */
  #write(text) {
    this.field.focus();
    this.typed.write(text);
    this.#written();
  }

  get #draft() {
    const { text, marks } = this.typed;
    return { text, marks };
  }

  /** @param {{ text: string, marks?: string }} written */
  #set({ text, marks }) {
    this.typed.set(text, marks);
    this.#written();
  }

  #ready() {
    return this.field.value.trim() !== "" || this.attachments.files.length > 0;
  }

  #written() {
    // Where style sheets cannot make a field grow with its text (field-sizing).
    if (!globalThis.CSS?.supports("field-sizing", "content")) {
      this.field.style.height = "auto";
      this.field.style.height = `${this.field.scrollHeight}px`;
    }
    this.chips.update();
    this.update(this.running, !this.field.disabled);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    // Enter during composition (Japanese, Chinese, Korean) chooses a word; Safari reports it as key code 229.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !composing) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Escape" && (this.editing || composing)) {
      event.stopPropagation(); // else it would stop the reply
      if (!composing) this.cancel();
    } else if (event.key === "ArrowUp" && this.#recalling()) this.#recall(event, 1);
    else if (event.key === "ArrowDown" && this.recalled >= 0 && this.#recalling()) this.#recall(event, -1);
  }

  #recalling() {
    return this.field.value === "" || (this.recalled >= 0 && this.field.value === this.act.recall(this.recalled));
  }

  /**
   * @param {KeyboardEvent} event
   * @param {1 | -1} step
   */
  #recall(event, step) {
    const text = this.recalled + step < 0 ? "" : this.act.recall(this.recalled + step);
    if (text === undefined) return;
    event.preventDefault();
    this.recalled += step;
    this.#set({ text });
  }

  #clicked() {
    if (this.running) this.act.stop();
    else this.#submit();
  }

  #submit() {
    if (!this.#ready() || this.field.disabled) return;
    if (!this.act.send(this.#prompt())) return;
    const draft = this.editing?.draft ?? { text: "" };
    this.recalled = -1;
    this.#close();
    this.#set(draft);
    this.attachments.clear();
    this.offers.set([]);
  }

  /** @returns {Prompt} */
  #prompt() {
    this.typed.settle();
    const { text, marks } = this.typed;
    const start = text.length - text.trimStart().length;
    const trimmed = { text: text.trim(), marks: marks.slice(start, text.trimEnd().length) };
    const more = { cells: this.offers.cells, files: this.attachments.files, editing: this.editing };
    return { ...trimmed, chips: this.chips.sent(start), ...more };
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    this.attachments.add(files);
  }
}

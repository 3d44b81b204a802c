/** @import { Searched } from "./model_search.js" */
/** @import { ModelEntry } from "./protocol.js" */

import { textButton } from "./buttons.js";
import { h, uniqueId } from "./elements.js";
import { icon } from "./icons.js";
import { fitting, searched } from "./model_search.js";

const SHOWN_MODELS = 100; // rows of a list of models; the search narrows the others

/** @typedef {(id: string) => void} OnModel */

/**
 * A search field over a list of models; at most `SHOWN_MODELS` rows are in the page.
 *
 * The label of an entry is its id with invisible characters made visible. Enter takes only a row that is listed. Typed
 * text can be chosen, too, since endpoints know more models than they list; but only by its button or by Ctrl+Enter,
 * so that no key pressed once too often makes a model of a few letters.
 */
export class ModelList {
  /** @type {ModelEntry[]} */
  entries = [];
  /** @type {Searched[]} */
  searched = [];
  value = "";
  /** @type {ModelEntry[]} */
  found = [];
  /** @type {HTMLElement[]} */
  rows = [];
  active = -1;
  /** @type {() => void} Called when another row becomes active. */
  onmove = () => {};

  /**
   * @param {object} how
   * @param {OnModel} how.choose Called for a row that is taken (Enter, a double click), and for typed text.
   * @param {OnModel} [how.point] Called for a row that is clicked.
   * @param {boolean} [how.folds] Whether the list is there only while the field is used.
   */
  constructor({ choose, point = choose, folds = false }) {
    this.choose = choose;
    this.point = point;
    this.folds = folds;
    const id = uniqueId("models");
    this.field = this.#makeField(id);
    this.list = h("div", { class: "jmuz-models-list", id, role: "listbox", "aria-label": "Models", hidden: folds });
    this.count = h("div", { class: "jmuz-count", "aria-live": "polite" });
    // Not on the way of Tab, where Enter would follow by habit; the keyboard has Ctrl+Enter.
    this.typed = textButton("", () => this.#take(this.text), { class: "jmuz-button jmuz-typed", tabindex: -1 });
    this.below = h("div", { class: "jmuz-below", hidden: folds }, this.count, this.typed);
    this.node = h("div", { class: "jmuz-models-box" }, this.field, this.list, this.below);
    // Pressing a row or the button must not take the focus from the field before the click arrives.
    for (const pressed of [this.list, this.typed]) {
      pressed.addEventListener("pointerdown", (event) => event.preventDefault());
    }
    this.#search();
  }

  /** @param {{ entries: ModelEntry[], value: string }} models */
  update({ entries, value }) {
    if (entries === this.entries && value === this.value) return;
    if (entries !== this.entries) this.searched = entries.map(searched);
    this.entries = entries;
    this.value = value;
    if (this.isOpen) this.#search(this.pointed);
    else this.field.value = this.#label(value);
  }

  /** The id of the active row. */
  get pointed() {
    return this.found[this.active]?.[0];
  }

  /** What was typed. */
  get text() {
    return this.field.value.trim();
  }

  get isOpen() {
    return !this.below.hidden;
  }

  /** @param {string} list The id of the list. */
  #makeField(list) {
    const field = h("input", {
      type: "text",
      role: "combobox",
      class: "jmuz-field",
      "aria-label": "Model",
      "aria-controls": list,
      "aria-expanded": String(!this.folds),
      "aria-autocomplete": "list",
      "aria-keyshortcuts": "Control+Enter",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: "Search or type a model…",
      oninput: () => this.#open(),
      onclick: () => this.#open(),
      onblur: () => this.#close(),
    });
    field.addEventListener("keydown", (event) => this.#key(event));
    return field;
  }

  /** @param {string} value */
  #label(value) {
    return this.entries.find(([id]) => id === value)?.[2] ?? value;
  }

  #open() {
    if (!this.isOpen) {
      if (this.field.value === this.#label(this.value)) this.field.value = "";
      this.below.hidden = false;
    }
    this.#search();
  }

  #close() {
    if (!this.folds) return;
    this.list.hidden = this.below.hidden = true;
    this.field.setAttribute("aria-expanded", "false");
    this.field.value = this.#label(this.value);
  }

  /** @param {string} [keep] The row to stay with; if it has gone, none is active, lest Enter take another. */
  #search(keep) {
    const found = fitting(this.searched, this.text);
    this.#showRows(found.slice(0, SHOWN_MODELS));
    const active = this.text ? 0 : this.#at(this.value);
    this.#activate(keep === undefined ? Math.min(active, this.rows.length - 1) : this.#at(keep));
    this.count.textContent = counted(found.length, this.entries.length);
    this.#offerTyped();
  }

  /** @param {ModelEntry[]} found */
  #showRows(found) {
    this.found = found;
    this.rows = found.map((entry) => this.#row(entry));
    this.list.replaceChildren(...this.rows);
    this.list.hidden = !this.isOpen || !found.length;
    this.field.setAttribute("aria-expanded", String(!this.list.hidden));
  }

  #offerTyped() {
    this.typed.hidden = !this.text || this.found.some(([id]) => id === this.text);
    this.typed.replaceChildren("Use ", h("bdi", {}, this.text), " as typed ", h("kbd", {}, "Ctrl+Enter"));
  }

  /** @param {string} id */
  #at(id) {
    return this.found.findIndex(([known]) => known === id);
  }

  /** @param {ModelEntry} entry */
  #row([id, note, label]) {
    const chosen = id === this.value;
    const does = { onclick: () => this.#point(id), ondblclick: () => this.#take(id) };
    return h(
      "div",
      { role: "option", id: uniqueId("model"), class: "jmuz-model", "aria-selected": String(chosen), ...does },
      h("bdi", { class: "jmuz-model-id" }, label ?? id),
      note ? h("span", { class: "jmuz-model-note" }, note) : null,
      chosen ? icon("check") : null,
    );
  }

  /** @param {number} index */
  #activate(index) {
    this.rows[this.active]?.classList.remove("jmuz-active");
    this.active = index;
    this.onmove();
    const row = this.rows[index];
    if (!row) return this.field.removeAttribute("aria-activedescendant");
    row.classList.add("jmuz-active");
    this.field.setAttribute("aria-activedescendant", row.id);
    return this.#scrollTo(row);
  }

  /** @param {HTMLElement} row */
  #scrollTo({ offsetTop, offsetHeight }) {
    // Not scrollIntoView: it would also move the notebook.
    const { scrollTop, clientHeight } = this.list;
    if (offsetTop < scrollTop) this.list.scrollTop = offsetTop;
    else if (offsetTop + offsetHeight > scrollTop + clientHeight) {
      this.list.scrollTop = offsetTop + offsetHeight - clientHeight;
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !this.isOpen) this.#open();
    else if (step) {
      event.preventDefault();
      this.#move(step);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      this.#enter(event.ctrlKey || event.metaKey);
    } else if (event.key === "Escape" && this.folds && this.isOpen) {
      event.stopPropagation();
      this.#close();
    }
  }

  /** @param {number} step To the next or the previous row; it ends at both ends. */
  #move(step) {
    this.#activate(Math.max(0, Math.min(this.active + step, this.rows.length - 1)));
  }

  /** @param {boolean} asTyped Whether the typed text is meant, not the active row. */
  #enter(asTyped) {
    const id = asTyped ? this.text : this.pointed;
    if (id && this.isOpen) this.#take(id);
  }

  /** @param {string} id */
  #point(id) {
    this.#activate(this.#at(id));
    this.point(id);
    this.#close();
  }

  /** @param {string} id */
  #take(id) {
    this.choose(id);
    this.#close();
  }
}

/**
 * @param {number} found
 * @param {number} all
 */
function counted(found, all) {
  const models = (/** @type {number} */ count) => (count === 1 ? "1 model" : `${count.toLocaleString("en")} models`);
  if (!all) return "";
  if (!found) return `None of ${models(all)} matches.`;
  return found > SHOWN_MODELS ? `${SHOWN_MODELS} of ${models(found)} shown, type to narrow` : models(found);
}

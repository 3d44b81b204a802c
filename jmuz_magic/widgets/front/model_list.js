/** @import { ModelEntry } from "./protocol.js" */

import { h, uniqueId } from "./elements.js";
import { icon } from "./icons.js";

const SHOWN_MODELS = 100; // rows of a list of models; the search narrows the others

/** @typedef {(id: string) => void} OnModel */

/**
 * A search field over a list of models; at most `SHOWN_MODELS` rows are in the page.
 *
 * The label of an entry is its id with invisible characters made visible. Typed text is a choice of its own, since
 * endpoints know more models than they list.
 */
export class ModelList {
  /** @type {ModelEntry[]} */
  entries = [];
  /** @type {string[]} */
  keys = [];
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
   * @param {OnModel} how.choose Called for a row that is taken (Enter, a double click).
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
    this.count = h("div", { class: "jmuz-count", "aria-live": "polite", hidden: folds });
    this.node = h("div", { class: "jmuz-models-box" }, this.field, this.list, this.count);
    // Pressing a row must not take the focus from the field before the click arrives.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  /** @param {{ entries: ModelEntry[], value: string }} models */
  update({ entries, value }) {
    if (entries === this.entries && value === this.value) return;
    if (entries !== this.entries) this.keys = entries.map((entry) => entry.join(" ").toLowerCase());
    this.entries = entries;
    this.value = value;
    if (this.list.hidden) this.field.value = this.#label(value);
    else this.#search(this.pointed);
  }

  /** The id of the active row. */
  get pointed() {
    return this.found[this.active]?.[0];
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

  /** @param {boolean} open */
  #show(open) {
    this.list.hidden = this.count.hidden = !open;
    this.field.setAttribute("aria-expanded", String(open));
  }

  /** @param {string} [keep] The row to stay with, if it is still there. */
  #search(keep) {
    const typed = this.field.value.trim();
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    const found = this.entries.filter((_, index) => words.every((word) => this.keys[index].includes(word)));
    this.found = found.slice(0, SHOWN_MODELS);
    const active = typed ? Math.max(this.#at(typed), 0) : this.#at(this.value);
    if (typed && !found.some(([id]) => id === typed)) this.found.push([typed, "as typed"]);
    this.rows = this.found.map((entry) => this.#row(entry));
    this.list.replaceChildren(...this.rows);
    const kept = keep === undefined ? -1 : this.#at(keep);
    this.#activate(kept < 0 ? active : kept);
    const all = found.length === 1 ? "1 model" : `${found.length.toLocaleString("en")} models`;
    this.count.textContent = found.length > SHOWN_MODELS ? `${SHOWN_MODELS} of ${all} shown, type to narrow` : all;
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

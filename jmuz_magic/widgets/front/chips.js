/** @import { Chip, Described } from "./protocol.js" */
/** @import { TypedText } from "./typed.js" */

import { iconButton } from "./buttons.js";
import { h } from "./elements.js";

/** The typed expressions of a prompt, with type and size of what will be sent for them. */
export class Chips {
  /** @type {Map<string, Described | null>} By source; null until the kernel has said it. */
  known = new Map();
  state = "[]";

  /**
   * @param {TypedText} typed
   * @param {{ describe: (sources: string[]) => Promise<Described[] | undefined>, done: () => void }} act
   */
  constructor(typed, act) {
    this.typed = typed;
    this.act = act;
    const named = { role: "group", "aria-label": "Values to send", "aria-live": "polite" };
    this.node = h("div", { class: "jmuz-chips", ...named, hidden: true });
  }

  /** What was typed or removed may have changed. */
  update() {
    const sources = this.#sources();
    const asked = sources.filter((source) => !this.known.has(source));
    for (const source of asked) this.known.set(source, null);
    if (asked.length) this.#ask(asked);
    this.#show(sources);
  }

  /** Ask again what has been said, since the notebook may have changed. */
  refresh() {
    const sources = this.#sources();
    this.known = new Map([...this.known].filter(([source]) => sources.includes(source)));
    if (sources.length) this.#ask(sources);
  }

  /**
   * The chips of the text from `start` on, as the kernel wants them: places count code points.
   * @param {number} start
   * @returns {Chip[]}
   */
  sent(start) {
    const chips = this.typed.expressions.filter(({ source }) => this.#isValue(source));
    return chips.map((chip) => ({ source: chip.source, at: [...this.typed.text.slice(start, chip.start)].length }));
  }

  #sources() {
    return [...new Set(this.typed.expressions.map(({ source }) => source))];
  }

  /**
   * Whether it stands for a value, as far as the kernel has said.
   * @param {string} source
   */
  #isValue(source) {
    const known = this.known.get(source);
    return !known || known.about !== "";
  }

  /** @param {string[]} sources */
  async #ask(sources) {
    const described = await this.act.describe(sources);
    described?.forEach((each, index) => this.known.set(sources[index], each));
    this.#show(this.#sources());
  }

  /** @param {string[]} sources */
  #show(sources) {
    const shown = sources.filter((source) => this.#isValue(source) || this.known.get(source)?.problem);
    // Only what has changed is read out, and a focused button stays.
    const state = JSON.stringify(shown.map((source) => [source, this.known.get(source)]));
    if (state === this.state) return;
    this.state = state;
    this.node.hidden = !shown.length;
    this.node.replaceChildren(...shown.map((source) => this.#chip(source, this.known.get(source) ?? null)));
  }

  /**
   * @param {string} source
   * @param {Described | null} known
   */
  #chip(source, known) {
    const name = source.trim();
    if (known?.problem) {
      const words = `${known.problem}; sent as text`;
      return h("span", { class: "jmuz-chip jmuz-chip-text", title: words }, h("bdi", {}, words));
    }
    const release = iconButton("close", `Send {{${name}}} as text`, () => {
      this.typed.release(source);
      this.update();
      this.act.done();
    });
    const about = h("span", { class: "jmuz-chip-about" }, known?.about ?? "…");
    return h("span", { class: "jmuz-chip" }, h("bdi", { class: "jmuz-chip-name" }, name), about, release);
  }
}

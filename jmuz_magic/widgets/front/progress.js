import { h } from "./elements.js";

/** A line that says what is waited for, with the seconds; assistive technology hears the words once. */
export class Progress {
  words = "";

  constructor() {
    this.said = h("span", { "aria-live": "polite" });
    this.seconds = h("span", { "aria-hidden": "true" });
    this.node = h("p", { class: "jmuz-progress", hidden: true }, this.said, this.seconds);
  }

  /** @param {string} words Said after a moment, since most answers come at once; "" if nothing is waited for. */
  show(words) {
    if (words === this.words) return;
    clearInterval(this.timer);
    this.words = words;
    this.node.hidden = true;
    this.said.textContent = "";
    const since = Date.now();
    if (words) this.timer = setInterval(() => this.#count(Date.now() - since), 250);
  }

  /** @param {number} elapsed Milliseconds. */
  #count(elapsed) {
    this.node.hidden = false;
    if (!this.said.textContent) this.said.textContent = this.words;
    this.seconds.textContent = elapsed < 1000 ? "" : ` ${Math.floor(elapsed / 1000)} s`;
  }
}

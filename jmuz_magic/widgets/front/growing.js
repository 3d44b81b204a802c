import { addCodeTools } from "./code.js";
import { h } from "./elements.js";
import { place } from "./safe_html.js";

const RUN = 16; // parts of a reply that are laid out together

/** HTML that only grows, grouped in runs: a finished block is placed once, the open one whenever it changes. */
export class Growing {
  /** @param {string} className */
  constructor(className) {
    this.open = h("div", { class: "jmuz-part", "aria-live": "off" });
    this.node = h("div", { class: className }, this.open);
    /** @type {{ html: string, node: Element }[]} */
    this.placed = [];
    this.openHtml = "";
  }

  /**
   * @param {string[]} parts
   * @param {string} openHtml
   */
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

  /** @param {Element} node */
  #remove(node) {
    const run = node.parentElement;
    node.remove();
    if (!run?.childElementCount) run?.remove();
  }
}

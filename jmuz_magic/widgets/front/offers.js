/** @import { Offered } from "./protocol.js" */

import { iconButton } from "./buttons.js";
import { h } from "./elements.js";
import { Menu } from "./menu.js";

/**
 * What choosing does.
 * @typedef {object} OfferActions
 * @property {() => Promise<Offered | undefined>} offer Ask the kernel what there is.
 * @property {(name: string) => void} variable Put a variable into the prompt.
 * @property {() => void} changed The cells that are sent with it.
 * @property {() => void} done
 */

/** A button that adds a variable to the prompt, or a cell with its output; and the cells that were added. */
export class Offers extends Menu {
  /** @type {[number, string][]} Number and beginning of each. */
  cells = [];

  /** @param {OfferActions} act */
  constructor(act) {
    super("Add a variable or a cell", [], "add");
    this.act = act;
    const named = { role: "group", "aria-label": "Cells to send", "aria-live": "polite" };
    this.chosen = h("div", { class: "jmuz-chips", ...named, hidden: true });
    this.list.addEventListener("keydown", (event) => this.#find(event));
  }

  /** @override */
  async toggle(open = this.list.hidden) {
    if (open) this.#fill((await this.act.offer()) ?? { variables: [], cells: [] });
    super.toggle(open);
  }

  /** @param {[number, string][]} cells Those of a prompt that could not be sent. */
  set(cells) {
    this.cells = cells;
    this.chosen.hidden = !cells.length;
    this.chosen.replaceChildren(...cells.map((cell) => this.#chip(cell)));
    this.act.changed();
  }

  /** @param {Offered} offered */
  #fill({ variables, cells }) {
    const values = variables.map(([name, about]) =>
      this.add({ label: name, about, run: () => this.act.variable(name) }),
    );
    const earlier = cells.map((cell) =>
      this.add({ label: `Cell [${cell[0]}]`, about: cell[1], run: () => this.#take(cell) }),
    );
    const nothing = this.add({ label: "Nothing yet; run a cell first", run: () => {} });
    nothing.disabled = true;
    const all = [group("Variables", values), group("Cells with their output", earlier)].filter((each) => each !== null);
    this.items = [...values, ...earlier];
    this.list.replaceChildren(...(all.length ? all : [nothing]));
  }

  /** @param {[number, string]} cell */
  #take(cell) {
    if (!this.cells.some(([number]) => number === cell[0])) this.set([...this.cells, cell]);
    this.act.done();
  }

  /** @param {[number, string]} cell */
  #chip([number, source]) {
    const remove = iconButton("close", `Remove cell [${number}]`, () => {
      this.set(this.cells.filter((each) => each[0] !== number));
      this.act.done();
    });
    const name = h("span", { class: "jmuz-chip-name" }, `[${number}]`);
    return h("span", { class: "jmuz-chip" }, name, h("bdi", { class: "jmuz-chip-about" }, source), remove);
  }

  /**
   * A letter goes to the next item that begins with it.
   * @param {KeyboardEvent} event
   */
  #find(event) {
    if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.items.findIndex((item) => item === document.activeElement) + 1;
    const order = [...this.items.slice(at), ...this.items.slice(0, at)];
    order.find((item) => item.textContent?.toLowerCase().startsWith(event.key.toLowerCase()))?.focus();
  }
}

/**
 * @param {string} label
 * @param {HTMLElement[]} items
 */
function group(label, items) {
  const heading = h("div", { class: "jmuz-menu-heading", "aria-hidden": "true" }, label);
  return items.length ? h("div", { role: "group", "aria-label": label }, heading, ...items) : null;
}

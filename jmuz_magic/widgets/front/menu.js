import { iconButton } from "./buttons.js";
import { h } from "./elements.js";

/** @typedef {{ label: string, about?: string, run: () => void }} MenuItem */

/** A button that opens a menu; arrows move, Escape closes and returns. */
export class Menu {
  /**
   * @param {string} label
   * @param {MenuItem[]} items
   * @param {Parameters<typeof iconButton>[0]} icon
   */
  constructor(label, items, icon = "more") {
    this.items = items.map((item) => this.add(item));
    this.list = h("div", { class: "jmuz-menu", role: "menu", "aria-label": label, hidden: true }, ...this.items);
    const state = { "aria-haspopup": "menu", "aria-expanded": "false" };
    this.button = iconButton(icon, label, () => this.toggle(), state);
    this.node = h("div", { class: "jmuz-menu-box" }, this.button, this.list);
    this.node.addEventListener("keydown", (event) => this.#key(event));
    this.node.addEventListener("focusout", (event) => {
      if (!this.node.contains(/** @type {Node | null} */ (event.relatedTarget))) this.toggle(false);
    });
  }

  toggle(open = this.list.hidden) {
    this.list.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (open) this.items.find((item) => !item.disabled)?.focus();
  }

  /**
   * Make an item.
   * @param {MenuItem} item
   */
  add({ label, about, run }) {
    const attributes = { type: "button", role: "menuitem", tabindex: "-1", onclick: () => this.#run(run) };
    return h("button", attributes, label, about && h("bdi", { class: "jmuz-menu-about" }, about));
  }

  /** @param {() => void} run */
  #run(run) {
    this.toggle(false);
    this.button.focus();
    run();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const enabled = this.items.filter((item) => !item.disabled);
    const at = enabled.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (event.key === "Escape" && !this.list.hidden) {
      event.stopPropagation();
      this.toggle(false);
      this.button.focus();
    } else if (to !== undefined) {
      event.preventDefault();
      if (this.list.hidden) this.toggle(true);
      else enabled.at(to % enabled.length)?.focus();
    }
  }
}

import { h } from "./elements.js";
import { icon } from "./icons.js";

/** @typedef {(event: MouseEvent) => void} OnClick */

/**
 * A button with a drawn icon; its label is its tooltip and its accessible name.
 * @param {Parameters<typeof icon>[0]} name
 * @param {string} label
 * @param {OnClick} onclick
 * @param {Record<string, any>} [attributes]
 */
export function iconButton(name, label, onclick, attributes = {}) {
  const own = { type: "button", class: "jmuz-icon", title: label, "aria-label": label, onclick };
  return h("button", { ...own, ...attributes }, icon(name));
}

/**
 * @param {string} label
 * @param {OnClick} onclick
 * @param {Record<string, any>} [attributes]
 */
export function textButton(label, onclick, attributes = {}) {
  return h("button", { type: "button", class: "jmuz-button", onclick, ...attributes }, label);
}

/** @typedef {{ before: ChildNode[], label: string | null, timer: ReturnType<typeof setTimeout> }} Acknowledged */

/** @type {WeakMap<HTMLElement, Acknowledged>} Buttons that show it now, with what restores them. */
const acknowledged = new WeakMap();

/**
 * Show briefly that a button did its work; another click in the meantime extends it.
 * @param {HTMLElement} button
 * @param {string} words
 */
export function acknowledge(button, words) {
  const shown = acknowledged.get(button);
  clearTimeout(shown?.timer);
  const { before, label } = shown ?? { before: [...button.childNodes], label: button.getAttribute("aria-label") };
  button.replaceChildren(icon("check"));
  button.setAttribute("aria-label", words);
  const timer = setTimeout(() => {
    button.replaceChildren(...before);
    button.setAttribute("aria-label", label ?? "");
    acknowledged.delete(button);
  }, 1500);
  acknowledged.set(button, { before, label, timer });
}

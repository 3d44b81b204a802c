/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Make an element; strings become text nodes, attributes that are false or null are left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes] Names that begin with "on" are listeners.
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

let numbers = 0;

/** @param {string} word */
export function uniqueId(word) {
  numbers += 1;
  return `jmuz-${word}-${numbers}`;
}

export function randomId() {
  return Math.random().toString(36).slice(2);
}

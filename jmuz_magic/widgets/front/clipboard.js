/** @import { ExportedFile } from "./protocol.js" */

import { h } from "./elements.js";

/**
 * Copy text; where the page has no clipboard (plain http to another host), from a selected field.
 * @param {string} text
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h("textarea", { class: "jmuz-offscreen" });
    field.value = text;
    document.body.append(field);
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    return copied;
  }
}

/** @param {ExportedFile} file */
export function download({ name, type, text }) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

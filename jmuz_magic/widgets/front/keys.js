/**
 * Keep keys pressed inside an element from the front end; returns a function that ends this.
 *
 * JupyterLab listens on the document and takes Shift+Enter and Ctrl+Z; Notebook 7 does so before the element gets the
 * event, and respects only the attribute. Ctrl+S must still save the notebook.
 * @param {HTMLElement} el
 */
export function guardKeys(el) {
  /** @param {KeyboardEvent} event */
  const guard = (event) => {
    const inside = el.contains(/** @type {Node} */ (event.target));
    if (inside) el.toggleAttribute("data-lm-suppress-shortcuts", !saves(event));
  };
  window.addEventListener("keydown", guard, true);
  el.addEventListener("keydown", (event) => {
    if (!saves(event)) event.stopPropagation();
  });
  return () => window.removeEventListener("keydown", guard, true);
}

/** @param {KeyboardEvent} event */
function saves(event) {
  return (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
}

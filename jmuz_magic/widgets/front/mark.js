/** Marks the output area that shows a widget, so that the style sheet hides the plain output beside it. */
export class Mark {
  /** @type {Element | null} */
  area = null;

  /**
   * @param {HTMLElement} el
   * @param {"panel" | "selector"} kind
   */
  constructor(el, kind) {
    this.el = el;
    this.shown = `jmuz-${kind}`;
    this.mark = `jmuz-live-${kind}`;
    el.classList.add(this.shown);
    this.sizes = new ResizeObserver(() => this.#put()); // it has its first size before it is painted
    this.sizes.observe(el);
  }

  end() {
    this.sizes.disconnect();
    this.el.classList.remove(this.shown);
    if (!this.area?.querySelector(`.${this.shown}`)) this.area?.classList.remove(this.mark);
  }

  #put() {
    this.area = this.el.closest(".jp-OutputArea");
    this.area?.classList.add(this.mark);
  }
}

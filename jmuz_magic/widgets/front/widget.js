/** @import { Link } from "./link.js" */

import { hearThoughLate } from "./late.js";

/**
 * What we use of anywidget's model.
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(name: string | object, value?: unknown, options?: { silent: boolean }) => any} set
 * @property {(event: string, callback: (message: any) => void) => void} on
 * @property {(content: object, callbacks: undefined, buffers: ArrayBuffer[]) => void} send
 * @property {{ kernel?: { iopubMessage?: Signal } }} [widget_manager] JupyterLab's and Notebook 7's.
 */

/** @typedef {(sender: unknown, message: { header: { msg_type: string } }) => void} OnMessage */
/** @typedef {{ connect: (slot: OnMessage) => void, disconnect: (slot: OnMessage) => void }} Signal */

/**
 * A widget as anywidget runs it.
 *
 * A function, not an object: anywidget gives `initialize` and `render` different models, and all views of a widget
 * must share one link, which hears messages from before the first view exists.
 * @template {Link} L
 * @param {new (model: Model) => L} LinkClass
 * @param {new (link: L, el: HTMLElement) => { end: () => void }} View
 */
export function widget(LinkClass, View) {
  return () => {
    /** @type {L} */
    let link;
    return {
      /** @param {{ model: Model }} given */
      initialize({ model }) {
        link = new LinkClass(model);
        hearThoughLate(model);
        return () => link.end();
      },
      /** @param {{ el: HTMLElement }} given */
      render({ el }) {
        const view = new View(link, el);
        return () => view.end();
      },
    };
  };
}

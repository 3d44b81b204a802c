/** @import { Model } from "./widget.js" */

const NO_MESSAGE = { content: { data: { method: "none" } } };

/**
 * Hear the kernel also where the widget's code took long to load, as it does in a busy page.
 *
 * anywidget (0.9.21 to 0.11) gives the code two seconds. After them it still shows the widget, but rejects each message
 * of the kernel, for ever. Such messages are then given to ipywidgets' own handler, which anywidget's overrides, and
 * the kernel is asked for the whole state, because what came before is lost.
 * @param {Model} model
 */
export function hearThoughLate(model) {
  const whole = model.set({}); // Backbone returns the model itself, of which anywidget shows a part
  whole?._handle_comm_msg?.(NO_MESSAGE).catch(() => {
    let base = Object.getPrototypeOf(whole);
    while (Object.getPrototypeOf(base)._handle_comm_msg) base = Object.getPrototypeOf(base);
    whole.comm?.on_msg((/** @type {object} */ message) => base._handle_comm_msg.call(whole, message));
    whole.comm?.send({ method: "request_state" }, whole.callbacks());
  });
}

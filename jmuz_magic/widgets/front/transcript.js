/** @import { Known, PartMessage, ShownTurn, TurnsMessage } from "./protocol.js" */

/** @typedef {Omit<ShownTurn, "from">} Turn A turn with all parts received so far. */
/** @typedef {[number, number]} Version Which version of a turn is shown, of how many. */

/**
 * The turns as the kernel has them, even if messages are lost, repeated or out of order.
 *
 * Messages are numbered; one that is not newer than the last is dropped. A `part` says how many parts of its turn
 * precede it: if they are not here, it is not taken and `missed` becomes true, until a `turns` message brings what is
 * missing. `turns` holds the order of all turns, and some of them whole.
 */
export class Transcript {
  constructor() {
    this.sequence = -1;
    this.version = 0; // of the order: which turns there are
    /** @type {string[]} */
    this.order = [];
    /** @type {Map<string, Turn>} */
    this.turns = new Map();
    /** @type {Record<string, Version>} */
    this.versions = {};
    this.missed = false;
  }

  get list() {
    return this.order.flatMap((id) => this.turns.get(id) ?? []);
  }

  get running() {
    return this.list.find((turn) => turn.state === "waiting" || turn.state === "streaming");
  }

  /**
   * What the kernel need not send again: ended turns, and of the others the parts that are here.
   * @returns {Record<string, Known>}
   */
  get known() {
    return Object.fromEntries(this.list.map((turn) => [turn.id, turn.ended ? "ended" : turn.parts.length]));
  }

  /** The state for a page opened later. */
  get snapshot() {
    const { sequence, version, order, versions } = this;
    return { type: "turns", sequence, version, order, versions, turns: this.list };
  }

  /**
   * Take a message; false if it changed nothing.
   * @param {PartMessage | TurnsMessage} message
   */
  take(message) {
    if (message.sequence <= this.sequence) return false;
    const taken = message.type === "part" ? this.#grow(message) : this.#arrange(message);
    if (taken) this.sequence = message.sequence;
    this.missed = !taken;
    return taken;
  }

  /** @param {PartMessage} message */
  #grow({ version, turn: id, from, parts, open, note, state }) {
    const turn = this.turns.get(id);
    if (version !== this.version || !turn || from > turn.parts.length) return false;
    this.turns.set(id, { ...turn, open, note, state, parts: [...turn.parts.slice(0, from), ...parts] });
    return true;
  }

  /** @param {TurnsMessage} message */
  #arrange({ version, order, versions, turns }) {
    const next = new Map(order.map((id) => [id, this.turns.get(id)]));
    for (const { from = 0, ...turn } of turns) {
      const before = next.get(turn.id)?.parts ?? [];
      if (!next.has(turn.id) || from > before.length) return false;
      next.set(turn.id, { ...turn, parts: [...before.slice(0, from), ...turn.parts] });
    }
    if (order.some((id) => !next.get(id))) return false;
    this.version = version;
    this.order = order;
    this.versions = versions;
    this.turns = /** @type {Map<string, Turn>} */ (next);
    return true;
  }
}

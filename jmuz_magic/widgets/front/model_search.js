/** @import { ModelEntry } from "./protocol.js" */

/** @typedef {{ entry: ModelEntry, id: string, key: string }} Searched An entry, with its id and all of it in lower case. */

/**
 * @param {ModelEntry} entry
 * @returns {Searched}
 */
export function searched(entry) {
  return { entry, id: entry[0].toLowerCase(), key: entry.join(" ").toLowerCase() };
}

/**
 * The entries with all the words in them; an id that was typed whole comes first, however many contain it.
 * @param {Searched[]} models
 * @param {string} typed
 */
export function fitting(models, typed) {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const found = models.filter((model) => words.every((word) => fits(model, word))).map(({ entry }) => entry);
  const whole = found.find(([id]) => id === typed);
  return whole ? [whole, ...found.filter((entry) => entry !== whole)] : found;
}

/**
 * Whether a word is in an entry, or a pattern such as `gpt-*` fits the whole id.
 * @param {Searched} model
 * @param {string} word
 */
function fits({ id, key }, word) {
  return key.includes(word) || (word.includes("*") && fitsPattern(id, word.split("*")));
}

/**
 * No regular expression: one made of a pattern takes forever with some ids.
 * @param {string} id
 * @param {string[]} parts What is between the stars.
 */
function fitsPattern(id, [first, ...others]) {
  const last = others.pop() ?? "";
  let at = id.startsWith(first) ? first.length : -1;
  for (const part of others) {
    const found = at < 0 ? -1 : id.indexOf(part, at);
    at = found < 0 ? -1 : found + part.length;
  }
  return at >= 0 && at <= id.length - last.length && id.endsWith(last);
}

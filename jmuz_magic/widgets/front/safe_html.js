// `place()` is the only way for a model's text to reach the page as HTML. The kernel's renderer has made it safe; here
// an inert parser reads it and only what is on a list is built again, since a saved notebook may hold what no kernel of
// ours sent. All other text from outside (prompts, model ids, errors, names) goes into text nodes.

const LENGTH = /^-?(\d{1,2}|\d{0,2}\.\d{1,10})(r?em|ex|pt|px)?$/;
const SWITCH = /^(true|false)$/;
const MATHML_STYLE = new RegExp(
  `^(${[
    "border-(bottom|left|right|top): 0\\.05em (dashed|solid) currentcolor",
    "justify-items: (center|end|start)",
    "margin-left: -?0?\\.\\d{1,10}em",
    "math-shift: compact",
    "padding-(bottom|left|right|top): (0|1em|0?\\.\\d{1,10}em)",
    "text-align: (center|left|right)",
    "width: (100|50|7\\.5)%",
  ].join("|")})$`,
);
const ALIGNED = { style: /^text-align:(left|center|right|start)$/ };
const DIRECTED = { dir: /^auto$/ };

/** @typedef {Record<string, Record<string, { test: (value: string) => boolean }>>} List */

/**
 * Allowed tags with their attributes, and a pattern for each value.
 * @type {List}
 */
const HTML_LIST = {
  a: { href: /^(https?:\/\/|mailto:)[!-~]+$/i, title: /^/, rel: /^noopener noreferrer nofollow$/ },
  code: { class: /^language-[\w+#.-]{1,40}$/, ...DIRECTED },
  details: { open: /^$/ },
  div: { class: /^(highlight|jmuz-(calls|footer|label|math|reasoning|sources|waiting))$/ },
  ol: { start: /^\d{1,9}$/, ...DIRECTED },
  span: { class: /^[a-z][a-z\d]{0,3}$/, style: /^font-variant-caps: small-caps$/ },
  td: ALIGNED,
  th: ALIGNED,
  p: { style: /^text-align:start$/, ...DIRECTED },
  ...named("blockquote h1 h2 h3 h4 h5 h6 pre table ul", DIRECTED),
  ...named("b br em hr i li s strong summary tbody thead tr u", {}),
};
const MATHML_ATTRIBUTES = {
  columnspan: /^\d{1,2}$/,
  display: /^block$/,
  form: /^(infix|prefix|postfix)$/,
  mathcolor: /^#[\dA-F]{6}$/i,
  mathvariant: /^normal$/,
  notation: /^(actuarial|box|phasorangle|(up|down)diagonalstrike( downdiagonalstrike)?)$/,
  scriptlevel: /^[+-]?\d$/,
  ...named("depth height linethickness lspace maxsize minsize rspace voffset width", LENGTH),
  ...named("accent accentunder displaystyle fence largeop movablelimits separator stretchy symmetric", SWITCH),
};
const MATHML_LIST = named(
  "math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle msub " +
    "msubsup msup mtable mtd mtext mtr munder munderover none",
  { ...MATHML_ATTRIBUTES, style: { test: isMathmlStyle } },
);
/** @type {Record<string, List>} */
const LISTS = { "http://www.w3.org/1999/xhtml": HTML_LIST, "http://www.w3.org/1998/Math/MathML": MATHML_LIST };
export const PICTURE = /^data:image\/(png|jpeg|webp|gif);base64,[\dA-Za-z+/]+={0,2}$/;

/** @param {string} value */
function isMathmlStyle(value) {
  return value.split(";").every((constant) => MATHML_STYLE.test(constant));
}

/**
 * The same value for each of some names.
 * @template T
 * @param {string} words
 * @param {T} value
 * @returns {Record<string, T>}
 */
function named(words, value) {
  return Object.fromEntries(words.split(" ").map((word) => [word, value]));
}

/**
 * Parse HTML where nothing runs or loads, and put a copy made from the list into the node.
 * @template {Element} E
 * @param {E} node
 * @param {string} html
 */
export function place(node, html) {
  node.replaceChildren(...copies(new DOMParser().parseFromString(`<body>${html}`, "text/html").body));
  return node;
}

/**
 * @param {Node} parent
 * @returns {Node[]}
 */
function copies(parent) {
  return [...parent.childNodes].flatMap((node) => copied(node) ?? []);
}

/**
 * A copy of the node: only the text of an element that is not on the list, nothing of comments and the like.
 * @param {Node} node
 */
function copied(node) {
  if (node.nodeType === Node.TEXT_NODE) return document.createTextNode(node.textContent ?? "");
  if (!(node instanceof Element)) return null;
  const allowed = allowedAttributes(node);
  if (!allowed) return document.createTextNode(node.textContent ?? "");
  const copy = document.createElementNS(node.namespaceURI, node.localName);
  for (const { name, value } of node.attributes) {
    if (Object.hasOwn(allowed, name) && allowed[name].test(value)) copy.setAttribute(name, value);
  }
  if (copy.localName === "a") copy.setAttribute("rel", "noopener noreferrer nofollow");
  copy.append(...copies(node));
  return copy;
}

/** @param {Element} element */
function allowedAttributes({ namespaceURI, localName }) {
  const list = LISTS[namespaceURI ?? ""];
  return list && Object.hasOwn(list, localName) ? list[localName] : null;
}

// What of a reply's HTML reaches the page: what the list holds, and nothing else.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { PICTURE, place } from "../../../jmuz_magic/widgets/front/safe_html.js";
import { newPage } from "../../node/dom.mjs";

beforeEach(newPage);

const placed = (html) => place(document.createElement("div"), html).innerHTML;

for (const html of [
  '<p dir="auto">a <em>b</em> <strong>c</strong> <s>d</s><br>e</p>',
  '<ol start="7" dir="auto"><li>a</li></ol><ul dir="auto"><li>b</li></ul><hr><blockquote dir="auto">c</blockquote>',
  '<div class="highlight"><pre dir="auto"><span class="k">if</span></pre></div>',
  '<code class="language-c++">a</code>',
  '<table dir="auto"><thead><tr><th style="text-align:left">a</th></tr></thead><tbody><tr><td>b</td></tr></tbody></table>',
  '<details open=""><summary>a</summary></details>',
  '<math display="block"><mfrac><mi mathvariant="normal">a</mi><mn>2</mn></mfrac></math>',
  '<math><mtd style="text-align: left;padding-left: 1em">a</mtd></math>',
]) {
  test(`kept as it is: ${html}`, () => assert.equal(placed(html), html));
}

for (const [what, html, left] of [
  ["a script becomes text", "a<script>alert(1)</script>", "aalert(1)"],
  ["an image goes", '<p>a<img src="x" onerror="alert(1)"></p>', "<p>a</p>"],
  ["a form becomes its text", "<form>a<input><button>b</button></form>", "ab"],
  ["a style sheet becomes text", "<style>p{}</style>", "p{}"],
  ["SVG becomes its text", "<svg><a href='javascript:alert(1)'><text>a</text></a></svg>", "a"],
  ["HTML in MathML is checked as HTML", "<math><mtext><img src=x></mtext></math>", "<math><mtext></mtext></math>"],
  ["a handler goes", '<p onclick="alert(1)">a</p>', "<p>a</p>"],
  ["an id goes, and a class that is not ours", '<div id="x" class="jmuz-drawer">a</div>', "<div>a</div>"],
  ["a style that is not ours goes", '<p style="position:fixed">a</p>', "<p>a</p>"],
  ["of MathML, too", '<math><mi style="position: fixed">a</mi></math>', "<math><mi>a</mi></math>"],
  ["a comment goes", "a<!-- b -->c", "ac"],
  ["a template's text does not come", "<template><p>a</p></template>b", "b"],
]) {
  test(what, () => assert.equal(placed(html), left));
}

for (const href of [
  "javascript:alert(1)",
  "data:text/html,a",
  "file:///etc/passwd",
  "//a.example",
  "https://a.example/ b",
]) {
  test(`no link to ${href}`, () =>
    assert.equal(placed(`<a href="${href}">a</a>`), '<a rel="noopener noreferrer nofollow">a</a>'));
}

test("a link tells its target nothing", () => {
  const link = '<a href="https://a.example/" title="b" rel="noopener noreferrer nofollow">a</a>';
  assert.equal(placed('<a href="https://a.example/" title="b" target="_blank" rel="opener">a</a>'), link);
});

test("names of the object prototype are no tags and no attributes", () => {
  assert.equal(placed('<constructor>a</constructor><p tostring="b" __proto__="c">d</p>'), "a<p>d</p>");
});

test("a picture is small, of four kinds, and brought along", () => {
  assert.match("data:image/webp;base64,AAAA", PICTURE);
  for (const address of ["https://a.example/x.png", "data:image/svg+xml;base64,AAAA", "data:image/png;base64,AA AA"]) {
    assert.doesNotMatch(address, PICTURE);
  }
});

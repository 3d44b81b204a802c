const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  send: "M8 13V3.5M3.5 8 8 3.5 12.5 8",
  stop: "M5 5h6v6H5z",
  copy: "M6 6h7v7H6zM10 3.5V3H3v7h.5",
  check: "m3 8.5 3.5 3.5L13 4.5",
  insert: "M2.5 3h11v4.5h-11zM8 10v4.5M5.75 12.25h4.5",
  again: "M13 8a5 5 0 1 1-1.5-3.6M13 2v3h-3",
  edit: "M10.5 3 13 5.5 6 12.5l-3 .5.5-3z",
  more: "M3 8a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0M7.5 8a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0M12 8a.5.5 0 1 0 1 0 .5.5 0 1 0-1 0",
  settings:
    "M2.5 5h5.5M11.5 5h2M8 5a1.75 1.75 0 1 0 3.5 0A1.75 1.75 0 1 0 8 5M2.5 11h2M8 11h5.5M4.5 11A1.75 1.75 0 1 0 8 11a1.75 1.75 0 1 0-3.5 0",
  attach: "M12.5 7.5 7.8 12.2a2.9 2.9 0 0 1-4.1-4.1l5-5a1.9 1.9 0 0 1 2.7 2.7l-5 5a1 1 0 0 1-1.4-1.4l4.4-4.4",
  add: "M8 3v10M3 8h10",
  file: "M4 2.5h5l3 3v8H4zM9 2.5v3h3",
  back: "M10 3.5 5.5 8l4.5 4.5",
  forward: "M6 3.5 10.5 8 6 12.5",
  remove: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.5 8.5h6l.5-8.5M7 7v3.5M9 7v3.5",
  close: "m4 4 8 8M12 4l-8 8",
  latest: "M8 3v9.5M3.5 8 8 12.5 12.5 8",
};

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

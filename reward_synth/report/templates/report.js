// Draws the figures in the colours of the page's theme, and again when the theme changes.
"use strict";
const dark = matchMedia("(prefers-color-scheme: dark)");

function themed(value, style) {
  if (typeof value === "string") {
    const name = /^var\((--[\w-]+)\)$/.exec(value);
    return name ? style.getPropertyValue(name[1]).trim() : value;
  }
  if (Array.isArray(value)) return value.map((entry) => themed(entry, style));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, themed(entry, style)]),
  );
}

function draw() {
  const style = getComputedStyle(document.documentElement);
  for (const place of document.querySelectorAll("[data-figure]")) {
    const text = document.getElementById(place.dataset.figure).textContent;
    const figure = themed(JSON.parse(text), style);
    const settings = { responsive: true, displayModeBar: false, scrollZoom: false };
    Plotly.react(place, figure.data, figure.layout, settings);
  }
}

// A link to something inside a closed <details> opens it.
function reveal() {
  const target = location.hash ? document.getElementById(location.hash.slice(1)) : null;
  for (let node = target; node; node = node.parentElement) {
    if (node.tagName === "DETAILS") node.open = true;
  }
  if (target) target.scrollIntoView();
}

draw();
dark.addEventListener("change", draw);
addEventListener("hashchange", reveal);
reveal();

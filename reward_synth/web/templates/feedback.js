// The videos play together, tapping ranks, and the page follows the run.  Without it the forms work.
"use strict";
document.documentElement.classList.add("scripted");
const own = document.currentScript.dataset;
const form = document.getElementById("sitting");
const { path, generation, csrf } = form.dataset;
const byId = (id) => document.getElementById(id);
const cards = [...document.querySelectorAll(".card")];
const still = matchMedia("(prefers-reduced-motion: reduce)");

// --- playing together ---------------------------------------------------------------------------

const SPEEDS = [1, 0.5, 0.25];
const NAMES = ["1×", "½×", "¼×"];
const APART = 0.12; // seconds that two videos may differ
let speed = 0;
let playing = !still.matches;
const videos = () => [...document.querySelectorAll(".film video")];

function apply() {
  byId("play").setAttribute("aria-pressed", String(playing));
  byId("speed").textContent = NAMES[speed];
  for (const video of videos()) {
    video.playbackRate = SPEEDS[speed];
    if (playing) video.play().catch(() => {});
    else video.pause();
  }
}

function restart() {
  for (const video of videos()) video.currentTime = 0;
  playing = true;
  apply();
}

function align() {
  const [first, ...others] = videos().filter((video) => video.readyState > 2);
  if (!first || !playing) return;
  for (const other of others) {
    const apart = Math.abs(other.currentTime - first.currentTime);
    if (apart > APART && apart < other.duration - APART) other.currentTime = first.currentTime;
  }
}

function toggle() {
  playing = !playing;
  apply();
}

function slower() {
  speed = (speed + 1) % SPEEDS.length;
  apply();
}

byId("play").addEventListener("click", toggle);
byId("restart").addEventListener("click", restart);
byId("speed").addEventListener("click", slower);
setInterval(align, 700);
apply();

// --- ranking ------------------------------------------------------------------------------------

const output = byId("ranking");
const placeOf = (card) => card.querySelector(".place select");
const letterOf = (card) => card.dataset.letter;
let taps = []; // in the order in which they were made
let joined = false; // whether the next one is as good as the last

function tiers() {
  const found = new Map();
  for (const card of cards) {
    const place = Number(placeOf(card).value);
    if (place) found.set(place, [...(found.get(place) || []), card]);
  }
  return [...found].sort(([one], [other]) => one - other).map(([, tier]) => tier);
}

function drawRanking() {
  if (!output) return;
  const ranked = tiers();
  for (const card of cards) {
    const place = ranked.findIndex((tier) => tier.includes(card)) + 1;
    card.classList.toggle("ranked", place > 0);
    let badge = card.querySelector(".badge");
    if (!badge) {
      badge = document.createElement("span");
      badge.className = "badge";
      card.querySelector(".film").append(badge);
    }
    badge.hidden = place === 0;
    badge.textContent = String(place);
  }
  const told = ranked.map((tier) => tier.map(letterOf).join(" = ")).join(" > ");
  output.textContent = told || output.dataset.empty;
  output.classList.toggle("empty", !told);
  byId("equal").setAttribute("aria-pressed", String(joined));
  byId("equal").disabled = byId("undo").disabled = !told;
  sayWhatDoneMeans();
}

function tap(card) {
  const place = placeOf(card);
  if (place.value) {
    place.value = "";
    taps = taps.filter((earlier) => earlier !== card);
  } else {
    const places = cards.map((other) => Number(placeOf(other).value));
    const last = taps.length ? Number(placeOf(taps[taps.length - 1]).value) : Math.max(...places);
    place.value = String(Math.min(joined && last ? last : Math.max(...places) + 1, cards.length));
    taps.push(card);
  }
  joined = false;
  drawRanking();
}

function undo() {
  const last = taps.pop();
  if (last) placeOf(last).value = "";
  else for (const card of cards) placeOf(card).value = "";
  joined = false;
  drawRanking();
}

function join() {
  joined = !joined;
  drawRanking();
}

if (output) {
  for (const card of cards) {
    const film = card.querySelector(".film");
    film.classList.add("tappable");
    film.tabIndex = 0;
    film.setAttribute("role", "button");
    film.setAttribute("aria-label", `Rank ${letterOf(card)}`);
    film.addEventListener("click", () => tap(card));
    film.addEventListener("keydown", (event) => {
      if (event.key === "Enter") tap(card);
    });
    placeOf(card).addEventListener("change", drawRanking);
  }
  byId("equal").addEventListener("click", join);
  byId("undo").addEventListener("click", undo);
}

// --- writing ------------------------------------------------------------------------------------

function sayWhatDoneMeans() {
  const done = byId("done");
  if (!done) return;
  const fields = [...form.querySelectorAll("textarea, select")];
  done.textContent = fields.some((field) => field.value.trim()) ? done.dataset.full : done.dataset.empty;
}

form.addEventListener("input", sayWhatDoneMeans);
if (byId("done")) sayWhatDoneMeans();

async function send(to, fields) {
  const body = new URLSearchParams(fields);
  return fetch(`${path}${to}`, { method: "POST", body, headers: { "X-CSRF-Token": csrf } });
}

for (const button of document.querySelectorAll(".edit")) {
  button.addEventListener("click", () => {
    byId("program").value = button.closest("details").querySelector("pre").textContent.trim() + "\n";
    byId("own").open = true;
    byId("program").focus();
    byId("own").scrollIntoView({ block: "center" });
    sayWhatDoneMeans();
  });
}

if (byId("check")) {
  byId("check").addEventListener("click", async (event) => {
    event.preventDefault();
    const answer = await send("/feedback/check", { program: byId("program").value });
    const { findings } = answer.ok ? await answer.json() : { findings: ["it could not be checked"] };
    const lines = findings.length ? findings : ["It may enter."];
    byId("findings").replaceChildren(
      ...lines.map((line) => {
        const told = document.createElement("span");
        told.className = findings.length ? "problem" : "fine";
        told.textContent = line;
        return told;
      }),
    );
  });
}

// --- curves, when they are asked for ------------------------------------------------------------

function script(address) {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = address;
    element.addEventListener("load", resolve);
    element.addEventListener("error", reject);
    document.head.append(element);
  });
}

let drawing = null;

async function showCurves(details) {
  const { curves, figureId } = details.dataset;
  const answer = await fetch(curves);
  const island = document.createElement("script");
  island.type = "application/json";
  island.id = figureId;
  island.textContent = await answer.text();
  const place = document.createElement("div");
  place.className = "plot";
  place.dataset.figure = figureId;
  details.append(island, place);
  drawing ??= script(own.plotly).then(() => script(own.figures));
  await drawing;
  draw();
}

for (const details of document.querySelectorAll(".curves")) {
  details.addEventListener("toggle", () => showCurves(details), { once: true });
}

// --- following the run --------------------------------------------------------------------------

const missing = () => [...document.querySelectorAll("[data-film]")];

function showFilm(place, film) {
  if (film.state === "there") {
    const video = document.createElement("video");
    Object.assign(video, { muted: true, loop: true, playsInline: true, preload: "auto" });
    video.src = `${path}/candidates/${place.dataset.film}/video`;
    place.replaceWith(video);
    if (missing().length) apply();
    else restart();
  } else if (film.state === "none" && film.why) {
    place.textContent = `No video: ${film.why}.`;
    delete place.dataset.film;
  } else if (film.state === "filming") {
    place.firstElementChild.textContent = "being filmed …";
  }
}

async function follow() {
  const waiting = missing();
  const numbers = waiting.map((place) => place.dataset.film).join(" ");
  try {
    const answer = await fetch(`${path}/feedback/state?generation=${generation}&films=${encodeURIComponent(numbers)}`);
    if (answer.ok) {
      const { films, latest, standing } = await answer.json();
      for (const place of waiting) {
        const film = films[place.dataset.film];
        if (film) showFilm(place, film);
      }
      if (byId("standing")) {
        if (byId("standing").textContent !== standing) byId("standing").textContent = standing;
        byId("latest").textContent = String(latest);
        byId("newer").hidden = latest <= Number(generation);
      }
    }
  } catch {
    // The application has ended, or the network is gone: what was typed stays on the page.
  }
  setTimeout(follow, missing().length ? 1000 : 4000);
}

async function begin() {
  const numbers = missing().map((place) => place.dataset.film);
  if (numbers.length) await send("/films", { candidates: numbers.join(" ") });
  setTimeout(follow, 800);
}
begin();

// --- keys ---------------------------------------------------------------------------------------

const keys = byId("keys");
byId("help").addEventListener("click", () => keys.showModal());

const click = (id) => byId(id)?.click();
const COMMANDS = {
  " ": toggle, 1: restart, 2: slower, "?": () => keys.showModal(), "/": () => byId("comment")?.focus(),
  "=": () => click(output ? "equal" : "same"), Backspace: () => output && undo(),
  ">": () => document.querySelector(".telling")?.click(),
  ArrowLeft: () => click("left"), ArrowRight: () => click("right"),
};

addEventListener("keydown", (event) => {
  const inField = event.target.closest("textarea, input, select, dialog");
  if (event.key === "Escape" && inField) event.target.blur();
  if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === " " && event.target.closest("button, summary, a")) return;
  const named = output && cards.find((card) => letterOf(card) === event.key.toUpperCase());
  const command = named ? () => tap(named) : COMMANDS[event.key];
  if (command) {
    event.preventDefault();
    command();
  }
});
if (output) drawRanking();

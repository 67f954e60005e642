// Follows a run: loads the page's parts anew when something was recorded.
"use strict";
const live = document.getElementById("live");
let loading = false, again = false, over = false;

async function load() {
  if (loading) { again = true; return; }
  loading = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = document.querySelector("main");
      let before = live;
      for (const part of page.querySelectorAll("[data-part]")) {
        const here = document.getElementById(part.id);
        // Whoever chooses in a form is left alone, and what did not change stays as it is.
        if (!here) before.after(part);
        else if (here.innerHTML !== part.innerHTML && !here.contains(document.activeElement?.closest("form"))) here.replaceWith(part);
        before = document.getElementById(part.id);
      }
    }
  } finally {
    loading = false;
    if (again) { again = false; load(); }
  }
}

function follow() {
  const stream = new EventSource(`${live.dataset.live}?known=${live.dataset.mark}`);
  stream.addEventListener("changed", (event) => { live.dataset.mark = JSON.parse(event.data); load(); });
  stream.addEventListener("activity", (event) => {
    document.getElementById("activity").innerHTML = JSON.parse(event.data);
  });
  stream.addEventListener("over", () => { over = true; stream.close(); load(); });
  // A page in the background that the browser put to sleep comes back with what is new.
  addEventListener("pagehide", () => stream.close(), { once: true });
}

follow();
addEventListener("pageshow", (event) => { if (event.persisted && !over) { load(); follow(); } });

"use strict";

// A link into what is folded away opens it.
function reveal() {
  let id = location.hash.slice(1);
  try {
    id = decodeURIComponent(id);
  } catch {
    // Typed by hand, and not encoded: taken as it is.
  }
  const target = id && document.getElementById(id);
  if (!target) return;
  for (let part = target; part; part = part.parentElement) {
    if (part instanceof HTMLDetailsElement) part.open = true;
    part.classList.remove("away");
  }
  target.scrollIntoView();
}
addEventListener("hashchange", reveal);
document.addEventListener("click", (event) => {
  // A second click on the same link changes no hash.
  const link = event.target.closest("a[href^='#']");
  if (link && link.hash === location.hash) reveal();
});
reveal();

// The playhead runs over the lanes as the sound does; a click into the lanes moves both.
for (const listen of document.querySelectorAll(".listen")) {
  const audio = listen.querySelector("audio");
  if (!audio) continue;
  const seconds = Number(listen.dataset.seconds);
  const over = listen.querySelector(".over");
  const head = listen.querySelector(".playhead");
  const show = () => {
    head.style.left = `${Math.min(100, (100 * audio.currentTime) / seconds)}%`;
    if (!audio.paused) requestAnimationFrame(show);
  };
  for (const name of ["play", "pause", "seeked", "timeupdate"]) audio.addEventListener(name, show);
  audio.addEventListener("play", () => {
    head.classList.add("shown");
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
  });
  listen.querySelector(".panel").addEventListener("click", (event) => {
    const place = over.getBoundingClientRect();
    if (event.clientX < place.left || event.clientX > place.right) return;
    audio.currentTime = ((event.clientX - place.left) / place.width) * seconds;
    head.classList.add("shown");
    show();
  });
}

for (const button of document.querySelectorAll(".copy")) {
  const code = button.previousElementSibling;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "copied";
    } catch {
      // The browser keeps its clipboard from us: leave the text selected for the reader's own copy.
      getSelection().selectAllChildren(code);
      button.textContent = "selected";
    }
    setTimeout(() => (button.textContent = "copy"), 2000);
  });
}

// What is looked for is in the address, `#?outcome=failed&find=ice`, so that it can be sent; n and p step through failures.
const filter = document.querySelector(".filter");
if (filter) {
  const BROKEN = ["failed", "error"];
  const [find, outcome, broken] = ["find", "outcome", "broken"].map((id) => document.getElementById(id));
  const found = [...document.querySelectorAll("[data-outcome]")];
  const shown = (part) => !part.closest(".away");
  let words; // of each part, looked up once somebody asks
  const apply = () => {
    const wanted = find.value.trim().toLowerCase();
    if (wanted) words ??= new Map(found.map((part) => [part, `${part.id} ${part.textContent}`.toLowerCase()]));
    for (const part of found) {
      const isWanted = !wanted || words.get(part).includes(wanted);
      const kind = part.dataset.outcome;
      const isKind = broken.checked ? BROKEN.includes(kind) : !outcome.value || kind === outcome.value;
      part.classList.toggle("away", !(isWanted && isKind));
    }
    const isFiltered = wanted || outcome.value || broken.checked;
    for (const area of document.querySelectorAll(".area")) {
      const rows = [...area.querySelectorAll(".row")];
      area.classList.toggle("away", rows.every((row) => row.classList.contains("away")));
      if (isFiltered) area.open = true;
    }
    outcome.disabled = broken.checked;
    const count = found.filter(shown).length;
    filter.querySelector("output").textContent = isFiltered ? `${count} of ${found.length} shown` : "";
  };
  const write = () => {
    apply();
    const said = new URLSearchParams();
    if (find.value.trim()) said.set("find", find.value.trim());
    if (broken.checked) said.set("failed", "only");
    else if (outcome.value) said.set("outcome", outcome.value);
    history.replaceState(null, "", `#${said.size ? `?${said}` : ""}`);
  };
  const read = () => {
    if (!location.hash.startsWith("#?")) return;
    const said = new URLSearchParams(location.hash.slice(2));
    find.value = said.get("find") ?? "";
    outcome.value = said.get("outcome") ?? "";
    if (outcome.selectedIndex < 0) outcome.value = "";
    broken.checked = said.get("failed") === "only";
    apply();
  };
  let at = null;
  const step = (by) => {
    const failures = found.filter((part) => BROKEN.includes(part.dataset.outcome) && shown(part));
    if (!failures.length) return;
    const next = failures.indexOf(at) + (by < 0 && !failures.includes(at) ? 0 : by);
    at = failures[(next + failures.length) % failures.length];
    history.replaceState(null, "", `#${encodeURIComponent(at.id)}`);
    reveal();
    (at.querySelector(":scope > summary") ?? at).focus({ preventScroll: true });
  };
  filter.hidden = false;
  for (const each of [find, outcome, broken]) each.addEventListener("input", write);
  document.getElementById("next").addEventListener("click", () => step(1));
  document.getElementById("previous").addEventListener("click", () => step(-1));
  addEventListener("hashchange", read);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input[type='search'], select")) return;
    if (event.key === "n") step(1);
    else if (event.key === "p") step(-1);
    else if (event.key === "/") {
      event.preventDefault();
      find.focus();
    }
  });
  read();
}

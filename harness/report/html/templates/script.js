"use strict";

// A link into what is folded away opens it.
function reveal() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let part = target; part; part = part.parentElement) {
    if (part instanceof HTMLDetailsElement) part.open = true;
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

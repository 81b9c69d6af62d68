"use strict";
(() => {
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const dark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const name = () => { theme.textContent = dark() ? "Light" : "Dark"; };
  theme.hidden = false;
  name();
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; name(); });

  const queries = [...document.querySelectorAll(".query")];
  if (queries.length < 2) return;
  const place = document.getElementById("place");
  let shown = 0;
  const show = (number) => {
    shown = (number + queries.length) % queries.length;
    queries.forEach((query, index) => { query.hidden = index !== shown; });
    place.textContent = `${shown + 1} of ${queries.length}`;
  };
  document.querySelector(".turn").hidden = false;
  document.getElementById("previous").addEventListener("click", () => show(shown - 1));
  document.getElementById("next").addEventListener("click", () => show(shown + 1));
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest(".wide")) return;
    if (event.key === "ArrowLeft") show(shown - 1);
    if (event.key === "ArrowRight") show(shown + 1);
  });
  show(0);
})();

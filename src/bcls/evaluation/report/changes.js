(() => {
  const section = document.getElementById("changes");
  const list = section.querySelector(".entries");
  const entries = [...list.children];
  const form = section.querySelector(".filters");
  const chosen = (name) => form.querySelector(`[data-filter="${name}"]`)?.value ?? "";
  const within = (entry, name) => {
    const range = chosen(name);
    if (!range) return true;
    const [low, high] = range.split("-").map(Number);
    const value = Number(entry.dataset[name]);
    return value >= low && value <= high;
  };
  const apply = () => {
    const measure = chosen("measure") || "rank";
    const gain = (entry) => Number(entry.dataset[measure] ?? 0);
    const side = chosen("side");
    const passes = (entry) =>
      gain(entry) !== 0 &&
      (!side || (side === "better") === (gain(entry) > 0)) &&
      (!chosen("direction") || entry.dataset.direction === chosen("direction")) &&
      within(entry, "words") && within(entry, "near");
    let found = 0;
    entries.sort((a, b) => Math.abs(gain(b)) - Math.abs(gain(a)));
    for (const entry of entries) {
      entry.hidden = !passes(entry);
      found += entry.hidden ? 0 : 1;
    }
    list.append(...entries);
    document.getElementById("found").textContent = `${found} of ${entries.length} shown.`;
    document.getElementById("none").hidden = found > 0;
  };
  form.hidden = false;
  form.addEventListener("change", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("select, input, .wide")) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const active = document.activeElement.closest("summary");
    if (!step || (!active && !section.contains(document.activeElement))) return;
    const shown = entries.filter((entry) => !entry.hidden).map((entry) => entry.querySelector("summary"));
    const next = shown[shown.indexOf(active) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  });
  apply();
  const first = entries.find((entry) => !entry.hidden);
  if (first) first.open = true;
})();

// Elements without markup in strings: nothing that a server or a person wrote is ever read as HTML.

export const byId = (id) => document.getElementById(id);

// What the browser keeps for this page; null where it may keep nothing, which throws where it is merely looked at.
export function storage(name) {
  try {
    return window[name];
  } catch {
    return null;
  }
}

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "share") made.style.setProperty("--share", value);
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function drawing(name, attributes = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

export const signed = (value, decimals = 2) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(decimals)}`;

// Moves the focus among buttons that stand in rows, as the eye sees them.
export function moveByArrows(event, buttons) {
  const place = buttons.indexOf(document.activeElement);
  if (place < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
  const top = (button) => Math.round(button.getBoundingClientRect().top);
  const later = buttons.findIndex((button, at) => at > place && top(button) > top(buttons[place]) + 4);
  const row = buttons.filter((button) => Math.abs(top(button) - top(buttons[place])) <= 4).length;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row }[event.key];
  const goal = event.key === "Home" ? 0 : event.key === "End" ? buttons.length - 1 : place + (step ?? NaN);
  if (Number.isNaN(goal)) return;
  event.preventDefault();
  const last = event.key === "ArrowDown" && goal >= buttons.length && later >= 0 ? buttons.length - 1 : goal;
  buttons[last]?.focus();
}

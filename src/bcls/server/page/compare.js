// Two models on the same query: ranks 1 to 20 of each, and where each result stands with the other.

import { drawing, element, moveByArrows, plural } from "./elements.js";
import { frame, named } from "./results.js";

const SHOWN = 20;

const placesOf = (answer) => new Map(answer.results.map((result) => [result.id, result.rank]));

function moved(rank, other, asked) {
  if (other === undefined) return { text: `>${asked}`, kind: "gone", says: `not among the first ${asked} of the other` };
  if (other === rank) return { text: "=", kind: "same", says: "at the same rank with the other" };
  const text = `${rank < other ? "▲" : "▼"} ${Math.abs(rank - other)}`;
  return { text, kind: rank < other ? "up" : "down", says: `rank ${other} with the other` };
}

function column(answer, others, asked, otherName, open) {
  const items = answer.results.slice(0, SHOWN).map((result) => {
    const change = moved(result.rank, others.get(result.id), asked);
    const label = `${result.rank}: ${named(result)}, similarity ${result.score.toFixed(2)}, ${change.says}`;
    return element("li", { "data-id": result.id, class: change.kind },
      element("button", { type: "button", class: "row", "aria-label": label, "aria-haspopup": "dialog", onclick: () => open(result, answer) },
        element("span", { class: "place" }, String(result.rank)),
        frame(result),
        element("span", { class: "about" }, element("span", { class: "caption" }, named(result)),
          element("span", { class: "number" }, result.score.toFixed(2))),
        element("span", { class: `change ${change.kind}`, title: `${change.says} (${otherName})` }, change.text)));
  });
  const list = element("ol", { class: "ranks", "aria-label": `Ranking of ${answer.collection}` }, ...items);
  list.addEventListener("keydown", (event) => moveByArrows(event, [...list.querySelectorAll(".row")]));
  return list;
}

function summary(left, right, [leftPlaces, rightPlaces], asked) {
  const [first, second] = [left, right].map((answer) => answer.results.slice(0, SHOWN));
  const both = first.filter((result) => (rightPlaces.get(result.id) ?? Infinity) <= SHOWN);
  const furthest = [...first.map((result) => [result, result.rank, rightPlaces.get(result.id)]),
    ...second.map((result) => [result, leftPlaces.get(result.id), result.rank])]
    .filter(([, a, b]) => a !== undefined && b !== undefined && a !== b)
    .sort(([, a, b], [, c, d]) => Math.abs(c - d) - Math.abs(a - b))[0];
  const shown = Math.max(first.length, second.length);
  const told = `${both.length} of the first ${shown} are the same with both.`;
  if (!furthest) return both.length ? `${told} Their order is the same.` : told;
  const [result, a, b] = furthest;
  return `${told} Furthest apart: “${named(result)}”, rank ${a} with ${left.collection}, ${b} with ${right.collection}.`;
}

export function comparison(left, right, asked, open) {
  const places = [placesOf(left), placesOf(right)];
  const lines = drawing("svg", { class: "links", "aria-hidden": "true" });
  const columns = [column(left, places[1], asked, right.collection, open), column(right, places[0], asked, left.collection, open)];
  const heads = [left, right].map((answer, at) => element("h2", { class: `of-${at}` }, answer.collection));
  const table = element("div", { class: "comparison" }, heads[0], element("span"), heads[1], columns[0], lines, columns[1]);

  const draw = () => {
    const box = lines.getBoundingClientRect();
    lines.setAttribute("viewBox", `0 0 ${box.width} ${box.height}`);
    const middle = (item) => item.getBoundingClientRect().top + item.getBoundingClientRect().height / 2 - box.top;
    lines.replaceChildren(...[...columns[0].children].flatMap((item) => {
      const twin = [...columns[1].children].find((other) => other.dataset.id === item.dataset.id);
      if (!twin) return [];
      const [from, to, bend] = [middle(item), middle(twin), box.width / 2];
      const line = drawing("path", { d: `M0 ${from} C ${bend} ${from} ${bend} ${to} ${box.width} ${to}`, class: item.className });
      line.dataset.id = item.dataset.id;
      return [line];
    }));
  };
  new ResizeObserver(draw).observe(table);

  const light = (event) => {
    const id = event.target.closest("li")?.dataset.id;
    for (const part of table.querySelectorAll("[data-id]")) part.classList.toggle("lit", part.dataset.id === id);
  };
  for (const kind of ["pointerover", "focusin"]) table.addEventListener(kind, light);
  table.addEventListener("pointerleave", () => light({ target: table }));
  for (const list of columns) {
    list.addEventListener("keydown", (event) => {
      const other = columns[1 - columns.indexOf(list)];
      if (event.key !== (list === columns[0] ? "ArrowRight" : "ArrowLeft")) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const id = event.target.closest("li").dataset.id;
      const items = [...other.children];
      const twin = items.find((item) => item.dataset.id === id) ?? items[[...list.children].indexOf(event.target.closest("li"))];
      twin?.querySelector("button").focus();
    }, { capture: true });
  }
  return element("section", { class: "side-by-side", "aria-label": "Side by side" },
    element("p", { class: "summary" }, summary(left, right, places, asked)),
    element("p", { class: "key" }, element("span", { class: "change up" }, "▲ higher here"), element("span", { class: "change down" }, "▼ lower here"),
      element("span", { class: "change gone" }, `>${asked} not among the other’s first ${asked}`)),
    table);
}

export const comparedStatus = (left, right) =>
  `${plural(Math.min(SHOWN, left.results.length), "picture")} of ${left.collection} beside ${Math.min(SHOWN, right.results.length)} of ${right.collection}`;

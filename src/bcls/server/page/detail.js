// One result: its captions, its neighbours, and why it stands where it does.

import { explain } from "./api.js";
import { byId, element, signed } from "./elements.js";
import { frame, named } from "./results.js";

const dialog = () => byId("detail");
let running;

// Bars go to both sides where some value may be below 0.
function bars(rows, sides) {
  const most = Math.max(...rows.map(([, value]) => Math.abs(value)), 1e-9);
  return element("table", { class: `bars ${sides}` }, element("tbody", {}, ...rows.map(([name, value, text]) =>
    element("tr", {}, element("th", { scope: "row" }, name),
      element("td", { class: "track", "aria-hidden": "true" }, element("span", { class: value < 0 ? "minus" : "plus", share: Math.abs(value) / most })),
      element("td", { class: "number" }, text)))));
}

function why(answer, asked) {
  const parts = [];
  if (answer.words.length > 1) {
    parts.push(element("h3", {}, "What each word does"),
      element("p", { class: "hint" }, "How much the similarity falls when the word is left out. A word that harms has a bar to the left."),
      bars(answer.words.map((one) => [one.word, one.part, signed(one.part)]), "both"));
  }
  if (answer.captions.length) {
    parts.push(element("h3", {}, answer.captions.length > 1 ? "Its captions" : "Its caption"),
      element("p", { class: "hint" }, `How near each is to ${asked.text ? "your words" : "your picture"}, for the model.`),
      bars(answer.captions.map((one) => [one.text, one.score, one.score.toFixed(2)]), answer.captions.some((one) => one.score < 0) ? "both" : "one"));
  }
  return parts;
}

function neighbours(answer, searchLike) {
  const items = answer.neighbours.map((result) =>
    element("li", {}, element("button", { type: "button", class: "small", "aria-label": `Search like: ${named(result)}`, title: named(result),
      onclick: () => searchLike(result) }, frame(result))));
  return [element("h3", {}, "Nearest to it"), element("p", { class: "hint" }, "What the model holds for most alike. Choose one to search by it."),
    element("ol", { class: "neighbours" }, ...items)];
}

export function openDetail({ result, results, asked, searchLike, reopen }) {
  running?.abort();
  running = new AbortController();
  const place = results.findIndex((one) => one.id === result.id);
  const turn = (step, name, sign) => {
    const next = results[place + step];
    return element("button", { type: "button", class: "icon", "aria-label": name, disabled: next === undefined, onclick: () => reopen(next) }, sign);
  };
  const body = element("div", { class: "why", "aria-busy": "true" }, element("p", { class: "hint" }, "Looking closer …"));
  const ofImage = result.fields.kind === "caption" ? result.fields.image : result.id;
  dialog().replaceChildren(
    element("div", { class: "detail-bar" }, turn(-1, "Previous result", "←"), turn(1, "Next result", "→"),
      element("span", { class: "grow" }),
      element("button", { type: "button", class: "icon", "aria-label": "Close", onclick: () => dialog().close() }, "×")),
    element("div", { class: "detail-body" },
      element("div", { class: "picture" }, frame(result, "full"),
        element("button", { type: "button", class: "primary", onclick: () => searchLike({ ...result, id: ofImage }) }, "Find more like this")),
      element("div", { class: "told" },
        element("h2", { id: "detail-title", tabindex: "-1" }, named(result)),
        element("p", { class: "facts" }, element("strong", {}, `Rank ${result.rank}`), ` · similarity ${result.score.toFixed(3)} · ${asked.collection}`),
        body)));
  if (!dialog().open) dialog().showModal();
  byId("detail-title").focus();
  explain({ ...asked, id: result.id }, running.signal)
    .then((answer) => {
      const facts = Object.entries(answer.result.fields).filter(([name, value]) => !["kind", "text", "image", "file"].includes(name) && value !== "");
      const list = [["id", answer.result.id], ...facts].flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, String(value))]);
      body.replaceChildren(...why(answer, asked), ...neighbours(answer, searchLike), element("dl", {}, ...list));
    })
    .catch((error) => {
      if (error.name !== "AbortError") body.replaceChildren(element("p", { class: "trouble", role: "alert" }, error.message));
    })
    .finally(() => body.removeAttribute("aria-busy"));
}

export const closeDetail = () => dialog().close();

export function turnDetailByKeys(reopenBy) {
  dialog().addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") reopenBy(-1);
    if (event.key === "ArrowRight") reopenBy(1);
  });
  dialog().addEventListener("click", (event) => {
    if (event.target === dialog()) dialog().close();
  });
}

// One model's results: a grid of pictures, or a list of captions.

import { show } from "./api.js";
import { element, moveByArrows } from "./elements.js";

export function frame(result, size = "thumbnail") {
  const holder = element("span", { class: "frame" });
  if (result.image === null) {
    holder.classList.add("missing");
    return holder;
  }
  const image = element("img", { alt: "", loading: "lazy", decoding: "async" });
  show(image, result.image, size);
  holder.append(image);
  return holder;
}

export const named = (result) => result.captions[0] ?? result.id;

// Bars tell the best result from the last of those shown, which a bar from 0 would not.
export function share(score, scores) {
  const [best, least] = [Math.max(...scores), Math.min(...scores)];
  return best === least ? 1 : 0.08 + 0.92 * ((score - least) / (best - least));
}

export function resultList(results, kind, open) {
  const scores = results.map((result) => result.score);
  const items = results.map((result) => {
    const label = `${result.rank}: ${named(result)}, similarity ${result.score.toFixed(2)}`;
    return element("li", {},
      element("button", { type: "button", class: "card", "aria-label": label, "aria-haspopup": "dialog", onclick: () => open(result) },
        frame(result),
        element("span", { class: "rank" }, String(result.rank)),
        element("span", { class: "about" },
          element("span", { class: "caption" }, named(result)),
          element("span", { class: "score" },
            element("span", { class: "bar", share: share(result.score, scores) }),
            element("span", { class: "number" }, result.score.toFixed(2))))));
  });
  const list = element("ol", { class: kind === "image" ? "grid" : "lines" }, ...items);
  list.addEventListener("keydown", (event) => moveByArrows(event, [...list.querySelectorAll(".card")]));
  return list;
}

export function loading(kind, count = 20) {
  const items = Array.from({ length: count }, () => element("li", {}, element("span", { class: "card blank" },
    element("span", { class: "frame" }), element("span", { class: "about" }, element("span", { class: "caption" })))));
  return element("ol", { class: `${kind === "image" ? "grid" : "lines"} loading`, "aria-hidden": "true" }, ...items);
}

// Asks the server. A key, where one is needed, lives as long as the tab.

import { storage } from "./elements.js";

export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

const KEY = "bcls-key";
let key = storage("sessionStorage")?.getItem(KEY);
const keyHeaders = () => (key ? { Authorization: `Bearer ${key}` } : {});

export const hasKey = () => Boolean(key);
export function useKey(given) {
  key = given;
  storage("sessionStorage")?.setItem(KEY, key);
}

async function answered(request) {
  let answer;
  try {
    answer = await request;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, "The server does not answer. Is it still running?");
  }
  if (answer.ok) return answer.json();
  const told = await answer.json().catch(() => ({}));
  throw new Refusal(answer.status, told.detail ?? `The server answered ${answer.status}.`);
}

export const collections = () => answered(fetch("/v1/collections", { headers: keyHeaders() }));

const post = (path, body, signal) =>
  answered(fetch(path, { method: "POST", body: JSON.stringify(body), signal,
    headers: { "Content-Type": "application/json", ...keyHeaders() } }));

export const search = (body, signal) => post("/v1/search", body, signal);
export const explain = (body, signal) => post("/v1/explain", body, signal);

// Shows a picture of the server in an image element; with a key it cannot simply be its address.
export function show(image, address, size) {
  const url = new URL(address, location.origin);
  if (size === "thumbnail") url.searchParams.set("size", size);
  image.addEventListener("error", () => image.closest(".frame")?.classList.add("missing"));
  if (!key) {
    image.src = url;
    return;
  }
  fetch(url, { headers: keyHeaders() })
    .then((answer) => (answer.ok ? answer.blob() : Promise.reject(answer.status)))
    .then((blob) => {
      image.src = URL.createObjectURL(blob);
      image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
    })
    .catch(() => image.dispatchEvent(new Event("error")));
}

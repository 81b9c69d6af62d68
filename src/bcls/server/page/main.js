// The page: what is asked lives in one object, and in the address as far as it can be sent to somebody.

import { collections, hasKey, Refusal, search, show, useKey } from "./api.js";
import { comparedStatus, comparison } from "./compare.js";
import { closeDetail, openDetail, turnDetailByKeys } from "./detail.js";
import { byId, element, plural, storage } from "./elements.js";
import { Filters, filterText } from "./filters.js";
import { pictureAmong, readPicture } from "./picture.js";
import { loading, named, resultList } from "./results.js";

const SHOWN = 20;
const TYPING = "typing";
const asked = { words: "", picture: null, like: null, kind: "image", collection: null, other: null, comparing: false, k: SHOWN };
const filters = new Filters(() => { asked.k = SHOWN; run(); });
let server;
let running;
let answers = [];
let opened;

const query = () => (asked.picture ? { image: asked.picture.base64 } : asked.like ? { like: asked.like.id } : { text: asked.words.trim() });
const isEmpty = () => !asked.picture && !asked.like && !asked.words.trim();
const told = () => (asked.picture ? `your picture ${asked.picture.name}` : asked.like ? `“${asked.like.name}”` : `“${asked.words.trim()}”`);
const comparing = () => asked.comparing && asked.kind === "image" && server.collections.length > 1;

const here = () => server.collections.find((one) => one.name === asked.collection);

// An index that did not answer may be back, with its fields.
async function lookAgain() {
  if (here().ready) return;
  server = await collections().catch(() => server);
  filters.offer(here().fields);
}

async function run({ push = true, typing = false } = {}) {
  if (!server) return; // what is asked while the collections are awaited is run by start
  running?.abort();
  showAsked();
  if (push) remember(typing);
  if (isEmpty()) return welcome();
  const own = (running = new AbortController());
  const found = byId("found");
  byId("results").setAttribute("aria-busy", "true");
  byId("status").textContent = "Searching …";
  const wait = setTimeout(() => found.replaceChildren(loading(asked.kind)), 150);
  try {
    await lookAgain();
    const names = comparing() ? [asked.collection, asked.other] : [asked.collection];
    const k = Math.min(comparing() ? 100 : asked.k, server.max_k);
    const body = { ...query(), k, kind: asked.kind, filter: filterText(filters.list) };
    const got = await Promise.all(names.map((collection) => search({ ...body, collection }, own.signal)));
    clearTimeout(wait);
    answers = got;
    filters.offerValues(got[0].results);
    showAnswers(k);
  } catch (error) {
    clearTimeout(wait);
    if (error.name === "AbortError") return;
    showTrouble(error);
  }
  byId("results").removeAttribute("aria-busy");
}

function showAnswers(k) {
  const [first, second] = answers;
  if (answers.every((answer) => !answer.results.length)) return showNothing();
  if (second) {
    byId("status").textContent = `${comparedStatus(first, second)} for ${told()}`;
    return byId("found").replaceChildren(comparison(first, second, k, open));
  }
  const what = asked.kind === "image" ? "picture" : "caption";
  byId("status").textContent = `${plural(first.results.length, what)} for ${told()}`;
  const goOn = async () => {
    asked.k = Math.min(k + 2 * SHOWN, server.max_k);
    await run({ push: false });
    document.querySelectorAll("#found .card")[k]?.focus();
  };
  const more = first.results.length === k && k < server.max_k
    ? element("p", { class: "more" }, element("button", { type: "button", onclick: goOn }, "Show more"))
    : null;
  return byId("found").replaceChildren(resultList(first.results, asked.kind, open), ...(more ? [more] : []));
}

function showNothing() {
  byId("status").textContent = `Nothing for ${told()}`;
  const clear = () => { filters.set([]); run(); };
  const empty = asked.kind === "caption" && here().records ? "No captions are in the index" : "Nothing is in the index yet";
  byId("found").replaceChildren(element("div", { class: "message" },
    element("h2", {}, filters.list.length ? "Nothing passes the filters" : empty),
    filters.list.length ? element("button", { type: "button", class: "primary", onclick: clear }, "Remove the filters") : element("p", {}, "Fill it with bcls index, or add pictures over the API.")));
}

function showTrouble(error) {
  byId("status").textContent = "The search failed.";
  const parts = [element("h2", {}, "That did not work"), element("p", {}, error.message)];
  if (error instanceof Refusal && error.status === 401) parts.splice(1, 1, keyForm());
  else parts.push(element("button", { type: "button", class: "primary", onclick: () => (server ? run({ push: false }) : start()) }, "Try again"));
  byId("found").replaceChildren(element("div", { class: "message trouble", role: "alert" }, ...parts));
  document.querySelector(".key-form input")?.focus();
}

function keyForm() {
  const input = element("input", { type: "password", autocomplete: "off", required: true,
    pattern: "\\s*[!-~]+\\s*", title: "letters, digits and signs of ASCII, without spaces" });
  const use = (event) => { event.preventDefault(); useKey(input.value.trim()); start(); };
  return element("form", { class: "key-form", onsubmit: use },
    element("label", {}, hasKey() ? "That key was not taken; this server wants another " : "This server wants a key ", input), element("button", { type: "submit", class: "primary" }, "Use it"));
}

async function welcome() {
  answers = [];
  byId("status").textContent = "";
  byId("results").removeAttribute("aria-busy");
  const ways = element("ul", { class: "suggestions", "aria-label": "Things to search for" });
  await lookAgain();
  if (!isEmpty()) return;
  const picture = here().takes_pictures ? " Or drop, paste or choose a picture to search by it." : "";
  const what = here().ready ? `${plural(here().records, "record")} to search, pictures and captions. Say it in your own words.` : "The index does not answer now. Ask again in a moment.";
  byId("found").replaceChildren(element("div", { class: "welcome" },
    element("h2", {}, "What are you looking for?"),
    element("p", {}, `${what}${picture}`), ways));
  const some = await search({ text: "a", kind: "caption", k: Math.min(60, server.max_k), collection: asked.collection }).catch(() => ({ results: [] }));
  const texts = [...new Set(some.results.map(named))].filter((text) => text.length < 60);
  const spread = texts.filter((_, at) => at % Math.max(1, Math.floor(texts.length / 6)) === 0).slice(0, 6);
  ways.replaceChildren(...spread.map((text) => element("li", {}, element("button", { type: "button", onclick: () => byWords(text) }, text))));
}

function byWords(words) {
  Object.assign(asked, { words, picture: null, like: null, k: SHOWN });
  byId("words").value = words;
  run();
}

async function byPicture(file) {
  if (!file) return;
  try {
    const picture = await readPicture(file);
    Object.assign(asked, { picture, like: null, words: "", k: SHOWN });
    byId("words").value = "";
    run();
  } catch (error) {
    showTrouble(error);
  }
}

function searchLike(result) {
  closeDetail();
  Object.assign(asked, { like: { id: result.id, name: named(result), image: result.image }, picture: null, words: "", kind: "image", k: SHOWN });
  byId("words").value = "";
  byId("results").focus();
  scrollTo({ top: 0 });
  run();
}

function open(result, answer = answers[0]) {
  const opener = byId("detail").open ? opened.opener : document.activeElement;
  opened = { result, answer, opener };
  openDetail({ result, results: answer.results, asked: { ...query(), collection: answer.collection }, searchLike, reopen: (next) => open(next, answer) });
}

function showAsked() {
  const chosen = asked.picture ?? asked.like;
  byId("by-picture").hidden = !chosen;
  byId("words").placeholder = chosen ? "" : "Describe a picture, or drop one here";
  if (chosen) {
    const image = byId("by-picture").querySelector("img");
    image.hidden = !(chosen.address ?? chosen.image);
    if (chosen.address) image.src = chosen.address;
    else if (chosen.image) show(image, chosen.image, "thumbnail");
    byId("by-picture").querySelector(".by-name").textContent = asked.picture ? chosen.name : `like “${chosen.name}”`;
  }
  document.querySelector(`#kind input[value="${asked.kind}"]`).checked = true;
  byId("collection").value = asked.collection;
  byId("compare").checked = asked.comparing;
  byId("compare").disabled = asked.kind !== "image";
  byId("other-chooser").hidden = !comparing();
  if (asked.other) byId("other").value = asked.other;
  document.title = isEmpty() ? "BCLS search" : `${told()} · BCLS search`;
}

// What is typed takes the place of what was typed before it; whatever else is asked can be gone back to.
function remember(typing) {
  const where = new URLSearchParams();
  if (asked.words.trim() && !asked.picture && !asked.like) where.set("q", asked.words.trim());
  if (asked.like) where.set("like", asked.like.id);
  if (asked.kind !== "image") where.set("kind", asked.kind);
  if (asked.collection !== server.collections[0].name) where.set("in", asked.collection);
  if (asked.comparing) where.set("with", asked.other);
  for (const one of filters.list) where.append("filter", JSON.stringify(one));
  const address = where.size ? `/?${where}` : "/";
  const isNew = address !== location.pathname + location.search;
  const change = isNew && !(typing && history.state === TYPING) ? "pushState" : "replaceState";
  history[change](typing ? TYPING : null, "", address);
}

function recall() {
  const where = new URLSearchParams(location.search);
  const like = where.get("like");
  Object.assign(asked, {
    words: where.get("q") ?? "", picture: null, like: like ? { id: like, name: like, image: null } : null,
    kind: where.get("kind") === "caption" ? "caption" : "image", collection: where.get("in"),
    other: where.get("with"), comparing: where.has("with"), k: SHOWN,
  });
  const kept = where.getAll("filter").flatMap((text) => { try { return [JSON.parse(text)]; } catch { return []; } });
  filters.set(kept.filter((one) => Array.isArray(one) && one.length === 3 && one.every((part) => typeof part === "string")));
  if (filters.list.length) byId("filters").hidden = false;
  byId("filters-button").setAttribute("aria-expanded", String(!byId("filters").hidden));
  byId("words").value = asked.words;
}

// A collection that the server does not have gives way to one that it has.
function settleCollections() {
  const names = server.collections.map((one) => one.name);
  const known = (name, other) => (names.includes(name) ? name : other);
  asked.collection = known(asked.collection, names[0]);
  asked.other = known(asked.other, names.find((name) => name !== asked.collection) ?? null);
}

function listen() {
  let typing;
  byId("words").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => { Object.assign(asked, { words: byId("words").value, picture: null, like: null, k: SHOWN }); run({ typing: true }); }, 250);
  });
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    if (byId("words").value.trim()) byWords(byId("words").value);
    else run();
  });
  byId("kind").addEventListener("change", (event) => { Object.assign(asked, { kind: event.target.value, k: SHOWN }); run(); });
  byId("collection").addEventListener("change", (event) => {
    if (event.target.value === asked.other) asked.other = asked.collection;
    asked.collection = event.target.value;
    filters.offer(here().fields);
    run();
  });
  byId("other").addEventListener("change", (event) => {
    if (event.target.value === asked.collection) asked.collection = asked.other;
    asked.other = event.target.value;
    run();
  });
  byId("compare").addEventListener("change", (event) => { asked.comparing = event.target.checked; run(); });
  byId("by-picture").querySelector(".remove").addEventListener("click", () => { byWords(""); byId("words").focus(); });
  byId("choose").addEventListener("click", () => byId("file").click());
  byId("file").addEventListener("change", (event) => { byPicture(event.target.files[0]); event.target.value = ""; });
  addEventListener("paste", (event) => { if (event.clipboardData.files.length) byPicture(pictureAmong(event.clipboardData)); });
  addEventListener("popstate", () => { closeDetail(); recall(); if (server) settleCollections(); run({ push: false }); });
  addEventListener("keydown", (event) => {
    const writing = event.target.closest("input:not([type=radio], [type=checkbox]), select, textarea, dialog");
    if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); byId("words").select(); }
    if (event.key === "ArrowDown" && event.target === byId("words")) { event.preventDefault(); document.querySelector("#found button")?.focus(); }
  });
  turnDetailByKeys((step) => {
    const { results } = opened.answer;
    const next = results[results.findIndex((one) => one.id === opened.result.id) + step];
    if (next) open(next, opened.answer);
  });
  byId("detail").addEventListener("close", () => {
    // The browser has given the focus back to the opener, and whoever was quick has moved on since: this event comes late.
    if (![opened.opener, document.body].includes(document.activeElement)) return;
    const place = answers.indexOf(opened.answer);
    const list = document.querySelectorAll("#found ol")[Math.max(place, 0)];
    list?.children[opened.answer.results.findIndex((one) => one.id === opened.result.id)]?.querySelector("button")?.focus();
  });
  listenForDrops();
}

function listenForDrops() {
  let depth = 0;
  const over = (change) => { depth = Math.max(0, depth + change); byId("drop").hidden = depth === 0; };
  const carries = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragenter", (event) => { if (carries(event)) { event.preventDefault(); over(1); } });
  addEventListener("dragleave", (event) => { if (carries(event)) over(-1); });
  addEventListener("dragover", (event) => { if (carries(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    over(-depth);
    byPicture(pictureAmong(event.dataTransfer));
  });
}

function listenForTheme() {
  const root = document.documentElement;
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  const name = () => byId("theme").setAttribute("aria-pressed", String(dark()));
  const kept = storage("localStorage")?.getItem("bcls-theme");
  if (kept) root.dataset.theme = kept;
  byId("theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    storage("localStorage")?.setItem("bcls-theme", root.dataset.theme);
    name();
  });
  name();
}

async function start() {
  byId("found").replaceChildren(loading("image"));
  try {
    server = await collections();
  } catch (error) {
    return showTrouble(error);
  }
  const names = server.collections.map((one) => one.name);
  for (const chooser of ["collection", "other"]) byId(chooser).replaceChildren(...names.map((name) => element("option", { value: name }, name)));
  byId("collection-chooser").hidden = byId("compare-switch").hidden = names.length < 2;
  byId("words").maxLength = server.max_query_characters;
  byId("choose").hidden = !server.collections.some((one) => one.takes_pictures);
  settleCollections();
  filters.offer(here().fields);
  filters.set(filters.list);
  return run({ push: false });
}

listenForTheme();
recall();
listen();
start();

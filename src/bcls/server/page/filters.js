// Conditions on fields, put together with two menus and a value; the server reads them as text.

import { byId, element } from "./elements.js";

const SIGNS = {
  str: [["=", "is"], ["!=", "is not"], ["contains", "contains"]],
  int: [["=", "="], ["!=", "≠"], ["<", "<"], ["<=", "≤"], [">", ">"], [">=", "≥"]],
  bool: [["=", "is"]],
};
SIGNS.float = SIGNS.int;
const HIDDEN = new Set(["kind", "image", "file"]);

const quoted = (value) => `"${value.replace(/[\\"]/g, "\\$&")}"`;
export const filterText = (filters) =>
  filters.map(([field, sign, value]) => `${field}${sign === "contains" ? " contains " : sign}${quoted(value)}`).join(" ");

export class Filters {
  constructor(onChange) {
    this.list = [];
    this.onChange = onChange;
    byId("filters-button").addEventListener("click", () => this.open(byId("filters").hidden));
    byId("filter-field").addEventListener("change", () => this.offerSigns());
    byId("new-filter").addEventListener("submit", (event) => {
      event.preventDefault();
      const [field, sign, value] = ["field", "operator", "value"].map((name) => byId(`filter-${name}`).value);
      if (value.trim() === "") return byId("filter-value").focus();
      this.set([...this.list, [field, sign, value.trim()]]);
      byId("filter-value").value = "";
      return this.onChange();
    });
  }

  open(wanted) {
    byId("filters").hidden = !wanted;
    byId("filters-button").setAttribute("aria-expanded", String(wanted));
    if (wanted) byId("filter-field").focus();
  }

  offer(fields) {
    this.fields = Object.fromEntries([...Object.entries(fields).filter(([name]) => !HIDDEN.has(name)), ["id", "str"]]);
    const names = { text: "caption" };
    byId("filter-field").replaceChildren(
      ...Object.keys(this.fields).map((name) => element("option", { value: name }, names[name] ?? name)),
    );
    this.offerSigns();
  }

  offerSigns() {
    const signs = SIGNS[this.fields[byId("filter-field").value]] ?? SIGNS.str;
    byId("filter-operator").replaceChildren(...signs.map(([sign, name]) => element("option", { value: sign }, name)));
    if (byId("filter-field").value === "text") byId("filter-operator").value = "contains";
    this.offerValues();
  }

  // Values that were seen in results are offered for the field that is chosen.
  offerValues(results = this.results ?? []) {
    this.results = results;
    const field = byId("filter-field").value;
    const seen = field === "text" || field === "id" ? [] : results.map((result) => String(result.fields[field]));
    byId("filter-values").replaceChildren(...[...new Set(seen)].sort().slice(0, 50).map((value) => element("option", { value })));
  }

  set(list) {
    this.list = list;
    byId("filters-count").textContent = list.length ? ` ${list.length}` : "";
    byId("chips").hidden = !list.length;
    byId("chips").replaceChildren(
      ...list.map(([field, sign, value], place) => {
        const name = SIGNS[this.fields?.[field]]?.find(([own]) => own === sign)?.[1] ?? sign;
        const text = `${field === "text" ? "caption" : field} ${name} ${value}`;
        const remove = () => {
          this.set(this.list.filter((_, at) => at !== place));
          this.onChange();
          (byId("chips").querySelector("button") ?? byId("filter-value")).focus();
        };
        return element("li", {}, element("span", {}, text),
          element("button", { type: "button", class: "remove", "aria-label": `Remove the filter ${text}`, onclick: remove }, "×"));
      }),
    );
  }
}

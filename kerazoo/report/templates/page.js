"use strict";
const table = document.querySelector("table.verdicts");
const body = table.tBodies[0];
const headings = Array.from(body.querySelectorAll("tr.article"));
const rows = Array.from(body.rows).filter((row) => !headings.includes(row));
const filter = document.querySelector("form.filter");

function refilter() {
  const wanted = new FormData(filter);
  const text = wanted.get("text").trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const fits =
      ["verdict", "document", "model", "kind"].every((key) => !wanted.get(key) || row.dataset[key] === wanted.get(key)) &&
      (!text || row.textContent.toLowerCase().includes(text));
    row.hidden = !fits;
    shown += fits;
  }
  for (const heading of headings) {
    heading.hidden = !rows.some((row) => !row.hidden && row.dataset.document === heading.dataset.article);
  }
  const output = filter.querySelector("output");
  output.value = output.dataset.form.replace("{shown}", shown).replace("{all}", rows.length);
}

function compare(a, b) { // numbers before texts
  const [x, y] = [a, b].map((key) => (key.trim() ? Number(key) : NaN));
  if (isNaN(x) && isNaN(y)) return a.localeCompare(b, document.documentElement.lang, { numeric: true });
  return isNaN(x) - isNaN(y) || x - y;
}

function sortBy(heading, column) {
  const down = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
  for (const one of headings) one.remove(); // the articles are mixed from here on
  rows.sort((a, b) => compare(key(a), key(b)) * (down ? -1 : 1));
  body.append(...rows);
}

filter.hidden = false; // it does nothing without a script
filter.addEventListener("input", refilter);
filter.addEventListener("submit", (event) => event.preventDefault());
for (const link of document.querySelectorAll("a[data-choose]")) {
  link.addEventListener("click", () => {
    filter.reset();
    filter.elements.verdict.value = link.dataset.choose;
    refilter();
  });
}
Array.from(table.tHead.rows[0].cells).forEach((heading, column) =>
  heading.querySelector("button").addEventListener("click", () => sortBy(heading, column)),
);
window.addEventListener("hashchange", () => {
  const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (row?.hidden) {
    filter.reset();
    refilter();
    row.scrollIntoView();
  }
});
refilter();

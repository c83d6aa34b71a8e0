"use strict";
const table = document.querySelector("table.verdicts");
const body = table.tBodies[0];
const rows = Array.from(body.rows);
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
  filter.querySelector("output").value = `${shown} of ${rows.length} claims`;
}

function sortBy(heading, column) {
  const down = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
  rows.sort((a, b) => key(a).localeCompare(key(b), "en", { numeric: true }) * (down ? -1 : 1));
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

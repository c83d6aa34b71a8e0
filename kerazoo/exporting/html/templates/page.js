// What the pages share: the model, the texts in two languages, and telling what has happened.

const carried = (id) => document.getElementById(id).textContent;
const TEXTS = JSON.parse(carried("texts"));
const $ = (id) => document.getElementById(id);
const percent = (share) => (share < 1 && share >= 0.9995 ? ">99.9%" : `${(100 * share).toFixed(1)}%`);
const signed = (number) => (number < 0 ? "−" : "+") + Math.abs(number).toFixed(2);

let language = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";

/** The text of a key in the chosen language, its {names} filled in. */
function say(key, values = {}) {
  return TEXTS[key][language].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** The name of a class, in the chosen language where it is known. */
const classNamed = (label) => (TEXTS[`class-${label}`] ? say(`class-${label}`) : label);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Tell a screen reader, once nothing else has happened for a moment. */
let waiting = 0;
function announce(text, after = 600) {
  clearTimeout(waiting);
  waiting = setTimeout(() => { $("announced").textContent = text; }, after);
}

/** The rows of bars of the classes, made once; and setting them. */
function barsOf(table, labels) {
  const rows = labels.map((label) => {
    const row = element("tr", {}, element("th", { scope: "row" }), element("td", {}, element("div")), element("td"));
    table.append(row);
    return { row, label, name: row.cells[0], bar: row.cells[1].firstChild, share: row.cells[2] };
  });
  return (probabilities) => {
    const best = probabilities ? bestOf(probabilities) : -1;
    rows.forEach(({ row, label, name, bar, share }, place) => {
      const one = probabilities ? probabilities[place] : 0;
      row.className = place === best ? "best" : "";
      name.textContent = classNamed(label);
      bar.style.width = `${100 * one}%`;
      share.textContent = probabilities ? percent(one) : "–";
    });
  };
}

/** Show everything in the chosen language; `redraw` shows what the page has computed. */
function translate(redraw) {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = `${say("title")} · ${model.name}`;
  for (const one of document.querySelectorAll("[data-text]")) one.textContent = say(one.dataset.text, model);
  for (const one of document.querySelectorAll("[data-label]")) one.setAttribute("aria-label", say(one.dataset.label));
  for (const one of document.querySelectorAll("[data-language]")) {
    one.setAttribute("aria-pressed", one.dataset.language === language);
  }
  redraw();
}

function begin(redraw) {
  for (const one of document.querySelectorAll("[data-language]")) {
    one.addEventListener("click", () => {
      language = one.dataset.language;
      translate(redraw);
    });
  }
  document.querySelector("main").hidden = false;
  translate(redraw);
}

const model = modelOf(carried("model"));

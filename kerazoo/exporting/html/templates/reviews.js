// A text classifier: its answer at each key, and then, in slices of time, the words weighed.
//
// Each word in turn is replaced by the unknown word; its weight is what that takes from the log-odds of the answer.

const words = vocabularyOf(model.vocabulary);
const SLICE = 12; // milliseconds of weighing between two chances for the page to react
const HEAVY = 5, ATTENDED = 4; // words that are named

/** How the model reads rows of ids: `read` one, and for each word `without` it. */
function readerOf({ layers, length }) {
  if (layers[0].kind === "encoder") {
    const read = encoder(layers);
    return (ids) => {
      const found = read(ids, length);
      const without = (place) => read(ids.map((id, k) => (k === place ? words.unknown : id)), length).logits;
      return { ...found, without };
    };
  }
  const { start, step, logits } = recurrent(layers);
  let padded = [start]; // the states after so many places of padding
  return (ids) => {
    while (padded.length <= length - ids.length) padded.push(step(padded.at(-1), 0));
    const states = [padded[length - ids.length]];
    for (const id of ids) states.push(step(states.at(-1), id));
    const without = (place) =>
      logits(ids.slice(place + 1).reduce(step, step(states[place], words.unknown)));
    return { logits: logits(states.at(-1)), without };
  };
}

const read = readerOf(model);

/** The logarithm of the odds of a class against all others. */
function oddsOf(logits, best) {
  const others = logits.filter((_, place) => place !== best), most = Math.max(...others);
  return logits[best] - most - Math.log(sum(others.map((one) => Math.exp(one - most))));
}

/** What the model reads of a text: its last words, or null where it knows none of them. */
function wordsOf(text) {
  const tokens = words.split(text).slice(-model.length), ids = tokens.map(words.idOf);
  return ids.every((id) => id === words.unknown) ? null : { tokens, ids };
}

function answerOf(text) {
  const found = wordsOf(text);
  if (!found) return null;
  const asked = read(found.ids), probabilities = softmax(asked.logits);
  return { ...found, ...asked, probabilities, best: bestOf(probabilities), weights: null };
}

function weigh(answer) { // one word after the other
  const { ids, logits, best, without } = answer, odds = oddsOf(logits, best), weights = [];
  return {
    weights,
    next: () => weights.push(ids[weights.length] === words.unknown ? 0 : odds - oddsOf(without(weights.length), best)),
    get done() { return weights.length === ids.length; },
  };
}

const box = $("text"), list = $("words");
let answer = null, chosen = 0, pause = 0;
const showBars = barsOf($("bars"), model.classes);

function ask() {
  clearTimeout(pause);
  answer = answerOf(box.value);
  chosen = Math.min(chosen, (answer?.ids.length ?? 1) - 1);
  show();
  announce($("answer").textContent);
  if (answer) pause = setTimeout(go, 150, weigh(answer), answer);
}

function go(weighing, asked) {
  const end = performance.now() + SLICE;
  while (!weighing.done && performance.now() < end) weighing.next();
  if (!weighing.done) {
    pause = setTimeout(go, 0, weighing, asked);
    return;
  }
  asked.weights = weighing.weights;
  show();
  announce(`${$("answer").textContent} ${$("heaviest").textContent}`);
}

function show() {
  showBars(answer?.probabilities);
  const read = answer && { label: classNamed(model.classes[answer.best]), share: percent(answer.probabilities[answer.best]) };
  $("answer").textContent = answer ? say("judged", read) : say(box.value.trim() ? "all-unknown" : "empty");
  showWords();
  const ranked = (answer?.weights ?? []).map((weight, place) => ({ weight, place }));
  ranked.sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  const named = ranked.slice(0, HEAVY).map(({ weight, place }) => `${answer.tokens[place]} ${signed(weight)}`);
  $("heaviest").textContent = answer ? (named.length ? say("heaviest", { named: named.join(say("comma")) }) : say("weighing")) : "";
  $("weighed").hidden = !answer;
}

function showWords() {
  const tokens = answer?.tokens ?? [], weights = answer?.weights, most = weights ? Math.max(...weights.map(Math.abs)) || 1 : 1;
  while (list.children.length > tokens.length) list.lastChild.remove();
  while (list.children.length < tokens.length) list.append(element("button", { type: "button", tabindex: -1 }));
  tokens.forEach((token, place) => {
    const button = list.children[place], weight = weights?.[place] ?? 0;
    button.textContent = token;
    button.className = [weight < 0 ? "against" : "for", answer.ids[place] === words.unknown ? "unknown" : ""].join(" ").trim();
    button.style.setProperty("--depth", (0.75 * Math.abs(weight)) / most);
    button.tabIndex = place === chosen ? 0 : -1;
    button.setAttribute("aria-pressed", place === chosen);
  });
  showChosen();
}

function showChosen() {
  const told = $("chosen");
  if (!answer?.weights) {
    told.textContent = "";
    return;
  }
  const word = answer.tokens[chosen], weight = answer.weights[chosen];
  const known = answer.ids[chosen] !== words.unknown;
  const sentences = [say(known ? (weight < 0 ? "word-against" : "word-for") : "word-unknown", { word, weight: signed(weight) })];
  if (answer.attention) {
    const shares = answer.attention.map((head) => head[chosen]).reduce(plus).map((one) => one / answer.attention.length);
    const ranked = [...shares.keys()].sort((a, b) => shares[b] - shares[a]).slice(0, ATTENDED);
    const named = ranked.map((place) => `${answer.tokens[place]} ${percent(shares[place])}`).join(say("comma"));
    sentences.push(say("word-attends", { named }));
  }
  told.textContent = sentences.join(language === "zh" ? "" : " ");
}

function choose(place, focus) {
  list.children[chosen]?.setAttribute("aria-pressed", false);
  list.children[chosen].tabIndex = -1;
  chosen = place;
  list.children[chosen].setAttribute("aria-pressed", true);
  list.children[chosen].tabIndex = 0;
  if (focus) list.children[chosen].focus();
  showChosen();
}

box.addEventListener("input", ask);
list.addEventListener("click", (event) => {
  const place = [...list.children].indexOf(event.target.closest("button"));
  if (place >= 0) choose(place, true);
});
list.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const last = list.children.length - 1;
  const to = event.key === "Home" ? 0 : event.key === "End" ? last : step && Math.min(last, Math.max(0, chosen + step));
  if (to === undefined) return;
  event.preventDefault();
  choose(to, true);
});
for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => {
    box.value = button.dataset.example;
    ask();
  });
}
begin(show);
ask();

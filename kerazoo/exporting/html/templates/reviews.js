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
let answer = null, chosen = -1, pause = 0; // none is chosen at first
const showBars = barsOf($("bars"), model.classes);

function ask() {
  clearTimeout(pause);
  answer = answerOf(box.value);
  chosen = -1;
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
  const empty = box.value.trim() ? "all-unknown" : "empty";
  showBars(answer?.probabilities);
  $("answer").textContent = answer ? judged(answer) : say(empty);
  $("weighed").hidden = !answer;
  if (!answer) return;
  showWords(answer);
  $("heaviest").textContent = answer.weights ? heaviest(answer) : say("weighing");
}

const judged = ({ probabilities, best }) =>
  say("judged", { label: classNamed(model.classes[best]), share: percent(probabilities[best]) });

/** The places of the greatest numbers, the greatest first. */
const ranked = (numbers, count) => [...numbers.keys()].sort((a, b) => numbers[b] - numbers[a]).slice(0, count);

function heaviest({ tokens, weights }) {
  const named = ranked(weights.map(Math.abs), HEAVY).map((place) => `${tokens[place]}\u00a0${signed(weights[place])}`);
  return say("heaviest", { named: named.join(say("comma")) });
}

function showWords({ tokens, ids, weights }) {
  const most = weights ? Math.max(...weights.map(Math.abs)) || 1 : 1;
  while (list.children.length > tokens.length) list.lastChild.remove();
  while (list.children.length < tokens.length) list.append(element("button", { type: "button" }));
  tokens.forEach((token, place) => {
    const button = list.children[place], weight = weights?.[place] ?? 0;
    button.textContent = token;
    button.className = weight < 0 ? "against" : "for";
    button.classList.toggle("unknown", ids[place] === words.unknown);
    button.style.setProperty("--depth", (0.75 * Math.abs(weight)) / most);
  });
  showChosen();
}

function showChosen() { // one word can be reached by the tab key, and from it the others by arrows
  [...list.children].forEach((button, place) => {
    button.setAttribute("aria-pressed", place === chosen);
    button.tabIndex = place === Math.max(chosen, 0) ? 0 : -1;
  });
  $("chosen").textContent = answer.weights && chosen >= 0 ? toldOf(chosen) : "";
}

function toldOf(place) {
  const { tokens, ids, weights, attention } = answer, word = tokens[place], weight = weights[place];
  const kind = ids[place] === words.unknown ? "unknown" : weight < 0 ? "against" : "for";
  const weighed = say(`word-${kind}`, { word, weight: signed(weight) });
  if (!attention) return weighed;
  const shares = attention.map((head) => head[place]).reduce(plus).map((one) => one / attention.length);
  const named = ranked(shares, ATTENDED).map((other) => `${tokens[other]}\u00a0${percent(shares[other])}`);
  return weighed + (language === "zh" ? "" : " ") + say("word-attends", { named: named.join(say("comma")) });
}

function choose(place) {
  chosen = place;
  list.children[chosen].focus();
  showChosen();
}

box.addEventListener("input", ask);
list.addEventListener("click", (event) => {
  const place = [...list.children].indexOf(event.target.closest("button"));
  if (place >= 0) choose(place);
});
list.addEventListener("keydown", (event) => {
  const now = Math.max(chosen, 0), last = list.children.length - 1;
  const to = { ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1, Home: 0, End: last };
  if (!(event.key in to)) return;
  event.preventDefault();
  choose(Math.min(last, Math.max(0, to[event.key])));
});
for (const button of document.querySelectorAll("[data-example]")) {
  button.addEventListener("click", () => {
    box.value = button.dataset.example;
    ask();
  });
}
begin(show);
ask();

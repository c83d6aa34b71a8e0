// Text from a recurrent model, as it is written: the draws are those of `kerazoo generate` with the same seed.

const words = vocabularyOf(model.vocabulary);
const LONGEST_PROMPT = 4096; // tokens that are read, the last ones
const A_FRAME = 3, AT_ONCE = 400; // tokens that appear in a frame, and where the reader wants no motion
const MOST = 100000; // tokens of one go
const { start, step, logits } = recurrent(model.layers);
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** The ids of a prompt, and the tokens that the model does not know. */
function promptOf(text) {
  const tokens = words.split(text).slice(-LONGEST_PROMPT), ids = tokens.map(words.idOf);
  const unknown = [...new Set(tokens.filter((_, place) => ids[place] === words.unknown))];
  return { ids: ids.length ? ids : [startToken()], unknown };
}

function startToken() { // the end of a line, else a space, else the first known token
  const known = ["\n", " "].map(words.idOf).filter((id) => id !== words.unknown);
  return known[0] ?? Math.min(words.unknown + 1, words.tokens.length - 1);
}

/** A text that goes on: `next` writes a token and returns the text that it adds. */
function writerOf(prompt, seed, temperature) {
  const { ids, unknown } = promptOf(prompt);
  let last = ids.at(-1), states = ids.slice(0, -1).reduce(step, start), count = 0;
  let atSpace = model.vocabulary.unit === "token" && (!prompt || new RegExp(`[${SPACE}]$`).test(prompt));
  return {
    unknown,
    next() {
      states = step(states, last);
      const id = drawn(logits(states), temperature, shareOf(seed, count++)), before = words.join([words.tokens[last]]);
      let added = words.join([words.tokens[last], words.tokens[id]]).slice(before.length);
      if (atSpace) added = added.replace(/^ /, "");
      [last, atSpace] = [id, false];
      return added;
    },
  };
}

/** The text that `kerazoo generate` writes. */
function generated(prompt, length, seed, temperature) {
  const writer = writerOf(prompt, seed, temperature);
  let text = prompt;
  for (let count = 0; count < length; count++) text += writer.next();
  return text;
}

const form = $("settings"), page = $("written");
let writer = null, left = 0, count = 0, frame = 0, status = () => "";

function show() {
  $("stop").disabled = !left;
  $("more").disabled = !writer || left > 0;
  $("warmth").textContent = Number(form.elements.temperature.value).toFixed(2);
  page.setAttribute("aria-busy", left > 0);
  $("status").textContent = status();
}

function write() { // a frame's worth
  const many = Math.min(left, still.matches ? AT_ONCE : A_FRAME);
  let added = "";
  for (let token = 0; token < many; token++) added += writer.next();
  left -= many;
  count += many;
  page.lastChild.append(added);
  if (left) frame = requestAnimationFrame(write);
  else ended();
}

function ended() {
  cancelAnimationFrame(frame);
  left = 0;
  const { unknown } = writer, written = count;
  status = () => [
    say(`done-${model.vocabulary.unit}`, { count: written }),
    unknown.length ? say("unknown", { named: unknown.slice(0, 10).join(" ") }) : "",
  ].join(" ").trim();
  show();
  announce($("status").textContent, 0);
}

function goOn() {
  left = Math.min(Math.max(1, form.elements.count.valueAsNumber || 0), MOST);
  status = () => say("busy");
  show();
  announce(say("busy"), 0);
  frame = requestAnimationFrame(write);
}

function begun() {
  const { seed, temperature, prompt } = form.elements;
  cancelAnimationFrame(frame);
  writer = writerOf(prompt.value, seed.valueAsNumber >>> 0, temperature.valueAsNumber);
  count = 0;
  page.replaceChildren(element("strong", {}, prompt.value), element("span"));
  goOn();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  begun();
});
form.addEventListener("input", show);
$("stop").addEventListener("click", ended);
$("more").addEventListener("click", goOn);
$("another").addEventListener("click", () => {
  form.elements.seed.value = crypto.getRandomValues(new Uint32Array(1))[0];
});
begin(show);

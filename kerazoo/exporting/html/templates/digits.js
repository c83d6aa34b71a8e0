// Drawing by pointer, touch and keyboard: at each stroke what the model sees, and what it thinks.

const probabilitiesOf = (pixels) => softmax(logitsOf(model.layers, pixels));

const canvas = $("drawing"), pen = canvas.getContext("2d", { willReadFrequently: true });
const seen = $("seen").getContext("2d"), cursor = $("cursor");
const WIDTH = 20; // of the pen: about that of MNIST's once the drawing is scaled
const STEP = canvas.width / 20; // of the keyboard's cursor
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

let strokes = []; // lists of points
let drawing = null; // the stroke that the pointer draws
let place = [7 * STEP, 4 * STEP], written = null; // the keyboard's cursor, and the stroke that it draws
let pixels = null, probabilities = null, asked = 0;
const showBars = barsOf($("bars"), model.classes);

function paint() {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  pen.lineWidth = WIDTH;
  pen.lineCap = pen.lineJoin = "round";
  for (const [first, ...others] of strokes) {
    pen.beginPath();
    pen.moveTo(...first);
    for (const point of others.length ? others : [first]) pen.lineTo(...point);
    pen.stroke();
  }
}

function look() {
  const { data, width, height } = pen.getImageData(0, 0, canvas.width, canvas.height);
  pixels = digitOf(pictureOf(width, height, (x, y) => data[4 * (y * width + x) + 3] / 255));
  probabilities = pixels && probabilitiesOf(pixels);
  show();
}

function show() {
  const image = seen.createImageData(SIZE, SIZE);
  (pixels ?? new Float32Array(SIZE * SIZE)).forEach((level, k) => image.data.set([255, 255, 255, 255 * level], 4 * k));
  seen.putImageData(image, 0, 0);
  showBars(probabilities);
  const best = probabilities ? bestOf(probabilities) : -1;
  const told = probabilities
    ? say("reads", { label: classNamed(model.classes[best]), share: percent(probabilities[best]) })
    : say("empty");
  $("answer").textContent = told;
  $("clear").disabled = $("undo").disabled = !strokes.length;
}

function changed() { // at most once a frame
  cancelAnimationFrame(asked);
  asked = requestAnimationFrame(() => {
    paint();
    look();
    announce($("answer").textContent);
  });
}

function pointOf(event) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return [((event.clientX - left) * canvas.width) / width, ((event.clientY - top) * canvas.height) / height];
}

function clear() {
  strokes = [];
  written = drawing = null;
  moveTo(place);
  changed();
}

function undo() {
  const last = strokes.pop();
  if (last === written) written = null;
  moveTo(place);
  changed();
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button || drawing) return;
  canvas.setPointerCapture(event.pointerId);
  drawing = [pointOf(event)];
  strokes.push(drawing);
  changed();
});
canvas.addEventListener("pointermove", (event) => {
  if (!drawing || !canvas.hasPointerCapture(event.pointerId)) return;
  drawing.push(pointOf(event));
  changed();
});
for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { drawing = null; });

function moveTo([x, y]) {
  place = [x, y].map((one) => Math.min(Math.max(one, 0), canvas.width));
  cursor.style.left = `${(100 * place[0]) / canvas.width}%`;
  cursor.style.top = `${(100 * place[1]) / canvas.height}%`;
  cursor.classList.toggle("down", written !== null);
}

canvas.addEventListener("keydown", (event) => {
  const move = KEYS[event.key], pressed = event.key.toLowerCase();
  if (event.altKey || (event.ctrlKey || event.metaKey) && pressed !== "z") return;
  if (move) {
    moveTo([place[0] + move[0] * STEP, place[1] + move[1] * STEP]);
    if (written) written.push(place);
    const [column, row] = place.map((one) => Math.round(one / STEP));
    $("placed").textContent = say("place", { row, column });
    if (written) changed();
  } else if (pressed === " " || pressed === "enter") {
    written = written ? null : [place];
    if (written) strokes.push(written);
    moveTo(place);
    $("placed").textContent = say(written ? "pen-down" : "pen-up");
    changed();
  } else if (pressed === "delete" || pressed === "backspace") clear();
  else if (pressed === "u" || pressed === "z") undo();
  else return;
  event.preventDefault();
});
$("clear").addEventListener("click", () => { clear(); canvas.focus(); });
$("undo").addEventListener("click", undo);
moveTo(place);
begin(show);

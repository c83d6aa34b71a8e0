// The layers of the models. A vector is a Float64Array; a kernel has a row for each input, one after the other.

function bytesOf(base64) {
  const text = atob(base64), bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes.buffer;
}

function half(bits) { // a float16
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : fraction * 2 ** -24);
}

function arrayOf({ dtype, data, scale }) {
  const buffer = bytesOf(data);
  if (dtype === "float32") return new Float32Array(buffer);
  if (dtype === "float16") return Float32Array.from(new Uint16Array(buffer), half);
  const rows = new Float32Array(bytesOf(scale)), whole = new Int8Array(buffer); // int8 with a scale for each row
  const width = whole.length / rows.length;
  return Float32Array.from(whole, (number, i) => number * rows[Math.floor(i / width)]);
}

/** The model that the page carries, its weights unpacked. */
function modelOf(text) {
  return JSON.parse(text, (_, value) => (value?.dtype ? arrayOf(value) : value));
}

function affine(x, kernel, bias) {
  const width = bias.length, y = Float64Array.from(bias);
  for (let i = 0; i < x.length; i++) {
    const factor = x[i];
    if (!factor) continue; // most pixels of a digit
    for (let j = 0, k = i * width; j < width; j++, k++) y[j] += factor * kernel[k];
  }
  return y;
}

const sum = (x) => x.reduce((a, b) => a + b, 0);
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const bestOf = (x) => x.indexOf(Math.max(...x));

function softmax(x) {
  const most = Math.max(...x), shares = new Float64Array(x.length);
  let total = 0;
  for (let j = 0; j < x.length; j++) total += shares[j] = Math.exp(x[j] - most);
  for (let j = 0; j < x.length; j++) shares[j] /= total;
  return shares;
}

const ACTIVATIONS = {
  linear: (x) => x,
  relu: (x) => x.map((one) => Math.max(one, 0)),
  tanh: (x) => x.map(Math.tanh),
  sigmoid: (x) => x.map(sigmoid),
  softmax,
};

/** What the dense layers answer, before the last one's softmax; a single sigmoid is one of two classes. */
function logitsOf(layers, x) {
  const dense = layers.filter((layer) => layer.kind === "dense");
  dense.forEach((layer, place) => {
    x = affine(x, layer.kernel, layer.bias);
    if (place < dense.length - 1) x = ACTIVATIONS[layer.activation](x);
  });
  return x.length === 1 ? Float64Array.of(0, x[0]) : x;
}

const rowOf = (table, width, place) => table.subarray(place * width, (place + 1) * width);

/** A recurrent model: `start` is its state before the first word, `step` the state after one more. */
function recurrent(layers) {
  const table = layers[0], cells = layers.filter((layer) => layer.kind === "lstm");
  const products = new Map(); // of a word's vector and the first kernel
  const first = (id) => {
    if (!products.has(id)) {
      products.set(id, affine(rowOf(table.table, table.width, id), cells[0].kernel, cells[0].bias));
    }
    return products.get(id);
  };
  return {
    start: cells.map(({ bias }) => ({ h: new Float64Array(bias.length / 4), c: new Float64Array(bias.length / 4) })),
    step(states, id) {
      let x = null;
      return states.map((state, place) => {
        const { kernel, recurrent, bias } = cells[place];
        const after = lstm(affine(state.h, recurrent, x ? affine(x, kernel, bias) : first(id)), state.c);
        x = after.h;
        return after;
      });
    },
    logits: (states) => logitsOf(layers, states.at(-1).h),
  };
}

function lstm(gates, c) { // gates: input, forget, candidate, output
  const units = c.length, after = { h: new Float64Array(units), c: new Float64Array(units) };
  for (let j = 0; j < units; j++) {
    const kept = sigmoid(gates[units + j]) * c[j];
    after.c[j] = kept + sigmoid(gates[j]) * Math.tanh(gates[2 * units + j]);
    after.h[j] = sigmoid(gates[3 * units + j]) * Math.tanh(after.c[j]);
  }
  return after;
}

function dot(x, y) {
  let total = 0;
  for (let j = 0; j < x.length; j++) total += x[j] * y[j];
  return total;
}

function addTo(y, factor, x) {
  for (let j = 0; j < x.length; j++) y[j] += factor * x[j];
}

/** softmax(QK'/sqrt(d))V for each head, joined and projected: the rows, and for each head and row the weights. */
function attend(layer, rows) {
  const projected = ["query", "key", "value"].map((name) =>
    rows.map((row) => affine(row, layer[name].kernel, layer[name].bias)));
  const joined = rows.map(() => new Float64Array(projected[2][0].length)), weights = [];
  for (let head = 0; head < layer.heads; head++) {
    const [queries, keys, values, outputs] = [...projected, joined].map((every) => {
      const size = every[0].length / layer.heads;
      return every.map((row) => row.subarray(head * size, (head + 1) * size));
    });
    weights.push(queries.map((query, place) => {
      const scores = new Float64Array(keys.length), scale = Math.sqrt(query.length);
      for (let other = 0; other < keys.length; other++) scores[other] = dot(query, keys[other]) / scale;
      const shares = softmax(scores);
      for (let other = 0; other < keys.length; other++) addTo(outputs[place], shares[other], values[other]);
      return shares;
    }));
  }
  return { rows: joined.map((row) => affine(row, layer.output.kernel, layer.output.bias)), weights };
}

function normalised({ gamma, beta, epsilon }, row) {
  const mean = sum(row) / row.length, variance = sum(row.map((one) => (one - mean) ** 2)) / row.length;
  return row.map((one, j) => ((one - mean) / Math.sqrt(variance + epsilon)) * gamma[j] + beta[j]);
}

const plus = (x, y) => x.map((one, j) => one + y[j]);

/** The encoder block, and the mean of its rows: the logits, and the attention. Padding is left out from the start. */
function encoder(layers) {
  const [block] = layers, { width } = block;
  return (ids, length) => {
    const before = length - ids.length; // places of padding
    const rows = ids.map((id, place) =>
      plus(Float64Array.from(rowOf(block.table, width, id)), rowOf(block.positions, width, before + place)));
    const attended = attend(block, rows);
    const out = rows.map((row, place) => {
      const x = normalised(block.first, plus(row, attended.rows[place]));
      const hidden = ACTIVATIONS.relu(affine(x, block.hidden.kernel, block.hidden.bias));
      return normalised(block.second, plus(x, affine(hidden, block.widened.kernel, block.widened.bias)));
    });
    const mean = out.reduce(plus).map((one) => one / out.length);
    return { logits: logitsOf(layers, mean), attention: attended.weights };
  };
}

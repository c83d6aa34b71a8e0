// A drawing in the form of MNIST: 20 pixels tall or wide, its centre of mass on the centre of 28 x 28, strokes far
// thinner or thicker than MNIST's evened out first. A picture is { width, height, levels }, levels in rows.

const SIZE = 28, DIGIT = 20, CENTRE = 14;
const FINE = 4; // strokes are measured and evened out at so many times the resolution
const THIN = 1.6, THICK = 4.8; // pixels of the model

const rounded = (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x)); // halves to the even number
const greatest = (levels) => levels.reduce((a, b) => Math.max(a, b), 0);

function pictureOf(width, height, level) {
  const levels = new Float32Array(width * height);
  for (let y = 0, k = 0; y < height; y++) for (let x = 0; x < width; x++, k++) levels[k] = level(x, y);
  return { width, height, levels };
}

/** The picture's part that is not empty; null where all is. */
function cropped(picture) {
  let left = picture.width, right = -1, top = picture.height, bottom = -1;
  picture.levels.forEach((level, k) => {
    if (level <= 0.05) return;
    const x = k % picture.width, y = (k - x) / picture.width;
    left = Math.min(left, x), right = Math.max(right, x), top = Math.min(top, y), bottom = Math.max(bottom, y);
  });
  if (right < 0) return null;
  const level = (x, y) => picture.levels[(top + y) * picture.width + left + x];
  return pictureOf(right - left + 1, bottom - top + 1, level);
}

/** For each of `size` places the first of the `given` ones that it is made of, and their shares: triangles. */
function triangles(given, size) {
  const scale = given / size, reach = Math.max(scale, 1);
  return Array.from({ length: size }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const end = Math.min(given, Math.trunc(centre + reach + 0.5));
    const shares = [];
    for (let k = first; k < end; k++) shares.push(Math.max(0, 1 - Math.abs((k - centre + 0.5) / reach)));
    const total = sum(shares);
    return { first, shares: shares.map((share) => share / total) };
  });
}

/** The picture with its longer side of `longest` pixels. */
function resized(picture, longest) {
  const longer = Math.max(picture.width, picture.height);
  const [width, height] = [picture.width, picture.height].map((n) => Math.max(1, rounded((n * longest) / longer)));
  const across = triangles(picture.width, width), down = triangles(picture.height, height);
  const weighed = ({ first, shares }, level) => sum(shares.map((share, k) => share * level(first + k)));
  const narrow = pictureOf(width, picture.height, (x, y) =>
    weighed(across[x], (k) => picture.levels[y * picture.width + k]));
  return pictureOf(width, height, (x, y) =>
    Math.min(1, Math.max(0, weighed(down[y], (k) => narrow.levels[k * width + x]))));
}

/** About how wide the strokes are, in pixels of the model: twice the area by the length of the edges. */
function strokeOf({ width, levels }) {
  const solid = Array.from(levels, (level) => level > 0.4);
  let area = 0, edges = 0;
  solid.forEach((here, k) => {
    area += here;
    edges += (k + width < solid.length && here !== solid[k + width]) + ((k + 1) % width && here !== solid[k + 1]);
  });
  return (2 * area) / ((Math.max(edges, 1) * Math.PI) / 4) / FINE;
}

/** Each pixel the most, or the least, of the nine around it. */
function spread({ width, height, levels }, choose) {
  const inside = (n, size) => Math.min(size - 1, Math.max(0, n));
  return pictureOf(width, height, (x, y) => {
    let level = levels[y * width + x];
    for (const j of [y - 1, y, y + 1]) {
      for (const i of [x - 1, x, x + 1]) level = choose(level, levels[inside(j, height) * width + inside(i, width)]);
    }
    return level;
  });
}

/** The picture at the fine resolution with strokes of no less than THIN and no more than THICK. */
function evened(picture) {
  const most = greatest(picture.levels), edge = 2 * FINE;
  let padded = pictureOf(picture.width + 2 * edge, picture.height + 2 * edge, (x, y) => {
    const i = x - edge, j = y - edge, inside = i >= 0 && j >= 0 && i < picture.width && j < picture.height;
    return inside ? picture.levels[j * picture.width + i] / most : 0;
  });
  const stroke = strokeOf(padded);
  const change = stroke < THIN ? THIN - stroke : stroke > THICK ? THICK - stroke : 0;
  const steps = Math.min(FINE, rounded((Math.abs(change) * FINE) / 2)); // each moves both edges by a fine pixel
  for (let step = 0; step < steps; step++) padded = spread(padded, change > 0 ? Math.max : Math.min);
  return cropped(padded) ?? picture;
}

/** 28 x 28 with the centre of mass on the centre, as far as it fits. */
function centred({ width, height, levels }) {
  const total = sum(levels);
  const towards = (size, place) => {
    const shift = rounded(CENTRE - levels.reduce((mass, level, k) => mass + level * place(k), 0) / total);
    return Math.min(Math.max(shift, 0), SIZE - size);
  };
  const left = towards(width, (k) => k % width), top = towards(height, (k) => Math.floor(k / width));
  return pictureOf(SIZE, SIZE, (x, y) => {
    const i = x - left, j = y - top;
    return i >= 0 && j >= 0 && i < width && j < height ? levels[j * width + i] : 0;
  });
}

/** The 784 pixels that the model sees of a drawing on an empty ground; null where nothing is drawn. */
function digitOf(picture) {
  const most = greatest(picture.levels);
  const ink = most && cropped({ ...picture, levels: picture.levels.map((level) => level / most) });
  if (!ink) return null;
  const small = resized(evened(resized(ink, DIGIT * FINE)), DIGIT), peak = greatest(small.levels);
  return centred({ ...small, levels: small.levels.map((level) => level / peak) }).levels;
}

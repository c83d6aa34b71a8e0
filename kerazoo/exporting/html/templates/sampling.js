// Random numbers by Philox4x32-10 (Salmon et al. 2011), and the draw of a token: those of `kerazoo generate`.

const MULTIPLIERS = [0xd2511f53n, 0xcd9e8d57n];
const STEPS = [0x9e3779b9, 0xbb67ae85]; // of the key, from round to round
const SEED_KEY = [0x3ec8f720, 0x02461e29]; // with which key and counter are made of a seed

/** The four 32-bit words of a counter of four words under a key of two. */
function philox([a, b, c, d], [first, second]) {
  const product = (x, factor) => {
    const all = BigInt(x) * factor;
    return [Number(all >> 32n), Number(all & 0xffffffffn)];
  };
  for (let round = 0; round < 10; round++) {
    if (round) [first, second] = [(first + STEPS[0]) >>> 0, (second + STEPS[1]) >>> 0];
    const [[high0, low0], [high2, low2]] = [product(a, MULTIPLIERS[0]), product(c, MULTIPLIERS[1])];
    [a, b, c, d] = [(high2 ^ b ^ first) >>> 0, low2, (high0 ^ d ^ second) >>> 0, low0];
  }
  return [a, b, c, d];
}

/** The random number, from 0 to below 1, of the token at a place of a text. */
function shareOf(seed, place) {
  const words = [seed, place].flatMap((one) => [one >>> 0, one >> 31 >>> 0]); // 64 bits each, with the sign
  const [key0, key1, counter2, counter3] = philox(words, SEED_KEY);
  return (philox([0, 0, counter2, counter3], [key0, key1])[0] >>> 9) * 2 ** -23;
}

/** Draw a token by the temperature: 0 takes the most likely one. */
function drawn(logits, temperature, share) {
  const best = bestOf(logits);
  if (temperature < 1e-37) return best;
  let total = 0;
  const reached = logits.map((logit) => (total += Math.exp((logit - logits[best]) / temperature)));
  return reached.findIndex((sum) => sum > share * total);
}

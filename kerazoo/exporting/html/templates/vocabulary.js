// Texts to ids and back, as `kerazoo.data.Vocabulary` does it.

const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const NO_WORD = /[!"#$%&()*+,\-./:;<=>?@[\\\]^_`{|}~\t\n\r]/g;
const MARKUP = new RegExp(`<br[${SPACE}]*/?>`, "gi");
const LETTER = "[\\p{L}\\p{N}_]";
// Scripts whose words no spaces part: Thai, Lao, Myanmar, Khmer; kana, bopomofo, Han.
const UNSPACED = "\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff\\u3040-\\u30ff\\u3100-\\u312f\\u31f0-\\u31ff" +
  "\\u3400-\\u4dbf\\u4e00-\\u9fff\\uf900-\\ufaff\\uff66-\\uff9f\\u{20000}-\\u{3ffff}";
const SPACED = `(?:(?![${UNSPACED}])${LETTER})+`;
const WORDS = new RegExp(`[^${SPACE}]+`, "gu");
const CHARACTERS = new RegExp(`[${UNSPACED}]|${SPACED}(?:['’]${SPACED})*`, "gu");
const TOKENS = new RegExp(`${LETTER}+(?:['’]${LETTER}+)*|\\n|(?!${LETTER})[^${SPACE}]`, "gu");
const NO_SPACE_BEFORE = / ([,.;:!?)\]}’'\n])|(?<=[\n([{]) /g;

const UNITS = {
  char: { split: (text) => Array.from(text), join: (tokens) => tokens.join("") },
  token: {
    split: (text) => text.match(TOKENS) ?? [],
    join: (tokens) => tokens.join(" ").replace(NO_SPACE_BEFORE, (_, mark) => mark ?? ""),
  },
  word: { split: (text) => text.replace(MARKUP, " ").toLowerCase().replace(NO_WORD, " ").match(WORDS) ?? [] },
  character: { split: (text) => text.replace(MARKUP, " ").toLowerCase().match(CHARACTERS) ?? [] },
};

/** What splits texts, knows the ids of tokens, and joins them; `unknown` is the id of all other tokens. */
function vocabularyOf({ unit, tokens, unknown }) {
  const ids = new Map(tokens.map((token, place) => [token, place]));
  return { unknown, tokens, ...UNITS[unit], idOf: (token) => ids.get(token) ?? unknown };
}

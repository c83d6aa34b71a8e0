"""LaTeX as documents quote it, typeset as MathML: the commands that stand in claims, and formulas that break off."""

from __future__ import annotations

import re
from collections.abc import Callable

from markupsafe import Markup, escape

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[A-Za-z]|\d+(?:\.\d+)?|[^\x00-\x7f]+|\S")
_LATEX = re.compile(r"\\[A-Za-z]{2,}|[_^]\{")
_WORDS = ("log", "exp", "max", "min", "softmax", "sin", "cos", "tanh", "lim")
_GREEK = "alpha beta gamma delta epsilon eta theta lambda mu pi rho sigma tau phi omega"
_SIGNS = "nabla partial cdot times approx leq geq neq ne sum prod int infty in to leftarrow odot pm ldots prime top mid"
_SYMBOLS = dict(zip(f"{_GREEK} {_SIGNS}".split(), "αβγδεηθλμπρστφω∇∂·×≈≤≥≠≠∑∏∫∞∈→←⊙±…′⊤∣", strict=True))
_BLACKBOARD = {"R": "ℝ", "N": "ℕ", "Z": "ℤ", "E": "𝔼"}
_PASSED_OVER = {"left", "right", "quad", "qquad", ",", ";", " ", "!", "\\"}


def is_latex(text: str) -> bool:
    """Tell whether `text` has commands, or groups in braces, of LaTeX."""
    return bool(_LATEX.search(text))


def is_whole(latex: str) -> bool:
    """Tell whether a formula is one that every typesetter takes: its groups and brackets are closed."""
    left, right = (len(re.findall(rf"\\{name}(?![A-Za-z])", latex)) for name in ("left", "right"))
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", latex):
        depth += 1 if brace == "{" else -1
        if depth < 0:
            return False
    closed = depth == 0 and left == right and latex.count(r"\begin") == latex.count(r"\end")
    return closed and not latex.endswith(("\\", "_", "^")) and "$" not in latex


def mathml(latex: str) -> Markup:
    """Return a formula as a `<math>` element; of what it does not know the name stays."""
    reader = _Reader(_TOKEN.findall(latex.replace("\\text{", "\\text {")), latex)
    return Markup("<math>{}</math>").format(Markup("").join(reader.row()))


class _Reader:
    """Reads tokens from the left; a group that is not closed ends with the formula."""

    def __init__(self, tokens: list[str], latex: str) -> None:
        self._tokens = tokens[::-1]
        self._texts = re.findall(r"\\text\s*\{([^}]*)", latex)[::-1]

    def row(self, end: str = "") -> list[Markup]:
        """Return the elements up to the token `end`."""
        found: list[Markup] = []
        while self._tokens and self._tokens[-1] != end:
            self._read_onto(found)
        if self._tokens:
            self._tokens.pop()
        return found

    def _read_onto(self, found: list[Markup]) -> None:
        """Append the next element, or put scripts to the last one."""
        if self._tokens[-1] in ("_", "^"):
            found.append(self._scripts(found.pop() if found else Markup("<mrow></mrow>")))
        else:
            found.append(self._one())

    def _scripts(self, base: Markup) -> Markup:
        """Return `base` with what is below and above it, in either order."""
        parts: dict[str, Markup] = {}
        while self._tokens and self._tokens[-1] in ("_", "^") and self._tokens[-1] not in parts:
            kind = self._tokens.pop()
            parts[kind] = self._one()
        name = {"_": "msub", "^": "msup"}.get("".join(parts), "msubsup")
        inner = Markup("").join(parts[kind] for kind in "_^" if kind in parts)
        return Markup(f"<{name}>{base}{inner}</{name}>")

    def _one(self) -> Markup:
        """Return the next token or group as one element."""
        if not self._tokens:
            return Markup("<mrow></mrow>")
        token = self._tokens.pop()
        if token == "{":
            return Markup("<mrow>{}</mrow>").format(Markup("").join(self.row("}")))
        if token.startswith("\\"):
            return self._command(token[1:])
        kind = "mi" if token.isalpha() and token.isascii() else "mn" if token[0].isdigit() else "mo"
        return Markup("<{0}>{1}</{0}>").format(Markup(kind if token.isascii() else "mtext"), token)

    def _command(self, name: str) -> Markup:
        if name in _READ:
            return _READ[name](self, name)
        if name in _PASSED_OVER:
            return Markup("")
        if name in _SYMBOLS:
            kind = "mi" if _SYMBOLS[name].isalpha() else "mo"
            return Markup(f"<{kind}>{_SYMBOLS[name]}</{kind}>")
        return Markup("<mi>{}</mi>").format(name if name in _WORDS else escape(name))

    def _text(self, _: str) -> Markup:
        if self._tokens and self._tokens.pop() == "{":
            self.row("}")
        return Markup("<mtext>{}</mtext>").format(self._texts.pop() if self._texts else "")

    def _fraction(self, _: str) -> Markup:
        return Markup("<mfrac>{}{}</mfrac>").format(self._one(), self._one())

    def _marked(self, name: str) -> Markup:
        inner = self._one()
        mark = {"hat": "^", "bar": "¯"}.get(name)
        return Markup(f"<mover>{inner}<mo>{mark}</mo></mover>" if mark else f"<msqrt>{inner}</msqrt>")

    def _letters(self, name: str) -> Markup:
        letters = "".join(self._group())
        return Markup("<mi>{}</mi>").format(_BLACKBOARD.get(letters, letters) if name == "mathbb" else letters)

    def _table(self, _: str) -> Markup:
        r"""Return what stands between `\begin{...}` and `\end{...}`: rows, of `cases` behind a brace."""
        name = "".join(self._group())
        rows: list[list[list[Markup]]] = [[[]]]
        while self._tokens and self._tokens[-1] != r"\end":
            if self._tokens[-1] == "&":
                self._tokens.pop()
                rows[-1].append([])
            elif self._tokens[-1] == "\\\\":
                self._tokens.pop()
                rows.append([[]])
            else:
                self._read_onto(rows[-1][-1])
        if self._tokens:
            self._tokens.pop()
            self._group()
        lines = ([Markup("<mtd>{}</mtd>").format(Markup("").join(cell)) for cell in row] for row in rows)
        table = Markup("").join(Markup("<mtr>{}</mtr>").format(Markup("").join(line)) for line in lines)
        brace = Markup("<mo>{</mo>") if name == "cases" else Markup("")
        return Markup("<mrow>{}<mtable>{}</mtable></mrow>").format(brace, table)

    def _group(self) -> list[str]:
        """Return the tokens of a group, without its braces; of no group the next token."""
        if not self._tokens or self._tokens[-1] != "{":
            return [self._tokens.pop()] if self._tokens else []
        self._tokens.pop()
        found = []
        while self._tokens and self._tokens[-1] != "}":
            found.append(self._tokens.pop())
        if self._tokens:
            self._tokens.pop()
        return found


_READ: dict[str, Callable[[_Reader, str], Markup]] = {
    "text": _Reader._text,
    "frac": _Reader._fraction,
    "begin": _Reader._table,
    **dict.fromkeys(("sqrt", "hat", "bar"), _Reader._marked),
    **dict.fromkeys(("mathrm", "mathbf", "operatorname", "mathbb"), _Reader._letters),
}

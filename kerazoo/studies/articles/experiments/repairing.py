"""Runs a program as it is printed, then with one repair after the other until it runs."""

from __future__ import annotations

import re
import traceback
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Program = Callable[[Collection[str]], dict[str, Any]]
"""A program as a function of the names of the repairs that are made in it; it returns JSON values."""

QUIET: dict[str, Any] = {"verbose": 0}
"""What our lines add to a printed call: no progress bar."""

# How a line of ours reads in the document, and what differs from run to run in an error.
_AS_PRINTED = ((r", \*\*QUIET", ""), (r'named\("(\w+)"\)', r"\1"))
_VARYING = ((r"\x1b\[\d*m", ""), (r"indices\[[\d,]+\] = \d+", "an index"), (r" with name '\S+' and path ''", ""))
# Errors from a compiled graph and from a layer begin with where they happened.
_PLACES = ("Graph execution error", "Detected at node", "File ", "Exception encountered when calling", "Arguments ")


@dataclass(frozen=True)
class Repair:
    """A change to a program: what is done, and why it has to be."""

    name: str
    what: str
    why: str


def run_repaired(program: Program, repairs: Sequence[Repair] = ()) -> dict[str, Any]:
    """Run `program` as printed, and while it fails with one more of `repairs`, in their order.

    Returns:
        `runs`, whether it ran as printed; `repairs`, for each that was needed the failing `call`, the `error`, what was
        done and why; the `warnings` of the run that succeeded; and what the program returned then.

    Raises:
        Exception: the program's own, where it still fails with every repair.
    """
    made: list[str] = []
    needed: list[dict[str, str]] = []
    for repair in (*repairs, None):
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                result = program(made)
        except Exception as error:
            if repair is None:
                raise
            made.append(repair.name)
            failure = {"call": _call(program, error), "error": _message(error)}
            needed.append({**failure, "what": repair.what, "why": repair.why})
        else:
            break
    heard = sorted({f"{warning.category.__name__}: {str(warning.message).splitlines()[0]}" for warning in caught})
    values = {"runs": not needed, "repairs": needed, "warnings": heard, **result}
    first = "It runs as printed" + (f", with a warning ({heard[0]})." if heard else ".")
    if needed:
        count = "1 repair" if len(needed) == 1 else f"{len(needed)} repairs"
        first = f"As printed it fails at `{needed[0]['call']}` ({needed[0]['error']}); it runs with {count}."
    return {**values, "note": " ".join([first, result.get("note", "")]).strip()}


def names(definitions: Mapping[str, Any]) -> Callable[[str], Any]:
    """Return `named`: in a program `named("x")` stands for the name x, Python's NameError included."""
    return lambda name: eval(name, dict(definitions))


def _call(program: Program, error: Exception) -> str:
    """Return the line of `program` that raised `error`."""
    frames = traceback.extract_tb(error.__traceback__)
    line = next(frame.line or "" for frame in frames if frame.name == program.__name__)
    return _replaced(line, _AS_PRINTED)


def _message(error: Exception) -> str:
    """Return the error's type and the line of its message that says what is wrong."""
    lines = [_replaced(line.strip(), _VARYING) for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(_PLACES)]
    return f"{type(error).__name__}: {(telling or lines or [''])[0]}"


def _replaced(text: str, patterns: Sequence[tuple[str, str]]) -> str:
    for pattern, replacement in patterns:
        text = re.sub(pattern, replacement, text)
    return text

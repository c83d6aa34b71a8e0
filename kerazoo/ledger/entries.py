"""The ledger's entries: one TOML file a document, read and checked."""

from __future__ import annotations

import os
import tomllib
import typing
from collections.abc import Collection, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from kerazoo.errors import LedgerError, did_you_mean

LEDGER = Path(__file__).parents[1] / "claims"
"""The packaged ledger."""

KINDS = ("formula", "arithmetic", "program", "metric", "timing", "statement")
RULES = ("true", "equal", "runs", "equivalence", "effect", "timing", "unstated")
_LONGEST_QUOTE = 80
_TYPE_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false", dict: "a table of texts"}


@dataclass(frozen=True)
class Entry:
    """What a document claims, and how it is to be judged; `kerazoo.schema.Claim` explains the fields they share.

    `value` is the dotted path of the claim's value in the rows of the experiment `check`, and `binomial` the size of
    the test set that an accuracy was measured on. `clock` says that the value depends on how fast the machine is, and
    so on the hour. `beside` has the paths of what is told with an effect, by its name: a smaller gap in the loss may be
    that of a worse classifier. `caveat` is what the reader of the verdict has to know of the claim's other readings and
    of what the experiment leaves untested. `documented` may be left out where the rule is "unstated".
    """

    document: str
    title: str
    id: str
    section: str
    kind: str
    quote: str
    gloss: str
    metric: str
    reason: str
    check: str
    value: str
    rule: str
    documented: Any = None
    model: str = ""
    unit: str = ""
    tolerance: float = 0.0
    design: str = ""
    binomial: int | None = None
    clock: bool = False
    beside: dict[str, str] = field(default_factory=dict)
    caveat: str = ""


_TYPES = {
    name: next(iter(typing.get_args(kind)), kind) if typing.get_origin(kind) is not dict else dict
    for name, kind in typing.get_type_hints(Entry).items()
}
_REQUIRED = [one.name for one in fields(Entry) if one.default is MISSING and one.default_factory is MISSING]
_OF_DOCUMENT = ("document", "title")


def load_entries(directory: str | os.PathLike[str] | None = None, checks: Collection[str] | None = None) -> list[Entry]:
    """Return every entry of the ledger, in the order of the files.

    Args:
        directory: holds the TOML files; None is the packaged ledger.
        checks: the names that `check` may have; None takes any.

    Raises:
        LedgerError: a file or an entry is not as it must be; the message names both.
    """
    folder = LEDGER if directory is None else Path(directory)
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise LedgerError(f"'{folder}' holds no ledger; wanted TOML files such as 001.toml")
    entries = [entry for path in paths for entry in _load_file(path)]
    known: set[str] = set()
    for entry in entries:
        if entry.id in known:
            raise LedgerError(f"{folder}: the id '{entry.id}' stands twice; give each claim its own")
        if checks is not None and entry.check not in checks:
            near = did_you_mean(entry.check, checks)
            raise LedgerError(f"{entry.document}.toml, {entry.id}: no experiment is named '{entry.check}'.{near}")
        known.add(entry.id)
    return entries


def _load_file(path: Path) -> list[Entry]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LedgerError(f"{path.name} cannot be read as TOML: {error}") from None
    heading = {name: content.get(name) for name in _OF_DOCUMENT}
    for name, value in heading.items():
        if not isinstance(value, str):
            raise LedgerError(f'{path.name}: wanted `{name} = "..."` at the top, found {value!r}')
    tables = content.get("claim")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise LedgerError(f"{path.name}: wanted claims as [[claim]] tables")
    unknown = set(content) - {*_OF_DOCUMENT, "claim"}
    if unknown:
        raise LedgerError(f"{path.name}: unknown key '{min(unknown)}' at the top; wanted document, title, [[claim]]")
    return [_entry(path.name, place, heading, table) for place, table in enumerate(tables, start=1)]


def _entry(file: str, place: int, heading: Mapping[str, Any], table: Mapping[str, Any]) -> Entry:
    """Return the `place`-th claim of `file`, once its keys, types and values are checked."""
    where = f"{file}, {table.get('id', f'claim {place}')}"
    for name in table:
        if name not in _TYPES or name in _OF_DOCUMENT:
            raise LedgerError(f"{where}: unknown key '{name}'.{did_you_mean(name, _TYPES)}")
    for name in _REQUIRED:
        if name not in table and name not in _OF_DOCUMENT:
            raise LedgerError(f"{where}: '{name}' is missing")
    for name, value in table.items():
        if not _is_a(value, _TYPES[name]):
            raise LedgerError(f"{where}: '{name}' wants {_TYPE_NAMES[_TYPES[name]]}, not {value!r}")
    entry = Entry(**heading, **table)
    fault = _fault(entry)
    if fault:
        raise LedgerError(f"{where}: {fault}")
    return entry


def _is_a(value: Any, kind: Any) -> bool:
    if kind is Any or isinstance(value, bool):
        return kind in (Any, bool)
    return isinstance(value, (int, float) if kind is float else kind)


def is_number(value: Any) -> bool:
    """Tell whether `value` is an int or a float, and no bool."""
    return _is_a(value, float)


def _fault(entry: Entry) -> str:
    """Return what is wrong with the values of `entry`, or an empty text."""
    one_of = (("kind", entry.kind, KINDS), ("rule", entry.rule, RULES))
    for name, value, accepted in one_of:
        if value not in accepted:
            return f"{name} '{value}' is unknown; wanted one of {', '.join(accepted)}"
    faults = {
        f"the id wants to begin with '{entry.document}/'": not entry.id.startswith(f"{entry.document}/"),
        f"the quote has {len(entry.quote)} characters; at most {_LONGEST_QUOTE}": len(entry.quote) > _LONGEST_QUOTE,
        "'documented' is missing": entry.documented is None and entry.rule != "unstated",
        f"tolerance = {entry.tolerance}; wanted 0 or more": not 0 <= entry.tolerance < float("inf"),
        f"binomial = {entry.binomial}; wanted the size of a test set": entry.binomial is not None
        and entry.binomial < 1,
        "rule 'equivalence' wants a documented number": entry.rule == "equivalence" and not is_number(entry.documented),
        "rule 'equivalence' wants a tolerance above 0": entry.rule == "equivalence" and entry.tolerance == 0,
        "rule 'effect' wants the design of the experiment": entry.rule == "effect" and not entry.design,
        "'beside' is for rule 'effect'": bool(entry.beside) and entry.rule != "effect",
        "'beside' wants a dotted path for each name": not all(
            isinstance(path, str) and all(path.split(".")) for path in entry.beside.values()
        ),
        "rule 'runs' is for programs": entry.rule == "runs" and entry.kind != "program",
        **{f"'{name}' is empty": not getattr(entry, name) for name in _REQUIRED},
    }
    return next((fault for fault, found in faults.items() if found), "")

"""The articles' claims, judged by what their exact experiments give here; for tests."""

from kerazoo import Setting
from kerazoo.ledger.study import load_study
from kerazoo.ledger.verdicts import judge

STUDY = load_study()
ENTRIES = {entry.id: entry for entry in STUDY.entries}

MEASURED = {}


def measured(check):
    """The values of an experiment, measured once for all tests."""
    if check not in MEASURED:
        one = STUDY.experiments[check]
        MEASURED[check] = one.measure(Setting(source="tfds" if one.data else "none"))
    return MEASURED[check]


def claim(id):
    entry = ENTRIES[id]
    row = {"experiment": entry.check, "revision": 1, "seed": 0, "values": measured(entry.check), "source": "none"}
    return judge(entry, [{**row, "kerazoo": "0", "data": {}, "environment": {}, "measured_at": "2025-01-01"}])

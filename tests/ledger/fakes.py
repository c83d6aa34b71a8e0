"""Rows of a record and claims of a study, made up; nothing here needs TensorFlow."""

import json

from kerazoo.ledger.record import digest

CPU = {
    "cpu": "test processor",
    "cores": 2,
    "gpus": [],
    "backend": "tensorflow",
    "precision": "float32",
    "versions": {"tensorflow": "2.21", "keras": "3.13"},
}


def make_row(seed=0, values=None, experiment="probe", revision=1, source="none", environment=CPU, at="2025-01-01"):
    """Return a row of the record."""
    return {
        "experiment": experiment,
        "revision": revision,
        "seed": seed,
        "values": values or {},
        "source": source,
        "data": {},
        "kerazoo": "0.0",
        "environment": environment,
        "seconds": 1.0,
        "measured_at": at,
    }


def make_claim(**fields):
    """Return the keys of one claim in a study."""
    return {
        "id": "009/number",
        "section": "1",
        "kind": "metric",
        "quote": "0.84",
        "gloss": "the number",
        "documented": 0.84,
        "metric": "a number",
        "tolerance": 0.02,
        "reason": "a test",
        "experiment": "probe",
        "value": "number",
        "rule": "equivalence",
        **fields,
    }


def change(path, old, new):
    """Change the values of a record's file as one who also makes the digests anew."""
    rows = [json.loads(line.replace(old, new)) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**row, "digest": digest(row)}) + "\n" for row in rows))

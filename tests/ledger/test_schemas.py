"""The published schemas of claims and rows: they are those of the code, and hold for what the package has."""

import json
from pathlib import Path

import pytest
from fakes import make_row

import kerazoo
from kerazoo.files import to_json
from kerazoo.ledger.record import as_written
from kerazoo.ledger.schemas import claim_schema, row_schema
from kerazoo.ledger.study import load_study
from kerazoo.report.verdicts import records

DOCS = Path(__file__).parents[2] / "docs"
jsonschema = pytest.importorskip("jsonschema")


@pytest.mark.parametrize(("name", "schema"), [("claim", claim_schema()), ("row", row_schema())])
def test_the_schema_is_published(name, schema):
    assert json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8")) == schema
    jsonschema.Draft202012Validator.check_schema(schema)
    assert all(one["description"] for one in schema["properties"].values())


def test_every_claim_keeps_the_schema():
    validator = jsonschema.Draft202012Validator(claim_schema())
    claims = json.loads(to_json(records(kerazoo.claims())))
    assert [fault.message for claim in claims for fault in validator.iter_errors(claim)] == []
    assert set(claim_schema()["required"]) == set(claims[0])
    for wrong in ({"verdict": "true"}, {"n": 1.5}, {"interval": [1]}, {"zh": {"metric": 3}}, {"more": 1}):
        assert list(validator.iter_errors({**claims[0], **wrong}))


def test_every_row_keeps_the_schema():
    validator = jsonschema.Draft202012Validator(row_schema())
    rows = [*load_study().rows(), as_written(make_row())]
    assert [fault.message for row in rows for fault in validator.iter_errors(row)] == []
    for wrong in ({"seed": "0"}, {"source": "elsewhere"}, {"digest": "x"}, {"seconds": None}):
        assert list(validator.iter_errors({**rows[0], **wrong}))

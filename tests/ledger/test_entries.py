import re

import pytest
from fakes import make_claim

import kerazoo
from kerazoo.ledger.catalog import experiments
from kerazoo.ledger.entries import KINDS, load_entries


def test_an_entry_is_read_as_it_stands(write_ledger):
    (entry,) = load_entries(write_ledger(make_claim(documented=25000, tolerance=0, rule="equal", binomial=25000)))
    assert (entry.document, entry.title, entry.id, entry.documented) == ("009", "A test", "009/number", 25000)
    assert (entry.tolerance, entry.binomial, entry.model, entry.unit) == (0, 25000, "", "")


@pytest.mark.parametrize(
    ("claim", "fault"),
    [
        (make_claim(kind="metrics"), "kind 'metrics' is unknown"),
        (make_claim(rule="equals"), "rule 'equals' is unknown"),
        (make_claim(quote=None), "'quote' is missing"),
        (make_claim(quote=""), "'quote' is empty"),
        (make_claim(quote="x" * 81), "81 characters"),
        (make_claim(section=5), "'section' wants text, not 5"),
        (make_claim(tolerance="0.02"), "'tolerance' wants a number"),
        (make_claim(tolerance=-1), "wanted 0 or more"),
        (make_claim(tolerance=0), "tolerance above 0"),
        (make_claim(documented="0.84"), "documented number"),
        (make_claim(documented=None), "'documented' is missing"),
        (make_claim(binomial=2.5), "'binomial' wants a whole number"),
        (make_claim(tolerence=1), "unknown key 'tolerence'. Did you mean 'tolerance'?"),
        (make_claim(document="001"), "unknown key 'document'"),
        (make_claim(id="008/number"), "begin with '009/'"),
        (make_claim(rule="effect"), "design"),
        (make_claim(rule="runs"), "for programs"),
        (make_claim(beside={"Accuracy": "accuracy"}), "'beside' is for rule 'effect'"),
        (make_claim(beside={"Accuracy": "accuracy."}, rule="effect", design="groups"), "wants a dotted path"),
        (make_claim(beside=3), "'beside' wants a table"),
        (make_claim(clock=1), "'clock' wants true or false"),
        (make_claim(tolerance=True), "'tolerance' wants a number"),
    ],
)
def test_a_faulty_entry_is_named_with_its_file_and_id(write_ledger, claim, fault):
    with pytest.raises(kerazoo.LedgerError, match=re.escape(fault)) as caught:
        load_entries(write_ledger(claim))
    line = str(caught.value)
    assert line.startswith(f"009.toml, {claim['id']}: ") and "\n" not in line


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("document = ", "cannot be read as TOML"),
        ('title = "A test"\n', "document"),
        ('document = "009"\ntitle = "A test"\nsections = 3\nclaim = []\n', "unknown key 'sections'"),
        ('document = "009"\ntitle = "A test"\n[claim]\nid = "009/a"\n', r"\[\[claim\]\]"),
    ],
)
def test_a_faulty_file_is_named(write_ledger, text, fault):
    with pytest.raises(kerazoo.LedgerError, match=fault) as caught:
        load_entries(write_ledger(heading=text))
    assert "009.toml" in str(caught.value)


def test_ids_are_unique_and_checks_exist(write_ledger):
    with pytest.raises(kerazoo.LedgerError, match="'009/number' stands twice"):
        load_entries(write_ledger(make_claim(), make_claim()))
    with pytest.raises(kerazoo.LedgerError, match="009/number: no experiment is named 'probe'. Did you mean 'probes'"):
        load_entries(write_ledger(make_claim()), checks=["probes"])


def test_a_directory_without_a_ledger_is_refused(tmp_path):
    with pytest.raises(kerazoo.LedgerError, match="holds no ledger"):
        load_entries(tmp_path)


def test_the_packaged_ledger_covers_the_documents():
    entries = load_entries(checks=experiments())
    assert len(entries) >= 85
    assert {entry.document for entry in entries} == {"000", "001", "002", "003", "004"}
    assert {entry.kind for entry in entries} == set(KINDS)
    cells = [entry for entry in entries if entry.id.startswith("001/epoch-table/")]
    assert len(cells) == 40 and all(isinstance(cell.documented, float) for cell in cells)
    assert {entry.model for entry in entries} <= {"", *kerazoo.list_models()}


def test_the_claims_of_a_model_are_in_the_ledger():
    ids = [entry.id for entry in load_entries()]
    for name in kerazoo.list_models("*"):
        for claim in kerazoo.spec(name).claims:
            assert any(one == claim or one.startswith(f"{claim}/") for one in ids), claim

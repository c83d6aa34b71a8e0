import json
import subprocess
import sys

import pytest
from fakes import make_claim, make_row

import kerazoo
from kerazoo.cli import main
from kerazoo.ledger.record import append_row


@pytest.fixture
def study(write_study, experiment):
    for name in ("probe", "other"):
        experiment(name)(lambda setting: {})
    return write_study(
        make_claim(),
        make_claim(id="009/table/e01", model="imdb_lstm"),
        make_claim(id="009/table/e02", rule="unstated", documented=None),
        make_claim(id="009/tabloid", experiment="other"),
    )


@pytest.fixture
def record(tmp_path):
    folder = tmp_path / "record"
    for seed, value in enumerate([0.839, 0.843, 0.835]):
        append_row(folder, make_row(seed, {"number": value}))
    return folder


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        (None, ["number", "table/e01", "table/e02", "tabloid"]),
        ("009", ["number", "table/e01", "table/e02", "tabloid"]),
        ("009/table", ["table/e01", "table/e02"]),
        ("009/table/e", ["table/e01", "table/e02"]),
        ("009/number", ["number"]),
        ("imdb_lstm", ["table/e01"]),
        ("mnist_mlp", []),
        (["imdb_lstm", "009/number"], ["number", "table/e01"]),
    ],
)
def test_claims_are_chosen_by_document_id_or_model(study, record, name, ids):
    found = kerazoo.claims(name, study=study, record=record)
    assert [claim.id for claim in found] == [f"009/{one}" for one in ids]


def test_a_claim_is_told_in_full_above_the_table_of_those_below_it(write_study, experiment, record, capsys):
    experiment("probe")(lambda setting: {})
    family = [make_claim(id=f"009/table{name}", gloss=f"the gloss of '{name}'") for name in ("", "/e01", "/e02")]
    study, glosses = write_study(*family), [f"the gloss of '{name}'" for name in ("", "/e01", "/e02")]

    def told(*names):
        assert main(["claims", *names, "--study", str(study), "--record", str(record)]) == 0
        return capsys.readouterr().out

    text = told("009/table")
    assert [gloss in text for gloss in glosses] == [True, False, False]
    assert text.index("quote") < text.index("009/table/e01") and "1 fact" not in text and "2 claims" in text
    assert [gloss in told("009/table/e01") for gloss in glosses] == [False, True, False]
    for names in (["009"], ["009/table/e"], ["009/table", "009/table/e01"]):
        assert not any(gloss in told(*names) for gloss in glosses)


def test_a_changed_number_in_the_ledger_or_the_record_changes_the_verdict(study, record):
    def verdict():
        return kerazoo.claims("009/number", study=study, record=record)[0].verdict

    assert verdict() == "reproduced"
    file = study / "009.toml"
    text = file.read_text()
    file.write_text(text.replace("documented = 0.84", "documented = 0.89", 1))
    assert verdict() == "not_reproduced"
    file.write_text(text)
    assert verdict() == "reproduced"
    append_row(record, make_row(2, {"number": 0.735}, at="2025-01-02"))
    assert verdict() == "undecided"


def test_an_earlier_revision_of_an_experiment_no_longer_counts(study, record, experiment):
    experiment("probe", revision=2)(lambda setting: {})
    (claim,) = kerazoo.claims("009/number", study=study, record=record)
    assert claim.verdict == "not_measured" and "earlier design" in claim.note


def test_a_name_is_of_one_experiment(tmp_path, write_study):
    twice = "import kerazoo\n" + "\n".join(
        f"@kerazoo.experiment('probe')\ndef {name}(setting):\n    return {{}}" for name in ("one", "other")
    )
    with pytest.raises(kerazoo.LedgerError, match="two experiments are named 'probe': .*one, .*other"):
        kerazoo.claims(study=write_study(make_claim(), experiments=twice))


def test_fewer_seeds_than_the_catalog_wants_are_told(study, record, experiment):
    experiment("probe", seeds=5)(lambda setting: {})
    assert "Measured with 3 of the 5 seeds wanted." in kerazoo.claims("009/number", study=study, record=record)[0].note


def test_what_is_not_there_is_named(study, record, write_study):
    with pytest.raises(kerazoo.InputError, match=r"'009/nummer'\. Did you mean '009/number'"):
        kerazoo.claims("009/nummer", study=study, record=record)
    with pytest.raises(kerazoo.InputError, match="Did you mean 'imdb_lstm'"):
        kerazoo.claims("imdb_lstn", study=study, record=record)
    with pytest.raises(kerazoo.InputError, match="not a directory"):
        kerazoo.claims(study=study, record=record / "none")
    with pytest.raises(kerazoo.LedgerError, match="no experiment is named 'prob'. Did you mean 'probe'"):
        kerazoo.claims(study=write_study(make_claim(experiment="prob")), record=record)


def test_the_packaged_claims_are_read_without_tensorflow():
    code = """
import sys, kerazoo
found = kerazoo.claims()
ids = [claim.id for claim in found]
assert len(set(ids)) == len(ids) >= 85
assert all(claim.note or claim.verdict != "not_measured" for claim in found)
assert not {"tensorflow", "keras"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_one_claim_is_told_whole(write_study, experiment, tmp_path, capsys):
    experiment("probe")(lambda setting: {})
    repair = {"call": "model.fit(x)", "error": "ValueError: shape", "what": "Flatten x", "why": "it is 28 x 28."}
    append_row(tmp_path / "record", make_row(0, {"number": 0.84, "repairs": [repair]}))
    where = ["--study", str(write_study(make_claim(binomial=100))), "--record", str(tmp_path / "record")]
    assert main(["claims", "009/number", *where]) == 0
    output = capsys.readouterr().out
    for told in (
        "Flatten x: it is 28 x 28. Without it `model.fit(x)` fails: ValueError: shape",
        "(Wilson, 95 %): 0.7558 to 0.8990",
        "TensorFlow 2.21, Keras 3.13",
    ):
        assert told in output


def test_the_command_prints_a_table_one_claim_or_json(study, record, capsys):
    where = ["--study", str(study), "--record", str(record)]
    assert main(["claims", *where]) == 0
    output = capsys.readouterr().out
    (line,) = (line for line in output.splitlines() if line.startswith("009/number"))
    assert line.split() == ["009/number", "0.84", "0.8390", "±", "0.0099", "(3", "seeds)", "reproduced"]
    assert output.splitlines()[-1] == "4 claims: 2 reproduced, 1 not comparable, 1 not measured"
    assert main(["claims", "009/number", *where]) == 0
    assert "equivalence to 0.84 ± 0.02" in capsys.readouterr().out
    assert main(["claims", "imdb_lstm", "--json", *where]) == 0
    (claim,) = json.loads(capsys.readouterr().out)
    fields = "id document section model kind quote documented measured verdict note interval sd n binomial seeds"
    assert set(fields.split()) <= set(claim)
    assert (claim["verdict"], claim["interval"]) == ("reproduced", pytest.approx([0.829063, 0.848937], abs=1e-6))
    assert main(["claims", "nothing", *where]) == 2
    assert capsys.readouterr().err.startswith("kerazoo: error: no model or claim is named 'nothing'.")


def test_an_installed_package_offers_a_study_by_its_name(tmp_path, monkeypatch):
    package = tmp_path / "offered_study"
    (package / "experiments").mkdir(parents=True)
    (tmp_path / "offered-1.dist-info").mkdir()
    (tmp_path / "offered-1.dist-info" / "METADATA").write_text("Name: offered\nVersion: 1\n")
    (tmp_path / "offered-1.dist-info" / "entry_points.txt").write_text("[kerazoo.studies]\noffered = offered_study\n")
    (package / "__init__.py").write_text("")
    (package / "experiments" / "__init__.py").write_text("")
    measure = "import kerazoo\n\n\n@kerazoo.experiment('probe')\ndef probe(setting):\n    return {'number': 0.84}\n"
    (package / "experiments" / "probes.py").write_text(measure)
    claim = "\n".join(f"{name} = {json.dumps(value)}" for name, value in make_claim().items())
    (package / "009.toml").write_text(f'document = "009"\ntitle = "A test"\n[[claim]]\n{claim}\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert [claim.id for claim in kerazoo.claims(study="offered")] == ["009/number"]
    found = kerazoo.reproduce(study="offered", verbose=False)
    assert (found.claims[0].verdict, str(found.out)) == ("reproduced", "runs/reproduce/offered_study")
    with pytest.raises(kerazoo.InputError, match="study 'offerd' is neither .* Did you mean 'offered'"):
        kerazoo.claims(study="offerd")

import json
import re
from pathlib import Path

import pytest
from fakes import make_claim

import kerazoo
from kerazoo.cli import main
from kerazoo.ledger.documents import study_schema
from kerazoo.ledger.study import PACKAGED, load_study

PROBE = "import kerazoo\n\n\n@kerazoo.experiment('probe')\ndef probe(setting):\n    return {}\n"


def test_an_entry_is_read_as_it_stands(write_study):
    claim = make_claim(documented=25000, tolerance=0, rule="equal", binomial=25000)
    (entry,) = load_study(write_study(claim, experiments=PROBE)).entries
    assert (entry.document, entry.title, entry.id, entry.documented) == ("009", "A test", "009/number", 25000)
    assert (entry.tolerance, entry.binomial, entry.model, entry.unit, entry.check) == (0, 25000, "", "", "probe")


def declared(**fields):
    return make_claim(experiment=fields, value="parameters")


@pytest.mark.parametrize(
    ("claim", "fault"),
    [
        (make_claim(kind="metrics"), "kind 'metrics' is unknown; wanted one of formula"),
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
        (make_claim(documented=[1, {"a": 1}], rule="equal"), "'documented' wants a finite number"),
        (make_claim(binomial=2.5), "'binomial' wants a whole number"),
        (make_claim(binomial=0), "wanted the size of a test set"),
        (make_claim(tolerence=1), "unknown key 'tolerence'. Did you mean 'tolerance'?"),
        (make_claim(document="001"), "unknown key 'document'"),
        (make_claim(id="008/number"), "begin with '009/'"),
        (make_claim(rule="effect"), "design"),
        (make_claim(rule="runs"), "for programs"),
        (make_claim(beside={"Accuracy": "accuracy"}), "'beside' is for rule 'effect'"),
        (make_claim(beside={"Accuracy": "accuracy."}, rule="effect", design="groups"), "wants a dotted path"),
        (make_claim(beside={"Accuracy": 3}), "'beside' wants a table of texts"),
        (make_claim(clock=1), "'clock' wants true or false"),
        (make_claim(tolerance=True), "'tolerance' wants a number"),
        (make_claim(experiment=3), "'experiment' wants text or a table, not 3"),
        (make_claim(experiment="prob"), "no experiment is named 'prob'. Did you mean 'probe'?"),
        (declared(train="toy_mlb"), "experiment: no model is named 'toy_mlb'. Did you mean 'toy_mlp'?"),
        (declared(trains="toy_mlp"), "experiment: unknown key 'trains'. Did you mean 'train'?"),
        (declared(train="toy_mlp", build="toy_mlp"), "either 'train' or 'build'"),
        (declared(build="toy_mlp", epochs=3), "'build' does not train"),
        (declared(train="toy_mlp", epochs=0), "epochs = 0"),
        (declared(train="toy_mlp", epochs="all"), "experiment: 'epochs' wants a whole number"),
        (declared(train="toy_mlp", seeds=0), "seeds = 0"),
        (declared(train="toy_mlp", options={"unit": 3}), "has no option 'unit'"),
        (declared(train="toy_mlp", against="pytorch"), "against 'pytorch' is unknown; wanted one of keras"),
        (declared(train="toy_mlp", against={"train": "mnist"}), "no model is named 'mnist'"),
        (make_claim(experiment={"build": "toy_mlp"}, value="accuracy"), "value 'accuracy' is not what it measures"),
        (
            make_claim(experiment={"build": "toy_mlp"}, value="parameters", rule="true", parts={"a part": "gone.a"}),
            "parts 'gone.a' is not what it measures",
        ),
    ],
)
def test_a_faulty_claim_is_named_with_its_file_and_id(write_study, claim, fault):
    with pytest.raises(kerazoo.LedgerError, match=re.escape(fault)) as caught:
        load_study(write_study(claim, experiments=PROBE))
    line = str(caught.value)
    assert line.startswith(f"009.toml, {claim['id']}: ") and "\n" not in line


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("document = ", "cannot be read as TOML"),
        (f"claim = {'[' * 20000}", "cannot be read as TOML"),
        ('title = "A test"\n[[claim]]\n', "'document' is missing"),
        ('document = "009"\ntitle = "A test"\nsections = 3\nclaim = []\n', "unknown key 'sections'"),
        ('document = "009"\ntitle = "A test"\n[claim]\nid = "009/a"\n', r"'claim' wants a list"),
        ('document = "009"\ntitle = "A test"\nclaim = [3]\n', r"\[\[claim\]\] tables"),
    ],
)
def test_a_faulty_file_is_named(write_study, text, fault):
    with pytest.raises(kerazoo.LedgerError, match=fault) as caught:
        load_study(write_study(heading=text))
    assert "009.toml" in str(caught.value)


def test_ids_are_unique(write_study):
    with pytest.raises(kerazoo.LedgerError, match="009/number: the id stands twice"):
        load_study(write_study(make_claim(), make_claim(), experiments=PROBE))


@pytest.mark.parametrize(
    ("program", "fault"),
    [
        ("import kerazoo\n\nprobe = unknown\n", "experiments.py, line 3: NameError: name 'unknown'"),
        ("def probe(:\n", "experiments.py, line 1: SyntaxError"),
        ("raise SystemExit(3)", "experiments.py, line 1: SystemExit: 3"),
        ("import kerazoo\nkerazoo.experiment('a/b')", "experiments.py, line 2: an experiment is named 'a/b'"),
        ("import kerazoo\nkerazoo.experiment('a', seeds=0)", "experiments.py, line 2: experiment 'a': seeds=0"),
    ],
)
def test_faulty_experiments_are_told_in_a_line(write_study, program, fault):
    with pytest.raises(kerazoo.LedgerError, match=re.escape(fault)) as caught:
        load_study(write_study(make_claim(), experiments=program))
    assert "\n" not in str(caught.value)


def test_a_directory_without_a_study_is_refused(tmp_path):
    with pytest.raises(kerazoo.LedgerError, match="holds no study"):
        load_study(tmp_path)
    with pytest.raises(kerazoo.InputError, match="neither a directory nor the name of an installed study"):
        load_study(tmp_path / "nothing")


def test_check_tells_every_fault_and_measures_nothing(write_study, capsys):
    folder = write_study(make_claim(kind="x"), make_claim(id="009/b", quote=""), make_claim(id="009/c"))
    assert main(["claims", "--study", str(folder), "--check"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[2].strip() for line in lines] == ["009.toml, 009/number", "009.toml, 009/b"]
    write_study(make_claim(), experiments=PROBE)
    assert main(["claims", "--study", str(folder), "--check"]) == 0
    assert capsys.readouterr().out == f"{folder}: 1 claim of 1 document, nothing wrong\n"
    assert {path.name for path in folder.iterdir()} == {"009.toml", "experiments.py"}


def test_the_schema_of_a_study_is_published_and_holds_for_the_packaged_one():
    schema = study_schema()
    published = Path(__file__).parents[2] / "docs" / "study.schema.json"
    assert json.loads(published.read_text(encoding="utf-8")) == schema
    jsonschema = pytest.importorskip("jsonschema")
    tomllib = pytest.importorskip("tomllib")
    validator = jsonschema.Draft202012Validator(schema)
    for path in PACKAGED.glob("*.toml"):
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        assert list(validator.iter_errors(document)) == []
        document["claim"][0]["kind"] = "metrics"
        assert list(validator.iter_errors(document)) != []

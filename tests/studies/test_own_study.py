"""A study of one's own, in TOML alone; and kerazoo's own, which the rest of the package does not know."""

import ast
import json
import re
from pathlib import Path

import pytest

import kerazoo
from kerazoo import registry
from kerazoo.cli import main
from kerazoo.ledger.study import load_study

ROOT = Path(__file__).parents[2]
STUDY = """
document = "blog"
title = "My blog post"

[[claim]]
id = "blog/parameters"
quote = "a net of 52 parameters"
documented = 52
metric = "parameters of the model"
reason = "Holds if they are as many."
rule = "equal"
experiment = { build = "toy_mlp" }
value = "parameters"

[[claim]]
id = "blog/loss"
quote = "after three epochs the loss is 9"
documented = 9
metric = "training loss of the last epoch"
tolerance = 0.1
reason = "a tenth"
rule = "equivalence"
experiment = { train = "toy_mlp", epochs = 3, seeds = 3 }
value = "history.loss.last"

[[claim]]
id = "blog/wide"
quote = "a wide net learns better than a narrow one"
documented = 0.66
metric = "training loss of the last epoch"
tolerance = 0.05
reason = "half a tenth"
rule = "equivalence"
experiment = { train = "toy_mlp", epochs = 3, seeds = 3 }
value = "history.loss.last"
"""


@pytest.fixture
def study(tmp_path):
    (tmp_path / "blog.toml").write_text(STUDY, encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("uncompiled")
def test_a_study_in_toml_alone_gives_verdicts_and_a_page(study, capsys):
    assert main(["claims", "--study", str(study), "--check"]) == 0
    assert main(["report", "--study", str(study), "--out", str(study / "report")]) == 2
    capsys.readouterr()
    assert main(["reproduce", "--study", str(study), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    verdicts = {claim["id"]: claim["verdict"] for claim in found["claims"]}
    assert verdicts == {"blog/parameters": "reproduced", "blog/loss": "not_reproduced", "blog/wide": "undecided"}
    assert len(found["rows"]) == 4  # both trainings are one experiment
    assert main(["claims", "blog", "--study", str(study), "--json"]) == 0
    claims = json.loads(capsys.readouterr().out)
    assert {claim["id"]: claim["verdict"] for claim in claims} == verdicts
    assert re.search(r"\d+ seeds would decide", claims[2]["note"])
    assert {claim["fact"] for claim in claims} == set(verdicts)
    assert main(["report", "--study", str(study), "--out", str(study / "report")]) == 0
    page = (study / "report" / "report.html").read_text(encoding="utf-8")
    assert "1 article; 3 claims" in page and "My blog post" in page
    assert "Measured, training loss" in page  # the curve of a training is drawn without being asked for
    assert {path.name for path in (study / "report" / "models").iterdir()} == {"toy_mlp.md"}


def test_a_changed_declaration_makes_old_rows_not_count(study):
    kerazoo.reproduce("blog/parameters", study=study, verbose=False)
    text = STUDY.replace('{ build = "toy_mlp" }', '{ build = "toy_mlp", options = { hidden_dim = 20 } }')
    (study / "blog.toml").write_text(text, encoding="utf-8")
    (claim, *_) = kerazoo.claims(study=study)
    assert claim.verdict == "not_measured"
    (claim,) = kerazoo.reproduce("blog/parameters", study=study, verbose=False).claims
    assert (claim.verdict, claim.measured) == ("not_reproduced", 102)


@pytest.mark.usefixtures("uncompiled")
def test_more_seeds_go_on_with_the_rows_that_are_there(study):
    kerazoo.reproduce("blog/loss", study=study, seeds=1, verbose=False)
    (study / "blog.toml").write_text(STUDY.replace("seeds = 3", "seeds = 4"), encoding="utf-8")
    assert len(kerazoo.reproduce("blog/loss", study=study, verbose=False).rows) == 3


def test_times_are_compared_with_plain_keras_or_another_training(study):
    for against in ('"keras"', '{ train = "toy_mlp", options = { hidden_dim = 200 }, epochs = 3 }'):
        timed = STUDY.replace("epochs = 3, seeds = 3", f"epochs = 3, seeds = 1, against = {against}", 1)
        timed = timed.replace("history.loss.last", "times_as_fast", 1).replace('"equivalence"', '"timing"', 1)
        (study / "blog.toml").write_text(timed, encoding="utf-8")
        (claim,) = kerazoo.reproduce("blog/loss", study=study, verbose=False).claims
        assert claim.verdict == "not_comparable" and claim.measured > 0
        assert claim.evidence[0]["against"]["parameters"] == (52 if against == '"keras"' else 1002)


def test_experiments_of_a_study_may_bring_models_of_their_own(study, monkeypatch):
    kerazoo.list_models()
    monkeypatch.setattr(registry, "_specs", dict(registry._specs))
    (study / "experiments.py").write_text(
        """
import kerazoo
from kerazoo.lazy import keras

@kerazoo.register(
    source=kerazoo.Source("blog", "1"), recipe=kerazoo.Recipe("adam", "mse", 4, 1), num_params=3, name="blog_net"
)
def blog_net(width=1):
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(width)])

@kerazoo.experiment("rounds", quick=True)
def rounds(setting):
    if setting.seed:
        raise kerazoo.Unmeasurable("Only once.")
    return {"rounds": kerazoo.build("blog_net", compile=False).count_params()}
""",
        encoding="utf-8",
    )
    own = STUDY.replace('{ build = "toy_mlp" }', '"rounds"').replace('value = "parameters"', 'value = "rounds"')
    (study / "blog.toml").write_text(own.replace("documented = 52", "documented = 3"), encoding="utf-8")
    assert load_study(study).experiments["rounds"].quick  # read a second time below: the model is registered once
    (claim,) = kerazoo.reproduce("blog/parameters", study=study, verbose=False).claims
    assert claim.verdict == "reproduced"


def test_nothing_outside_the_studies_names_an_article():
    """But the models and the data, whose sources they are."""
    article = re.compile(r"(?<![\w,.])00[0-4]\b")
    named = []
    for path in sorted((ROOT / "kerazoo").rglob("*.py")):
        if {"studies", "models", "data"} & set(path.relative_to(ROOT / "kerazoo").parts):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and id(node) not in docstrings else None
            if isinstance(text, str) and article.search(text):
                named.append(f"{path.relative_to(ROOT)}, line {node.lineno}: {text[:60]!r}")
    assert named == []

"""Words, Markdown, model cards, and the documents of the checkout."""

import dataclasses
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

import kerazoo
from kerazoo.cli import main
from kerazoo.errors import InputError
from kerazoo.ledger.values import with_margin
from kerazoo.report import cards, markdown, refresh, speed, write_report
from kerazoo.report.contents import gather
from kerazoo.report.writing import write_files

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("value", "margin", "text"),
    [
        (0.97853, 0.00134, "0.9785 ± 0.0013"),
        (0.5, 0.096, "0.500 ± 0.096"),
        (231.42, 12.3, "231 ± 12"),
        (-0.003, 0.0005, "-0.00300 ± 0.00050"),
        (0.5, 0.0, "0.5"),
        (3.0, float("inf"), "3"),
    ],
)
def test_a_number_has_the_digits_of_its_margin(value, margin, text):
    assert with_margin(value, margin) == text


def test_a_changed_measurement_changes_every_text(write_record):
    texts = []
    for accuracy in (0.91, 0.93):
        record = write_record(mnist_mlp_training=(lambda seed, base=accuracy: {"accuracy": base + 0.001 * seed}, 3))
        found = gather(record=record)
        texts.append(
            (
                markdown.results_block(found),
                markdown.claims_documents(found)["claims.md"],
                cards.documents(found)["mnist_mlp"],
            )
        )
        assert all(f"{accuracy + 0.001:.4f} ± 0.0025 (3 seeds)" in text for text in texts[-1])
    assert all(one != other for one, other in zip(*texts, strict=True))


def test_tables_have_the_same_cells_in_every_row(contents):
    for text in (markdown.claims_documents(contents)["claims.md"], *cards.documents(contents).values()):
        rows = [line.replace(r"\|", "") for line in text.splitlines()]
        tables = [
            (line, rows[place + 1]) for place, line in enumerate(rows[:-1]) if line[:1] == rows[place + 1][:1] == "|"
        ]
        assert tables
        assert all(one.count("|") == other.count("|") for one, other in tables)


def test_texts_of_the_record_do_not_become_markup(contents):
    for text in (cards.documents(contents)["imdb_lstm"], markdown.claims_documents(contents)["claims.md"]):
        assert r"\<script\>alert(" in text
        assert "<script>" not in text
    assert markdown.code("a < b | c") == r"<code>a &lt; b \| c</code>"


def test_each_claim_and_each_model_is_told(contents):
    told = markdown.claims_documents(contents)["claims.md"]
    assert all(f"`{claim.id}`" in told for claim in contents.claims)
    assert set(cards.documents(contents)) == set(kerazoo.list_models())
    assert "40 numbers: " in markdown.results_block(contents)


def test_a_card_tells_repairs_and_results(contents):
    card = cards.card_of(contents, kerazoo.spec("imdb_lstm"))
    record = json.loads(json.dumps(cards.card_record(card)))
    assert [one["what"] for one in record["repairs"]] == ["leave it out"]
    gain = next(one for one in record["results"] if one["id"] == "001/fine-tuning-helps")
    assert gain["measured"] == pytest.approx(-0.011)
    assert gain["interval"][0] < gain["measured"] < gain["interval"][1]
    assert sum(record["verdicts"].values()) == len({one.fact for one in (*card.claims, *card.cells)})
    shown = io.StringIO()
    cards.show_card(Console(width=300, file=shown), card)
    assert "leave it out: <script>" in shown.getvalue()


def test_a_card_tells_of_pretrained_weights(contents):
    entry = {
        "file": "toy_mlp.onnx",
        "bytes": 1234,
        "sha256": "ab",
        "data": {"name": "toy", "version": "1"},
        "recipe": {"improved": "more epochs"},
        "test": {"examples": 4, "accuracy": 0.75, "accuracy_interval": [0.3, 0.95]},
    }
    found = dataclasses.replace(contents, weights={"toy_mlp": entry})
    card = cards.documents(found)["toy_mlp"]
    assert "accuracy 0.75; of the accuracy, 95 % interval (Wilson) 0.3000 to 0.9500" in card
    assert "1,234 bytes" in card
    assert "more epochs" in markdown.results_block(found)
    assert "Pretrained" not in cards.documents(dataclasses.replace(contents, weights={}))["toy_mlp"]


@pytest.mark.parametrize("name", ["toy_mlp", "attention_block"])
def test_the_example_of_a_card_runs(name, capsys):
    program = cards.example(kerazoo.spec(name)).split("```")[1].removeprefix("python")
    exec(compile(program, name, "exec"), {})
    assert "[" in capsys.readouterr().out


def test_readme_and_docs_are_those_of_the_record():
    for path, text in refresh.rendered(ROOT, gather()).items():
        assert path.is_file() and path.read_text(encoding="utf-8") == text, (
            f"{path.relative_to(ROOT)} is not what the record says: run `python -m kerazoo.report.refresh`"
        )


def test_only_what_stands_between_the_markers_is_replaced():
    readme = f"before {refresh.BEGIN} old {refresh.END} between {speed.BEGIN} old too {refresh.END} after"
    text = refresh.with_block(refresh.with_block(readme, refresh.BEGIN, "one"), speed.BEGIN, "two")
    assert [line for line in text.splitlines() if line] == [
        f"before {refresh.BEGIN}",
        "one",
        f"{refresh.END} between {speed.BEGIN}",
        "two",
        f"{refresh.END} after",
    ]
    assert refresh.with_block(text, speed.BEGIN, "two") == text
    for broken in ("no markers", refresh.BEGIN, f"{refresh.END} {refresh.BEGIN}"):
        with pytest.raises(InputError, match="once"):
            refresh.with_block(broken, refresh.BEGIN, "one")


def test_files_are_written_whole_or_not_at_all(tmp_path):
    first, second = tmp_path / "a" / "first.md", tmp_path / "second.md"
    write_files({first: "old"})
    with pytest.raises(UnicodeEncodeError):
        write_files({first: "new", second: "\ud800"})
    assert first.read_text() == "old"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "first.md"]


def test_the_report_is_written_under_a_directory(write_record, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("warnings.showwarning", None)  # which `main` sets
    record = write_record(program_001=(lambda seed: {"runs": True}, 1))
    where = tmp_path / "new" / "report"
    assert main(["report", "--out", str(where), "--record", str(record), "--json"]) == 0
    files = {Path(name) for name in json.loads(capsys.readouterr().out)["files"]}
    assert files == {path for path in tmp_path.rglob("*") if path.is_file()}
    names = {path.relative_to(where).as_posix() for path in files}
    assert {"report.html", "report.zh-CN.html", "claims.md", "models/toy_mlp.md"} <= names
    assert {"articles/000.md", "articles/000.zh-CN.md"} <= names
    assert "`001/program`" in (where / "claims.md").read_text(encoding="utf-8")


def test_what_gives_no_report_is_refused(tmp_path, capsys):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(InputError, match="is a file; name a directory"):
        write_report(taken)
    with pytest.raises(InputError, match="not a directory"):
        write_report(tmp_path / "out", record=tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    assert main(["report", "--record", str(tmp_path / "empty"), "--out", str(tmp_path / "out")]) == 2
    assert "empty' has no measurement of these claims" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert taken.read_text() == "mine"

"""Claims for other programs: CSV, ClaimReview by schema.org's rules, and a report as an RO-Crate."""

import csv
import io
import json
import re

import pytest

import kerazoo
from kerazoo.cli import main
from kerazoo.ledger import study
from kerazoo.ledger.schemas import claim_schema, row_schema
from kerazoo.report import exports, wording, write_report
from kerazoo.report.answers import answer
from kerazoo.report.languages import is_chinese

TEXT = {"type": "string", "minLength": 1}
ORGANIZATION = {
    "type": "object",
    "required": ["@type", "name"],
    "properties": {"@type": {"enum": ["Organization", "Person"]}, "name": TEXT},
}
CLAIM_REVIEW = {  # what schema.org and the readers of ClaimReview require
    "type": "object",
    "required": ["@type", "claimReviewed", "reviewRating", "url", "author", "datePublished", "itemReviewed"],
    "properties": {
        "@type": {"const": "ClaimReview"},
        "claimReviewed": TEXT,
        "url": {"type": "string", "pattern": r"^\S+#\S+$"},
        "datePublished": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d$"},
        "author": ORGANIZATION,
        "reviewRating": {
            "type": "object",
            "required": ["@type", "ratingValue", "bestRating", "worstRating", "alternateName"],
            "properties": {
                "@type": {"const": "Rating"},
                "ratingValue": {"type": "integer", "minimum": 1, "maximum": 5},
                "bestRating": {"const": 5},
                "worstRating": {"const": 1},
                "alternateName": TEXT,
            },
        },
        "itemReviewed": {
            "type": "object",
            "required": ["@type", "name", "appearance"],
            "properties": {
                "@type": {"const": "Claim"},
                "appearance": {"type": "object", "required": ["@type", "headline"]},
            },
        },
    },
}


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setattr("warnings.showwarning", None)  # which `main` sets

    def call(*arguments):
        code = main([str(one) for one in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_csv_has_a_line_a_claim(contents):
    for language in ("en", "zh"):
        lines = list(csv.DictReader(io.StringIO(exports.as_csv(contents.claims, language))))
        assert [line["id"] for line in lines] == [claim.id for claim in contents.claims]
        for line, claim in zip(lines, contents.claims, strict=True):
            assert (line["verdict"], line["quote"], line["answer"]) == (
                claim.verdict,
                claim.quote,
                answer(claim, language),
            )
            assert line["sd"] == ("" if claim.sd is None else str(claim.sd))
            assert line["note"] == wording.note(claim, language)
            assert language == "en" or is_chinese(line["note"]) or not line["note"]
    assert {line["documented"] for line in lines} >= {"true", "[60000, 10000]", "0.84", ""}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_claim_reviews_keep_the_rules(contents, language):
    jsonschema = pytest.importorskip("jsonschema")
    document = exports.claim_reviews(contents.claims, author="me", url="https://a.test/r.html", language=language)
    assert document["@context"] == "https://schema.org"
    validator = jsonschema.Draft202012Validator(CLAIM_REVIEW)
    reviews = document["@graph"]
    assert [fault for review in reviews for fault in validator.iter_errors(review)] == []
    rated = [claim for claim in contents.claims if claim.verdict not in ("undecided", "not_comparable", "not_measured")]
    assert [review["url"] for review in reviews] == [f"https://a.test/r.html#{claim.id}" for claim in rated]
    for review, claim in zip(reviews, rated, strict=True):
        assert review["reviewRating"]["alternateName"] == wording.words(claim.verdict, language)
        assert (review["reviewRating"]["ratingValue"] == 5) == (claim.verdict in ("holds", "reproduced"))
    del reviews[0]["author"]
    assert list(validator.iter_errors(reviews[0]))


def test_the_command_prints_each_format(run):
    code, as_json, _ = run("claims", "004", "--json")
    assert code == 0 and run("claims", "004", "--format", "json") == (0, as_json, "")
    ids = [claim["id"] for claim in json.loads(as_json)]
    code, text, _ = run("claims", "004", "--format", "csv", "--lang", "zh")
    assert [line["id"] for line in csv.DictReader(io.StringIO(text))] == ids
    code, text, _ = run("claims", "004", "--format", "claimreview", "--url", "https://a.test/x")
    assert {review["url"].partition("#")[2] for review in json.loads(text)["@graph"]} <= set(ids)
    code, text, _ = run("claims", "004", "--lang", "zh")
    assert all(one in text for one in ids) and "成立" in text and "holds" not in text
    code, text, _ = run("claims", ids[-1], "--lang", "zh")
    assert code == 0 and "结论" in text and "文章004" in text


@pytest.mark.parametrize("form", ["table", "csv", "json", "claimreview"])
def test_a_study_is_read_once(run, form, monkeypatch):
    read = []
    plain = study.read_document
    monkeypatch.setattr(study, "read_document", lambda path: read.append(path) or plain(path))
    assert run("claims", "004", "--format", form)[0] == 0
    assert len(read) == len(set(read)) > 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--json", "--format", "csv"], "leave one of them out"),
        (["--format", "csv", "--check"], "not --format csv"),
        (["--format", "claimreview", "--recompute"], "not --format claimreview"),
        (["--url", "https://a.test"], "--url is for --format claimreview"),
        (["--format", "xml"], "xml"),
        (["--lang", "fr"], "fr"),
    ],
)
def test_formats_that_do_not_go_together_are_refused(run, options, told):
    code, out, error = run("claims", *options)
    assert (code, out) == (2, "") and told in error and len(error.splitlines()) == 1


ENTITY = {
    "type": "object",
    "required": ["@id", "@type"],
    "properties": {"@id": TEXT, "@type": TEXT},
}
OF_TYPE = {  # what RO-Crate 1.1 requires, and recommends, of the entities that are used
    "Dataset": ["name", "description", "datePublished", "license", "hasPart"],
    "File": ["name", "encodingFormat", "contentSize"],
    "SoftwareApplication": ["name", "version"],
    "CreateAction": ["name", "instrument", "object", "result", "startTime", "endTime", "agent"],
    "CreativeWork": [],
    "Organization": ["name"],
}


@pytest.fixture(scope="module")
def crate(write_record, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crate")
    write_report(folder, record=write_record(), ro_crate=True)
    return folder


def references(value):
    """Every {"@id": ...} that is all of a value."""
    if isinstance(value, dict) and set(value) == {"@id"}:
        yield value["@id"]
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from references(one)


def test_the_metadata_of_a_crate_keep_the_rules(crate):
    jsonschema = pytest.importorskip("jsonschema")
    metadata = json.loads((crate / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    assert metadata["@context"] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in metadata["@graph"]}
    assert len(entities) == len(metadata["@graph"])
    for entity in entities.values():
        schema = {**ENTITY, "required": [*ENTITY["required"], *OF_TYPE[entity["@type"]]]}
        jsonschema.Draft202012Validator(schema).validate(entity)
        assert set(references(entity)) <= {*entities, "https://w3id.org/ro/crate/1.1"}
    descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert descriptor["about"] == {"@id": "./"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", root["datePublished"])
    files = {path.relative_to(crate).as_posix(): path for path in crate.rglob("*") if path.is_file()}
    listed = set(references(root["hasPart"]))
    assert listed == set(files) - {"ro-crate-metadata.json"}
    assert all(entities[name]["contentSize"] == str(files[name].stat().st_size) for name in listed)


def test_a_crate_has_the_study_the_rows_and_the_verdicts(crate, contents):
    jsonschema = pytest.importorskip("jsonschema")
    claims = json.loads((crate / "claims.json").read_text(encoding="utf-8"))
    assert [claim["id"] for claim in claims] == [claim.id for claim in contents.claims]
    jsonschema.Draft202012Validator({"items": claim_schema()}).validate(claims)
    rows = [
        json.loads(line) for path in crate.glob("study/record/*.jsonl") for line in path.read_text("utf-8").splitlines()
    ]
    assert len(rows) == sum(map(len, contents.rows.values()))
    jsonschema.Draft202012Validator({"items": row_schema()}).validate(rows)
    again = kerazoo.claims(record=crate / "study" / "record")
    assert {claim.id: claim.verdict for claim in again} == {claim.id: claim.verdict for claim in contents.claims}


def test_the_command_writes_a_crate_in_place_of_the_report(run, tmp_path, write_record, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record = write_record(program_001=(lambda seed: {"runs": True}, 1))
    code, out, _ = run("report", "--ro-crate", "crate", "--record", record, "--json")
    assert code == 0 and "crate/ro-crate-metadata.json" in json.loads(out)["files"]
    assert [path.name for path in tmp_path.iterdir()] == ["crate"]

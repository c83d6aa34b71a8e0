"""A report with the rows and the study that it rests on, described as an RO-Crate (version 1.1)."""

from __future__ import annotations

import mimetypes
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kerazoo.files import to_json
from kerazoo.ledger.record import Row
from kerazoo.ledger.schemas import claim_schema, row_schema
from kerazoo.report import exports, verdicts, wording
from kerazoo.report.contents import Contents

METADATA = "ro-crate-metadata.json"
_VERSION = "https://w3id.org/ro/crate/1.1"
_LICENSE = "https://www.apache.org/licenses/LICENSE-2.0"
_PYTHON = "https://www.python.org/"
_ABOUT = {
    "claims.json": "The claims with their verdicts",
    "claims.csv": "The claims with their verdicts, a line each",
    "claim.schema.json": "The JSON Schema of a claim in claims.json",
    "row.schema.json": "The JSON Schema of a row in study/record",
}


def crate(contents: Contents, report: Mapping[str, str]) -> dict[str, str]:
    """Return the files of the crate by their paths.

    Args:
        contents: of the report; of the record only the rows that count are taken.
        report: its files by their paths.
    """
    rows = {f"study/record/{name}.jsonl": _lines(found) for name, found in contents.rows.items()}
    sources = [*sorted(contents.study.folder.glob("*.toml")), *contents.study.folder.glob("experiments.py")]
    study = {f"study/{path.name}": path.read_text(encoding="utf-8") for path in sources}
    data = {
        "claims.json": to_json(verdicts.records(contents.claims)),
        "claims.csv": exports.as_csv(contents.claims),
        "claim.schema.json": to_json(claim_schema()),
        "row.schema.json": to_json(row_schema()),
    }
    files = {**report, **data, **study, **rows}
    return {METADATA: to_json(metadata(contents, files)), **files}


def metadata(contents: Contents, files: Mapping[str, str]) -> dict[str, Any]:
    """Return the description of the crate's `files`: what they are, and which machine and software measured them."""
    actions, software = _actions(contents)
    parts = [_file(name, text, contents) for name, text in files.items()]
    days = [row["measured_at"][:10] for row in _rows(contents)]
    titles, license = contents.documents(), _license(contents)
    summary = wording.summary(contents.claims)
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Claims measured by kerazoo: {'; '.join(titles.values())}",
        "description": f"What {wording.documents(len(titles))} claim, the rows that were measured, and the verdicts "
        f"that follow from them. {summary}.",
        "datePublished": max(days),
        "license": {"@id": license["@id"]},
        "author": {"@id": "#author"},
        "publisher": {"@id": "#author"},
        "hasPart": [{"@id": part["@id"]} for part in parts],
        "mentions": [{"@id": action["@id"]} for action in actions],
    }
    descriptor = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": _VERSION},
    }
    author = {"@id": "#author", "@type": "Organization", "name": contents.study.author}
    graph = [descriptor, root, license, author, *parts, *actions, *software]
    return {"@context": f"{_VERSION}/context", "@graph": graph}


def _license(contents: Contents) -> dict[str, str]:
    """Return the license of the packaged study; of another one it is not known."""
    if contents.study.packaged:
        told = "The license of kerazoo, its study and its record."
        return {"@id": _LICENSE, "@type": "CreativeWork", "name": "Apache License 2.0", "description": told}
    return {"@id": "#license", "@type": "CreativeWork", "name": "Not stated", "description": "Ask the study's author."}


def _file(name: str, text: str, contents: Contents) -> dict[str, Any]:
    kind = "application/jsonl" if name.endswith(".jsonl") else mimetypes.guess_type(name)[0] or "text/plain"
    told = {"name": _ABOUT.get(name) or _called(Path(name), contents)}
    return {"@id": name, "@type": "File", **told, "encodingFormat": kind, "contentSize": str(len(text.encode()))}


def _called(path: Path, contents: Contents) -> str:
    """Return what a file of the study, the record or the report is."""
    if path.parent.name == "record":
        return f"Rows of the experiment {path.stem}: one a seed"
    if path.suffix == ".toml":
        return f"What document {path.stem} claims, and how it is judged"
    if path.name == "experiments.py":
        return "The study's experiments"
    if path.suffix == ".html":
        return "The report as a page"
    if path.parent.name == "articles":
        return f"Document {path.name.partition('.')[0]}, passage by passage"
    return f"The card of {path.stem}" if path.parent.name == "models" else "Every claim with its verdict"


def _actions(contents: Contents) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return an action an environment, which made rows with its software, and the software."""
    places: dict[str, list[Row]] = defaultdict(list)
    for row in _rows(contents):
        places[to_json([row["kerazoo"], row["environment"]])].append(row)
    actions: list[dict[str, Any]] = []
    software: dict[str, dict[str, Any]] = {}
    for number, rows in enumerate(places.values(), start=1):
        packages = [*_software(rows[0])]
        software |= {one["@id"]: one for one in packages}
        times = [row["measured_at"] for row in rows]
        studied = [{"@id": f"study/{path.name}"} for path in sorted(contents.study.folder.glob("*.toml"))]
        made = dict.fromkeys(f"study/record/{row['experiment']}.jsonl" for row in rows)
        actions.append(
            {
                "@id": f"#measurements-{number}",
                "@type": "CreateAction",
                "name": f"{len(rows)} rows measured",
                "description": _where(rows[0]),
                "instrument": [{"@id": one["@id"]} for one in packages],
                "object": studied,
                "result": [{"@id": name} for name in made],
                "agent": {"@id": "#author"},
                "startTime": min(times),
                "endTime": max(times),
            }
        )
    return actions, list(software.values())


def _where(row: Row) -> str:
    """Return the environment of a row in a line, all that is known of it."""
    told = wording.machine(row["environment"])
    known = {name: one for name, one in row["environment"].items() if isinstance(one, (str, int, float))}
    return f"{told}. {', '.join(f'{name}: {one}' for name, one in known.items())}"


def _software(row: Row) -> Iterable[dict[str, Any]]:
    versions = {"kerazoo": row["kerazoo"], **row["environment"].get("versions", {})}
    for name, version in versions.items():
        address = {"url": _PYTHON} if name == "python" else {}
        about = {"@type": "SoftwareApplication", "name": name, "version": version, **address}
        yield {"@id": f"#{name}-{version}", **about}


def _rows(contents: Contents) -> list[Row]:
    return [row for found in contents.rows.values() for row in found]


def _lines(rows: Iterable[Row]) -> str:
    return "".join(to_json(row, indent=None) for row in rows)

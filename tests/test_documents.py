"""Every Python example of README and docs runs as it stands, on the embedded sample."""

import re
import warnings
from pathlib import Path

import pytest

import kerazoo
from kerazoo import registry
from kerazoo.data import prepared

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = [
    pytest.param(block, id=f"{path.relative_to(ROOT)}-{number}")
    for path in DOCUMENTS
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.S), 1)
]


@pytest.fixture
def apart(monkeypatch, tmp_path):
    """A place of its own: no real data and no network, and a registry that forgets what an example registers."""

    def unreachable(host):
        raise kerazoo.UnavailableError(f"no way to {host} in this test")

    monkeypatch.setattr(prepared, "_check_reachable", unreachable)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(registry, "_specs", dict(registry._specs))


def test_there_are_examples():
    assert len(EXAMPLES) > len(kerazoo.list_models())


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(example, apart, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", kerazoo.SampleDataWarning)  # said, because the real data is not asked for
        exec(compile(example, "example", "exec"), {"__name__": "example"})

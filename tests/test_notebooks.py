"""The notebooks: their cells run one after the other as they stand; in Chinese the code is the same."""

import json
import re
import warnings
from pathlib import Path

import matplotlib as mpl
import pytest

import kerazoo

FOLDER = Path(__file__).parents[1] / "notebooks"
NAMES = ("quickstart", "check_a_claim")
MAGIC = re.compile(r"^( *)[%!].*$", re.M)  # a line for the notebook's own shell


def cells(name, kind):
    content = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert (content["nbformat"], content["metadata"]["kernelspec"]["name"]) == (4, "python3")
    return ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == kind]


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    mpl.use("agg")
    names = {"__name__": "__main__"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", kerazoo.SampleDataWarning)
        for number, cell in enumerate(cells(name, "code"), 1):
            exec(compile(MAGIC.sub(r"\1pass", cell), f"{name}, cell {number}", "exec"), names)
    output = capsys.readouterr().out
    if name == "quickstart":
        assert output.startswith("positive") and "largest difference" in output
    else:
        assert [one.verdict for one in kerazoo.claims(study="my_study")] == ["reproduced", "not_reproduced"]


@pytest.mark.parametrize("name", NAMES)
def test_the_chinese_one_has_the_same_code_and_chinese_words(name):
    assert cells(f"{name}.zh-CN", "code") == cells(name, "code")
    words, plain = cells(f"{name}.zh-CN", "markdown"), cells(name, "markdown")
    assert len(words) == len(plain)
    assert all(re.search(r"[\u4e00-\u9fff]", one) for one in words)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_is_kept_without_what_it_printed(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in content["cells"])
    assert len({cell["id"] for cell in content["cells"]}) == len(content["cells"])

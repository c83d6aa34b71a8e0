"""`kerazoo fine-tune` on one's own data."""

import json

import numpy as np
import pytest
from PIL import Image

import kerazoo
from kerazoo.cli import main
from kerazoo.model_file import origin_of, save_model


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("warnings.showwarning", None)
    save_model(kerazoo.build("mnist_mlp", units=(4,), seed=0), tmp_path / "digits.keras")
    (tmp_path / "texts.csv").write_text("text,label\none,a\ntwo,b\n")

    def call(*arguments):
        code = main(["fine-tune", "mnist_mlp", *map(str, arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_a_folder_of_pictures_becomes_a_model_with_its_classes(run, tmp_path):
    for name, place in {"left": 5, "right": 20}.items():
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(10):
            picture = np.full((28, 28), 255, np.uint8)
            picture[4:24, place] = picture[4 + number, 5:21] = 0
            Image.fromarray(picture).save(tmp_path / "data" / name / f"{number}.png")
    arguments = ["--data", "data", "--num-classes", 2, "--trainable-layers", 1, "--layer-decay", 0.5, "--epochs", 1]
    code, output, errors = run("--model", "digits.keras", *arguments, "--run-dir", "run", "--json")
    assert code == 0, errors
    result = json.loads(output)
    assert result["classes"] == ["left", "right"]
    assert result["data"] == {"name": "data", "version": "user", "source": "user", "train": 18, "test": 2}
    assert origin_of(kerazoo.load_model("run/model.keras", "mnist_mlp")).classes == ("left", "right")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--data", "gone.csv"], "'gone.csv' is not a directory; wanted one with a folder of pictures"),
        (["--data", ""], "--data is empty"),
        (["--data", "texts.csv"], "texts.csv' is a file; this model takes a folder with a folder of pictures"),
        (["--source", "real"], "'real' is not one of"),
        (["--label-column", "x"], "are for a CSV"),
        (["--data", "texts.csv", "--source", "sample"], "exclude each other"),
        (["--source", "sample", "--num-classes", "1"], "num_classes=1"),
        (["--source", "sample", "--layer-decay", "3"], "layer_decay=3.0"),
    ],
)
def test_wrong_input_gets_one_line_and_writes_nothing(run, tmp_path, arguments, says):
    before = sorted(tmp_path.rglob("*"))
    code, output, errors = run("--model", "digits.keras", *arguments)
    assert (code, output) == (2, "")
    assert errors.count("\n") == 1 and says in errors
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "says"), [("imdb_lstm", "is a folder; this model takes a CSV"), ("textgen_lstm", "name a UTF-8 text file")]
)
def test_data_of_the_wrong_kind_is_refused_before_a_model_is_built(capsys, tmp_path, name, says):
    assert main(["fine-tune", name, "--model", "pretrained", "--data", str(tmp_path)]) == 2
    assert says in capsys.readouterr().err

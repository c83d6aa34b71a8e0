"""Damaged and hostile files are told in one line, in little time and memory, or are passed over."""

import os
import resource
import time
import zipfile

import numpy as np
import pytest

import kerazoo
from kerazoo import weights
from kerazoo.cli import main
from kerazoo.engine import checkpoint
from kerazoo.model_file import load_model, save_model
from kerazoo.pretraining import run as pretraining


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    save_model(kerazoo.build("toy_mlp"), path)
    return path


def with_member(model, path, name, chunks):
    """Copy the archive `model` to `path` with the member `name` made of `chunks` in place of its own."""
    with zipfile.ZipFile(model) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
        with new.open(name, "w", force_zip64=True) as file:
            for chunk in chunks:
                file.write(chunk)
    return path


@pytest.mark.parametrize("member", ["kerazoo.json", "config.json", "model.weights.h5"])
def test_an_archive_that_unpacks_to_far_more_is_refused_unread(model, tmp_path, member):
    bomb = with_member(model, tmp_path / "bomb.keras", member, [bytes(2**22)] * 100)
    before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    with pytest.raises(kerazoo.ModelFileError, match=r"unpacks from 0.4 MB to 419.\d MB"):
        load_model(bomb)
    assert time.perf_counter() - begin < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # kilobytes


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b"3",
        b"[]",
        b'{"model": 3, "options": {}, "vocabulary": null}',
        b'{"model": "toy_mlp", "options": [], "vocabulary": null}',
        b'{"model": "toy_mlp", "options": {}, "vocabulary": 3}',
        b'{"model": "toy_mlp", "options": {}, "vocabulary": null, "classes": [1]}',
        b"\xff",
    ],
)
def test_what_a_model_file_says_of_itself_is_checked(model, tmp_path, content):
    path = with_member(model, tmp_path / "model.keras", "kerazoo.json", [content])
    with pytest.raises(kerazoo.ModelFileError, match="not a whole .keras file"):
        load_model(path)


@pytest.mark.parametrize("meta", ["[]", "3", '{"dict": []}', "[" * 100_000, "{}", '{"dict": [[1]]}', "no json"])
def test_a_checkpoint_whose_settings_are_damaged_is_passed_over(tmp_path, meta):
    np.savez(tmp_path / "checkpoint-000002-000000000.npz", meta=np.array(meta))
    with pytest.warns(UserWarning, match="cannot be read"), pytest.raises(checkpoint.CheckpointError):
        checkpoint.latest(tmp_path)


@pytest.mark.parametrize(
    "content", ["[]", "3", "null", "[" * 100_000, '{"toy_mlp": 3}', '{"toy_mlp": {"file": 1}}', "{"]
)
def test_a_damaged_manifest_of_weights_is_told(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(kerazoo.UnavailableError, match="manifest.json' cannot be read") as caught:
        weights.load("toy_mlp", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_table_or_corpus_that_is_too_large_is_refused(tmp_path, monkeypatch):
    for name in ("table.csv", "corpus.txt"):
        (tmp_path / name).write_text("text,label\n")
        os.truncate(tmp_path / name, 3 * 10**9)  # a file with a hole
    with pytest.raises(kerazoo.DataError, match=r"it has 3.0 GB, and at most 2.1 GB are read"):
        kerazoo.read_csv(tmp_path / "table.csv")
    with pytest.raises(kerazoo.DataError, match=r"it has 3.0 GB, and at most 2.1 GB are read"):
        kerazoo.load_data("textgen_lstm", corpus=str(tmp_path / "corpus.txt"))


def test_a_full_disk_is_found_before_pretraining(tmp_path, monkeypatch, capsys):
    asked = []

    def full(directory, space):
        asked.append(space)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pretraining, "try_writing", full)
    monkeypatch.setattr(pretraining, "task_of", None)  # would be called first
    assert main(["pretrain", "mnist_mlp", "--out", str(tmp_path)]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert asked[0] > 4 * kerazoo.spec("mnist_mlp").num_params


def test_the_nearest_name_is_never_the_one_that_was_given(capsys):
    assert main(["evaluate", "toy_mlp"]) == 2
    told = capsys.readouterr().err
    assert "'toy_mlp' has no pretrained weights" in told and "Did you mean" not in told

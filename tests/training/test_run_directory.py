"""Run directories: what is no run is left alone, what is damaged is told, how a run began is remembered."""

import json
import shutil

import pytest

import kerazoo
from kerazoo.cli import main
from kerazoo.training import run_directory
from kerazoo.training.run_directory import RunDirectory, unfinished_epochs

SMALL = ["train", "mnist_mlp", "--source", "sample", "--epochs", "2", "--set", "units=4", "--seed", "3"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    assert main([*SMALL, "--batch-size", "100", "--validation-split", "0.2", "--run-dir", str(folder)]) == 0
    return folder


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


@pytest.fixture
def command(capsys, monkeypatch):
    monkeypatch.setattr("warnings.showwarning", None)

    def call(*arguments):
        capsys.readouterr()
        code = main([str(one) for one in arguments])
        return code, capsys.readouterr().err

    return call


def files(folder):
    return {one.name: one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def unfinished(run, epochs=3):
    """Make the finished run one that was to have more epochs."""
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"epochs": epochs}))
    (run / "metrics.json").unlink()


def test_saying_a_documented_default_again_is_no_other_run(tmp_path, command):
    run = tmp_path / "run"
    assert main(["train", "mnist_mlp", "--source", "sample", "--epochs", "1", "--run-dir", str(run)]) == 0
    unfinished(run, 2)
    code, errors = command("train", "mnist_mlp", "--resume", "--run-dir", run, "--set", "units=256,128")
    assert code == 0, errors


def test_a_run_goes_on_as_it_began_with_its_name_alone(run, command):
    unfinished(run)
    began = json.loads((run / "config.json").read_text())
    code, errors = command("train", "mnist_mlp", "--run-dir", run, "--resume")
    assert code == 0, errors
    assert json.loads((run / "config.json").read_text()) == began
    assert len((run / "history.csv").read_text().splitlines()) == 4
    assert kerazoo.load_model(run / "model.keras").layers[1].units == 4


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--set", "units=8,5"], "with units 8, 5: it began with units 4;"),
        (["--seed", "0"], "with seed 0: it began with seed 3;"),
        (["--batch-size", "32"], "with batch_size 32: it began with batch_size 100;"),
        (["--source", "tfds"], "with source tfds: it began with source sample;"),
        (["--set", "learning_rate=0.5"], "with learning_rate 0.5: it began with learning_rate not set;"),
        (["--validation-split", "0.5"], "with validation_split 0.5: it began with validation_split 0.2;"),
        (["--early-stopping", "2"], "with early_stopping 2: it began with early_stopping not set;"),
        (["--precision", "float64"], "with precision float64: it began with precision float32;"),
    ],
)
def test_what_contradicts_the_run_is_told_in_plain_words(run, command, given, says):
    before = files(run)
    code, errors = command("train", "mnist_mlp", "--run-dir", run, "--resume", *given)
    assert code == 2
    assert says in errors and errors.count("\n") == 1
    assert files(run) == before


def test_what_agrees_with_the_run_may_be_said_again(run, command):
    assert command(*SMALL, "--batch-size", "100", "--run-dir", run, "--resume")[0] == 0


def test_another_model_is_not_resumed(run, command):
    code, errors = command("train", "mnist_mlp_dropout", "--run-dir", run, "--resume")
    assert code == 2
    assert "with model mnist_mlp_dropout: it began with model mnist_mlp" in errors


def test_other_data_is_told_by_its_number(run, small_data):
    with pytest.raises(kerazoo.RunDirectoryError, match="with test examples 32: it began with test examples 1000;"):
        kerazoo.train("mnist_mlp", data=small_data("mnist_mlp", train=15), run_dir=run, resume=True, epochs=3)


def test_fine_tuning_is_not_resumed(run, command):
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"fine_tuned": ["dense"]}))
    code, errors = command("train", "mnist_mlp", "--run-dir", run, "--resume")
    assert code == 2 and "was of fine-tuning" in errors


@pytest.mark.parametrize("there", [False, True])
def test_where_there_is_no_run_none_is_resumed(tmp_path, command, there):
    if there:
        (tmp_path / "typo").mkdir()
        (tmp_path / "typo" / ".writing-config.json").write_text("")  # it died before the first file was whole
    code, errors = command(*SMALL, "--run-dir", tmp_path / "typo", "--resume")
    assert code == 2
    assert "there is no run in" in errors and "leave out --resume to start one" in errors
    RunDirectory(tmp_path / "typo")  # a new one may begin there


@pytest.mark.parametrize("option", [[], ["--overwrite"], ["--resume"]])
@pytest.mark.parametrize("name", ["1.png", "model.keras", "checkpoints", "config.json"])
def test_a_directory_that_is_neither_empty_nor_a_run_is_left_alone(tmp_path, command, option, name):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / name).write_text('{"model_type": "other"}')
    (folder / "2.png").write_text("")
    before = files(folder)
    code, errors = command(*SMALL, "--run-dir", folder, *option)
    assert code == 2
    assert errors.count("\n") == 1
    assert files(folder) == before


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"3", b"\xff", b'{"epochs": "2"}', b'{"epochs": 2, "options": 3}']
)
def test_a_damaged_configuration_is_told_and_can_be_overwritten(run, command, content):
    (run / "config.json").write_bytes(content)
    code, errors = command("train", "mnist_mlp", "--run-dir", run, "--resume")
    assert code == 2
    assert "config.json' " in errors and errors.count("\n") == 1
    assert unfinished_epochs(run) is None
    RunDirectory(run, overwrite=True)
    with pytest.raises(kerazoo.RunDirectoryError, match="already holds a run"):
        RunDirectory(run)


def test_a_directory_in_the_place_of_a_file_is_told(run, command):
    (run / "config.json").unlink()
    (run / "config.json").mkdir()
    code, errors = command("train", "mnist_mlp", "--run-dir", run, "--resume")
    assert code == 2 and "Is a directory" in errors


def test_a_damaged_history_is_written_anew(run, command):
    unfinished(run)
    (run / "history.csv").write_bytes(b"epoch,loss\n1,\xff\n")
    assert command("train", "mnist_mlp", "--run-dir", run, "--resume")[0] == 0
    assert len((run / "history.csv").read_text().splitlines()) == 4


@pytest.mark.parametrize("full", ["config.json", "environment.json"])
def test_a_full_disk_leaves_a_finished_run_finished(run, command, monkeypatch, full):
    before = files(run)
    write = run_directory.write_text

    def refuse(path, text):
        if path.name == full:
            raise OSError(28, "No space left on device", str(path))
        write(path, text)

    monkeypatch.setattr(run_directory, "write_text", refuse)
    code, errors = command("train", "mnist_mlp", "--run-dir", run, "--resume", "--epochs", 3)
    assert code == 1 and full in errors
    assert files(run) | {"config.json": b""} == before | {"config.json": b""}


def test_a_run_that_cannot_save_its_first_new_epoch_keeps_its_results(run, command, monkeypatch):
    from kerazoo.engine import checkpoint

    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save", refuse)
    monkeypatch.setattr(run_directory, "write_text", lambda path, text: refuse() if "history" in path.name else None)
    assert command("train", "mnist_mlp", "--run-dir", run, "--resume", "--epochs", 3)[0] == 1
    assert (run / "metrics.json").exists()


def test_a_process_that_dies_before_its_first_file_leaves_nothing_in_the_way(tmp_path, monkeypatch):
    first = RunDirectory(tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(SystemExit))
        patch.setattr("pathlib.Path.unlink", lambda *_, **__: None)
        with pytest.raises(SystemExit):
            first.start({"epochs": 2}, {})
    first.end()
    assert [one.name.partition("-")[0] for one in (tmp_path / "run").iterdir()] == [".writing"]
    second = RunDirectory(tmp_path / "run")
    second.start({"epochs": 2}, {})
    second.end()
    assert unfinished_epochs(tmp_path / "run") == 2


def test_an_overwritten_run_is_a_run_until_its_last_file_is_gone(run, monkeypatch):
    gone = []
    monkeypatch.setattr(run_directory, "remove", lambda path: gone.append(path.name))
    RunDirectory(run, overwrite=True)._clear()
    assert gone[-1] == "config.json" and set(gone) >= {"metrics.json", "checkpoints"}


def test_a_run_on_own_data_goes_on_with_the_same_alone(tmp_path, command):
    def table(name, label):
        rows = "".join(f"text number {n},{label[n % 2]}\n" for n in range(20))
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.csv").write_text("text,label\n" + rows)
        return tmp_path / name / "mine.csv"

    first, other = table("a", "xy"), table("b", "yx")
    run = tmp_path / "run"
    small = ["--set", "units=4", "--set", "embedding_dim=4", "--set", "sequence_length=5", "--epochs", "1"]
    assert main(["train", "imdb_lstm", "--data", str(first), "--run-dir", str(run), *small]) == 0
    unfinished(run, 2)
    code, errors = command("train", "imdb_lstm", "--resume", "--run-dir", run)
    assert code == 2 and "began with data of its own (mine)" in errors and "--data" in errors
    code, errors = command("train", "imdb_lstm", "--resume", "--run-dir", run, "--data", other)
    assert code == 2 and "digest of the data" in errors
    code, errors = command("train", "imdb_lstm", "--resume", "--run-dir", run, "--data", first)
    assert code == 0, errors

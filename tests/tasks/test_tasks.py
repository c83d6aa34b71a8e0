"""Tasks of one's own: registered, loaded, trained on and asked like the zoo's."""

import ast
import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

import kerazoo
from kerazoo import registry
from kerazoo.cli import main
from kerazoo.tasks import known

FILE = Path(__file__).with_name("clothes.py")
PACKAGE = Path(kerazoo.__file__).parent


@pytest.fixture(scope="module")
def clothes():
    """The file of one's own, in use; the registries are put back afterwards."""
    specs, tasks = dict(registry._specs), dict(known._tasks)
    kerazoo.list_models()
    registry._import_file(FILE)
    yield
    for store, before in ((registry._specs, specs), (known._tasks, tasks)):
        store.clear()
        store.update(before)


@pytest.fixture(scope="module")
def run(clothes, tmp_path_factory):
    """The directory of a run of its model, trained by the command line."""
    directory = tmp_path_factory.mktemp("clothes") / "run"
    assert main(["train", "clothes_cnn", "--run-dir", str(directory)]) == 0
    return directory


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of pictures for each of two classes: bright above, bright below; of another size than the model's."""
    from PIL import Image

    root = tmp_path_factory.mktemp("pictures")
    for name, rows in (("high", slice(0, 32)), ("low", slice(32, 64))):
        (root / name).mkdir()
        for place in range(20):
            levels = np.random.default_rng(place).integers(0, 60, (64, 64, 3), np.uint8)
            levels[rows] += 180
            Image.fromarray(levels).save(root / name / f"{place}.png")
    return root


def test_the_file_is_short():
    assert len(FILE.read_text().splitlines()) <= 40


def test_it_is_listed_and_shown(clothes, capsys):
    assert main(["list", "clothes*", "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["task"], listed["dataset"]) == ("clothes", "clothes")
    assert main(["show", "clothes_cnn"]) == 0
    assert "examples=96" in capsys.readouterr().out


def test_it_trains_and_measures(run, capsys):
    assert json.loads((run / "metrics.json").read_text())["accuracy"] > 0.9
    assert main(["evaluate", "clothes_cnn", "--model", str(run / "model.keras"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["accuracy"] > 0.9


def test_it_reads_pictures_of_any_size(run, folder, capsys):
    files = [str(folder / name / "3.png") for name in ("high", "low")]
    assert main(["predict", "clothes_cnn", *files, "--model", str(run / "model.keras"), "--json"]) == 0
    assert [one["label"] for one in json.loads(capsys.readouterr().out)] == ["shirt", "trousers"]
    (found,) = kerazoo.predict(run / "model.keras", files[0])
    assert found.pixels.shape == (28, 28)


def test_it_is_fine_tuned_on_a_folder_of_pictures(run, folder, tmp_path, capsys):
    options = ["--model", str(run / "model.keras"), "--data", str(folder), "--num-classes", "2", "--epochs", "6"]
    assert main(["fine-tune", "clothes_cnn", *options, "--run-dir", str(tmp_path / "tuned"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metrics"]["accuracy"] == 1
    (found,) = kerazoo.predict(tmp_path / "tuned" / "model.keras", folder / "low" / "5.png")
    assert found.label == "low"


def test_an_input_that_cannot_be_read_does_not_end_the_others(run, folder):
    errors = []
    inputs = [folder / "high" / "1.png", folder / "none.png", folder / "low" / "1.png"]
    found = kerazoo.predict(run / "model.keras", inputs, errors=errors)
    assert [one.label for one in found] == ["shirt", "trousers"]
    assert len(errors) == 1
    assert "none.png" in str(errors[0])
    with pytest.raises(kerazoo.DataError, match=r"none\.png"):
        kerazoo.predict(run / "model.keras", inputs)
    with pytest.raises(kerazoo.DataError, match=r"none\.png"):
        kerazoo.predict(run / "model.keras", [folder / "none.png"], errors=errors)


def test_a_model_may_bring_its_task(clothes):
    task = kerazoo.Task("numbers", lambda *, rows=4: kerazoo.Dataset("n", "1", "user", np.eye(rows), np.arange(rows)))
    recipe = kerazoo.Recipe("sgd", "mean_squared_error", 2, 1, metrics=())
    kerazoo.register(name="brought", task=task, source=kerazoo.Source("mine", ""), recipe=recipe, num_params=0)(
        lambda: None
    )
    assert kerazoo.load_data("brought", rows=3).sizes == {"train": 3}
    with pytest.raises(kerazoo.OverrideError, match="Did you mean 'rows'"):
        kerazoo.load_data("brought", row=3)


@pytest.mark.parametrize("task", ["nothing", "minst", 3])
def test_an_unknown_task_is_refused_by_name(clothes, task):
    recipe = kerazoo.Recipe("sgd", "mean_squared_error", 2, 1)
    with pytest.raises(kerazoo.InputError, match="mnist|Task"):
        kerazoo.register(name="x", task=task, source=kerazoo.Source("", ""), recipe=recipe, num_params=0)(lambda: None)
    with pytest.raises(kerazoo.InputError, match="already registered"):
        kerazoo.register_task(kerazoo.Task("mnist"))
    with pytest.raises(kerazoo.InputError, match="wants a name"):
        kerazoo.register_task(kerazoo.Task(""))


def test_a_registration_that_is_wrong_is_told_when_the_model_is_built(clothes):
    import keras

    def line():
        inputs = keras.Input((2,))
        return keras.Model(inputs, keras.layers.Dense(1)(inputs))

    recipe = kerazoo.Recipe("sgd", "mean_squared_error", 2, 1, metrics=())
    told = {"source": kerazoo.Source("mine", ""), "recipe": recipe}
    kerazoo.register(name="few", num_params=1, **told)(line)
    inputs = (kerazoo.Tensor("x", (3,), "float32", "three numbers"),)
    kerazoo.register(name="other", num_params=3, inputs=inputs, **told)(line)
    with pytest.raises(kerazoo.InputError, match="num_params=1, and it has 3"):
        kerazoo.build("few")
    with pytest.raises(kerazoo.InputError, match=r"inputs of shapes \[\(3,\)\], and has \[\(2,\)\]"):
        kerazoo.build("other")


def test_every_model_of_the_zoo_names_a_task_that_exists():
    assert {kerazoo.spec(name).task for name in kerazoo.list_models("*mlp*")} <= set(kerazoo.tasks.list_tasks())


def test_no_function_asks_for_the_name_of_a_task():
    """What differs from task to task is a method of the task: `task.generates`, not `task == "text"`."""
    names = {"mnist", "imdb", "text", "toy", "recall"}
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and re.search(r"\b(dataset|task|kind)\b", ast.unparse(node.left)):
                literals = {
                    one.value for part in node.comparators for one in ast.walk(part) if isinstance(one, ast.Constant)
                }
                found += [f"{path.name}: {ast.unparse(node)}"] if literals & names else []
    assert not found


def test_a_task_is_shown(clothes, capsys):
    assert main(["show", "clothes", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["models"], shown["classes"]) == (["clothes_cnn"], ["shirt", "trousers", "belt"])
    assert main(["show", "imdb"]) == 0
    assert "a CSV of texts with their classes" in capsys.readouterr().out


def test_other_data_than_the_model_was_trained_on_is_warned_of(trained):
    model = trained("mnist_mlp").model
    kerazoo.evaluate(model, source="sample")
    file_origin = kerazoo.model_file.origin_of(model)
    kerazoo.model_file.set_origin(model, dataclasses.replace(file_origin, data=("letters", "user")))
    try:
        with pytest.warns(UserWarning, match=r"trained on letters \(user\), measured on mnist \(sample\)"):
            kerazoo.evaluate(model, source="sample")
    finally:
        kerazoo.model_file.set_origin(model, file_origin)


@pytest.mark.parametrize("flat", [True, False])
def test_pictures_of_a_data_set_in_uint8_are_scaled(flat):
    raw = np.full((4, 8, 8, 3), 255, np.uint8)
    task = kerazoo.tasks.Pictures(
        "raw", lambda: kerazoo.Dataset("raw", "1", "user", raw, np.arange(4)), (), "", "", (8, 8, 3), flat
    )
    for data in (None, kerazoo.Dataset("raw", "1", "user", raw, np.arange(4))):
        x = task.dataset(data, {}).x_train
        assert (x.dtype, x.max(), x.shape[1:]) == (np.float32, 1.0, (192,) if flat else (8, 8, 3))


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 2), (0, 4, 1)])
def test_a_shape_that_no_picture_has_is_refused(shape):
    with pytest.raises(kerazoo.InputError, match="wanted"):
        kerazoo.tasks.Pictures("odd", shape=shape)
    with pytest.raises(kerazoo.InputError, match="take Pictures"):
        kerazoo.tasks.Digits("odd", shape=(8, 8, 1))


def test_all_of_a_folder_is_measured(run, folder):
    tuned = kerazoo.fine_tune(run / "model.keras", folder, num_classes=2, epochs=1, verbose=False)
    by_path = kerazoo.evaluate(tuned.model, data=folder)
    assert by_path == kerazoo.evaluate(tuned.model, data=kerazoo.tasks.find("clothes").read(folder, test_split=0.0))


def test_answers_that_are_no_probabilities_are_refused():
    import keras

    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Dense(3, bias_initializer="ones", kernel_initializer="zeros")(inputs))
    with pytest.raises(kerazoo.InputError, match="no probability"):
        kerazoo.predict(keras.Model(inputs, model(inputs) * 4), [1.0, 2.0])


def test_reviews_of_ones_own_have_sizes_of_their_own():
    task = kerazoo.tasks.Reviews("mails")
    options = task.options(kerazoo.spec("toy_mlp"))
    assert options == {"unit": "auto", "vocab_size": 20_000, "sequence_length": 100}
    data = task.dataset((["good", "bad bad"], [1, 0]), options, learn=True)
    assert data.x_train.shape == (2, 100)


def test_options_for_ones_own_data_are_refused_beside_the_tasks_own():
    with pytest.raises(kerazoo.OverrideError, match="'unit' is for data of your own"):
        kerazoo.load_data("imdb_lstm", source="sample", unit="jieba")


def test_rows_of_numbers_are_read_from_files_and_words(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("rows.npy", np.eye(2))
    Path("rows.csv").write_text("1,0\n0,1\n")
    task = kerazoo.tasks.find("toy")
    for given, count in (("rows.npy", 2), (Path("rows.csv"), 2), ("0.5, -1", 1), ("0.5 -1", 1)):
        items = list(task.items(given))
        assert [np.shape(one.value) for one in items] == [(2,)] * count, given
    for given in ("one, two", "none.npy", Path("none.csv")):
        (wrong,) = task.items(given)
        assert isinstance(wrong.value, kerazoo.DataError), given


def test_a_model_of_other_classes_is_told_that_it_wants_data_of_them(run, folder):
    tuned = kerazoo.fine_tune(run / "model.keras", folder, num_classes=2, epochs=1, verbose=False)
    with pytest.raises(kerazoo.DataError, match="tells high, low apart, which clothes does not have; give data"):
        kerazoo.evaluate(tuned.model)

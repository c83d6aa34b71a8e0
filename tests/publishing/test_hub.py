"""To the Hub and back, by a stand-in of its HTTP interface: files, card, hashes, and what is refused."""

import re

import numpy as np
import pytest
from stand_in import Hub

import kerazoo
from kerazoo import hub
from kerazoo.cli import main
from kerazoo.weights import manifest

yaml = pytest.importorskip("yaml")
pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def remote(tmp_path_factory):
    """The stand-in, and huggingface_hub set to use it, with a cache of its own."""
    stand_in, folder = Hub(), tmp_path_factory.mktemp("hub")
    with pytest.MonkeyPatch.context() as patch:
        constants = "huggingface_hub.constants"
        patch.setattr(f"{constants}.ENDPOINT", stand_in.url)
        template = stand_in.url + "/{repo_id}/resolve/{revision}/{filename}"
        patch.setattr(f"{constants}.HUGGINGFACE_CO_URL_TEMPLATE", template)
        patch.setattr(f"{constants}.HF_HUB_CACHE", str(folder / "cache"))
        patch.setattr(f"{constants}.HF_HUB_DISABLE_XET", True)
        patch.setattr(f"{constants}.HF_HUB_DISABLE_PROGRESS_BARS", True)
        patch.setenv("HF_TOKEN", "a-token-of-the-test")
        yield stand_in
    stand_in.close()


@pytest.fixture(scope="module")
def pushed(remote):
    """What the stand-in holds after packaged weights were pushed."""
    assert main(["push", "mnist_mlp", "--to", "user/digits", "--license", "apache-2.0"]) == 0
    return remote.files["user/digits"]


@pytest.fixture(autouse=True)
def fresh():
    hub._fetched.cache_clear()


def test_a_repository_has_every_form_and_a_card(pushed):
    assert set(pushed) >= {"model.keras", "model.safetensors", "model.onnx", "kerazoo.json", "README.md"}
    card = pushed["README.md"].decode()
    head = yaml.safe_load(re.match(r"---\n(.*?)\n---", card, re.S)[1])
    assert (head["library_name"], head["license"], head["pipeline_tag"]) == (
        "keras",
        "apache-2.0",
        "image-classification",
    )
    (entry,) = head["model-index"]
    (result,) = entry["results"]
    measured = {one["type"]: one["value"] for one in result["metrics"]}
    test = manifest()["mnist_mlp"]["test"]
    assert measured == {name: test[name] for name in ("accuracy", "loss")}
    assert (result["dataset"]["name"], result["dataset"]["split"]) == ("mnist", "test")
    assert "hf://user/digits" in card and "kerazoo predict mnist_mlp" in card


def test_the_weights_alone_are_those_of_the_model(pushed, tmp_path):
    from safetensors.numpy import load

    (tmp_path / "model.keras").write_bytes(pushed["model.keras"])
    arrays, model = load(pushed["model.safetensors"]), kerazoo.load_model(tmp_path / "model.keras")
    assert set(arrays) == {one.path for one in model.weights}
    assert all(np.array_equal(arrays[one.path], np.asarray(one)) for one in model.weights)


def test_an_address_is_taken_wherever_a_file_is(pushed, capsys):
    data = kerazoo.load_data("mnist_mlp", source="sample")
    wanted = kerazoo.predict("mnist_mlp", data.x_test[:5])
    for how in ({"name": "hf://user/digits"}, {"name": "mnist_mlp", "model": "hf://user/digits@main"}):
        found = kerazoo.predict(how.pop("name"), data.x_test[:5], **how)
        for one, other in zip(found, wanted, strict=True):
            assert (one.label, one.probability) == (other.label, pytest.approx(other.probability, abs=1e-6))
    assert main(["evaluate", "imdb_lstm", "--model", "hf://user/digits"]) == 2
    assert "holds the model 'mnist_mlp', not 'imdb_lstm'" in capsys.readouterr().err


def test_a_run_is_pushed_with_what_it_measured(remote, tmp_path):
    kerazoo.train("toy_mlp", epochs=2, run_dir=tmp_path / "run", verbose=False)
    assert main(["push", str(tmp_path / "run"), "--to", "user/toy"]) == 0
    card = remote.files["user/toy"]["README.md"].decode()
    assert "toy (document)" in card and "license" not in card
    assert kerazoo.load_model("hf://user/toy", "toy_mlp").count_params() == 52


def test_what_came_damaged_is_refused(pushed, remote):
    remote.files["user/damaged"], remote.damaged = dict(pushed), True
    try:
        with pytest.raises(kerazoo.UnavailableError, match="is damaged: its hash is not"):
            kerazoo.load_model("hf://user/damaged")
    finally:
        remote.damaged = False


def test_code_that_a_file_brings_is_not_run(remote, tmp_path):
    import keras

    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "x.keras")
    remote.files["user/lambda"] = {"model.keras": (tmp_path / "x.keras").read_bytes()}
    with pytest.raises(kerazoo.ModelFileError, match="cannot be loaded as a Keras model"):
        kerazoo.load_model("hf://user/lambda")


BAD = [
    (["push", "mnist_mlp", "--to", "digits"], 2, "is no repository: wanted user/name"),
    (["push", "mnist_mpl", "--to", "user/x"], 2, "Did you mean 'mnist_mlp'?"),
    (["push", "toy_mlp", "--to", "user/x"], 2, "no pretrained weights"),
    (["push", ".", "--to", "user/x"], 2, "there is no run in '.'"),
    (["push", "mnist_mlp", "--to", "others/x"], 1, "cannot be written: 403"),
    (["evaluate", "mnist_mlp", "--model", "hf://user/none"], 2, "there is no 'model.keras' at hf://user/none"),
    (["evaluate", "mnist_mlp", "--model", "hf://none"], 2, "is no address of a model"),
]


@pytest.mark.parametrize(("arguments", "code", "says"), BAD)
def test_what_cannot_be_is_one_line(remote, tmp_path, monkeypatch, capsys, arguments, code, says):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == code
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1 and says in errors
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["evaluate", "mnist_mlp", "--model", "hf://user/digits"], "cannot be reached for hf://user/digits"),
        (["push", "mnist_mlp", "--to", "user/digits"], "cannot be reached at http://127.0.0.1:9"),
    ],
)
def test_a_hub_that_is_not_there_is_one_line(monkeypatch, tmp_path, capfd, arguments, says):
    template = "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between its tries
    assert main(arguments) == 1
    errors = capfd.readouterr().err
    assert errors.count("\n") == 1 and says in errors and "Errno" in errors

"""A server for each kind of model, asked as clients ask, well and badly; what arrives together is answered together."""

import asyncio
import base64
import io
import json
import socket
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import kerazoo
from kerazoo.cli import main
from kerazoo.serving import app
from kerazoo.serving.batching import Batcher, Busy
from kerazoo.serving.served import Classifies, Writes
from kerazoo.serving.server import listen, server

MODELS = {"mnist_mlp": Classifies, "imdb_lstm": Classifies, "textgen_lstm": Writes}


@pytest.fixture(scope="module")
def served():
    """Return a function: the address of a server for a model, and what it serves."""
    running, open_sockets = {}, []

    def start(name):
        if name not in running:
            model = Writes(name, None) if MODELS[name] is Writes else Classifies(name, None, explain=True)
            listening, one = listen("127.0.0.1", 0), server(model)
            thread = threading.Thread(target=one.run, kwargs={"sockets": [listening]})
            thread.start()
            open_sockets.append(listening)
            running[name] = (f"http://127.0.0.1:{listening.getsockname()[1]}", model, one, thread)
        return running[name][:2]

    yield start
    for _, _, one, thread in running.values():
        one.should_exit = True
        thread.join(20)
    for one in open_sockets:
        one.close()


def ask(url, body=None, **headers):
    """Return status and JSON of a request; a body that is no bytes is sent as JSON."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.fixture(scope="module")
def digits():
    data = kerazoo.load_data("mnist_mlp", source="sample")
    return data.x_test[:40].reshape(-1, 28, 28)


@pytest.mark.parametrize("name", MODELS)
def test_a_server_says_what_it_serves(served, name):
    url, model = served(name)
    assert ask(f"{url}/health") == (200, {"status": "ok", **model.facts})
    status, document = ask(f"{url}/openapi.json")
    assert status == 200 and set(document["paths"]) == {"/health", model.path}
    with urllib.request.urlopen(f"{url}/docs", timeout=30) as page:
        text = page.read().decode()
    assert f"POST {model.path}" in text and "http://" not in text and "https://" not in text
    example = document["paths"][model.path]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert ask(url + model.path, example)[0] == 200


def test_pictures_as_pixels_and_as_files_get_the_answers_of_predict(served, digits):
    url, _ = served("mnist_mlp")
    file = io.BytesIO()
    Image.fromarray((digits[0] * 255).astype(np.uint8)).save(file, "png")
    encoded = base64.b64encode(file.getvalue()).decode()
    status, found = ask(
        f"{url}/predict", {"inputs": [digits[0].tolist(), encoded, f"data:image/png;base64,{encoded}", [0.5] * 784]}
    )
    assert status == 200 and found["model"] == "mnist_mlp"
    wanted = kerazoo.predict("mnist_mlp", [digits[0], file.getvalue(), file.getvalue(), np.full(784, 0.5)])
    for one, answer in zip(found["predictions"], wanted, strict=True):
        assert (one["label"], one["probability"]) == (answer.label, pytest.approx(answer.probability, abs=1e-5))


def test_texts_are_classified_and_their_words_weighed(served):
    url, _ = served("imdb_lstm")
    status, found = ask(f"{url}/predict", {"inputs": ["A moving story, superbly acted.", "Dull and far too long."]})
    assert status == 200
    assert [one["label"] for one in found["predictions"]] == ["positive", "negative"]
    assert {"superbly", "acted"} & {word["word"] for word in found["predictions"][0]["words"]}


def test_text_is_written_the_same_for_a_seed(served):
    url, _ = served("textgen_lstm")
    status, found = ask(f"{url}/generate", {"prompt": "ROMEO:", "length": 30, "seed": 3})
    assert status == 200
    assert found["texts"] == [{"text": kerazoo.generate("textgen_lstm", "ROMEO:", length=30, seed=3), "seed": 3}]
    _, drawn = ask(f"{url}/generate", {"length": 30})
    again = {"length": 30, "seed": drawn["texts"][0]["seed"]}
    assert ask(f"{url}/generate", again)[1]["texts"] == drawn["texts"]


BAD = [
    ("mnist_mlp", b"{", 400, "no JSON"),
    ("mnist_mlp", b"[" * 100_000, 400, "no JSON"),
    ("mnist_mlp", b" " * (app.LARGEST_BODY + 1), 413, "1 MiB"),
    ("mnist_mlp", {"inputs": []}, 422, "at least one input"),
    ("mnist_mlp", [1, 2], 422, "wanted a JSON object"),
    ("mnist_mlp", {"inputs": [[0.0] * 784] * 65}, 422, "at most 64"),
    ("mnist_mlp", {"inputs": [[[[0.0] * 28] * 28] * 65]}, 422, "more than 64"),
    ("mnist_mlp", {"inputs": [[0.0] * 784, [0.0] * 3]}, 422, "input 1 has shape (3,)"),
    ("mnist_mlp", {"inputs": ["/etc/passwd"]}, 422, "input 0 is no base64"),
    ("mnist_mlp", {"inputs": ["aGVsbG8="]}, 422, "input 0"),
    ("mnist_mlp", {"inputs": [base64.b64encode(b"PK\x03\x04" + bytes(9)).decode()]}, 422, "file of arrays"),
    ("mnist_mlp", {"inputs": [{"path": "x.npy"}]}, 422, "input 0: wanted a picture as base64"),
    ("mnist_mlp", {"inputs": [["a", "b"]]}, 422, "input 0"),
    ("mnist_mlp", {"inputs": [[0.0] * 784, [float("nan")] * 784]}, 422, "input 1: pictures hold NaN"),
    ("imdb_lstm", {"inputs": [""]}, 422, "empty text"),
    ("imdb_lstm", {"inputs": ["good", [-1, 2]]}, 422, "input 1 has word ids from -1 to 2"),
    ("imdb_lstm", {"inputs": [3.5]}, 422, "wanted a text"),
    ("textgen_lstm", {"prompt": 3}, 422, "prompt"),
    ("textgen_lstm", {"prompt": "\ud800"}, 422, "not Unicode"),
    ("textgen_lstm", {"prompts": "x"}, 422, "wanted a JSON object with any of"),
    ("textgen_lstm", {"length": 3000}, 422, "at most 2000"),
    ("textgen_lstm", {"length": 0}, 422, "length=0"),
    ("textgen_lstm", {"temperature": "hot"}, 422, "temperature='hot'"),
]


@pytest.mark.parametrize(("name", "body", "status", "says"), BAD)
def test_what_cannot_be_answered_is_told_in_one_line(served, name, body, status, says):
    url, model = served(name)
    code, found = ask(url + model.path, body)
    assert (code, set(found)) == (status, {"error"})
    assert says in found["error"] and "\n" not in found["error"]


def test_other_paths_methods_types_and_hosts_are_refused(served):
    url, _ = served("mnist_mlp")
    served_here = "wanted one of GET /, GET /docs, GET /health, GET /openapi.json, POST /predict"
    assert ask(f"{url}/generate", {}) == (404, {"error": f"there is no POST /generate; {served_here}"})
    assert ask(f"{url}/predict") == (405, {"error": f"there is no GET /predict; {served_here}"})
    status, found = ask(f"{url}/predict", b"{}", **{"Content-Type": "text/plain"})
    assert (status, found["error"]) == (415, "a body of the type text/plain; wanted application/json")
    assert ask(f"{url}/predict", b"{}", **{"Content-Type": "Application/JSON; charset=utf-8"})[0] == 422
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(urllib.request.Request(f"{url}/health", headers={"Host": "evil.example"}), timeout=30)


@pytest.mark.parametrize("name", ["127.0.0.1:8000", "localhost", "[::1]:8000"])
def test_this_machine_is_called_by_any_of_its_names(served, name):
    url, _ = served("mnist_mlp")
    assert ask(f"{url}/health", Host=name)[0] == 200


def test_the_name_of_a_file_is_a_text_and_no_file(served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "superb.txt").write_text("dull dull dull")
    url, _ = served("imdb_lstm")
    _, found = ask(f"{url}/predict", {"inputs": ["superb.txt"]})
    assert found["predictions"][0]["label"] == "positive"


def test_many_at_once_each_get_their_own_answer(served, digits):
    url, _ = served("mnist_mlp")
    wanted = [one.label for one in kerazoo.predict("mnist_mlp", digits)]
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda one: ask(f"{url}/predict", {"inputs": [one.tolist()]})[1], digits))
    assert [one["predictions"][0]["label"] for one in found] == wanted


def test_what_arrives_together_is_answered_together_in_order():
    calls = []

    def answer(things):
        calls.append(list(things))
        if "bad" in things:
            raise ValueError("no answer")
        return [thing * 2 for thing in things]

    async def several():
        batcher = Batcher(answer, most=4, window=0.01, waiting=6)
        running = asyncio.create_task(batcher.run())
        found = await asyncio.gather(*(batcher.ask(one) for one in ([1], [2, 3], [4, 5])))
        with pytest.raises(Busy):
            await batcher.ask(list(range(7)))
        with pytest.raises(ValueError, match="no answer"):
            await batcher.ask(["bad"])
        after = await asyncio.gather(*(batcher.ask(one) for one in ([9], ["bad"])), return_exceptions=True)
        running.cancel()
        return found, after

    found, (after, error) = asyncio.run(several())
    assert (found, after, str(error)) == ([[2], [4, 6], [8, 10]], [18], "no answer")
    assert calls == [[1, 2, 3], [4, 5], ["bad"], [9, "bad"], [9], ["bad"]]


def test_a_server_that_stops_says_so_to_those_who_wait(monkeypatch):
    begun, done = threading.Event(), threading.Event()

    class Slow:
        name, task, path, answers_are, facts = "slow", None, "/generate", "texts", {}

        def read(self, document):
            return [document]

        def answer(self, asked):
            begun.set()
            done.wait(30)
            return asked

    monkeypatch.setattr("kerazoo.serving.server._SECONDS_TO_END", 0.1)
    with listen("127.0.0.1", 0) as listening, ThreadPoolExecutor(3) as pool:
        one = server(Slow())
        running = pool.submit(one.run, sockets=[listening])
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/generate"
        waiting = pool.submit(ask, url, {})
        assert begun.wait(30)
        one.should_exit = True
        assert waiting.result(30) == (503, {"error": "the server is stopping; ask again later"})
        done.set()
        running.result(30)


def test_a_port_that_is_taken_and_a_model_that_is_not_there_are_one_line(capsys):
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        for arguments, says in (
            (["mnist_mlp", "--port", str(port)], f"port {port} of 127.0.0.1 is in use"),
            (["mnist_mlp", "--port", "70000"], "port=70000"),
            (["mnist_mlp", "--port", "0", "--host", "192.0.2.1"], "the address 192.0.2.1 cannot be listened at"),
            (["mnist_mlp", "--port", "0", "--window", "nan"], "window=nan"),
            (["mnist_mlp", "--port", "0", "--window", "-1"], "window=-0.001"),
            (["mnist_mpl"], "Did you mean 'mnist_mlp'?"),
            (["attention_block", "--port", "0"], "no classes to predict"),
            (["mnist_mlp", "--port", "0", "--model", "gone.keras"], "is not a file"),
        ):
            assert main(["serve", *arguments]) == 2
            errors = capsys.readouterr().err
            assert errors.count("\n") == 1 and says in errors


def test_answers_do_not_wait_for_the_client_s_receipt():
    with listen("127.0.0.1", 0) as listening:
        assert listening.proto == socket.IPPROTO_TCP  # by which asyncio turns Nagle's algorithm off

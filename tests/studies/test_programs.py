"""The printed programs: quoted whole, failing where it is said, and corrected in docs/programs."""

import os
from pathlib import Path
from random import Random
from textwrap import dedent

import pytest
from articles import ENTRIES, claim

from kerazoo import Setting, Unmeasurable
from kerazoo.studies.articles.experiments import keras_2, repairing
from kerazoo.studies.articles.experiments.repairing import Program, Repair
from kerazoo.studies.articles.experiments.repairs import PROGRAMS
from kerazoo.studies.articles.experiments.running import Outcome, run

DOCS = Path(__file__).parents[2] / "docs" / "programs"
FAILURES = {  # of each repair the call that fails before it is made, and the type of the error
    "000": [
        ("outputs = model(x_train)", "RuntimeError"),
        ("loss = criterion(outputs, y_train)", "RuntimeError"),
        ("outputs = model(x_test)", "RuntimeError"),
    ],
    "001": [("tokenizer.fit_on_texts(x_train)", "AttributeError"), ("model.fit(", "InvalidArgumentError")],
    "002": [
        *[("model.add(Embedding(input_dim=vocab_size, output_dim=embedding_size))", "NameError")] * 2,
        *[("model.fit(x_train, y_train, ", "NameError")] * 2,
        ("generated_text = model.predict(x_test)", "NameError"),
        ("decoded_text = decode(generated_text)", "NameError"),
        ("", ""),
    ],
    "003": [("model.fit(x_train, y_train, epochs=10, batch_size=32)", "ValueError")],
    "004": [],
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_quoted_with_its_claim_and_stands_corrected_in_the_documents(name):
    program = PROGRAMS[name]
    assert ENTRIES[f"{name}/program"].quote in program.printed
    comment, _, text = (DOCS / f"{name}.py").read_text(encoding="utf-8").partition("\n\n")
    assert text == program.repaired(program.repairs)
    assert all(line.startswith("# ") for line in comment.splitlines()) and "kerazoo" not in text
    assert f"({name}.py)" in (DOCS / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def at_once():
    """How each trial of the programs for Keras ends: all in one go, since importing it takes most of the time."""
    programs = [program for program in PROGRAMS.values() if program.library == "tensorflow"]
    texts = list(dict.fromkeys(text for one in programs for text in (*one.with_more(), *one.with_one())))

    def download(folder):
        for write in {program.downloads for program in programs}:
            write(folder, Setting(), False)

    return dict(zip(texts, run(texts, "tensorflow", download), strict=True))


def check(name):
    found = claim(f"{name}/program")
    check_repairs(name, found.verdict, found.repairs)


def check_repairs(name, verdict, repairs):
    failures, lines = FAILURES[name], PROGRAMS[name].printed.splitlines()
    assert verdict == ("not_runnable" if failures else "holds")
    for repair, (call, error) in zip(repairs, failures, strict=True):
        assert repair["call"].startswith(call) and repair["error"].startswith(error) and repair["what"]
        assert repair["why"] and (not call or lines[repair["line"] - 1].strip() == repair["call"])
        assert bool(repair["alone"]["error"]) == (len(failures) > 1)  # where several are needed, none suffices


def test_the_pytorch_program_fails_where_it_is_said_to_and_runs_when_repaired():
    pytest.importorskip("torch")
    check("000")


@pytest.mark.tensorflow
@pytest.mark.real_data
@pytest.mark.parametrize("name", ["001", "002", "003", "004"])
def test_a_program_fails_where_it_is_said_to_and_runs_when_repaired(name, at_once, monkeypatch):
    monkeypatch.setattr(repairing, "run", lambda texts, *given, **options: [at_once[text] for text in texts])
    check(name)


@pytest.mark.tensorflow
@pytest.mark.real_data
@pytest.mark.skipif(not os.environ.get(keras_2.VARIABLE), reason=f"{keras_2.VARIABLE} names no Python with Keras 2")
@pytest.mark.parametrize("name", ["001", "002", "003", "004"])
def test_with_keras_2_a_program_fails_where_it_does_today(name):
    found = claim(f"{name}/program/keras-2")
    (evidence,) = found.evidence
    check_repairs(name, found.verdict, evidence["repairs"])
    assert evidence["versions"]["tensorflow"] in found.note and found.fact == f"{name}/program"
    assert not any("/" in repair["error"] for repair in evidence["repairs"])  # no path of this machine


@pytest.mark.parametrize(
    ("prints", "told"),
    [
        (None, "No environment with Keras 2 is named"),
        ("", "is no Python with TensorFlow"),
        ('{"tensorflow": "2.16.1"}', "has TensorFlow 2.16.1"),
        ('{"tensorflow": "1.15.0"}', "has TensorFlow 1.15.0"),
    ],
)
def test_without_an_environment_with_keras_2_the_way_to_one_is_told(prints, told, tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{prints}'\n", encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setenv(keras_2.VARIABLE, "" if prints is None else str(python))
    with pytest.raises(Unmeasurable, match=told) as raised:
        keras_2.interpreter()
    assert 'pip install "tensorflow==2.15.*"' in str(raised.value) and "\n" not in str(raised.value)
    monkeypatch.setenv(keras_2.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(Unmeasurable, match="nowhere is no program"):
        keras_2.interpreter()


def test_an_environment_with_keras_2_tells_its_versions(tmp_path, monkeypatch):
    python = tmp_path / "python"
    python.write_text("""#!/bin/sh\necho '{"python": "3.11.2", "tensorflow": "2.15.1"}'\n""", encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setenv(keras_2.VARIABLE, os.path.relpath(python))
    path, versions = keras_2.interpreter()
    assert Path(path).is_absolute() and python.samefile(path)
    assert versions == {"python": "3.11.2", "tensorflow": "2.15.1"}


KERAS_2 = """
class keras:
    class Model:
        def fit(self, *given, **options):
            print("fit", given, options)
        def evaluate(self, *given, **options):
            print("evaluate", given, options)
        def predict(self, *given, **options):
            raise ValueError(f"in user code:\\n\\n  File here, line 1\\n    a * b\\n\\n  ValueError: {options}")
    class utils:
        def get_file():
            return validate_file()
        def set_random_seed(seed):
            pass

def validate_file():
    return False

__version__ = "2.15.1"
"""


def test_a_trial_with_keras_2_is_cut_as_keras_3_cuts_it_and_takes_what_stands_in_for_a_download(tmp_path, monkeypatch):
    (tmp_path / "tensorflow.py").write_text(KERAS_2, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    text = """
    import tensorflow as tf, os
    print(os.listdir(os.path.expanduser("~/.keras/datasets")), tf.keras.utils.get_file())
    model = tf.keras.Model()
    model.fit(1, epochs=9)
    model.evaluate(2)
    model.predict(3)
    """
    (end,) = run([dedent(text)], "tensorflow", lambda folder: (folder / "a.npz").touch())
    assert end.printed == (
        "['a.npz'] True",
        "fit (1,) {'epochs': 1, 'steps_per_epoch': 5, 'validation_steps': 5}",
        "evaluate (2,) {'steps': 5}",
    )
    assert (end.error, end.call) == ("ValueError: {'steps': 5}", "model.predict(3)")
    (end,) = run(
        ["import tensorflow as tf; tf.keras.Model().fit(1, epochs=9)"], "tensorflow", lambda _: None, whole=True
    )
    assert end.printed == ("fit (1,) {'epochs': 9}",)


def test_programs_run_apart_and_only_for_so_long(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("import random\n\nmanual_seed = random.seed\n")  # quick to import
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    bars = "print('1/2 \\x1b[1m━━\\x1b[0m 1s 2s/step - loss: 0.9'); print('2/2 ━━ 4s 2s/step - loss: 0.5\\n\\nend')"
    seeded = "import random\nrandom.seed = None\nprint(random.random())"
    library = "import os\ndef f():\n    os.listdir('nowhere')\n\nf()"
    texts = ["while True:\n    pass", bars, seeded, library, "import warnings\nwarnings.warn('oh')"]
    endless, shown, random, failed, warned = run(texts, "torch", lambda folder: None, seed=3, seconds=1)
    assert not endless.ran and "1 seconds" in endless.error
    assert shown.ran and shown.printed == ("loss: 0.5", "end")
    assert random.printed == (str(Random(3).random()),)
    assert failed.error.startswith("FileNotFoundError") and (failed.call, failed.line) == ("os.listdir('nowhere')", 3)
    assert warned.ran and warned.warnings == ("UserWarning: oh",) and not failed.warnings


@pytest.fixture
def program(monkeypatch):
    """A program "a b" that fails at its first letter which is not a capital."""

    def fake(texts, library, download, **options):
        ends = []
        for text in texts:
            small = [letter for letter in text if letter.islower()]
            error, call = (f"NameError: {small[0]}", small[0]) if small else ("", "")
            ends.append(Outcome(error, call, 0, (f"{text}: 0.5",), ()))
        return ends

    monkeypatch.setattr(repairing, "run", fake)
    monkeypatch.setattr(Program, "printed", "a b\n")
    return Program("any", "torch", [Repair(x, "so", {x: x.upper()}) for x in "ab"], numbers={"half": r"B: ([\d.]+)"})


def test_each_repair_is_tried_alone_and_after_those_before_it(program):
    found = repairing.tried(program, Setting())
    assert not found["runs"] and [one["call"] for one in found["repairs"]] == ["a", "b"]
    assert [one["alone"]["call"] for one in found["repairs"]] == ["b", "a"]
    assert "`a` (NameError: a); it runs with 2 repairs, and with none of them alone" in found["note"]


def test_what_cannot_be_repaired_is_raised(program):
    with pytest.raises(RuntimeError, match="fails with every repair at `b`"):
        repairing.tried(Program("any", "torch", program.repairs[:1]), Setting())
    with pytest.raises(ValueError, match="0 times"):
        program.repaired([Repair("c", "so", {"c": "C"})])


def test_a_corrected_program_gives_the_numbers_that_it_prints(program):
    fewer = Program("any", "torch", program.repairs, numbers={"half": r"B\n: ([\d.]+)"})
    assert repairing.corrected(fewer, Setting())["half"] == [0.5]
    with pytest.raises(RuntimeError, match="prints no half"):
        repairing.corrected(Program("any", "torch", program.repairs, numbers={"half": "none"}), Setting())
    with pytest.raises(RuntimeError, match="fails at `b`"):
        repairing.corrected(Program("any", "torch", program.repairs[:1]), Setting())

"""What the tab key completes, and the help."""

import subprocess
import sys

import pytest
from click.shell_completion import BashComplete

import kerazoo
from kerazoo.cli import app, main
from kerazoo.data.prepared import SOURCES

COMMANDS = [*app.commands]


def complete(*words):
    *before, incomplete = words
    return BashComplete(app, {}, "kerazoo", "_KERAZOO_COMPLETE").get_completions(before, incomplete)


def values(*words):
    return [one.value for one in complete(*words)]


def test_commands_are_completed():
    assert values("") == COMMANDS
    assert values("re") == ["reproduce", "report"]


@pytest.mark.parametrize("command", ["show", "train", "evaluate", "fine-tune", "predict", "generate", "claims"])
def test_names_of_models_are_completed(command):
    assert values(command, "mnist") == ["mnist_mlp", "mnist_mlp_dropout"]


def test_several_names_are_completed():
    assert "toy_mlp" in values("reproduce", "mnist_mlp", "")


def test_options_and_their_values_are_completed():
    assert values("train", "mnist_mlp", "--vali") == ["--validation-split"]
    assert values("train", "mnist_mlp", "--source", "") == [*SOURCES]


@pytest.mark.parametrize("words", [("evaluate", "mnist_mlp", "--model", "run/m"), ("predict", "mnist_mlp", "pic")])
def test_files_are_left_to_the_shell(words):
    (one,) = complete(*words)
    assert (one.type, one.value) == ("file", words[-1])


def test_the_shell_is_told_how(monkeypatch, capsysbinary):
    monkeypatch.setenv("_KERAZOO_COMPLETE", "zsh_source")
    assert main([]) == 0
    assert b"compdef _kerazoo_completion kerazoo" in capsysbinary.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_says_what_it_does(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"Usage: kerazoo {command}" in capsys.readouterr().out
    assert app.commands[command].help
    assert all(option.help for option in app.commands[command].params if option.param_type_name == "option")


def test_help_lists_the_commands_in_full_and_debug(capsys):
    assert main(["--help"]) == 0
    output = capsys.readouterr().out
    assert "..." not in output.partition("Commands:")[2]
    assert all(f"  {command} " in output for command in COMMANDS)
    assert "--debug" in output and 'eval "$(_KERAZOO_COMPLETE=bash_source kerazoo)"' in output


def test_models_of_installed_packages_are_listed(tmp_path):
    (tmp_path / "other.py").write_text(
        "import kerazoo\n"
        "recipe = kerazoo.Recipe('sgd', 'mean_squared_error', batch_size=8, epochs=1)\n"
        "@kerazoo.register(source=kerazoo.Source('mine', ''), recipe=recipe, num_params=1)\n"
        "def other_model():\n    'A model.'\n"
    )
    (tmp_path / "other-1.dist-info").mkdir()
    (tmp_path / "other-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (tmp_path / "other-1.dist-info" / "entry_points.txt").write_text("[kerazoo.models]\nother = other\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import kerazoo; print(*kerazoo.list_models())"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert listed == sorted([*kerazoo.list_models(), "other_model"])


def test_the_command_line_starts_without_what_it_does_not_need():
    code = (
        "import sys\nfrom kerazoo.cli import main\nassert main(['train', 'mnist_mlp', '--frob']) == 2\n"
        "slow = ('rich', 'numpy', 'matplotlib', 'tensorflow', 'keras', 'jax', 'importlib.metadata', 'kerazoo.report')\n"
        "print([name for name in slow if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"

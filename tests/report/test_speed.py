"""README's table of speed, from rows of the benchmarks."""

import json

from kerazoo.report import speed

RATIO = {"median": 2.0, "min": 1.5, "max": 2.25}
ABOUT = {"device": {"name": "a CPU"}, "threads": 2, "precision": "float32", "processes": "one a contender"}
TAKEN = {"form": "fit as it comes"}


def write(path, *rows):
    path.write_text("".join(json.dumps({"quick": False, "environment": ABOUT, **row}) + "\n" for row in rows))


def training(**changes):
    row = {
        "model": "toy_mlp",
        "batch_size": 4,
        "contenders": {"keras-jax": TAKEN, "keras-tensorflow": TAKEN, "torch-eager": "not measured: no PyTorch"},
        "best": {"kerazoo": "kerazoo-tensorflow", "keras": "keras-jax"},
        "ratios": {"keras-jax": RATIO, "keras-tensorflow": {**RATIO, "median": 3.0}, "kerazoo-jax": RATIO},
    }
    return {**row, **changes}


def test_the_table_names_the_best_of_each_peer_and_kerazoos_faster_backend(tmp_path):
    assert "No results yet" in speed.speed_block(tmp_path)
    slow = training(ratios={"keras-jax": {**RATIO, "median": 0.5}})
    write(tmp_path / "train.jsonl", slow, training(), {**slow, "quick": True})
    text = speed.speed_block(tmp_path)
    assert text.startswith("On a CPU, 2 threads, float32:\n")
    ours, keras = "TensorFlow; JAX takes 2.00 times as long", "2.00 (1.50 to 2.25); JAX, fit as it comes"
    assert f"| train `toy_mlp`, batch 4 | {ours} | {keras} | not measured |" in text
    assert "0.50" not in text
    assert speed.speed_block(tmp_path, training_alone=True) == text


def test_growth_has_a_table_for_each_sweep_in_the_order_of_the_values(tmp_path):
    assert speed.growth_block(tmp_path) == ""
    step = {"form": "fit", "ms_per_step": {"median": 1.25}}
    contenders = {**training()["contenders"], "kerazoo-tensorflow": step}
    rows = [training(sweep="batch", value=value, contenders=contenders) for value in (32, 4)]
    write(tmp_path / "scaling.jsonl", *rows)
    text = speed.speed_document(tmp_path)
    assert "`toy_mlp` by batch, a CPU, 2 threads, float32:" in text
    first, second = (line for line in text.splitlines() if "1.25; TensorFlow" in line)
    assert first.startswith("| 4 | 1.25; TensorFlow | 2.00 (1.50 to 2.25); JAX, fit as it comes | not measured |")
    assert second.startswith("| 32 |")


def test_serving_has_a_line_for_each_load_the_last_that_was_measured(tmp_path):
    row = {"model": "t", "clients": 8, "p50_ms": 3.46, "p99_ms": 12.0, "environment": {"cpu": "a CPU"}}
    rows = [{**row, "requests_per_s": 10.0}, {**row, "requests_per_s": 1234.5}, {**row, "quick": True}]
    write(tmp_path / "serve.jsonl", *rows)
    text = speed.speed_document(tmp_path)
    assert text.count("| `t` |") == 1 and "On a CPU, clients and server together:" in text
    assert "| `t` | 8 | 1,234 | 3.5 | 12.0 |" in text


def test_generation_has_a_line_for_each_way_of_the_others(tmp_path):
    part = training(contenders={"keras-jax": TAKEN, "torch-eager": {"form": "eager"}})
    part |= {"streams": 64, "best": {**part["best"], "torch": "torch-eager"}}
    part["ratios"] = {"keras-jax": {"median": 2345.6, "min": 2000.0, "max": 3000.0}, "torch-eager": RATIO}
    old = {**ABOUT, "processes": "one for all"}
    write(tmp_path / "generate.jsonl", {"model": "t", "environment": old, "one": part, "window": part, "streams": part})
    text = speed.speed_block(tmp_path)
    assert "On a CPU, 2 threads, float32, all in one process:" in text
    assert "| 2,346 (2,000 to 3,000); JAX, fit as it comes | 2.00 (1.50 to 2.25); eager |" in text
    assert text.count("| generate with `t`") == 3


def test_a_contender_that_failed_everywhere_has_no_figure(tmp_path):
    write(tmp_path / "train.jsonl", training(best={}, ratios={}))
    assert "| not measured | not measured | not measured |" in speed.speed_block(tmp_path)

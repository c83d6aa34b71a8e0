"""The claims of the five articles that were listed before anything was measured: none is forgotten."""

from articles import ENTRIES, STUDY

# Every line of the inventory of claims; a line may have become several entries, whose ids then begin with it.
_INVENTORY = """
000/mlp-definition 000/cross-entropy-simplified 000/softmax-gradient 000/program 000/training-log 000/printed-output
000/overfitting-remedies
001/attention-formula 001/attention-worked-example 001/title-vs-program 001/program 001/train-samples 001/val-samples
001/epoch-table 001/timing-arithmetic 001/us-per-sample 001/val-accuracy-84 001/fine-tuning-helps 001/pretrain-finetune
001/compression
002/mlp-formula 002/delta-output 002/delta-hidden 002/update-sign 002/program 002/generates-text
003/mnist-70000 003/three-layers 003/program 003/accuracy 003/forward 003/gradient-descent 003/backpropagation
003/optimizers 003/activations 003/early-stopping 003/regularisation
004/mnist-split 004/first-layer 004/program 004/cross-entropy-example 004/mse 004/sigmoid-range 004/tanh-range
004/relu-examples 004/backpropagation-code 004/linear-regression-gradient 004/dropout-keep-prob 004/weight-decay-is-l2
004/dropout-prevents-overfitting 004/rmsprop-converges-better 004/transfer-saves-time
"""
INVENTORY = _INVENTORY.split()


def test_every_line_of_the_inventory_is_in_the_ledger():
    assert [line for line in INVENTORY if not any(f"{id}/".startswith(f"{line}/") for id in ENTRIES)] == []
    cells = {
        f"e{epoch:02}-{name}" for epoch in range(1, 11) for name in ("loss", "accuracy", "val_loss", "val_accuracy")
    }
    assert {id.split("/")[-1] for id in ENTRIES if id.startswith("001/epoch-table/")} == cells


def test_each_cell_of_the_epoch_table_is_compared_with_its_own_measurement():
    for id, entry in ENTRIES.items():
        if "/epoch-table/" in id:
            epoch, name = id.split("/")[-1].split("-")
            assert entry.value == f"history.{name}.{int(epoch[1:]) - 1}"
            assert entry.quote.endswith(f"{entry.documented:.4f}") and entry.quote.startswith(f"{name}: ")


def test_every_exact_check_is_quick_and_deterministic():
    kinds = ("formula", "arithmetic", "program")
    exact = {entry.check for entry in ENTRIES.values() if entry.kind in kinds and entry.rule != "source"}
    assert all(STUDY.experiments[name].quick and STUDY.experiments[name].seeds == 1 for name in exact)

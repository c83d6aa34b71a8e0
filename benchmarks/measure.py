"""Training one model: who takes part, whether they agree, how long each takes."""

import statistics
from typing import Any

import flops
import hardware
from common import NO_TORCH, TORCH_OFF, Device
from kerazoo.engine.loops import EXAMPLES_WORTH_TRACING
from peers import fitting
from timing import interleave, ratios, spread
from work import Work

STEPS_COMPARED = 50


def contenders(work: Work, torch: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the contenders by name, kerazoo first, and for those that do not take part the reason why."""
    ours = fitting.build(work)
    taking_part: dict[str, Any] = {}
    absent = {}
    reason = no_torch(work, torch)
    if reason:
        absent["torch"] = reason
    else:
        from peers.torch_training import Torch

        taking_part["torch"] = Torch(work, ours)  # copies the weights of `ours` before they are trained
    return {"kerazoo": fitting.Kerazoo(work, ours), "keras": fitting.Plain(work, ours), **taking_part}, absent


def no_torch(work: Work, wanted: bool) -> str | None:
    """Return why PyTorch does not take part; None if it does."""
    if not wanted:
        return TORCH_OFF
    try:
        from peers import torch_models
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return NO_TORCH
    return None if work.name in torch_models.MODELS else f"not measured: no PyTorch form of {work.name}"


def set_up(options: Any) -> tuple[Device, bool, int, dict[str, Any]]:
    """Set device, threads and precision for every contender, as the command line wants them.

    Returns:
        The device, whether PyTorch takes part, the turns that count, and what a row records of all this.
    """
    device = hardware.set_up(options.device, options.precision, options.threads)
    torch = set_up_torch(not options.no_torch, options.threads, options.precision)
    repeats = options.repeats or (3 if options.quick else 7)
    return device, torch, repeats, hardware.record(device, options.precision, options.threads, torch)


def set_up_torch(wanted: bool, threads: int, precision: str) -> bool:
    """Set PyTorch's threads and precision, and tell whether it is there and wanted."""
    if not wanted:
        return False
    try:
        from peers import torch_training
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        return False
    torch_training.set_up(threads, precision)
    return True


def measure(work: Work, steps: int | None, repeats: int, torch: bool, compare: bool = True) -> dict[str, Any]:
    """Return the measured part of a row: losses, seconds, ratios and FLOPs.

    Args:
        work: what is trained.
        steps: steps of one turn, or more for a small batch; None: what plain Keras does in about a second, by a trial.
        repeats: turns that count.
        torch: whether PyTorch takes part, if it can.
        compare: also compare the losses after 50 steps from the same weights, in the same order, without dropout.
    """
    sides, absent = contenders(work, torch)
    losses: dict[str, float] = {}
    if compare:
        # A model with dropout is compared as one without; any other is trained on after the comparison.
        still = _without_dropout(work)
        compared = sides if still is work else contenders(still, torch)[0]
        losses = {name: side.loss_after(STEPS_COMPARED) for name, side in compared.items()}
    # No fewer examples than the engine wants before it traces its faster layers: a turn is one epoch.
    steps = max(steps or _steps_of_a_second(sides["keras"]), -(-EXAMPLES_WORTH_TRACING // work.batch_size))
    taken = interleave({name: lambda side=side: side.train(steps) for name, side in sides.items()}, repeats)
    per_example = flops.training_flops(sides["kerazoo"].model, work.length)
    return {
        "model": work.name,
        "batch_size": work.batch_size,
        "steps": steps,
        "repeats": repeats,
        "options": work.options,
        "data": work.source,
        "flops_per_sample": per_example,
        "flops_how": flops.HOW,
        "cudnn_obstacles": hardware.cudnn(sides["kerazoo"].model, work.device),
        "loss_compared_after_steps": STEPS_COMPARED if compare else None,
        "contenders": {
            name: _result(side, taken[name], work, steps, per_example, losses) for name, side in sides.items()
        }
        | absent,
        "ratios": {name: ratios(taken["kerazoo"], taken[name]) for name in sides if name != "kerazoo"} | absent,
    }


def _steps_of_a_second(side: Any) -> int:
    side.train(3)  # compiles
    steps = 3
    for _ in range(2):  # what an epoch takes beside its steps counts less in the second trial
        steps = max(3, min(500, round(steps / side.train(steps))))
    return steps


def _result(side, seconds, work, steps, per_example, losses):
    step = statistics.median(seconds) / steps
    loss, reference = losses.get(side.name), losses.get("keras")
    difference = None if loss is None or reference is None else abs(loss - reference) / abs(reference)
    return {
        "form": side.form,
        "ms_per_step": spread([1000 * s / steps for s in seconds]),
        "samples_per_s": work.batch_size / step,
        "flops_per_s": per_example * work.batch_size / step,
        "first_step_s": side.first_step_s,
        "loss": loss,
        "loss_difference_to_keras": difference,
    }


def _without_dropout(work: Work) -> Work:
    if not work.options.get("dropout"):
        return work
    return Work(**{**vars(work), "options": {**work.options, "dropout": 0.0}})

"""PyTorch as a contender: the model of `torch_models` in an eager loop with the data on the device."""

import contextlib
import time
from typing import Any

import torch
from work import Work

from peers import keras_programs, torch_models, torch_optimizers

_DTYPES = {"mixed_bfloat16": torch.bfloat16, "mixed_float16": torch.float16}


def set_up(threads: int, precision: str) -> None:
    """Give PyTorch as many threads as the others have, and TF32 where they have it."""
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


class Torch:
    """An eager loop: a permutation on the device, batches by index, one sync at the end."""

    name = "torch"

    def __init__(self, work: Work, ours: Any):
        self.work, self.device = work, torch.device(work.device.torch_name)
        weights = keras_programs.weights_of(ours)
        self.model = torch_models.build(work.name, work.options, weights).to(self.device)
        rate = float(ours.optimizer.learning_rate)
        self.optimizer, kind = torch_optimizers.build(work.recipe.optimizer, rate, self.model)
        self.form = f"PyTorch {torch.__version__.partition('+')[0]} eager, {kind}"
        scaled = work.precision == "mixed_float16"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled)
        self.first_step_s: float | None = None
        self.data: dict[int, tuple[Any, Any]] = {}

    def train(self, steps: int, shuffle: bool = True) -> float:
        """Train one epoch of `steps` steps and return its seconds.

        Only the loss is tracked. (The other contenders also track the recipe's metrics.)
        """
        self._place(steps)
        x, y = self.data[steps]
        batch = self.work.batch_size
        self.model.train()
        began = time.perf_counter()
        order = torch.randperm(len(x), device=self.device) if shuffle else torch.arange(len(x), device=self.device)
        total = torch.zeros((), device=self.device)
        for rows in order.split(batch):
            total += self._step(x.index_select(0, rows), y.index_select(0, rows))
            if self.first_step_s is None:
                total.item()
                self.first_step_s = time.perf_counter() - began
        total.item()  # waits for the device
        return time.perf_counter() - began

    def loss_after(self, steps: int) -> float:
        """Train `steps` steps in the order in which the examples lie; return the mean loss over them afterwards."""
        self.train(steps, shuffle=False)
        x, y = self.data[steps]
        self.model.eval()
        with torch.inference_mode():
            parts = [
                (len(a), self.model.loss(_wide(self.model(a)), b).item())
                for a, b in zip(x.split(512), y.split(512), strict=True)
            ]
        return sum(size * loss for size, loss in parts) / len(x)

    def predict(self, x: Any) -> Any:
        """Return the outputs for a tensor, in batches of 512, as one tensor on the CPU."""
        self.model.eval()
        with torch.inference_mode(), self._cast():
            return torch.cat([self.model.probabilities(self.model(part)).float() for part in x.split(512)]).cpu()

    def tensor(self, array: Any) -> torch.Tensor:
        """Return `array` on the device; ids stay 32 bits wide."""
        return torch.from_numpy(array).to(self.device)

    def _step(self, x, y):
        self.optimizer.zero_grad(set_to_none=True)
        with self._cast():
            output = self.model(x)
        loss = self.model.loss(_wide(output), y)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.detach()

    def _cast(self):
        dtype = _DTYPES.get(self.work.precision)
        return torch.autocast(self.device.type, dtype) if dtype else contextlib.nullcontext()

    def _place(self, steps):
        if steps in self.data:
            return
        x, y = self.work.rows(steps)
        labels = self.tensor(y)
        if y.dtype.kind in "iu":
            labels = labels.float() if self.model.activation == "sigmoid" else labels.long()
        self.data[steps] = self.tensor(x), labels


def _wide(output):
    """Return logits as at least float32, as Keras's last layers compute them."""
    return output.float() if output.dtype in _DTYPES.values() else output

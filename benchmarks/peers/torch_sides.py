"""PyTorch as a contender: the models of `torch_models` in an eager loop with the data on the device, or compiled."""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import torch
from work import Work

from peers import Unavailable, torch_models, torch_optimizers, torch_writing
from peers.library_torch import DTYPES, device


class Torch:
    """An eager loop: a permutation on the device, batches by index, one synchronisation at the end."""

    way = "eager"

    def __init__(self, work: Work):
        if work.name not in torch_models.MODELS:
            raise Unavailable(f"not measured: no PyTorch form of {work.name}")
        self.work, self.device = work, device()
        self.model: Any = torch_models.build(work.name, work.options, work.weights).to(self.device)
        self.optimizer, kind = torch_optimizers.build(work.optimizer, work.learning_rate, self.model, self.captured)
        self.form = f"{self.way}, {kind}"
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=work.precision == "mixed_float16")
        self.first_step_s: float | None = None
        self.data: dict[int, tuple[Any, Any]] = {}
        self.prepare()

    captured = False
    """Whether the optimizer's step is to be recorded and replayed."""

    def prepare(self) -> None:
        """Compile what is to be compiled."""
        self.loss: Callable[[Any, Any], Any] = self.loss_of

    def train(self, steps: int, shuffle: bool = True) -> float:
        """Train one epoch of `steps` steps and return its seconds.

        Only the loss is tracked. (The other contenders also track the recipe's metrics.)
        """
        x, y = self.placed(steps)
        self.model.train()
        began = time.perf_counter()
        order = torch.randperm(len(x), device=self.device) if shuffle else torch.arange(len(x), device=self.device)
        total = torch.zeros((), device=self.device)
        for rows in order.split(self.work.batch_size):
            total += self.step(x.index_select(0, rows), y.index_select(0, rows))
            if self.first_step_s is None:
                total.item()
                self.first_step_s = time.perf_counter() - began
        total.item()  # waits for the device
        return time.perf_counter() - began

    def loss_after(self, steps: int) -> float:
        """Train `steps` steps in the order in which the examples lie; return the mean loss over them afterwards."""
        self.train(steps, shuffle=False)
        x, y = self.placed(steps)
        self.model.eval()
        with torch.inference_mode():
            parts = [(len(a), self.loss_of(a, b).item()) for a, b in zip(x.split(512), y.split(512), strict=True)]
        return float(sum(size * loss for size, loss in parts) / len(x))

    def settle(self, steps: int, quick: bool) -> dict[str, float]:
        """Warm up; there is one form."""
        return {self.form: 1000 * self.train(steps) / steps}

    def settle_predict(self, x: Any, quick: bool) -> dict[str, Any]:
        """Warm up."""
        self.predict(x)
        for _ in range(3):
            self.predict_one(x[:1])
        return {"form": self.way, "one_form": self.way}

    def predict(self, x: Any) -> Any:
        """Return the outputs as a NumPy array, in batches of 512."""
        self.model.eval()
        with torch.inference_mode(), self.cast():
            parts = [self.outputs(part) for part in self.tensor(x).split(512)]
            return torch.cat(parts).cpu().numpy()

    def predict_one(self, x: Any) -> Any:
        """Return the output for one example."""
        return self.predict(x)

    def settle_write(self, streams: int, length: int, quick: bool) -> dict[str, Any]:
        """Warm up."""
        self.writer = torch_writing.loop(self.work.weights, self.device, streams, self.way)
        self.writer(min(length, 20))
        return {"form": self.way}

    def write(self, streams: int, length: int) -> Any:
        """Write `length` tokens of each text."""
        return self.writer(length)

    def outputs(self, x: Any) -> Any:
        """Return the outputs of a batch on the device, as float32."""
        return self.model.probabilities(self.model(x)).float()

    def loss_of(self, x: Any, y: Any) -> Any:
        """Return the loss of a batch."""
        with self.cast():
            output = self.model(x)
        return self.model.loss(wide(output), y)

    def step(self, x: Any, y: Any) -> Any:
        """Take one step and return the loss before it."""
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(x, y)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.detach()

    def cast(self) -> Any:
        """Return the context of the work's precision."""
        dtype = DTYPES.get(self.work.precision)
        return torch.autocast(self.device.type, dtype) if dtype else contextlib.nullcontext()

    def tensor(self, array: Any) -> torch.Tensor:
        """Return `array` on the device; ids stay 32 bits wide."""
        return torch.from_numpy(array).to(self.device)

    def placed(self, steps: int) -> tuple[Any, Any]:
        """Return the examples of `steps` steps, on the device."""
        if steps not in self.data:
            x, y = self.work.rows(steps)
            labels = self.tensor(y)
            if y.dtype.kind in "iu":
                labels = labels.float() if self.model.activation == "sigmoid" else labels.long()
            self.data = {steps: (self.tensor(x), labels)}
        return self.data[steps]


class Compiled(Torch):
    """The same loop with `torch.compile` on forward pass and loss, and so on the backward pass."""

    way = "torch.compile"

    def prepare(self) -> None:
        """Have the functions compiled when they are first called."""
        torch._dynamo.reset()  # of an earlier model nothing is of use, and its sizes count against a limit
        self.loss = torch.compile(self.loss_of, dynamic=False)
        self.outputs_of = torch.compile(super().outputs, dynamic=False)

    def outputs(self, x: Any) -> Any:
        """Return the outputs of a batch on the device, as float32."""
        return self.outputs_of(x)


def wide(output: Any) -> Any:
    """Return logits as at least float32, as Keras's last layers compute them."""
    return output.float() if output.dtype in DTYPES.values() else output

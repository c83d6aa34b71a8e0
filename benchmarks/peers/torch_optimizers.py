"""Keras's optimizers in PyTorch: the same mathematics at every step, in the fastest eager form.

- Adam: Keras adds epsilon 1e-7 to sqrt(v), before the bias correction; PyTorch to sqrt(v / (1 - beta2^t)), after it.
  `KerasAdam` is PyTorch's own fused Adam with its epsilon set anew at each step, to 1e-7 / sqrt(1 - beta2^t), which
  makes the two equal. Keras computes its bias correction in float32, where 1 - 0.999^t is off by up to 3e-5: the
  learning rate follows it. One difference stays: Keras squares the gradient of a token's vector occurrence by
  occurrence (its IndexedSlices are not summed first), PyTorch squares the sum; so models with an embedding drift apart.
- RMSprop: Keras divides by sqrt(v + epsilon), PyTorch by sqrt(v) + epsilon, which no choice of epsilon makes equal. So
  it is written here, on whole lists of tensors (`torch._foreach_*`) as PyTorch's own optimizers are.
"""

import math
from typing import Any

import numpy as np
import torch


def build(name: str, learning_rate: float, model: torch.nn.Module, captured: bool = False) -> tuple[Any, str]:
    """Return Keras's optimizer `name` for the parameters of `model`, and in words what it is.

    Args:
        name: by Keras.
        learning_rate: of each step.
        model: whose parameters it updates.
        captured: its steps are recorded as a CUDA graph: all that changes from step to step is on the device.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    if name == "adam":
        return (CapturedAdam if captured else KerasAdam)(parameters, learning_rate), "fused Adam"
    if name == "rmsprop":
        return KerasRMSprop(parameters, learning_rate), "foreach RMSprop (Keras's epsilon)"
    if name == "sgd":
        return PlainSGD(parameters, learning_rate, fused=True), "fused SGD"
    raise KeyError(name)


class PlainSGD(torch.optim.SGD):
    """PyTorch's own, without momentum."""

    def tensors(self) -> list[Any]:
        """Return the optimizer's state: none."""
        return []


class KerasAdam(torch.optim.Adam):
    """PyTorch's fused Adam with Keras's epsilon."""

    def __init__(self, parameters: list[Any], learning_rate: float, epsilon: float = 1e-7):
        super().__init__(parameters, learning_rate, eps=epsilon, fused=True)
        self._epsilon, self._rate, self._steps = epsilon, learning_rate, 0

    def step(self, closure: Any = None) -> Any:
        """Take one step."""
        self._steps += 1
        for group in self.param_groups:
            group["eps"] = self._epsilon / math.sqrt(1 - group["betas"][1] ** self._steps)
            exact, rounded = (_correction(group["betas"], self._steps, dtype) for dtype in (np.float64, np.float32))
            group["lr"] = self._rate * rounded / exact
        return super().step(closure)


class CapturedAdam(torch.optim.Adam):
    """The same with everything on the device: the learning rate is a tensor that carries the whole bias correction.

    PyTorch's own correction is put out of action by a count of steps at which it is 1: what is left is Keras's form,
    rate * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + epsilon).
    """

    def __init__(self, parameters: list[Any], learning_rate: float, epsilon: float = 1e-7):
        where = parameters[0].device
        self._rate, self._count = learning_rate, torch.zeros((), device=where)
        self._betas = torch.tensor([0.9, 0.999], device=where)
        rate = torch.zeros((), device=where)
        super().__init__(parameters, rate, eps=epsilon, fused=True, capturable=where.type == "cuda")
        for parameter in parameters:
            self.state[parameter] = {
                "step": torch.full((), 1e6, device=where),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }

    def step(self, closure: Any = None) -> Any:
        """Take one step."""
        self._count.add_(1)
        first, second = (1 - self._betas**self._count).unbind()
        self.param_groups[0]["lr"].copy_(self._rate * second.sqrt() / first)
        return super().step(closure)

    def tensors(self) -> list[Any]:
        """Return the optimizer's state, to be put back after steps that are not to count."""
        return [self._count, *(tensor for state in self.state.values() for tensor in state.values())]


def _correction(betas: tuple[float, float], step: int, dtype: Any) -> float:
    """Return sqrt(1 - beta2^t) / (1 - beta1^t) as computed in `dtype`."""
    first, second = (dtype(1) - dtype(beta) ** dtype(step) for beta in betas)
    return float(np.sqrt(second) / first)


class KerasRMSprop(torch.optim.Optimizer):
    """RMSprop as Keras has it: rho 0.9, epsilon inside the square root."""

    def __init__(self, parameters: list[Any], learning_rate: float, rho: float = 0.9, epsilon: float = 1e-7):
        super().__init__(parameters, {"lr": learning_rate, "rho": rho, "epsilon": epsilon})
        self._means = [
            [torch.zeros_like(p, memory_format=torch.preserve_format) for p in group["params"]]
            for group in self.param_groups
        ]

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Take one step."""
        for group, means in zip(self.param_groups, self._means, strict=True):
            gradients = [p.grad for p in group["params"]]
            torch._foreach_mul_(means, group["rho"])
            torch._foreach_addcmul_(means, gradients, gradients, 1 - group["rho"])
            roots = torch._foreach_add(means, group["epsilon"])
            torch._foreach_sqrt_(roots)
            torch._foreach_addcdiv_(group["params"], gradients, roots, -group["lr"])

    def tensors(self) -> list[Any]:
        """Return the optimizer's state, to be put back after steps that are not to count."""
        return [mean for means in self._means for mean in means]

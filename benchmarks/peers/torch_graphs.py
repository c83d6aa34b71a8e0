"""PyTorch with CUDA graphs as a contender: a whole step, optimizer included, is recorded once and replayed."""

import time
from typing import Any

import torch

from peers import Unavailable
from peers.torch_sides import Torch


class Graphed(Torch):
    """Replays a step for each batch; the host only says which examples are next."""

    way, captured = "CUDA graph", True

    def prepare(self) -> None:
        """Nothing is recorded before the examples are known."""
        super().prepare()
        if self.scaler.is_enabled():
            raise Unavailable("not measured: a scaler of losses asks the host at each step")
        self.graphs: dict[int, Any] = {}
        self.outputs_by_size: dict[int, tuple[Any, Any, Any]] = {}

    def train(self, steps: int, shuffle: bool = True) -> float:
        """Train one epoch of `steps` steps and return its seconds."""
        self.model.train()
        began = time.perf_counter()
        if steps not in self.graphs:
            self.graphs = {steps: self.record(steps)}
        if self.first_step_s is None:
            torch.cuda.synchronize()
            self.first_step_s = time.perf_counter() - began
            began = time.perf_counter()
        graph, rows, total = self.graphs[steps]
        size = len(self.placed(steps)[0])
        total.zero_()
        order = torch.randperm(size, device=self.device) if shuffle else torch.arange(size, device=self.device)
        for batch in order.split(self.work.batch_size):
            rows.copy_(batch)
            graph.replay()
        total.item()  # waits for the device
        return time.perf_counter() - began

    def record(self, steps: int) -> tuple[Any, Any, Any]:
        """Return the graph of a step, the tensor that names its examples, and the sum of losses.

        The steps that run before a recording, and so train, are undone.
        """
        x, y = self.placed(steps)
        rows = torch.arange(self.work.batch_size, device=self.device)
        total = torch.zeros((), device=self.device)
        weights = [p.detach().clone() for p in self.model.parameters()]
        state = [s.clone() for s in self.optimizer.tensors()]

        def step() -> None:
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss(x.index_select(0, rows), y.index_select(0, rows))
            loss.backward()
            self.optimizer.step()
            total.add_(loss.detach())

        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(side)
        self.optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            step()
        with torch.no_grad():
            for held, first in zip(self.model.parameters(), weights, strict=True):
                held.copy_(first)
            for held, first in zip(self.optimizer.tensors(), state, strict=True):
                held.copy_(first)
        return graph, rows, total

    def outputs(self, x: Any) -> Any:
        """Return the outputs of a batch; each size of batch has its graph."""
        if len(x) not in self.outputs_by_size:
            self.outputs_by_size[len(x)] = self.record_outputs(x)
        graph, given, result = self.outputs_by_size[len(x)]
        given.copy_(x)
        graph.replay()
        return result.clone()

    def record_outputs(self, x: Any) -> tuple[Any, Any, Any]:
        """Return a graph of the forward pass, the tensor it reads and the one that it writes."""
        given = x.clone()
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                super().outputs(given)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            result = super().outputs(given)
        return graph, given, result

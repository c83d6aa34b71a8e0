"""Writing text with PyTorch: a loop whose LSTM looks its input product up in a table, so that a step is minimal."""

from collections.abc import Callable
from typing import Any

import torch

FIRST = 34


def loop(weights: list[Any], device: torch.device, texts: int, way: str) -> Any:
    """Return a function length -> tokens of each of the `texts` that carries the state.

    Args:
        weights: embeddings (V, E), kernel (E, 4H), recurrent kernel (H, 4H), bias (4H,), and the head's two.
        device: where it runs.
        texts: how many are written at once.
        way: "eager", "torch.compile" or "CUDA graph": how a step runs.
    """
    embeddings, kernel, recurrent, bias, head, head_bias = (torch.from_numpy(w).to(device) for w in weights)
    table = torch.addmm(bias, embeddings, kernel)  # (V, 4H)

    def step(tokens: Any, h: Any, c: Any) -> tuple[Any, Any, Any]:
        i, f, g, o = torch.addmm(table[tokens], h, recurrent).chunk(4, 1)  # (texts, H) each
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        p = torch.addmm(head_bias, h, head).softmax(1)
        # A draw by p, as `multinomial` makes it, which besides asks the host whether p is finite.
        return (p / torch.empty_like(p).exponential_()).argmax(1), h, c

    def begin() -> tuple[Any, Any, Any]:
        zeros = torch.zeros(texts, len(recurrent), device=device)
        return torch.full((texts,), FIRST, device=device), zeros, zeros.clone()

    if way == "CUDA graph":
        return _replayed(step, begin)
    if way == "torch.compile":
        step = torch.compile(step, dynamic=False)

    @torch.inference_mode()
    def write(length: int) -> Any:
        state, written = begin(), []
        for _ in range(length):
            state = step(*state)
            written.append(state[0])
        return torch.stack(written, 1).tolist()

    return write


def _replayed(step: Callable[..., Any], begin: Callable[[], Any]) -> Any:
    """Return a loop that replays a recorded step, whose state stays in place."""
    state = begin()

    def once() -> None:
        for held, new in zip(state, step(*state), strict=True):
            held.copy_(new)

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.no_grad(), torch.cuda.stream(side):
        for _ in range(3):
            once()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.no_grad(), torch.cuda.graph(graph):
        once()

    def write(length: int) -> Any:
        for held, new in zip(state, begin(), strict=True):
            held.copy_(new)
        written = torch.empty(len(state[0]), length, dtype=state[0].dtype, device=state[0].device)
        for position in range(length):
            graph.replay()
            written[:, position] = state[0]
        return written.tolist()

    return write

"""The models in PyTorch, with Keras's weights. The forward pass returns logits, `probabilities` the outputs.

Weights come in the order of the plain Keras programs. Dense kernels are (in, out) in Keras and (out, in) here. The
gates of an LSTM stand in the same order in both: input, forget, candidate, output.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F


def build(name: str, options: dict[str, Any], weights: list[Any]) -> nn.Module:
    """Return the model `name` with these options, every one of them given, and these weights.

    Raises:
        KeyError: there is no PyTorch form of it.
    """
    arrays = iter([torch.from_numpy(array.copy()) for array in weights])
    make: Any = MODELS[name]
    model = make(arrays, **options)
    if next(arrays, None) is not None:
        raise ValueError(f"the PyTorch form of {name} does not take all of the weights")
    return model


def _linear(arrays, bias=True):
    """Return a linear layer from a kernel (..., out) with as many axes before or after as attention has."""
    kernel = next(arrays)
    kernel = kernel.reshape(kernel.shape[0], -1)
    layer = nn.Linear(kernel.shape[0], kernel.shape[1], bias=bias)
    layer.weight = nn.Parameter(kernel.T.contiguous())
    if bias:
        layer.bias = nn.Parameter(next(arrays).reshape(-1))
    return layer


def _joining(arrays, bias=True):
    """Return the linear layer that joins heads: its kernel is (heads, d, out)."""
    kernel = next(arrays)
    return _linear(iter([kernel.reshape(-1, kernel.shape[-1]), *([next(arrays)] if bias else [])]), bias)


def _embedding(arrays):
    return nn.Embedding.from_pretrained(next(arrays), freeze=False)


def _norm(arrays, eps=1e-3):
    gamma, beta = next(arrays), next(arrays)
    layer = nn.LayerNorm(len(gamma), eps=eps)
    layer.weight, layer.bias = nn.Parameter(gamma), nn.Parameter(beta)
    return layer


def _lstm(arrays):
    kernel, recurrent, bias = next(arrays), next(arrays), next(arrays)
    layer: Any = nn.LSTM(kernel.shape[0], recurrent.shape[0])
    with torch.no_grad():
        layer.weight_ih_l0.copy_(kernel.T)
        layer.weight_hh_l0.copy_(recurrent.T)
        layer.bias_ih_l0.copy_(bias)
        layer.bias_hh_l0.zero_()
    # PyTorch adds two biases, Keras one: with both trained, their sum would learn twice as fast.
    layer.bias_hh_l0.requires_grad_(False)
    return layer


class _Model(nn.Module):
    """The activation that Keras's last layer has, and how the loss reads the logits."""

    activation = "softmax"

    def probabilities(self, logits):
        """Return what the Keras model returns."""
        return {"softmax": lambda z: z.softmax(-1), "sigmoid": torch.sigmoid, "none": lambda z: z}[self.activation](
            logits
        )

    def loss(self, logits, y):
        """Return the mean loss of a batch."""
        if self.activation == "sigmoid":
            return F.binary_cross_entropy_with_logits(logits[:, 0], y)
        return F.cross_entropy(logits, y)


class _Mlp(_Model):
    def __init__(self, arrays, hidden, dropout=0.0):
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(hidden):
            layers += [_linear(arrays), nn.ReLU(), *([nn.Dropout(dropout)] if dropout else [])]
        self.layers = nn.Sequential(*layers, _linear(arrays))

    def forward(self, x):
        return self.layers(x)


class _ToyMlp(_Mlp):
    activation = "none"  # the model itself returns logits


class _Lstm(_Model):
    def __init__(self, arrays):
        super().__init__()
        self.embedding, self.lstm, self.head = _embedding(arrays), _lstm(arrays), _linear(arrays)

    def forward(self, tokens):
        x = self.embedding(tokens.t())  # (T, B, E): time first, which the LSTM takes without a copy
        _, (last, _) = self.lstm(x)
        return self.head(last[0])


class _Sentiment(_Lstm):
    activation = "sigmoid"


class _Attention(nn.Module):
    def __init__(self, arrays, heads, dropout=0.0, causal=False, bias=True):
        super().__init__()
        self.heads, self.dropout, self.causal = heads, dropout, causal
        self.query, self.key, self.value = (_linear(arrays, bias) for _ in range(3))
        self.output = _joining(arrays, bias)

    def forward(self, x, mask=None):
        q, k, v = (
            dense(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for dense in (self.query, self.key, self.value)
        )  # (B, h, T, d) each
        dropout = self.dropout if self.training else 0.0
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=self.causal)
        return self.output(out.transpose(1, 2).flatten(2))


class _AttentionBlock(_Model):
    activation = "none"

    def __init__(self, arrays, heads, causal):
        super().__init__()
        self.attention = _Attention(arrays, heads, causal=causal, bias=False)

    def forward(self, x):
        return self.attention(x)

    def loss(self, logits, y):
        return F.mse_loss(logits, y)


class _Transformer(_Model):
    activation = "sigmoid"

    def __init__(self, arrays, heads, dropout):
        super().__init__()
        self.words, self.places = _embedding(arrays), nn.Parameter(next(arrays))
        self.attention = _Attention(arrays, heads, dropout)
        self.norm1 = _norm(arrays)
        self.wide, self.narrow = _linear(arrays), _linear(arrays)
        self.norm2 = _norm(arrays)
        self.head = _linear(arrays)
        self.drop = nn.Dropout(dropout)

    def forward(self, tokens):
        real = tokens != 0  # (B, T)
        x = self.drop(self.words(tokens) + self.places[: tokens.shape[1]])
        x = self.norm1(x + self.drop(self.attention(x, real[:, None, None, :])))
        x = self.norm2(x + self.drop(self.narrow(F.relu(self.wide(x)))))
        weights = real.unsqueeze(-1).to(x.dtype)
        mean = (x * weights).sum(1) / weights.sum(1).clamp(min=1)
        return self.head(self.drop(mean))


MODELS = {
    "toy_mlp": lambda arrays, **_: _ToyMlp(arrays, 1),
    "mnist_mlp": lambda arrays, units, **_: _Mlp(arrays, len(units)),
    "mnist_mlp_dropout": lambda arrays, units, dropout, **_: _Mlp(arrays, len(units), dropout),
    "imdb_lstm": lambda arrays, **_: _Sentiment(arrays),
    "textgen_lstm": lambda arrays, **_: _Lstm(arrays),
    "imdb_transformer": lambda arrays, num_heads, dropout, **_: _Transformer(arrays, num_heads, dropout),
    "attention_block": lambda arrays, num_heads, causal, **_: _AttentionBlock(arrays, num_heads, causal),
}

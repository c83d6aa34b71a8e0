"""Layers and operations of Keras as modules of PyTorch, with the same weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import torch
from torch import nn

from kerazoo import layers
from kerazoo.engine import internals
from kerazoo.errors import InputError

_HIDDEN = -1e30  # what `kerazoo.layers.attention` has for minus infinity


class Network(nn.Module):
    """A functional model of Keras, a module for each of its layers, under the layer's name."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self._calls, self._inputs, self._outputs = internals.calls_of(model), model.inputs, model.outputs
        self._forms: dict[int, Callable[..., Any]] = {}
        for call in self._calls:
            if isinstance(call.operation, keras.layers.LSTM) and call.args[0].shape[1] is None:
                raise _refused(call.operation, "an LSTM over sequences of any length, which PyTorch's exporter fixes")
        for operation in dict.fromkeys(call.operation for call in self._calls):
            form = self._forms[id(operation)] = _form_of(operation)
            if isinstance(form, nn.Module):
                self.add_module(operation.name.replace(".", "_"), form)

    def forward(self, *inputs: Any) -> Any:
        """Map the model's inputs to its output, or to a tuple of its outputs."""
        values = {id(symbol): one for symbol, one in zip(self._inputs, inputs, strict=True)}
        for call in self._calls:
            args, given = _filled_in((call.args, call.kwargs), values)
            given = {name: one for name, one in given.items() if one is not None and name != "training"}
            found = self._forms[id(call.operation)](*args, **given)
            values |= zip(map(id, call.outputs), found if isinstance(found, tuple) else [found], strict=True)
        outputs = tuple(values[id(one)] for one in self._outputs)
        return outputs if len(outputs) > 1 else outputs[0]


def _filled_in(arguments: Any, values: Mapping[int, Any]) -> Any:
    return keras.tree.map_structure(lambda one: values.get(id(one), one), arguments)


def network_of(model: keras.Model) -> nn.Module:
    """Return `model` as a module of PyTorch, for inference.

    Raises:
        InputError: it is no functional model, or one of its layers has no form in PyTorch here.
    """
    if not internals.calls_of(model):
        raise InputError(f"the model '{model.name}' is not functional, which the format torch wants; choose onnx")
    return Network(model).eval()


def _form_of(operation: Any) -> Callable[..., Any]:
    if isinstance(operation, keras.Model):
        return network_of(operation)
    kind = type(operation)
    if kind in _LAYERS:
        return _LAYERS[kind](operation)
    if not isinstance(operation, keras.layers.Layer) and kind.__name__ in _OPERATIONS:
        return _OPERATIONS[kind.__name__]
    raise _refused(operation, kind.__name__)


def _refused(operation: Any, what: str) -> InputError:
    return InputError(f"the format torch has no form of '{operation.name}' ({what}); choose the format onnx")


def _parameter(weight: Any) -> nn.Parameter:
    return nn.Parameter(_tensor(weight))


def _tensor(weight: Any) -> Any:
    return torch.tensor(keras.ops.convert_to_numpy(weight))


def _activation(layer: Any) -> nn.Module:
    known = {
        keras.activations.linear: nn.Identity(),
        keras.activations.relu: nn.ReLU(),
        keras.activations.sigmoid: nn.Sigmoid(),
        keras.activations.softmax: nn.Softmax(-1),
        keras.activations.tanh: nn.Tanh(),
    }
    if layer.activation not in known:
        raise _refused(layer, f"the activation {getattr(layer.activation, '__name__', layer.activation)}")
    return known[layer.activation]


def _dense(layer: Any) -> nn.Module:
    linear = nn.Linear(*layer.kernel.shape, bias=layer.use_bias)
    linear.weight = nn.Parameter(_tensor(layer.kernel).T.contiguous())
    if layer.use_bias:
        linear.bias = _parameter(layer.bias)
    activation = _activation(layer)
    return linear if isinstance(activation, nn.Identity) else nn.Sequential(linear, activation)


def _embedding(layer: Any) -> nn.Module:
    if layer.mask_zero:
        raise _refused(layer, "a mask of zeros")
    return nn.Embedding.from_pretrained(_tensor(layer.embeddings), freeze=False)


class _LSTM(nn.Module):
    def __init__(self, layer: keras.layers.LSTM) -> None:
        super().__init__()
        usual = (keras.activations.tanh, keras.activations.sigmoid)
        if (layer.activation, layer.recurrent_activation) != usual or layer.return_state or layer.stateful:
            raise _refused(layer, "an LSTM with other activations, or with its state")
        self.backwards, self.sequences = layer.go_backwards, layer.return_sequences
        cell = layer.cell
        self.lstm = nn.LSTM(cell.kernel.shape[0], layer.units, bias=layer.use_bias, batch_first=True)
        self.lstm.weight_ih_l0 = nn.Parameter(_tensor(cell.kernel).T.contiguous())  # both in the order i, f, g, o
        self.lstm.weight_hh_l0 = nn.Parameter(_tensor(cell.recurrent_kernel).T.contiguous())
        if layer.use_bias:
            self.lstm.bias_ih_l0 = _parameter(cell.bias)
            self.lstm.bias_hh_l0 = nn.Parameter(torch.zeros(4 * layer.units))

    def forward(self, sequences: Any) -> Any:
        outputs, (last, _) = self.lstm(sequences.flip(1) if self.backwards else sequences)
        return outputs if self.sequences else last[0]


def _layer_norm(layer: Any) -> nn.Module:
    if layer.axis not in (-1, [-1], (-1,)) or not (layer.center and layer.scale) or layer.rms_scaling:
        raise _refused(layer, "a LayerNormalization of another axis or form")
    norm = nn.LayerNorm(layer.gamma.shape, eps=layer.epsilon)
    norm.weight, norm.bias = _parameter(layer.gamma), _parameter(layer.beta)
    return norm


class _TokenAndPosition(nn.Module):
    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.tokens = nn.Embedding.from_pretrained(_tensor(layer.tokens.embeddings), freeze=False)
        self.positions = _parameter(layer.positions)

    def forward(self, ids: Any) -> Any:
        return self.tokens(ids) + self.positions[: ids.shape[1]]


class _MaskedMean(nn.Module):
    def forward(self, inputs: Any, real: Any) -> Any:
        weights = real.to(inputs.dtype)[..., None]
        return (inputs * weights).sum(1) / weights.sum(1).clamp(min=1)


class _Attention(nn.Module):
    """Attention with or without projections; PyTorch's own has zeros nowhere where nothing may be attended to."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.causal, self.returns_weights, self.heads = layer.causal, layer.return_weights, layer.num_heads
        self.projected = isinstance(layer, layers.MultiHeadAttention)
        if self.projected:
            named = ("query", "key", "value", "output")
            for name, dense in ((name, getattr(layer, f"{name}_dense")) for name in named):
                self.register_parameter(f"{name}_kernel", _parameter(dense.kernel))
                self.register_parameter(f"{name}_bias", _parameter(dense.bias) if dense.bias is not None else None)

    def forward(self, query: Any, key: Any, value: Any, key_mask: Any = None, attention_mask: Any = None) -> Any:
        q, k, v = (self._heads(x, name) for x, name in ((query, "query"), (key, "key"), (value, "value")))
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)  # (B, h, Tq, Tk)
        visible = None if key_mask is None else key_mask.bool()[:, None, None, :]
        if attention_mask is not None:
            mask = attention_mask.bool()[:, None]
            visible = mask if visible is None else visible & mask
        if self.causal:
            mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
            visible = mask if visible is None else visible & mask
        if visible is None:
            weights = scores.softmax(-1)
        else:
            weights = scores.masked_fill(~visible, _HIDDEN).softmax(-1).masked_fill(~visible, 0.0)
        output = (weights @ v).transpose(1, 2)  # (B, Tq, h, d)
        if self.projected:
            output = torch.einsum("bthd,hdf->btf", output, self.output_kernel)
            output = output if self.output_bias is None else output + self.output_bias
        else:
            output = output.flatten(2)
        return (output, weights) if self.returns_weights else output

    def _heads(self, x: Any, name: str) -> Any:
        """Return (B, T, D) as (B, h, T, d)."""
        if not self.projected:
            return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        found = torch.einsum("btf,fhd->bthd", x, getattr(self, f"{name}_kernel"))
        bias = getattr(self, f"{name}_bias")
        return (found if bias is None else found + bias).transpose(1, 2)


def _convolution(layer: Any) -> nn.Module:
    if layer.data_format != "channels_last" or layer.padding not in ("valid", "same") or layer.groups != 1:
        raise _refused(layer, "a convolution of another form")
    if layer.padding == "same" and layer.strides != (1, 1):
        raise _refused(layer, "a convolution with strides, padded to the same size")
    kernel = _tensor(layer.kernel).permute(3, 2, 0, 1).contiguous()
    found = nn.Conv2d(
        kernel.shape[1], kernel.shape[0], kernel.shape[2:], layer.strides, layer.padding, layer.dilation_rate,
        bias=layer.use_bias,
    )  # fmt: skip
    found.weight = nn.Parameter(kernel)
    if layer.use_bias:
        found.bias = _parameter(layer.bias)
    return nn.Sequential(_Permuted((0, 3, 1, 2)), found, _Permuted((0, 2, 3, 1)), _activation(layer))


class _Permuted(nn.Module):
    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Any) -> Any:
        return x.permute(self.axes)


def _nothing(layer: Any) -> nn.Module:
    return nn.Identity()


_LAYERS: dict[type, Callable[[Any], nn.Module]] = {
    keras.layers.Activation: _activation,
    keras.layers.Conv2D: _convolution,
    keras.layers.Dense: _dense,
    keras.layers.Dropout: _nothing,
    keras.layers.Embedding: _embedding,
    keras.layers.Flatten: lambda layer: nn.Flatten(),
    keras.layers.LayerNormalization: _layer_norm,
    keras.layers.LSTM: _LSTM,
    layers.MaskedMean: lambda layer: _MaskedMean(),
    layers.MultiHeadAttention: _Attention,
    layers.ScaledDotProductAttention: _Attention,
    layers.TokenAndPositionEmbedding: _TokenAndPosition,
}

_OPERATIONS: dict[str, Callable[..., Any]] = {
    "Add": torch.add,
    "Multiply": torch.mul,
    "NotEqual": torch.ne,
    "Subtract": torch.sub,
}

"""The compiled loops that read a prompt and write tokens: a step a token, the state of the LSTMs carried.

For models of the form Embedding -> LSTMs (and Dropout, which does nothing here) -> Dense with softmax. The weights are
arguments of the compiled functions: every call sees their present values.

Symbols: B texts at once, V tokens in the vocabulary, D the width of the embedding, H units.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from kerazoo.engine import internals
from kerazoo.engine.layer_swap import plain_class
from kerazoo.errors import InputError, NotFiniteError
from kerazoo.inference import samplers
from kerazoo.inference.compiling import compiled
from kerazoo.inference.philox import uniform
from kerazoo.lazy import keras, np

BLOCK = 1024  # tokens that one call writes at most; fewer take no longer than they must
LONGEST_PROMPT = 4096  # tokens; a call reads them all
_AHEAD = 64  # places in the text whose random numbers are made at once, which takes less than one by one
LARGEST_TABLE = 1024  # rows of the embedding up to which all are multiplied by the first kernel before the loop
_ACTIVATIONS = ("tanh", "sigmoid", "relu", "elu", "selu", "softplus", "softsign")
_FORM = "wanted Embedding -> LSTM (-> more LSTM or Dropout) -> Dense with softmax, e.g. a trained 'textgen_lstm'"


class _Cell(NamedTuple):
    """The weights of one LSTM in its compute dtype: (D, 4H), (H, 4H) and (4H,) or None; gates in the order i f c o."""

    kernel: Any
    recurrent: Any
    bias: Any


class _Weights(NamedTuple):
    """`first` is the embedding (V, D), or its product with the first kernel (V, 4H), bias included."""

    first: Any
    cells: list[_Cell]
    kernel: Any
    bias: Any


def decoder_of(model: keras.Model) -> Decoder:
    """Return what reads and writes with `model`; kept on it, with what was compiled, until its layers change.

    Raises:
        InputError: the model is not of the form that can be stepped through.
    """
    chain = chain_of(model)
    parts = [part for layer in chain for part in (layer, internals.policy_of(layer))]
    kept = model.__dict__.get("_kerazoo_decoder")
    if kept is None or len(kept.parts) != len(parts) or any(a is not b for a, b in zip(kept.parts, parts, strict=True)):
        kept = Decoder(chain, parts)
        # Past Keras's attribute tracking, which would make the functions part of a saved model.
        object.__setattr__(model, "_kerazoo_decoder", kept)
    return kept


class Decoder:
    """Reads and writes tokens with one model; `vocab_size` is V, `parts` what was compiled for."""

    def __init__(self, chain: list[Any], parts: list[Any]) -> None:
        self.parts = parts
        self._embedding, *self._lstms, self._dense = chain
        self.vocab_size = self._dense.units
        self._table = self._embedding.input_dim <= LARGEST_TABLE
        self._compiled: dict[Any, Any] = {}
        self._prepare = compiled(self._prepared, xla=False)

    def weights(self) -> _Weights:
        """Return the present weights, ready for `read` and `write`.

        Raises:
            NotFiniteError: a weight is NaN or infinite.
        """
        of_cells = [(one.cell.kernel, one.cell.recurrent_kernel, one.cell.bias) for one in self._lstms]
        cells = [_Cell(*map(_tensor, of_cell)) for of_cell in of_cells]
        head = map(_tensor, (self._dense.kernel, self._dense.bias))
        given = _Weights(_tensor(self._embedding.embeddings), cells, *head)
        weights, finite = self._prepare(given)
        if not finite:
            told = "the model has weights that are NaN or infinite: its training has diverged; train it anew"
            raise NotFiniteError(told)
        return weights

    def start(self, batch: int) -> list[tuple[Any, Any]]:
        """Return the state before the first token: h and c of each LSTM, zeros (B, H)."""
        return [(keras.ops.zeros((batch, one.units), one.compute_dtype),) * 2 for one in self._lstms]

    def read(self, weights: _Weights, states: Any, tokens: np.ndarray, lengths: np.ndarray) -> Any:
        """Return the states after each row has read its first `lengths` of (B, at most LONGEST_PROMPT) `tokens`."""
        batch, longest = len(tokens), int(lengths.max())
        if not longest:
            return states
        padded = np.zeros((batch, LONGEST_PROMPT), np.int32)
        padded[:, : tokens.shape[1]] = tokens
        function = self._function(("read", batch), self._read)
        return function(weights, states, *map(_number, (padded, lengths, longest)))

    def write(
        self, weights: _Weights, states: Any, tokens: Any, how: samplers.Sampling, seed: int, position: int, count: int
    ) -> tuple[np.ndarray, Any, Any]:
        """Write `count` tokens, at most BLOCK, after (B,) `tokens`, of which a text has `position` already.

        Returns:
            (B, count) int32 tokens, and the states and last tokens to go on with.
        """
        batch, filters = len(tokens), how.filters
        function = self._function(("write", batch, filters), lambda *given: self._write(filters, *given))
        settings = (
            _number(1.0 if how.greedy else how.temperature, "float32"),
            _number(min(how.top_k or 1, self.vocab_size)),
            _number(how.top_p or 1, "float32"),
            _number(np.uint32(seed).view(np.int32)),
            _number(position),
            _number(count),
        )
        written, states, tokens = function(weights, states, keras.ops.convert_to_tensor(tokens), *settings)
        return keras.ops.convert_to_numpy(written)[:count].T, states, tokens

    def _function(self, key: Any, run: Any) -> Any:
        if key not in self._compiled:
            # XLA: on a CPU about 5 times as fast as TensorFlow's graph for one text, since an operation takes less
            # than its launch.
            self._compiled[key] = compiled(run)
        return self._compiled[key]

    def _prepared(self, given: _Weights) -> tuple[_Weights, Any]:
        ops = keras.ops
        every = [given.first, *(w for cell in given.cells for w in cell), given.kernel, given.bias]
        finite = ops.all(ops.stack([ops.all(ops.isfinite(w)) for w in every if w is not None]))
        dtypes = [one.compute_dtype for one in self._lstms]
        pairs = zip(dtypes, given.cells, strict=True)
        cells = [_Cell(*(None if w is None else ops.cast(w, dtype) for w in cell)) for dtype, cell in pairs]
        first = ops.cast(given.first, cells[0].kernel.dtype)
        first = _affine(first, cells[0].kernel, cells[0].bias) if self._table else first
        head = (None if w is None else ops.cast(w, self._dense.compute_dtype) for w in (given.kernel, given.bias))
        return _Weights(first, cells, *head), finite

    def _step(self, weights: _Weights, tokens: Any, states: Any) -> Any:
        """Read one token a row: the states after it; `states[-1][0]` is the output of the last LSTM, (B, H)."""
        ops = keras.ops
        x, after = ops.take(weights.first, tokens, axis=0), []  # (B, D or 4H)
        for n, (layer, cell, (h, c)) in enumerate(zip(self._lstms, weights.cells, states, strict=True)):
            z = x if n == 0 and self._table else _affine(ops.cast(x, h.dtype), cell.kernel, cell.bias)
            i, f, g, o = ops.split(z + ops.matmul(h, cell.recurrent), 4, axis=1)  # (B, H) each
            gate, squash = layer.recurrent_activation, layer.activation
            new = gate(f) * c + gate(i) * squash(g)
            x = gate(o) * squash(new)
            after.append((x, new))
        return after

    def _read(self, weights: _Weights, states: Any, tokens: Any, lengths: Any, longest: Any) -> Any:
        ops = keras.ops

        def body(t: Any, states: Any) -> Any:
            going = (t < lengths)[:, None]  # (B, 1)
            after = self._step(weights, ops.take(tokens, t, axis=1), states)
            return t + 1, keras.tree.map_structure(lambda new, old: ops.where(going, new, old), after, states)

        return ops.while_loop(lambda t, _: t < longest, body, (_number(0), states))[1]

    def _write(self, filters: samplers.Filters, weights: _Weights, states: Any, tokens: Any, *settings: Any) -> Any:
        ops = keras.ops
        temperature, k, p, seed, position, count = settings

        shares = None if filters.greedy else _shares(tokens.shape[0], seed, position, count)

        def choose(logits: Any, t: Any) -> Any:
            if shares is None:
                return samplers.greedy(logits)
            given = (k if filters.most else None, p if filters.top_p else None, filters.most)
            return samplers.sample(logits, ops.take(shares, t, axis=0), temperature, *given)

        def body(t: Any, tokens: Any, states: Any, written: Any) -> Any:
            states = self._step(weights, tokens, states)
            logits = _affine(ops.cast(states[-1][0], weights.kernel.dtype), weights.kernel, weights.bias)
            tokens = choose(ops.cast(logits, "float32"), t)
            return t + 1, tokens, states, ops.slice_update(written, (t, 0), tokens[None])

        begin = (_number(0), tokens, states, ops.zeros((BLOCK, tokens.shape[0]), "int32"))
        _, tokens, states, written = ops.while_loop(lambda t, *_: t < count, body, begin)
        return written, states, tokens


def _shares(batch: int, seed: Any, position: Any, count: Any) -> Any:
    """Return (BLOCK, B) random numbers from 0 to below 1, those of a place in the text a row; `count` rows or more."""
    ops = keras.ops

    def body(t: Any, found: Any) -> Any:
        places = position + t + ops.arange(_AHEAD, dtype="int32")
        seeds = ops.stack([ops.broadcast_to(seed, (_AHEAD,)), places], axis=1)
        return t + _AHEAD, ops.slice_update(found, (t, 0), uniform(batch, seeds))

    return ops.while_loop(lambda t, _: t < count, body, (_number(0), ops.zeros((BLOCK, batch), "float32")))[1]


def _tensor(weight: Any) -> Any:
    return None if weight is None else keras.ops.convert_to_tensor(weight)


def _number(value: Any, dtype: str = "int32") -> Any:
    return keras.ops.convert_to_tensor(np.asarray(value, dtype))


def _affine(x: Any, kernel: Any, bias: Any) -> Any:
    y = keras.ops.matmul(x, kernel)
    return y if bias is None else y + bias


def chain_of(model: Any) -> list[Any]:
    """Return the embedding, the LSTMs and the dense layer of `model`."""
    if not isinstance(model, keras.Model):
        raise InputError(f"a {type(model).__name__} is no Keras model; {_FORM}")
    layers = internals.line_of(model)
    kinds = {keras.layers.Embedding: "E", keras.layers.LSTM: "L", keras.layers.Dropout: "", keras.layers.Dense: "D"}
    form = "".join(kinds.get(plain_class(layer), "?") for layer in layers)
    chain = [layer for layer in layers if plain_class(layer) is not keras.layers.Dropout]
    if len(form) < 3 or form != f"E{'L' * (len(form) - 2)}D":
        named = (
            " -> ".join(type(layer).__name__ for layer in layers)
            or "no straight line of layers (a mask counts as a branch)"
        )
        raise InputError(f"the model '{model.name}' cannot generate: it is {named}; {_FORM}")
    for layer in chain:
        if obstacle := _obstacle(layer):
            raise InputError(f"the model '{model.name}' cannot generate: the layer '{layer.name}' {obstacle}; {_FORM}")
    return chain


def _obstacle(layer: Any) -> str | None:
    """Return what keeps a layer of the right kind from being stepped through."""
    if getattr(layer, "quantization_mode", None) is not None:
        return "is quantized"
    if isinstance(layer, keras.layers.Embedding):
        return None
    if isinstance(layer, keras.layers.Dense):
        return None if layer.activation is keras.activations.softmax else "has not the activation softmax"
    for option in ("go_backwards", "return_state"):
        if getattr(layer, option):
            return f"has {option}=True"
    known = [getattr(keras.activations, name) for name in _ACTIVATIONS]
    unknown = [one for one in (layer.activation, layer.recurrent_activation) if one not in known]
    return f"has the activation {getattr(unknown[0], '__name__', unknown[0])!r}" if unknown else None

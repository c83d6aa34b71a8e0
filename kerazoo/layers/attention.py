"""Scaled dot-product attention: the formula, a layer without weights, and a layer with learned projections.

Source: document 001, section 4.1; Vaswani et al., "Attention Is All You Need" (2017), equation 1 and section 3.2.2.

Shapes: B batch, T time (Tq of the query, Tk of key and value), D features, h heads, d features of one head. A mask is
True (or 1) where a query may attend to a key. A query that may attend to nothing gets weights of zero.
"""

from typing import Any

import keras
from keras import ops

from kerazoo.layers.types import Mask, Shape, Tensor


def attend(query: Tensor, key: Tensor, value: Tensor, mask: Mask = None) -> tuple[Tensor, Tensor]:
    """Return softmax(Q K^T / sqrt(d_k)) V and the softmax, its weights (document 001, section 4.1).

    Args:
        query, key, value: (..., Tq, d_k), (..., Tk, d_k) and (..., Tk, d_v) floats.
        mask: bool or 0/1 integers that broadcast to (..., Tq, Tk); True where a query may attend.

    Returns:
        The output (..., Tq, d_v) and the weights (..., Tq, Tk), whose rows sum to 1, or are zeros if wholly masked.

    Raises:
        ValueError: the sizes do not fit one another, or the mask is of floats.
    """
    weights = attention_weights(query, key, mask)
    _check_equal("positions", key=key.shape[-2], value=value.shape[-2])
    return ops.matmul(weights, value), weights  # (..., Tq, d_v), (..., Tq, Tk)


def attention_weights(query: Tensor, key: Tensor, mask: Mask = None) -> Tensor:
    """Return softmax(Q K^T / sqrt(d_k)), the weights (..., Tq, Tk) of `attend`, which says the rest."""
    _check_equal("features", query=query.shape[-1], key=key.shape[-1])
    # The query is scaled rather than the product, which could leave float16's range before it is divided.
    query = ops.multiply(query, query.shape[-1] ** -0.5)
    scores = ops.matmul(query, ops.swapaxes(key, -1, -2))  # (..., Tq, Tk)
    # Exponentials and their sum over Tk lose too much in half precision: at least float32, and float64 stays.
    wide = ops.cast(scores, keras.backend.result_type(scores.dtype, "float32"))
    if mask is not None:
        mask = _as_bool("mask", mask)
        # -1e30 stands for minus infinity: exp() of it is exactly 0 beside any real score, and unlike infinity it leaves
        # no NaN in the value or the gradient of a row that is masked as a whole.
        wide = ops.where(mask, wide, -1e30)
    # Over a single key, which a sequence of one token has by right, ops.softmax warns.
    weights = ops.exp(ops.log_softmax(wide)) if wide.shape[-1] == 1 else ops.softmax(wide)
    if mask is not None:
        weights = ops.where(mask, weights, 0.0)  # a fully masked row is uniform up to here
    return ops.cast(weights, scores.dtype)


@keras.saving.register_keras_serializable(package="kerazoo")
class ScaledDotProductAttention(keras.layers.Layer):
    """softmax(Q K^T / sqrt(d_k)) V as a layer without weights.

    Args:
        num_heads: cut the features into so many equal parts that attend on their own, and join the outputs again.
        causal: let position i of the query see positions 0 to i of the key only.
        return_weights: return (output, weights) in place of the output.

    Raises:
        ValueError: `num_heads` is below 1.
    """

    xla_on_cpu = True  # faster so, as measured: see `engine.tensorflow.jit`
    _arguments: tuple[str, ...] = ("num_heads", "causal", "return_weights")

    def __init__(self, num_heads: int = 1, causal: bool = False, return_weights: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_heads = _positive("num_heads", num_heads)
        self.causal, self.return_weights = bool(causal), bool(return_weights)
        self.supports_masking = True  # the query's Keras mask goes on to the output

    def __call__(
        self,
        query: Tensor,
        key: Tensor = None,
        value: Tensor = None,
        key_mask: Mask = None,
        mask: Mask = None,
        **kwargs: Any,
    ) -> Tensor:
        """Return the output (B, Tq, Dv); with `return_weights` also the weights (B, h, Tq, Tk).

        Args:
            query, key, value: (B, Tq, D), (B, Tk, D) and (B, Tk, Dv) floats. By default the key is the query, and the
                value the key.
            key_mask: (B, Tk) bool or 0/1, False at padding; by default the key's Keras mask, if it has one.
            mask: (B, Tq, Tk) bool or 0/1. In both masks a size may be 1 to stand for all alike.

        Raises:
            ValueError: a rank, a size or a mask's dtype does not fit, or the features do not divide into the heads.
        """
        # Keras takes an argument named `mask` for the padding of the first input, (B, T): it would fill it in and hand
        # ours, (B, Tq, Tk), on to the output. So it travels as `attention_mask`, also in a saved functional model.
        mask = kwargs.pop("attention_mask", mask)
        # With the key passed by itself, Keras finds its implicit padding mask and gives it to `call` as `key_mask`.
        key = query if key is None else key
        value = key if value is None else value
        # Checked here, as `call` does not run while a functional model is put together.
        inputs = {"query": query, "key": key, "value": value}
        q, k, v = (_check_shape(name, x, "(batch, time, features)", (None,) * 3).shape for name, x in inputs.items())
        _check_equal("sequences", query=q[0], key=k[0], value=v[0])
        _check_equal("positions", key=k[1], value=v[1])
        self._check_features(query=q[2], key=k[2], value=v[2])
        if key_mask is not None:
            _as_bool("key_mask", _check_shape("key_mask", key_mask, "(batch, keys)", (k[0], k[1])))
        if mask is not None:
            _as_bool("mask", _check_shape("mask", mask, "(batch, queries, keys)", (q[0], q[1], k[1])))
        return super().__call__(query, key, value, key_mask=key_mask, attention_mask=mask, **kwargs)

    def call(
        self, query: Tensor, key: Tensor, value: Tensor, key_mask: Mask = None, attention_mask: Mask = None
    ) -> Tensor:
        """Return what `__call__` says."""
        h = self.num_heads
        cut = (ops.reshape(x, (*ops.shape(x)[:2], h, x.shape[2] // h)) for x in (query, key, value))  # (B, T, h, d)
        q, k, v = (ops.transpose(x, (0, 2, 1, 3)) for x in cut)  # (B, h, T, d) each
        output, weights = attend(q, k, v, self._visible(query, key, key_mask, attention_mask))
        output = ops.transpose(output, (0, 2, 1, 3))  # (B, Tq, h, d)
        output = ops.reshape(output, (*ops.shape(query)[:2], value.shape[2]))  # (B, Tq, Dv)
        return (output, weights) if self.return_weights else output

    def _visible(self, query: Tensor, key: Tensor, key_mask: Mask, attention_mask: Mask) -> Tensor:
        """Return all masks in one, bool that broadcasts to (B, h, Tq, Tk), or None if every query sees all."""
        visible = None if key_mask is None else ops.expand_dims(_as_bool("key_mask", key_mask), (1, 2))  # (B, 1, 1, Tk)
        if attention_mask is not None:
            mask = ops.expand_dims(_as_bool("mask", attention_mask), 1)  # (B, 1, Tq, Tk)
            visible = mask if visible is None else ops.logical_and(visible, mask)
        if self.causal:
            mask = ops.arange(ops.shape(query)[1])[:, None] >= ops.arange(ops.shape(key)[1])  # (Tq, Tk)
            visible = mask if visible is None else ops.logical_and(visible, mask)
        return visible

    def _check_features(self, **sizes: int | None) -> None:
        """Raise ValueError if the layer cannot take inputs of these numbers of features."""
        _check_equal("features", query=sizes["query"], key=sizes["key"])
        for name, size in sizes.items():
            if size is None or size % self.num_heads:
                raise ValueError(f"{name} has {size} features, want a multiple of num_heads={self.num_heads}: fit one")

    def compute_output_shape(
        self, query_shape: Shape, key_shape: Shape | None = None, value_shape: Shape | None = None
    ) -> Shape | tuple[Shape, Shape]:
        """Return the shape (B, Tq, Dv) of the output, with `return_weights` also (B, h, Tq, Tk) of the weights."""
        q, k, v = query_shape, key_shape or query_shape, value_shape or key_shape or query_shape
        output, weights = (*q[:2], v[2]), (q[0], self.num_heads, q[1], k[1])
        return (output, weights) if self.return_weights else output

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, enough for `from_config`."""
        return {**super().get_config(), **{name: getattr(self, name) for name in self._arguments}}


@keras.saving.register_keras_serializable(package="kerazoo")
class MultiHeadAttention(ScaledDotProductAttention):
    """Attention between learned projections of (B, T, D) inputs; the output is projected to the query's D again.

    Called as `ScaledDotProductAttention`. Its weights are ordered and shaped as `keras.layers.MultiHeadAttention`'s:
    `set_weights(theirs.get_weights())` makes the two equal, but for a query that may attend to nothing, whose heads are
    zeros here and whose output is the bias.

    Args:
        num_heads: h, how many projections attend side by side.
        key_dim, value_dim: features of one head's query and key, and of its value, by default as many.
        use_bias: whether the projections add a bias.
        dropout: share of the weights that is dropped in training, in [0, 1).
        causal, return_weights, **kwargs: as in `ScaledDotProductAttention`; the weights are those before dropout.

    Raises:
        ValueError: a size is below 1, or `dropout` is outside [0, 1).
    """

    _arguments = (*ScaledDotProductAttention._arguments, "key_dim", "value_dim", "use_bias", "dropout")

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        use_bias: bool = True,
        dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(num_heads, **kwargs)
        self.key_dim = _positive("key_dim", key_dim)
        self.value_dim = self.key_dim if value_dim is None else _positive("value_dim", value_dim)
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout={dropout!r} is outside [0, 1): pass the share of weights to drop, such as 0.1")
        self.use_bias, self.dropout = bool(use_bias), float(dropout)

    def build(self, query_shape: Shape, key_shape: Shape | None = None, value_shape: Shape | None = None) -> None:
        """Make the projections for inputs of these (B, T, D) shapes."""
        q, k, v = query_shape, key_shape or query_shape, value_shape or key_shape or query_shape
        self._features = {"query": q[2], "key": k[2], "value": v[2]}
        key, value = (None, self.num_heads, self.key_dim), (None, self.num_heads, self.value_dim)
        self.query_dense = self._dense("query", "btf,fhd->bthd", key, q)
        self.key_dense = self._dense("key", "btf,fhd->bthd", key, k)
        self.value_dense = self._dense("value", "btf,fhd->bthd", value, v)
        self.output_dense = self._dense("attention_output", "bthd,hdf->btf", (None, q[2]), (None, *value))
        self.dropout_layer = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy, name="dropout")

    def _dense(self, name: str, equation: str, output_shape: Shape, input_shape: Shape) -> keras.layers.EinsumDense:
        bias = equation.split("->bt")[1] if self.use_bias else None  # along all axes but batch and time
        dense = keras.layers.EinsumDense(equation, output_shape, bias_axes=bias, dtype=self.dtype_policy, name=name)
        dense.supports_masking = True  # or Keras warns that the mask of the input ends here, which it need not hear of
        dense.build(input_shape)
        return dense

    def call(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_mask: Mask = None,
        attention_mask: Mask = None,
        training: bool | None = None,
    ) -> Tensor:
        """Return what `__call__` says."""
        projected = self.query_dense(query), self.key_dense(key), self.value_dense(value)  # (B, T, h, d) each
        q, k, v = (ops.transpose(x, (0, 2, 1, 3)) for x in projected)  # (B, h, T, d) each
        weights = attention_weights(q, k, self._visible(query, key, key_mask, attention_mask))  # (B, h, Tq, Tk)
        output = ops.matmul(self.dropout_layer(weights, training=training), v)  # (B, h, Tq, d)
        output = self.output_dense(ops.transpose(output, (0, 2, 1, 3)))  # (B, Tq, D)
        return (output, weights) if self.return_weights else output

    def _check_features(self, **sizes: int | None) -> None:
        want = self._features if self.built else "known"
        if None in sizes.values() or want not in ("known", sizes):
            raise ValueError(f"features are {sizes}, want {want}: pass others, or make a new layer for these")

    def compute_output_shape(
        self, query_shape: Shape, key_shape: Shape | None = None, value_shape: Shape | None = None
    ) -> Shape | tuple[Shape, Shape]:
        """Return the shape (B, Tq, D) of the output, with `return_weights` also (B, h, Tq, Tk) of the weights."""
        return super().compute_output_shape(query_shape, key_shape, query_shape)  # D is the query's, not the value's


def _positive(name: str, number: object) -> int:
    """Return `number` if it is an integer of at least 1."""
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{name}={number!r} is not an integer of at least 1: pass one, such as {name}=4")
    return number


def _check_equal(what: str, **sizes: int | None) -> None:
    """Raise ValueError if two of the sizes, by the input's name, are known and not the same."""
    if len({size for size in sizes.values() if size is not None}) > 1:
        given = ", ".join(f"{name} has {size}" for name, size in sizes.items())
        raise ValueError(f"{given} {what}, want as many in each: cut, pad or project them to match")


def _check_shape(name: str, x: Tensor, axes: str, sizes: tuple[int | None, ...]) -> Tensor:
    """Return `x`, or raise ValueError unless its shape broadcasts to the sizes of these axes, where None is any."""
    shape = tuple(getattr(x, "shape", ()))
    fits = (want is None or size in (want, 1, None) for size, want in zip(shape, sizes, strict=False))
    if len(shape) != len(sizes) or not all(fits):
        raise ValueError(f"{name} has shape {shape}, want {axes} = {sizes}: pass an array with these axes")
    return x


def _as_bool(name: str, mask: Tensor) -> Tensor:
    """Return `mask`, bool or 0/1 integers, as bool. Floats raise: they may be meant to be added to the scores."""
    dtype = keras.backend.standardize_dtype(mask.dtype)
    if dtype != "bool" and not keras.backend.is_int_dtype(dtype):
        raise ValueError(f"{name} is of dtype {dtype}, want bool or 0/1 integers: compare it, as in `{name} > 0.5`")
    return ops.cast(mask, "bool")

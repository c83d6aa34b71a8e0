"""Keras's LSTM with its steps in a loop that LiteRT has built in: it carries the state alone, no list of tensors."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class LoopedLSTM(keras.layers.LSTM):
    """What a trace finds in the place of an LSTM, for inference; a masked one, or one that is given a state, is as is.

    The outputs of all steps, where they are asked for, grow by a concatenation a step.
    """

    is_faster_form = True

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        """Map (B, T, D) to (B, units), or (B, T, units) with `return_sequences`."""
        if mask is not None or initial_state is not None or self.stateful or self.unroll:
            return super().call(sequences, initial_state=initial_state, mask=mask, training=training)
        cell, units = self.cell, self.units
        sequences = tf.reverse(sequences, [1]) if self.go_backwards else sequences
        given = tf.tensordot(sequences, tf.convert_to_tensor(cell.kernel), 1)  # (B, T, 4 * units), of all steps at once
        if cell.use_bias:
            given += tf.convert_to_tensor(cell.bias)
        recurrent = tf.convert_to_tensor(cell.recurrent_kernel)

        def step(t: Any, h: Any, c: Any, *written: Any) -> tuple[Any, ...]:
            i, f, g, o = tf.split(tf.gather(given, t, axis=1) + tf.matmul(h, recurrent), 4, axis=1)
            gate, activation = cell.recurrent_activation, cell.activation
            c = gate(f) * c + gate(i) * activation(g)
            h = gate(o) * activation(c)
            return (t + 1, h, c, *(tf.concat([one, h[:, None]], 1) for one in written))

        batch, dtype = tf.shape(sequences)[0], self.compute_dtype
        zeros = tf.zeros((batch, units), dtype)
        nothing = [tf.zeros((batch, 0, units), dtype)] if self.return_sequences else []
        states = [tf.constant(0), zeros, zeros, *nothing]
        shapes = [(), (None, units), (None, units), *([(None, None, units)] if nothing else [])]
        length = tf.shape(sequences)[1]
        _, h, c, *written = tf.while_loop(
            lambda t, *_: t < length, step, states, shape_invariants=[tf.TensorShape(one) for one in shapes]
        )
        output = written[0] if written else h
        if written:
            output.set_shape((None, sequences.shape[1], units))
        return [output, h, c] if self.return_state else output

"""An ONNX graph that is put together node by node, of the weights of one Keras model.

The initialisers are the Keras weights as they are, named by their place ("1.kernel"); nodes bring them to the form that
an operator wants. Every runtime does that once, when it loads the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import onnx
from onnx import TensorProto, helper, numpy_helper

from kerazoo.lazy import keras, np
from kerazoo.weights.packing import pack

OPSET, IR_VERSION = 17, 8  # the oldest that have what is needed, so that older runtimes read the files


class UnknownLayer(Exception):
    """A layer, an option or a value for which there is nothing here; the message names it."""


class State(NamedTuple):
    """One state of an LSTM: its input's name, the values before and after the tokens, (1, B, units)."""

    name: str
    before: str
    after: str
    units: int


class Cut(NamedTuple):
    """What is cut from the ids: the first column that is kept, and how many there were, (1,) int64 each."""

    first: str
    length: str


class Graph:
    """A graph in the making; values are known by their names.

    What layers leave for those who add outputs: `logits`, from the name of an activated value to that of the value
    before; `attention`, of the first attention the weights and its heads; `states`, of each LSTM its h and c. `cut` is
    what padding is cut from the ids.

    Args:
        model: whose weights are used.
        stateful: whether LSTMs begin with states that are given, and return them.
        unknown: the id of the unknown word, from which words are moved by the input "share"; None: there is none.
        small: store the weights as `kerazoo.weights.pack` does, in place of float32.
    """

    def __init__(
        self, model: keras.Model, *, stateful: bool = False, unknown: int | None = None, small: bool = False
    ) -> None:
        self.stateful, self.unknown = stateful, unknown
        self.logits: dict[str, str] = {}
        self.attention: tuple[str, int] | None = None
        self.states: list[State] = []
        self.cut: Cut | None = None
        self._places = {id(variable): place for place, variable in enumerate(model.weights)}
        self._small = small
        self._nodes: list[Any] = []
        self._count = 0
        self._initialisers: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._values: dict[int, str] = {}
        self._stored: dict[int, tuple[str, str]] = {}

    def __getitem__(self, tensor: Any) -> str:
        """The name of the value that a symbolic tensor of Keras's stands for; a number becomes a constant."""
        if isinstance(tensor, (int, float)):
            return self.constant(tensor, np.float32 if isinstance(tensor, float) else np.int32)
        if id(tensor) not in self._values:
            raise UnknownLayer("a value that is no layer's output")
        return self._values[id(tensor)]

    def __setitem__(self, tensor: Any, value: str) -> None:
        self._values[id(tensor)] = value

    def node(self, operator: str, *inputs: str, count: int = 1, **attributes: Any) -> Any:
        """Add a node and return the name of its output; of several, a list."""
        self._count += 1
        outputs = [f"{operator}.{self._count}.{place}" for place in range(count)]
        self._nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0] if count == 1 else outputs

    def body(self, add: Callable[..., Sequence[str]], inputs: Sequence[str], outputs: Sequence[str]) -> onnx.GraphProto:
        """Return the body of an `If` or a `Scan`: the nodes that `add` adds, which may use every value made before.

        Args:
            add: from the names of the body's inputs to those of its outputs, which are made in it.
            inputs: their dtypes.
            outputs: their dtypes.
        """
        outside, self._nodes = self._nodes, []
        self._count += 1
        names = [f"body.{self._count}.{place}" for place in range(len(inputs))]
        made = add(*names)
        nodes, self._nodes = self._nodes, outside
        given, returned = (
            [helper.make_tensor_value_info(name, _kind(dtype), None) for name, dtype in zip(some, dtypes, strict=True)]
            for some, dtypes in ((names, inputs), (made, outputs))
        )
        return helper.make_graph(nodes, f"body.{self._count}", given, returned)

    def constant(self, value: Any, dtype: Any = np.int64) -> str:
        """Return the name of a constant."""
        array = np.asarray(value, dtype)
        name = f"{array.dtype} {array.tolist()}"
        return self._initialiser(name if array.size < 9 else f"constant.{len(self._initialisers)}", array)

    def weight(self, variable: keras.Variable) -> str:
        """Return the name of a weight, float32."""
        name, scale = self._store(variable)
        return self._widened(name, scale)

    def rows(self, variable: keras.Variable, ids: str, share: str = "") -> str:
        """Return the name of the rows `ids` of a table, or of their `share` of them; only they become float32."""
        name, scale = self._store(variable)
        factor = scale and self.node("Gather", scale, ids)
        factor = self.node("Mul", factor, share) if factor and share else factor or share
        return self._widened(self.node("Gather", name, ids), factor)

    def input(self, name: str, shape: Sequence[Any], dtype: str, default: np.ndarray | None = None) -> str:
        """Add an input, which may be left out where it has a default."""
        self._inputs.append(helper.make_tensor_value_info(name, _kind(dtype), shape))
        return name if default is None else self._initialiser(name, default)

    def output(self, name: str, value: str, shape: Sequence[Any], dtype: str = "float32") -> None:
        """Have the graph return a value under another name; the first of two of the name counts."""
        if name not in {one.name for one in self._outputs}:
            self._nodes.append(helper.make_node("Identity", [value], [name]))
            self._outputs.append(helper.make_tensor_value_info(name, _kind(dtype), shape))

    def finished(self, name: str, metadata: Mapping[str, str]) -> onnx.ModelProto:
        """Return the model."""
        made = helper.make_graph(self._nodes, name, self._inputs, self._outputs, [*self._initialisers.values()])
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(made, opset_imports=opset, ir_version=IR_VERSION, producer_name="kerazoo")
        helper.set_model_props(model, dict(metadata))
        return model

    def _store(self, variable: keras.Variable) -> tuple[str, str]:
        """Return the names of a weight as it is stored, and of the scales of its rows, empty where it has none."""
        if id(variable) not in self._places:
            raise UnknownLayer("weights that are computed, as with LoRA")
        if id(variable) not in self._stored:
            name = f"{self._places[id(variable)]}.{variable.name}"
            array = keras.ops.convert_to_numpy(variable.value).astype(np.float32)
            numbers, scale = pack(array) if self._small else (array, None)
            names = self._initialiser(name, numbers), "" if scale is None else self._initialiser(f"{name}.scale", scale)
            self._stored[id(variable)] = names
        return self._stored[id(variable)]

    def _widened(self, numbers: str, scale: str) -> str:
        wide = self.node("Cast", numbers, to=TensorProto.FLOAT) if self._small else numbers
        return self.node("Mul", wide, scale) if scale else wide

    def _initialiser(self, name: str, array: np.ndarray) -> str:
        self._initialisers.setdefault(name, numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name


def _kind(dtype: str) -> int:
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

"""Our models as ONNX files, for onnxruntime: the same weights, and of a GPT one step with keys and values handed on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tinytorch.core.activations import ReLU
from tinytorch.core.layers import Layer, Linear
from tinytorch.core.spatial import Conv2d, Flatten, MaxPool2d
from tinytorch.core.transformers import GPT

Array = NDArray[Any]
OPSET = 20  # the first with Gelu
CACHE = ("N", "heads", "held", "size")


class Graph:
    """A graph that grows node by node; names are numbers."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operation: str, *inputs: str, **attributes: Any) -> str:
        """A node with one output, whose name it returns."""
        output = f"{operation}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [output], **attributes))
        return output

    def constant(self, array: Array) -> str:
        """The name of an array that the file holds."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def linear(self, layer: Linear, inputs: str) -> str:
        """inputs @ weight + bias, for any number of axes."""
        product = self.add("MatMul", inputs, self.constant(layer.weight.data))
        return product if layer.bias is None else self.add("Add", product, self.constant(layer.bias.data))

    def norm(self, layer: Any, inputs: str) -> str:
        """A LayerNorm."""
        arrays = (self.constant(layer.gamma.data), self.constant(layer.beta.data))
        return self.add("LayerNormalization", inputs, *arrays, axis=-1, epsilon=layer.eps)

    def file(self, inputs: list[Any], outputs: list[Any]) -> bytes:
        """The whole as the content of a file."""
        graph = helper.make_graph(self.nodes, "network", inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        content: bytes = model.SerializeToString()
        return content


def chain(model: Layer, shape: tuple[int, ...]) -> bytes:
    """A network of layers one after the other, for inputs of one shape."""
    graph, name = Graph(), "inputs"
    for layer in model.children():
        match layer:
            case Linear():
                gemm = (graph.constant(layer.weight.data), graph.constant(layer.bias.data))  # type: ignore[union-attr]
                name = graph.add("Gemm", name, *gemm)
            case Conv2d():
                arrays = (graph.constant(layer.weight.data), graph.constant(layer.bias.data))  # type: ignore[union-attr]
                name = graph.add("Conv", name, *arrays, pads=[layer.padding] * 4, strides=[layer.stride] * 2)
            case MaxPool2d():
                name = graph.add("MaxPool", name, kernel_shape=layer.kernel_size, strides=[layer.stride] * 2)
            case ReLU():
                name = graph.add("Relu", name)
            case Flatten():
                name = graph.add("Flatten", name)
    return graph.file(
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)],
    )


def decoder(model: GPT) -> bytes:
    """One step of a GPT: tokens (N, T) and their positions (T,), a mask, keys and values held -> scores and held."""
    graph = Graph()
    tokens = graph.add("Gather", graph.constant(model.token_embedding.weight.data), "tokens")
    places = graph.add("Gather", graph.constant(model.position_embedding.weight.data), "positions")
    hidden = graph.add("Add", tokens, places)
    inputs = [
        helper.make_tensor_value_info("tokens", TensorProto.INT64, ["N", "T"]),
        helper.make_tensor_value_info("positions", TensorProto.INT64, ["T"]),
        helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["T", "S"]),
    ]
    outputs = []
    for number, block in enumerate(model.blocks):
        attended, held = attention(graph, block.attention, graph.norm(block.ln1, hidden), number)
        hidden = graph.add("Add", hidden, attended)
        inner = graph.add("Gelu", graph.linear(block.mlp.linear1, graph.norm(block.ln2, hidden)), approximate="tanh")
        hidden = graph.add("Add", hidden, graph.linear(block.mlp.linear2, inner))
        for kind, name in zip(("keys", "values"), held, strict=True):
            inputs.append(helper.make_tensor_value_info(f"{kind}_{number}", TensorProto.FLOAT, CACHE))
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    head: Any = model.lm_head
    scores = graph.linear(head, graph.norm(model.ln_f, hidden))
    return graph.file(inputs, [helper.make_tensor_value_info(scores, TensorProto.FLOAT, None), *outputs])


def attention(graph: Graph, layer: Any, inputs: str, number: int) -> tuple[str, tuple[str, str]]:
    """Attention over what is held and the new tokens; the names of all keys and values."""
    heads = graph.constant(np.array([0, 0, layer.num_heads, layer.head_dim]))
    query, key, value = (
        graph.add("Transpose", graph.add("Reshape", graph.linear(each, inputs), heads), perm=[0, 2, 1, 3])
        for each in (layer.q_proj, layer.k_proj, layer.v_proj)
    )
    keys = graph.add("Concat", f"keys_{number}", key, axis=2)
    values = graph.add("Concat", f"values_{number}", value, axis=2)
    scaled = graph.add("Mul", query, graph.constant(np.array(layer.head_dim**-0.5, np.float32)))
    scores = graph.add("MatMul", scaled, graph.add("Transpose", keys, perm=[0, 1, 3, 2]))
    weights = graph.add("Softmax", graph.add("Add", scores, "mask"), axis=-1)
    together = graph.add("Transpose", graph.add("MatMul", weights, values), perm=[0, 2, 1, 3])
    merged = graph.add("Reshape", together, graph.constant(np.array([0, 0, layer.num_heads * layer.head_dim])))
    return graph.linear(layer.out_proj, merged), (keys, values)

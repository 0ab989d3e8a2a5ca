"""One side of `engine.py`: an engine with one network, which times itself for every line it reads.

    python benchmarks/engines.py ENGINE NETWORK

It says first what it computes, so that all engines can be held against each other, then for each line the median of
several blocks, nanoseconds for one inference of one sample. onnxruntime and PyTorch are no dependencies of ours.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinytorch.core.layers import Layer, Linear, ReLU, Sequential
from tinytorch.core.model import Backend
from tinytorch.core.tensor import no_grad
from tinytorch.core.transformers import GPT, Completion
from tinytorch.workloads.registry import find_task

Array = NDArray[Any]
Call = Callable[[Array], Array]

PROMPT, NEW_TOKENS, VOCABULARY = 16, 64, 64
BLOCKS = 5  # in each round
BLOCK_NS = 20e6


def perceptron(*widths: int) -> Sequential:
    """A ReLU network with seeded weights."""
    generator = np.random.default_rng(0)
    layers: list[Layer] = []
    for pair in itertools.pairwise(widths):
        layers += [Linear(*pair, rng=generator), ReLU()]
    return Sequential(*layers[:-1])


def writer() -> Completion:
    """The GPT: 4 blocks of width 128; it continues a prompt of 16 tokens by 64."""
    gpt = GPT(VOCABULARY, 128, 4, 4, max_seq_len=PROMPT + NEW_TOKENS, rng=np.random.default_rng(0))
    return Completion(gpt, PROMPT, NEW_TOKENS)


NETWORKS: dict[str, tuple[Callable[[], Layer], tuple[int, ...]]] = {
    "64-32-10": (lambda: perceptron(64, 32, 10), (1, 64)),
    "64-1024x3-10": (lambda: perceptron(64, 1024, 1024, 1024, 10), (1, 64)),
    "digits_cnn": (lambda: find_task("digits_cnn").build_model(0), (1, 1, 8, 8)),
    "gpt": (writer, (1, PROMPT)),
}


def eager(model: Layer) -> Call:
    """The framework as it is."""

    def call(inputs: Array) -> Array:
        with no_grad():
            outputs: Array = model(inputs).data
        return outputs

    return call


def cached(model: Layer) -> Call:
    """The framework with a KV cache."""
    from tinytorch.perf.memoization import with_kv_cache

    with_kv_cache(model)
    return eager(model)


def onnxruntime(model: Layer, int8: bool = False) -> Call:
    """onnxruntime on the CPU, one thread."""
    import onnxruntime as ort
    from onnx_models import chain, decoder

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    content = decoder(model.gpt) if isinstance(model, Completion) else chain(model, _shape(model))
    session = ort.InferenceSession(quantized(content) if int8 else content, options, ["CPUExecutionProvider"])
    if isinstance(model, Completion):
        return generation(session, model.gpt)
    names = [output.name for output in session.get_outputs()]

    def call(inputs: Array) -> Array:
        outputs: Array = session.run(names, {"inputs": inputs})[0]
        return outputs

    return call


def quantized(content: bytes) -> bytes:
    """The file with int8 weights, inputs of products rounded in each call (dynamic)."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "model.onnx"), Path(folder, "int8.onnx")
        source.write_bytes(content)
        quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True)
        return target.read_bytes()


def generation(session: Any, gpt: GPT) -> Call:
    """Greedy generation with what each step hands on; arrays stay with onnxruntime from step to step (IO binding)."""
    import onnxruntime as ort

    names = [each.name for each in session.get_inputs()[3:]]
    outputs = [each.name for each in session.get_outputs()]
    head_dim = gpt.embed_dim // gpt.num_heads

    def step(binding: Any, tokens: Array, start: int, held: list[Any]) -> tuple[Array, list[Any]]:
        size = tokens.shape[1]
        mask = np.triu(np.full((size, start + size), -1e9, np.float32), start + 1)
        binding.bind_cpu_input("tokens", tokens)
        binding.bind_cpu_input("positions", np.arange(start, start + size))
        binding.bind_cpu_input("mask", mask)
        for name, value in zip(names, held, strict=True):
            binding.bind_ortvalue_input(name, value)
        for name in outputs:
            binding.bind_output(name)
        session.run_with_iobinding(binding)
        scores, *held = binding.get_outputs()
        return scores.numpy()[:, -1].argmax(axis=-1)[:, None], held

    def call(inputs: Array) -> Array:
        empty = np.empty((1, gpt.num_heads, 0, head_dim), np.float32)
        held: list[Any] = [ort.OrtValue.ortvalue_from_numpy(empty) for _ in names]
        binding, found = session.io_binding(), []
        tokens, start = inputs, 0
        for _ in range(NEW_TOKENS):
            length = tokens.shape[1]
            tokens, held = step(binding, tokens, start, held)
            start += length
            found.append(tokens)
        return np.concatenate(found, axis=1)

    return call


def torch(model: Layer) -> Call:
    """PyTorch, eager."""
    import torch
    from trainers import torch_network

    torch.set_num_threads(1)
    if isinstance(model, Completion):
        return torch_generation(model.gpt)
    network, _ = torch_network(model)

    def call(inputs: Array) -> Array:
        with torch.inference_mode():
            outputs: Array = network(torch.from_numpy(inputs)).numpy()
        return outputs

    return call


def torch_generation(gpt: GPT) -> Call:
    """PyTorch without a cache, as its users begin."""
    import torch
    from trainers import torch_network

    network, _ = torch_network(gpt)

    def call(inputs: Array) -> Array:
        tokens = torch.from_numpy(inputs)
        with torch.inference_mode():
            for _ in range(NEW_TOKENS):
                chosen = network(tokens)[:, -1].argmax(-1, keepdim=True)
                tokens = torch.cat([tokens, chosen], dim=1)
        found: Array = tokens[:, inputs.shape[1] :].numpy()
        return found

    return call


def plan(model: Layer, backend: Backend, int8: bool = False) -> Call:
    """Our compiled plan."""
    from tinytorch.perf.acceleration import compile_model
    from tinytorch.perf.quantization import quantize_model

    shape = _shape(model)
    example = np.zeros(shape, np.int64) if isinstance(model, Completion) else np.zeros(shape, np.float32)
    compiled = compile_model(quantize_model(model) if int8 else model, example, backend=backend)
    return lambda inputs: compiled(inputs).data


def _shape(model: Layer) -> tuple[int, ...]:
    kinds = [layer.kind for layer in model.walk()]
    return (1, PROMPT) if "GPT" in kinds else (1, 1, 8, 8) if "Conv2d" in kinds else (1, 64)


ENGINES: dict[str, Callable[[Layer], Call]] = {
    "eager": eager,
    "cached": cached,
    "numpy": lambda model: plan(model, "numpy"),
    "numba": lambda model: plan(model, "numba"),
    "numpy-int8": lambda model: plan(model, "numpy", int8=True),
    "numba-int8": lambda model: plan(model, "numba", int8=True),
    "onnxruntime": onnxruntime,
    "onnxruntime-int8": lambda model: onnxruntime(model, int8=True),
    "torch": torch,
}


def inputs_for(shape: tuple[int, ...], count: int, is_text: bool) -> list[Array]:
    """Different inputs, the same for every engine."""
    rng = np.random.default_rng(1)
    if is_text:
        return [rng.integers(0, VOCABULARY, shape) for _ in range(count)]
    return [rng.standard_normal(shape, np.float32) for _ in range(count)]


def block_ns(call: Call, inputs: list[Array], rounds: int) -> float:
    """Nanoseconds for one call, over `rounds` times all inputs."""
    start = time.perf_counter_ns()
    for _ in range(rounds):
        for each in inputs:
            call(each)
    return (time.perf_counter_ns() - start) / (rounds * len(inputs))


def main(engine: str, network: str) -> None:
    """Answer every line of standard input with a time."""
    build, shape = NETWORKS[network]
    call = ENGINES[engine](build().eval())
    inputs = inputs_for(shape, 4, network == "gpt")
    outputs = np.concatenate([call(each).ravel()[:64] for each in inputs]).tolist()
    rounds = max(1, round(BLOCK_NS / len(inputs) / block_ns(call, inputs, 3)))
    print(json.dumps({"version": version(engine), "outputs": outputs}), flush=True)
    for _ in sys.stdin:
        found = statistics.median(block_ns(call, inputs, rounds) for _ in range(BLOCKS))
        print(json.dumps({"ns": found}), flush=True)


def version(engine: str) -> str:
    """Which release of a peer, or of what our engine stands on, is measured."""
    package = engine.split("-")[0]
    package = package if package in ("onnxruntime", "torch", "numba") else "numpy"
    return f"{package} {metadata.version(package)}"


if __name__ == "__main__":
    main(*sys.argv[1:])

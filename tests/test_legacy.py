"""Files of the course's edition of 2025 import from where its modules were then."""

from __future__ import annotations

import sys
from importlib import import_module

import numpy as np
import pytest

import tinytorch
from tinytorch._legacy import OLD_PATHS, OldPaths
from tinytorch.core.tensor import Tensor
from tinytorch.perf.compression import Compressor

IMPORTS = [
    ("models.transformer", "GPT TransformerBlock LayerNorm MultiHeadAttention", "core.transformer"),
    ("text.tokenization", "CharTokenizer BPETokenizer", "core.tokenization"),
    ("text.embeddings", "Embedding PositionalEncoding create_sinusoidal_embeddings", "core.embeddings"),
    ("generation.kv_cache", "KVCache enable_kv_cache disable_kv_cache", "perf.memoization"),
    ("data.loader", "DataLoader TensorDataset Dataset RandomCrop", "core.dataloader"),
    ("profiling.profiler", "Profiler quick_profile", "perf.profiling"),
    ("optimization.quantization", "quantize_int8 QuantizedLinear quantize_model", "perf.quantization"),
    ("optimization.compression", "magnitude_prune structured_prune KnowledgeDistillation", "perf.compression"),
    ("optimization.acceleration", "vectorized_matmul fused_gelu", "perf.acceleration"),
    ("nn", "Linear ReLU Sequential CrossEntropyLoss", "core.layers core.losses"),
    ("nn", "Conv2d Embedding MultiHeadAttention GPT", "core.spatial core.embeddings core.attention core.transformers"),
    ("optim", "SGD Adam AdamW", "core.optimizers"),
    ("bench", "Benchmark TinyMLPerf", "perf.benchmarking"),
    ("capstone", "BenchmarkReport", "olympics"),
    ("competition.submit", "generate_submission", "competition"),
]


@pytest.mark.parametrize(("old", "names", "new"), IMPORTS)
def test_an_old_path_has_the_names_of_today(old: str, names: str, new: str) -> None:
    found = import_module(f"tinytorch.{old}")
    homes = [import_module(f"tinytorch.{home}") for home in new.split()]

    for name in names.split():
        assert any(getattr(found, name) is getattr(home, name, None) for home in homes)


@pytest.mark.parametrize("old", OLD_PATHS)
def test_every_old_path_can_be_imported(old: str) -> None:
    assert import_module(f"tinytorch.{old}").__name__ == f"tinytorch.{old}"


@pytest.mark.parametrize("old", ["models", "text", "data", "generation", "profiling", "optimization"])
def test_a_package_has_the_names_of_its_modules(old: str) -> None:
    names = {"models": "GPT", "text": "Embedding", "data": "DataLoader", "generation": "KVCache"}
    names |= {"profiling": "Profiler", "optimization": "magnitude_prune"}

    assert callable(getattr(import_module(f"tinytorch.{old}"), names[old]))


def test_a_star_brings_what_one_builds_with_and_no_more() -> None:
    names = import_module("tinytorch.nn").__all__

    assert {"Linear", "ReLU", "Conv2d", "GPT", "Module"} <= {*names}
    assert {"Any", "Array", "BLOCKED", "annotations"} & {*names} == set()


def test_functions_compute() -> None:
    functional = import_module("tinytorch.nn.functional")

    np.testing.assert_array_equal(functional.relu(Tensor([-1.0, 2.0])).data, [0, 2])
    np.testing.assert_allclose(functional.softmax(Tensor([[0.0, 0.0]]), dim=-1).data, [[0.5, 0.5]])
    assert import_module("tinytorch.nn").Module is tinytorch.Layer


def test_a_sparsity_of_2025_is_a_share_as_its_tests_read_it() -> None:
    assert import_module("tinytorch.optimization.compression").measure_sparsity(tinytorch.Linear(3, 3)) == 0
    assert import_module("tinytorch.optimization.compression").measure_sparsity is Compressor.measure_sparsity


def test_whoever_is_asked_last_is_asked_once() -> None:
    assert [finder for finder in sys.meta_path if finder is OldPaths] == [OldPaths]


@pytest.mark.parametrize("name", ["tinytorch.nothing", "tinytorch.text.nothing", "text", "models.transformer"])
def test_other_names_are_not_found(name: str) -> None:
    with pytest.raises(ModuleNotFoundError):
        import_module(name)


class Reversing:
    """A transformer as a file of 2025 writes it: a plain class, parts of old paths, parameters listed by hand."""

    def __init__(self) -> None:
        text, models = import_module("tinytorch.text.embeddings"), import_module("tinytorch.models.transformer")
        self.embedding, self.position = text.Embedding(10, 32), text.PositionalEncoding(6, 32)
        self.attention = models.MultiHeadAttention(32, 4)
        self.first_norm, self.second_norm = models.LayerNorm(32), models.LayerNorm(32)
        self.wide, self.narrow, self.out = tinytorch.Linear(32, 64), tinytorch.Linear(64, 32), tinytorch.Linear(32, 10)

    def __call__(self, tokens: Tensor) -> Tensor:
        x = self.position(self.embedding(tokens))
        x = self.first_norm(x + self.attention(x, mask=None))
        x = self.second_norm(x + self.narrow(tinytorch.ReLU()(self.wide(x))))
        return self.out(x.reshape(-1, 32)).reshape(*tokens.shape, 10)

    def parameters(self) -> list[Tensor]:
        return [parameter for part in vars(self).values() for parameter in part.parameters()]


def test_a_file_of_2025_learns_to_turn_sequences_round() -> None:
    np.random.seed(0)
    tokens, model, loss = np.random.randint(1, 10, (700, 6)), Reversing(), tinytorch.CrossEntropyLoss()
    optimizer = import_module("tinytorch.optim").Adam(model.parameters(), lr=0.005)
    for number in [*range(500)] * 4:
        optimizer.zero_grad()
        x, y = tokens[number : number + 1], tokens[number : number + 1, ::-1]
        loss(model(Tensor(x)).reshape(-1, 10), Tensor(y).reshape(-1)).backward()
        optimizer.step()
    unseen = tokens[500:]

    assert (model(Tensor(unseen)).data.argmax(axis=-1) == unseen[:, ::-1]).mean() >= 0.99

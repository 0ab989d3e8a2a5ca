"""What all forms of weights have in common: they multiply, are counted, saved, and refuse what is not finite."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from tinytorch.benchmarking.footprint import footprint
from tinytorch.core.tensor import Tensor
from tinytorch.perf.compression.low_rank import factored
from tinytorch.perf.compression.sharing import shared
from tinytorch.perf.compression.sparse import SparseWeight, csr, sparse
from tinytorch.perf.quantization import quantize_weight

RNG = np.random.default_rng(0)
WEIGHT = np.where(RNG.random((40, 30)) < 0.8, 0, RNG.standard_normal((40, 30))).astype(np.float32)
FORMS = {
    "int8": quantize_weight(WEIGHT, 1),
    "int8, one scale": quantize_weight(WEIGHT),
    "int8, rows": quantize_weight(WEIGHT, 0),
    "int8, affine": quantize_weight(WEIGHT, 1, symmetric=False),
    "int4": quantize_weight(WEIGHT, 1, bits=4),
    "int4, affine": quantize_weight(WEIGHT, bits=4, symmetric=False),
    "int3": quantize_weight(WEIGHT, 1, bits=3),
    "int2, affine": quantize_weight(WEIGHT, 0, bits=2, symmetric=False),
    "shared": shared(WEIGHT, 16),
    "shared, 5": shared(WEIGHT, 5),
    "shared, 256": shared(WEIGHT, 256),
    "sparse": sparse(WEIGHT),
    "sparse, shared": sparse(WEIGHT).recoded(lambda values: shared(values.data, 16)),
    "sparse, int8": sparse(WEIGHT).recoded(lambda values: quantize_weight(values.data)),
    "csr": csr(WEIGHT),
    "csr, shared": csr(WEIGHT).recoded(lambda values: shared(values.data, 16)),
    "low rank": factored(WEIGHT, rank=3),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("shape", [(1, 40), (2, 5, 40)])
def test_a_form_multiplies_as_its_array_does(form, shape: tuple[int, ...]) -> None:
    inputs = RNG.standard_normal(shape).astype(np.float32)

    np.testing.assert_allclose(form.multiply(Tensor(inputs)).data, inputs @ form.dense(), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_its_bytes_are_those_that_are_counted_and_saved(form) -> None:
    counted = footprint(form).kept_bytes

    assert form.nbytes <= counted <= form.nbytes + 64
    assert form.nbytes <= len(pickle.dumps(form, 5)) <= form.nbytes + 1000
    assert form.nbytes < WEIGHT.nbytes


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_it_is_like_an_array_of_floats_and_keeps_none(form) -> None:
    before = footprint(form).kept_bytes

    assert (form.shape, form.size, form.dense().dtype) == ((40, 30), 1200, np.float32)
    assert footprint(form).kept_bytes == before


@pytest.mark.parametrize("name", sorted(FORMS.keys() - {"low rank"}))
def test_zeros_are_where_they_were(name: str) -> None:
    assert (FORMS[name].dense()[WEIGHT == 0] == 0).all()


def test_a_combined_form_shows_both() -> None:
    assert isinstance(FORMS["sparse, shared"], SparseWeight)
    assert repr(FORMS["sparse, shared"]) == f"SparseWeight((40, 30), {np.count_nonzero(WEIGHT)} values)"

"""The compiled kernels are kept on disk, and know their numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from tinytorch.perf.acceleration import machine
from tinytorch.perf.acceleration.kernels import codes, elementwise, program, rows, run, sequence_rows, tiles, weights
from tinytorch.perf.acceleration.kernels.encoding import KINDS, encoded, encoded_form
from tinytorch.perf.acceleration.kernels.forms import Form

COUNTS = """
import numpy as np
from tinytorch.perf.acceleration.kernels import run
run(np.zeros(0, np.int64))
print(sum(run.stats.cache_hits.values()), sum(run.stats.cache_misses.values()))
"""


def test_another_process_finds_what_one_has_compiled() -> None:
    run(np.zeros(0, np.int64))
    done = subprocess.run([sys.executable, "-c", COUNTS], capture_output=True, text=True, check=True)

    assert done.stdout == "1 0\n"


def test_what_is_kept_belongs_to_the_sources_of_all_kernels() -> None:
    files = sorted(Path(program.__file__).parent.glob("*.py"))
    sources = 1 + crc32(b"".join(path.read_bytes() for path in files))

    assert sources in [cell.cell_contents for cell in run.py_func.__closure__]  # numba's key holds what is closed over


BEFORE = """
from tinytorch.perf.acceleration.backends import calls_of
calls_of([], "numba")
from tinytorch.perf.acceleration.kernels import run
print(len(run.signatures))
"""


def test_kernels_are_there_before_the_first_call() -> None:
    done = subprocess.run([sys.executable, "-c", BEFORE], capture_output=True, text=True, check=True)

    assert done.stdout == "1\n"


@pytest.mark.parametrize("rows", [1, 3, 4, 9])
@pytest.mark.parametrize("size", [1, 4, 7, 8, 10, 15, 16, 17, 32, 47, 48, 62, 70])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_tiles_add_the_product(rows: int, size: int, count: int) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((rows, count), np.float32), rng.standard_normal((count, size), np.float32)
    y = rng.standard_normal((rows, size), np.float32)
    wanted = y.copy()
    tiles.add_plainly(x, w, wanted)
    np.testing.assert_allclose(wanted, y + x @ w, atol=1e-5)
    places = [array.__array_interface__["data"][0] for array in (x, w, y)]
    tiles.add_matrix_product(places[0], 4 * count, places[1], count, places[2], rows, size)

    np.testing.assert_allclose(y, wanted, atol=1e-5)


OTHERS = """
import numpy as np
from tinytorch import Conv2d, Flatten, GPT, Linear, ReLU, Sequential
from tinytorch.perf.acceleration import compile_model
from tinytorch.perf.acceleration.kernels import tiles
from tinytorch.perf.quantization import quantize_model

print(tiles.has_registers())
images = np.random.default_rng(0).standard_normal((5, 2, 8, 8)).astype(np.float32)
network = Sequential(Conv2d(2, 40, 3, rng=0), ReLU(), Flatten(), Linear(1440, 70, rng=1), ReLU(), Linear(70, 10, rng=2))
for model in (network.eval(), quantize_model(network, bits=4)):
    compiled = compile_model(model, images, backend="numba")
    np.testing.assert_allclose(compiled(images).data, model(images).data, rtol=1e-3, atol=1e-3)
gpt = GPT(11, 48, 2, 3, 40, rng=0).eval()
prompt = np.random.default_rng(0).integers(0, 11, (2, 20))
planned = compile_model(gpt, prompt, backend="numba").generate(prompt, 9, 0)
np.testing.assert_array_equal(planned.data, gpt.generate(prompt, 9, 0).data)
"""
TARGETS = {"AVX2": ("haswell", "+avx2,+fma"), "any": ("generic", "")}


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_kernels_compute_the_same_on_lesser_processors(target: str, tmp_path: Path) -> None:
    name, features = TARGETS[target]
    target_set_down = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", OTHERS], capture_output=True, text=True, env=os.environ | target_set_down
    )

    assert (done.stdout, done.stderr[-2000:]) == ("False\n", "")


@pytest.mark.parametrize(("features", "has"), [("+avx2", False), ("+avx2,+avx512f", True)])
def test_how_wide_tiles_are_follows_the_processor(features: str, has: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiles.config, "CPU_FEATURES", features)
    assert tiles.has_registers() == has


@pytest.mark.parametrize("x", [-86.5, -20, -1, -1e-4, 0, 1e-4, 0.5, 3, 60, 87.5])
def test_the_exponential_is_right_to_the_last_bits(x: float) -> None:
    assert elementwise.exp(np.float32(x)) == pytest.approx(np.exp(np.float64(np.float32(x))), rel=3e-7)


def test_what_is_not_a_number_has_no_exponential() -> None:
    assert np.isnan(elementwise.exp(np.float32(np.nan)))


@pytest.mark.parametrize(("x", "limit"), [(-1e30, 2e-38), (-np.inf, 2e-38)])
def test_the_exponential_of_very_little_is_next_to_nothing(x: float, limit: float) -> None:
    assert 0 <= elementwise.exp(np.float32(x)) < limit


@pytest.mark.parametrize("bits", [0, 1, 0x03FF, 0x0400, 0x3C00, 0x7BFF, 0x8001, 0xBC00, 0xFBFF])
def test_float16_is_read_exactly(bits: int) -> None:
    assert weights.half(np.uint16(bits)) == np.array(bits, np.uint16).view(np.float16)


def test_every_row_has_its_kernel() -> None:
    names = [kind.__name__.upper() for kind in KINDS]
    assert [getattr(program, name) for name in names] == list(range(len(names)))
    assert tuple(1 + len(kind._fields) for kind in KINDS) == program.LENGTHS


FULL = np.zeros(4096, np.float32)
FORM = encoded_form(Form(codes.CODES, np.zeros(64, np.int8), 64, 8, 0, 0, FULL, 4, 8, np.zeros(8, np.int8), 1), [])
SIZES = {"rows": 2, "height": 8, "width": 8, "stride": 8, "activation": 0}
ROWS: list[Any] = [
    rows.Product(x=FULL, y=FULL, weight=FULL, bias=FULL, scratch=FULL, **SIZES),
    rows.Coded(x=FULL, y=FULL, form=FORM, bias=FULL, bias_bytes=4, scratch=FULL, **SIZES),
    rows.Sparse(FULL, FULL, FULL, FULL, FULL, 9, FULL, 4, 2, 8, 8, 8, 0, FULL),
    rows.Unary(FULL, FULL, 9, codes.RELU),
    rows.Binary(FULL, FULL, FULL, codes.ADD, 2, 8, 16, 16),
    rows.Normalize(FULL, FULL, 2, 8, 16, 0, 0),
    rows.Softmax(FULL, FULL, 2, 8),
    rows.Convolve(FULL, FULL, FULL, FULL, 4, 2, 3, 3, 6, 4, 3, 8, 40, 200, 40, 0),
    rows.Pool(FULL, FULL, 2, 2, 2, 3, 2, 2, 2, 4, 4, 0),
    rows.Move(FULL, FULL, 2, 3, 4, 5, 60, 20, 5, 1, 60, 20, 5, 1),
    sequence_rows.Lookup(FULL, FULL, FORM, 6, 4),
    sequence_rows.Positions(FULL, FULL, FORM, FULL, 2, 3, 4, FULL),
    sequence_rows.Hold(FULL, FULL, FULL, FULL, 2, 3, 2, 4, 8),
    sequence_rows.Attend(FULL, FULL, FULL, FULL, FULL, 2, 3, 2, 4, 8, FULL),
    sequence_rows.HoldCodes(FULL, FULL, FULL, FULL, FULL, FULL, 2, 3, 2, 4, 8),
    sequence_rows.AttendCodes(FULL, FULL, FULL, FULL, FULL, FULL, FULL, 2, 3, 2, 4, 8, FULL),
    rows.Decode(FORM, FULL, 4, 2, 9, FULL),
]
PLACES = [
    pytest.param(row, name, id=f"{type(row).__name__}-{name}")
    for row in ROWS
    for name, item in row._asdict().items()
    if isinstance(item, np.ndarray) and (type(row), name) != (rows.Coded, "form")  # which is read as a form first
]


def test_every_kind_of_row_is_looked_at() -> None:
    assert tuple(type(row) for row in ROWS) == KINDS


@pytest.mark.parametrize(
    ("row", "name"), PLACES, ids=lambda each: each if isinstance(each, str) else type(each).__name__
)
def test_an_array_that_is_too_short_gets_no_program(row: Any, name: str) -> None:
    needed = row.spans()[name]
    assert needed > 0
    shorter = getattr(row, name).view(np.uint8)[: needed - 1]
    if name == "form":
        shorter = FORM[:-1]
    with pytest.raises(RuntimeError, match=f"{type(row).__name__} needs {needed} bytes of {name}"):
        encoded([row._replace(**{name: shorter})], {}, [])
    encoded([row], {}, [])


def test_a_form_of_fewer_codes_than_it_says_is_refused() -> None:
    with pytest.raises(RuntimeError, match="Form needs 24 bytes of numbers, and there are 23"):
        encoded_form(Form(codes.PACKED, np.zeros(23, np.uint8), 64, 3, 0, 0, 0, 0, 0, 0, 0), [])


def test_an_activation_behind_a_product_is_in_its_row() -> None:
    y, other = np.zeros((2, 8), np.float32), np.zeros((2, 8), np.float32)
    product = ROWS[0]._replace(y=y)
    joined = machine.joined([product, rows.Unary(y, y, 16, codes.GELU), rows.Unary(y, y, 16, codes.RELU)])
    assert [type(row) for row in joined] == [rows.Product, rows.Unary]
    assert joined[0].activation == codes.GELU
    apart = [product, rows.Unary(y, other, 16, codes.RELU)]
    assert machine.joined(apart) == apart
    assert len(machine.joined([product, rows.Unary(y[1:], y[1:], 8, codes.RELU)])) == 2

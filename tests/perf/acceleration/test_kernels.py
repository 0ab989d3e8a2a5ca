"""The compiled kernels are kept on disk, and know their numbers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest

from tinytorch.perf.acceleration.kernels import codes, elementwise, program, run, tiles

COUNTS = """
import numpy as np
from tinytorch.perf.acceleration.kernels import run
run(np.zeros((0, 16), np.int64))
print(sum(run.stats.cache_hits.values()), sum(run.stats.cache_misses.values()))
"""


def test_another_process_finds_what_one_has_compiled() -> None:
    run(np.zeros((0, codes.ROW_SIZE), np.int64))
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
    wanted = y + x @ w
    places = [array.__array_interface__["data"][0] for array in (x, w, y)]
    tiles.add_matrix_product(places[0], 4 * count, places[1], count, places[2], rows, size)

    np.testing.assert_allclose(y, wanted, atol=1e-5)


@pytest.mark.parametrize("x", [-86.5, -20, -1, -1e-4, 0, 1e-4, 0.5, 3, 60, 87.5])
def test_the_exponential_is_right_to_the_last_bits(x: float) -> None:
    assert elementwise.exp(np.float32(x)) == pytest.approx(np.exp(np.float64(np.float32(x))), rel=3e-7)


def test_what_is_not_a_number_has_no_exponential() -> None:
    assert np.isnan(elementwise.exp(np.float32(np.nan)))


@pytest.mark.parametrize(("x", "limit"), [(-1e30, 2e-38), (-np.inf, 2e-38)])
def test_the_exponential_of_very_little_is_next_to_nothing(x: float, limit: float) -> None:
    assert 0 <= elementwise.exp(np.float32(x)) < limit


def test_no_two_kernels_have_one_number() -> None:
    numbers = [value for name, value in vars(codes).items() if name in program.__dict__ and name.isupper()]

    assert sorted(numbers) == list(range(12))

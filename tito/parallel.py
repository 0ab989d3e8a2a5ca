"""The same work for many files: in several processes when there are enough, the results in the order of the files."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

FEWEST_PER_PROCESS = 25  # starting a process takes as long as about twenty files
CHUNK = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """`function(item)` for every item; function, items and results must be picklable."""
    processes = min(os.cpu_count() or 1, len(items) // FEWEST_PER_PROCESS)
    if processes < 2:
        yield from map(function, items)
        return
    import multiprocessing  # takes a third as long as checking one file, which needs neither
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context("spawn")  # a fork of a process with threads can stand still
    pool = ProcessPoolExecutor(processes, mp_context=context, initializer=gc.freeze)
    try:
        yield from pool.map(function, items, chunksize=CHUNK)
    finally:
        pool.shutdown(cancel_futures=True)

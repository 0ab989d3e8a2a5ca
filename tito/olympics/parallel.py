"""The same work for many files: in several processes when there are enough, the results in order, a bar meanwhile."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Generic, TypeVar

from tito.terminal import interrupts

FEWEST_PER_PROCESS = 25  # starting a process takes as long as about twenty files
CHUNK = 8
FEWEST_WATCHED = 25  # files, a second's work

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
    pool = ProcessPoolExecutor(processes, mp_context=context)
    try:
        with interrupts.kept_from_children():
            results = pool.map(_Settled(function), items, chunksize=CHUNK)
        yield from results
    finally:
        pool.shutdown(cancel_futures=True)


class _Settled(Generic[Item, Result]):
    """The function in a process of ours, which after its first item is made ready for many.

    What is imported and built until then is no garbage; looking through it again and again takes a fifth of the time.
    And BLAS gets one thread: with a thread for each core in every process, most of them wait, and keep the cores busy.
    """

    def __init__(self, function: Callable[[Item], Result]) -> None:
        self._function = function

    def __call__(self, item: Item) -> Result:
        result = self._function(item)
        _settle()
        return result


@cache
def _settle() -> None:
    from threadpoolctl import threadpool_limits

    gc.freeze()
    threadpool_limits(1, user_api="blas")


def watched(results: Iterable[Result], count: int) -> Iterator[Result]:
    """The results of checking, with a bar on stderr while many are made; all are made before the first is shown."""
    if count < FEWEST_WATCHED or not sys.stderr.isatty():
        yield from results
        return
    from tito.terminal import bars

    with bars.progress() as told:
        for number, result in enumerate(results, 1):
            told("check", number / count)
            yield result

"""Voxels in slabs of fixed size, worked on side by side: the result does not depend on the number of threads."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController

SLAB = 4096


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def slabs(voxels: int) -> list[slice]:
    """Cut a number of voxels into slabs."""
    return [slice(start, min(start + SLAB, voxels)) for start in range(0, voxels, SLAB)]


def each(work: Callable[[Any], None], items: Iterable[Any], threads: int) -> None:
    """Call `work` with every item, `threads` at a time; BLAS keeps to one thread in each."""
    with _libraries().limit(limits=1, user_api="blas"):
        if threads == 1:
            for item in items:
                work(item)
            return
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(work, items):
                pass


def each_slab(work: Callable[[slice], None], voxels: int, threads: int) -> None:
    """Call `work` with every slab."""
    each(work, slabs(voxels), threads)

"""Work done in other processes before it is asked for."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any

DEPTH = 2  # numbers that are worked on before they are asked for


class Ahead:
    """`ahead(n)` is the list of `function(*job)` for each of `jobs(n)`; n + 1 and n + 2 are begun meanwhile.

    Args:
        function: of a module that imports quickly, because each process imports it.
        jobs: number -> argument tuples; the same whenever it is called.
        workers: processes; 0: none, the work is done here when it is asked for.

    Attributes:
        waited: seconds that calls have taken. TensorFlow calls a batch ahead, so it may have waited less.
    """

    def __init__(self, function: Callable[..., Any], jobs: Callable[[int], list[tuple]], workers: int):
        self.function, self.jobs = function, jobs
        spawn = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(workers, spawn, initializer=serve) if workers else None
        self.begun: dict[int, list[Future]] = {}
        self.waited = 0.0

    def __call__(self, number: int) -> list[Any]:
        start = time.perf_counter()
        results = self.results(number) if self.pool else self.own(number)
        self.waited += time.perf_counter() - start
        return results

    def own(self, number: int) -> list[Any]:
        """The results without processes; the newest are kept."""
        if number not in self.begun:
            self.begun = {number: [self.function(*job) for job in self.jobs(number)]}
        return self.begun[number]

    def results(self, number: int) -> list[Any]:
        """The results of the processes, which are given the next numbers meanwhile."""
        wanted = range(number, number + 1 + DEPTH)
        self.begun = {n: futures for n, futures in self.begun.items() if n in wanted}
        for n in wanted:
            if n not in self.begun:
                self.begun[n] = [self.pool.submit(self.function, *job) for job in self.jobs(n)]
        return [future.result() for future in self.begun[number]]


def serve() -> None:
    """Makes a worker leave Ctrl-C to its parent and end with it, even where the parent is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()

"""An iterator whose next item is made while the last one is used."""

from collections.abc import Iterator
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")


def read_ahead(items: Iterator[Item], depth: int = 1) -> Iterator[Item]:
    """Iterate in a thread of its own, up to `depth` items ahead; a fault is raised where its item was due.

    Parameters
    ----------
    items : iterator
        Must release the interpreter's lock to be of use, as reading and decompressing do.
    depth : int
    """
    ready: Queue[tuple[str, object]] = Queue(depth)
    stopped = Event()

    def put(kind: str, value: object) -> bool:
        while not stopped.is_set():
            try:
                ready.put((kind, value), timeout=0.1)
            except Full:
                continue
            return True
        return False

    def work() -> None:
        try:
            for item in items:
                if not put("item", item):
                    return
        except BaseException as fault:
            put("fault", fault)
        else:
            put("end", None)

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        while True:
            kind, value = ready.get()
            if kind == "end":
                return
            if kind == "fault":
                raise value  # type: ignore[misc]
            yield value  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()

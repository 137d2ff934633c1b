"""The same work on dask.distributed: workers here, or a cluster that is there already.

Every call is a task. A worker that dies is replaced where that can be, and its tasks
are done again elsewhere; what they had written is found and kept. A tree of calls stays
on the workers: only its end comes back.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from napari_gen2seg.common.progress import Cancel, check_cancel, is_cancelled
from napari_gen2seg.errors import Cancelled, ClusterError, SettingsError
from napari_gen2seg.workflows.running.runner import FAN, InProcess, Runner

if TYPE_CHECKING:
    from distributed import Client

_AHEAD = 4  # calls a worker that are handed out at a time
_GPU = "GPU"  # the resource of a worker that has one
_WAIT = 30  # seconds until a cluster that does not answer is given up
_ASK = 0.5  # seconds between two looks whether to stop


@contextmanager
def local_workers(
    count: int, cancel: Cancel | None = None, scratch: str | None = None
) -> Iterator[Cluster]:
    """Start worker processes on this computer, and end them afterwards.

    Parameters
    ----------
    count
        How many. Each loads a model of its own; with GPUs, they take turns on them.
    cancel
        Asked while they work.
    scratch
        Folder for what workers cannot hold in memory.

    Raises
    ------
    ClusterError
        If dask.distributed is not installed, or they do not start.
    """
    distributed = _distributed()
    import dask.config

    share = max(1, (os.cpu_count() or 1) // count)
    threads = os.environ.get("OMP_NUM_THREADS", str(share))
    # In place of dask's own: by its MALLOC_TRIM_THRESHOLD_ a worker gives back the
    # memory of every tensor and asks for it anew; a tile takes twice as long.
    start = {"OMP_NUM_THREADS": threads}
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": start}),
        ExitStack() as stack,
    ):
        try:
            cluster = stack.enter_context(
                distributed.LocalCluster(
                    n_workers=count,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    local_directory=scratch,
                    memory_limit=0,  # the system's own; killed workers are replaced
                    silence_logs=logging.CRITICAL,
                )
            )
            client = stack.enter_context(
                distributed.Client(cluster, set_as_default=False)
            )
            client.wait_for_workers(count, timeout=4 * _WAIT)
        except (TimeoutError, OSError) as error:
            raise ClusterError(
                f"{count} workers could not be started here ({error}). Try fewer, or "
                "leave --workers out."
            ) from error
        yield Cluster(client, cancel)


@contextmanager
def scheduler_at(address: str, cancel: Cancel | None = None) -> Iterator[Cluster]:
    """Use the workers of a scheduler that is there already.

    Parameters
    ----------
    address
        Such as ``tcp://10.0.0.1:8786``, or the name of a scheduler file.
    cancel
        Asked while they work.

    Raises
    ------
    ClusterError
        If dask.distributed is not installed, or nobody answers.
    """
    distributed = _distributed()
    file = os.path.isfile(address)  # noqa: PTH113  (an address is no path)
    where = {"scheduler_file": address} if file else {"address": address}
    try:
        client = distributed.Client(**where, timeout=_WAIT, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise ClusterError(
            f"There is no scheduler at {address} ({error}). Start one with `dask "
            "scheduler`, and workers with `dask worker ADDRESS`."
        ) from error
    try:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise ClusterError(
                f"The scheduler at {address} has no workers; start some with `dask "
                f"worker {address}`."
            )
        yield Cluster(client, cancel)
    finally:
        client.close()


class Cluster:
    """Does work on the workers of a client.

    Parameters
    ----------
    client
        Of dask.distributed. Workers must see the same files under the same names. Where
        some have the resource ``GPU``, only they look at images.
    cancel
        Asked while they work.
    """

    def __init__(self, client: Client, cancel: Cancel | None = None) -> None:
        self._client = client
        self._cancel = cancel

    @property
    def workers(self) -> int:
        """How many workers there are now."""
        return max(1, len(self._infos()))

    def _infos(self) -> list[dict[str, Any]]:
        found = self._client.scheduler_info(n_workers=-1)["workers"]
        return list(found.values())

    def _needs(self) -> dict[str, Any]:
        """Return what a task asks of its worker: a GPU, where some have one."""
        has = any(_GPU in info.get("resources", {}) for info in self._infos())
        return {"resources": {_GPU: 1}} if has else {}

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Make one call."""
        return next(self.each(function, [arguments]))[1]

    def each(
        self, function: Callable[..., Any], calls: Sequence[tuple[Any, ...]]
    ) -> Iterator[tuple[int, Any]]:
        """Make many calls; yield the place and the answer of each when it is there."""
        waiting = iter(enumerate(calls))
        running: dict[Any, int] = {}
        done: SimpleQueue[Any] = SimpleQueue()
        needs = self._needs()
        try:
            while True:
                while len(running) < _AHEAD * self.workers:
                    place, arguments = next(waiting, (-1, ()))
                    if place < 0:
                        break
                    # Not pure: the same call may be made again when files have gone.
                    future = self._client.submit(
                        function, *arguments, pure=False, **needs
                    )
                    running[future] = place
                    future.add_done_callback(done.put)
                if not running:
                    return
                check_cancel(self._cancel)
                future = _next(done, running)
                if future is not None:
                    place = running.pop(future)
                    yield place, _answer(future)
        finally:
            if running:
                self._client.cancel(list(running), force=True)

    def tree(
        self,
        leaf: Callable[..., Any],
        calls: Sequence[tuple[Any, ...]],
        merge: Callable[[list[Any]], Any],
        finish: Callable[[Any], Any],
    ) -> Any:
        """Merge what many calls answer on the workers; only the end comes back."""
        submit = self._client.submit
        parts = [submit(leaf, *arguments, pure=False) for arguments in calls]
        while True:
            parts = [
                submit(merge, parts[start : start + FAN], pure=False)
                for start in range(0, len(parts), FAN)
            ]
            if len(parts) == 1:
                break
        end = submit(finish, parts[0], pure=False)
        del parts
        done: SimpleQueue[Any] = SimpleQueue()
        end.add_done_callback(done.put)
        while _next(done, [end]) is None:
            if is_cancelled(self._cancel):
                self._client.cancel([end])
                raise Cancelled("Joining tiles was cancelled.")
        return _answer(end)


def _next(done: SimpleQueue[Any], running: Iterable[Any]) -> Any:
    """Return a task that has ended; None where none has for a while.

    One whose scheduler has gone has ended too, but nobody calls back.
    """
    with suppress(Empty):
        return done.get(timeout=_ASK)
    return next((one for one in running if one.status in ("lost", "cancelled")), None)


def _answer(future: Any) -> Any:
    """Return what a task answers.

    Raises
    ------
    ClusterError
        If every worker that tried it died.
    """
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    try:
        return future.result()
    except KilledWorker as error:
        raise ClusterError(
            "A worker died each time it was asked for the same task; perhaps its "
            "memory is too small. Take fewer workers, smaller tiles (--tile), or look "
            f"at the workers' logs. What is done is kept. ({error})"
        ) from error
    except FutureCancelledError as error:
        raise ClusterError(
            "The cluster has ended while it was at work. What is done is kept: run "
            "the same again."
        ) from error


@contextmanager
def runner_for(
    workers: int = 1, scheduler: str | None = None, cancel: Cancel | None = None
) -> Iterator[Runner]:
    """Give who does the work: this process, workers here, or those of a scheduler.

    Parameters
    ----------
    workers
        How many processes on this computer.
    scheduler
        As for `scheduler_at`.
    cancel
        Asked while they work.

    Raises
    ------
    SettingsError
        If both are named.
    ClusterError
        If they cannot be had.
    """
    if scheduler is not None and workers != 1:
        raise SettingsError(
            f"{workers} workers and the scheduler {scheduler} were named; a scheduler "
            "has its own workers, so name one of the two."
        )
    if workers < 1:
        raise SettingsError(f"{workers} workers were named; there must be at least 1.")
    if scheduler is not None:
        with scheduler_at(scheduler, cancel) as cluster:
            yield cluster
    elif workers > 1:
        with local_workers(workers, cancel) as cluster:
            yield cluster
    else:
        yield InProcess(cancel)


def _distributed() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise ClusterError(
            "For several workers dask.distributed must be installed: "
            'pip install "napari-gen2seg[cluster]".'
        ) from error
    return distributed

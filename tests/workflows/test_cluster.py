"""Real worker processes, one of which is killed: the labels of an undisturbed run."""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from tests.helpers.drawn_sheet import SheetColorer, sheet

from napari_gen2seg.errors import Cancelled, ClusterError, SettingsError
from napari_gen2seg.workflows.batch import ImageDone, ImageFailed, batch
from napari_gen2seg.workflows.running.cluster import Cluster, local_workers
from napari_gen2seg.workflows.running.runner import InProcess

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


class Levels:
    """Gives each process the colorer of drawn sheets; a marked one takes its time.

    Parameters
    ----------
    mark
        A file: the first process that makes it writes its number and stays in its
        first look until it is killed.
    """

    def __init__(self, mark: Path | None = None) -> None:
        self.mark = mark

    def colorer(self) -> SheetColorer:
        return SheetColorer(self._meanwhile)

    def _meanwhile(self) -> None:
        if self.mark is None:
            return
        try:
            with self.mark.open("x") as file:
                file.write(str(os.getpid()))
        except FileExistsError:
            return
        threading.Event().wait()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with local_workers(2) as started:
        yield started


@pytest.fixture
def address(cluster: Cluster) -> str:
    return str(cluster._client.scheduler.address)


def write(folder: Path) -> Path:
    zarr = pytest.importorskip("zarr")
    from tests.workflows.test_batch_zarr import write as write_zarr

    assert zarr
    folder.mkdir()
    write_zarr(folder / "s.zarr", sheet(230, 20), "yx", "0.5")
    for seed in range(3):
        tifffile.imwrite(folder / f"{seed}.tif", sheet(100, seed=seed))
    (folder / "bad.tif").write_bytes(b"II*\0 nothing")
    return folder


def labels(out: Path) -> dict[str, np.ndarray]:
    import zarr

    found = {path.name: tifffile.imread(path) for path in out.glob("*.tif")}
    array: Any = zarr.open_array(out / "s.zarr" / "labels" / "objects" / "0", mode="r")
    return {**found, "s.zarr": array[:]}


def test_a_worker_that_is_killed_changes_nothing(tmp_path: Path, address: str) -> None:
    folder, mark = write(tmp_path / "in"), tmp_path / "mark"
    undisturbed = list(batch(folder, tmp_path / "one", Levels(), tile=128))

    def kill() -> None:
        while not (mark.exists() and mark.read_text()):
            if stopped.wait(0.05):
                return
        os.kill(int(mark.read_text()), signal.SIGKILL)
        killed.set()

    stopped, killed = threading.Event(), threading.Event()
    thread = threading.Thread(target=kill)
    thread.start()
    try:
        events = list(
            batch(
                folder / "s.zarr",
                tmp_path / "two",
                Levels(mark),
                tile=128,
                scheduler=address,
            )
        )
        events += batch(folder, tmp_path / "two", Levels(), tile=128, scheduler=address)
    finally:
        stopped.set()
        thread.join()
    assert killed.is_set()
    one, two = labels(tmp_path / "one"), labels(tmp_path / "two")
    assert one.keys() == two.keys() == {"0.tif", "1.tif", "2.tif", "s.zarr"}
    for name, expected in one.items():
        np.testing.assert_array_equal(two[name], expected)
    for told in (undisturbed, events):
        assert sorted(e.name for e in told if isinstance(e, ImageDone)) == sorted(one)
        assert [e.name for e in told if isinstance(e, ImageFailed)] == ["bad.tif"]


def test_calls_and_trees_are_those_of_one_process(cluster: Cluster) -> None:
    calls = [(number,) for number in range(1, 30)]
    for runner in (InProcess(), cluster):
        answers = dict(runner.each(math.factorial, calls[:9]))
        assert answers == {place: math.factorial(place + 1) for place in range(9)}
        assert runner.tree(int, calls, sum, str) == str(sum(range(1, 30)))
    with pytest.raises(ZeroDivisionError):
        cluster.call(divmod, 1, 0)
    stopped = Cluster(cluster._client, cancel=lambda: True)
    with pytest.raises(Cancelled):
        list(stopped.each(math.factorial, calls))


def test_workers_keep_the_memory_of_tensors_as_one_process_does(
    cluster: Cluster,
) -> None:
    """dask's nannies ask the allocator to give it back: a tile took twice as long."""
    told = cluster.call(os.environ.get, "MALLOC_TRIM_THRESHOLD_", "not set")
    assert told == os.environ.get("MALLOC_TRIM_THRESHOLD_", "not set")
    assert cluster.call(os.environ.get, "OMP_NUM_THREADS") is not None


def test_nobody_there_and_too_much_asked(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", sheet(100))
    arguments = (tmp_path / "a.tif", tmp_path / "out", SheetColorer())
    with pytest.raises(SettingsError, match="one of the two"):
        list(batch(*arguments, workers=2, scheduler="tcp://127.0.0.1:1"))
    with pytest.raises(SettingsError, match="at least 1"):
        list(batch(*arguments, workers=0))
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(ClusterError, match="no scheduler at"),
    ):
        patch.setattr("napari_gen2seg.workflows.running.cluster._WAIT", 0.5)
        list(batch(*arguments, scheduler="tcp://127.0.0.1:1"))


def die(mark: Path) -> None:
    """Say that it was tried, and take the worker along."""
    with mark.open("a") as file:
        file.write("tried\n")
    os._exit(1)


def test_a_task_that_kills_every_worker_is_an_error(
    tmp_path: Path, cluster: Cluster
) -> None:
    mark, client = tmp_path / "mark", cluster._client

    def allow(failures: int, dask_scheduler: Any) -> int:
        before = int(dask_scheduler.allowed_failures)
        dask_scheduler.allowed_failures = failures
        return before

    before = client.run_on_scheduler(allow, 1)
    try:
        with pytest.raises(ClusterError, match=r"died each time .* What is done is"):
            cluster.call(die, mark)
    finally:
        client.run_on_scheduler(allow, before)
    assert mark.read_text().split() == ["tried"] * 2
    assert cluster.call(math.factorial, 3) == 6  # the others are as good as new

"""A map is let go of with its last user, before the garbage collector comes by."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from benchmarks import drawn_maps

from napari_gen2seg.core.coloring import Coloring
from napari_gen2seg.core.probe.prober import ProbeSettings
from napari_gen2seg.core.proposal_settings import ProposalSettings

USES: dict[str, Callable[[Coloring], object]] = {
    "probe": lambda c: c.probe([(40, 40), (45, 41)], [1, -1]),
    "preview": lambda c: c.prober.preview([(40, 40)]),
    "everything alike": lambda c: c.probe(
        [(40, 40)], settings=ProbeSettings(contiguous=False)
    ),
    "paper": lambda c: c.probe([(40, 40)], settings=ProbeSettings(rule="paper")),
    "curve": lambda c: c.prober.curve([(40, 40)]),
    "proposals": lambda c: c.candidates(ProposalSettings()),
}


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("use", USES)
def test_no_ring_of_references_keeps_a_map(use: str) -> None:
    """Thousands of tiles of a sheet took memory until the collector came by."""
    labels = drawn_maps.blobs(96, 12, 1)
    values = drawn_maps.paint(labels, 1, noise=5.0, blur=1.2)
    coloring = Coloring.from_array(
        values, source_shape=(150, 141), image=np.zeros((96, 96, 3), np.uint8)
    )
    parts = weakref.ref(coloring), weakref.ref(coloring.prober.rule())
    USES[use](coloring)
    del coloring
    assert [part() for part in parts] == [None, None]

"""What a click, a hover and a coloring may cost: counts and bytes, never seconds.

A regression here is a forward pass too many, or an array of the size of the whole
picture where a window would do.
"""

from __future__ import annotations

import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from tests.helpers.fake_colorer import FakeColorer

from napari_gen2seg import Coloring, load_model
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.core.probe.prober import Prober
from napari_gen2seg.session import ColorRequest, Prompts, Session

CELL = 64
SIDE = 2048


def cells(side: int) -> np.ndarray:
    """Return a map of square cells, 64 pixels wide."""
    count = -(-side // CELL)
    rng = np.random.default_rng(0)
    colors = rng.uniform(30, 255, (count, count, 3)).astype(np.float32)
    place = np.arange(side) // CELL
    return colors[place[:, None], place[None]]


def drawn(side: int, source: int | None = None) -> Coloring:
    """Return a prepared coloring of such cells."""
    shape = (source, source) if source else None
    coloring = Coloring.from_array(cells(side), shape)
    coloring.prober.prepare()
    coloring.probe([(10, 10)])  # whatever is made once is made now
    return coloring


def peak(work: Callable[[], object]) -> int:
    """Return the most bytes that Python and numpy held for a piece of work."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture(scope="module")
def large() -> Coloring:
    return drawn(SIDE)


# Bytes of a click


def middle(coloring: Coloring) -> tuple[float, float]:
    """Return the middle of a cell near the middle of the picture."""
    height, width = coloring.source_shape
    cell = CELL * height / coloring.shape[0]
    return height / 2 + cell / 2, width / 2 + cell / 2


def test_a_click_makes_no_frame(large: Coloring) -> None:
    frame = SIDE * SIDE  # bytes of one boolean frame, the smallest there is
    assert peak(lambda: large.probe([middle(large)])) < frame / 4


def test_a_click_costs_the_object_and_not_the_picture(large: Coloring) -> None:
    small = drawn(SIDE // 4)
    before = peak(lambda: small.probe([middle(small)]))
    assert peak(lambda: large.probe([middle(large)])) < 1.5 * before


def test_a_correction_makes_no_frame(large: Coloring) -> None:
    row, col = middle(large)
    points, signs = [(row, col), (row + CELL, col), (row, col + CELL)], [1, 1, -1]
    assert peak(lambda: large.probe(points, signs)) < SIDE * SIDE / 4


def test_a_commit_needs_its_window_only() -> None:
    coloring = drawn(SIDE // 2, source=2 * SIDE)
    frame = (2 * SIDE) ** 2
    assert peak(lambda: coloring.probe([middle(coloring)]).window()) < frame / 8


def test_the_whole_mask_is_one_frame(large: Coloring) -> None:
    mask = large.probe([middle(large)])
    mask.window()
    assert peak(mask.full) < 1.1 * SIDE * SIDE


# Bytes and passes of a hover


@pytest.fixture
def painter() -> FakeColorer:
    """Return a model whose map is known, and which keeps what it is asked."""
    return FakeColorer(lambda rgb: cells(rgb.shape[0]), side=None, on_black=False)


@pytest.fixture
def session(painter: FakeColorer) -> Iterator[Session]:
    session = Session(load=lambda *_, **__: cast("Any", painter))
    picture = np.zeros((1024, 1024), np.uint8)
    picture[::2] = 200
    session.color(ColorRequest("plane", "layer", lambda: picture))
    yield session
    session.close()


def test_hovering_and_clicking_never_ask_the_model(
    session: Session, painter: FakeColorer
) -> None:
    prompts = Prompts()
    for step in range(12):
        pointer = (40.0 + 70 * step, 500.0)
        assert session.preview("plane", prompts, pointer) is not None
        if step % 4 == 0:
            prompts = prompts.plus(pointer, 1)
            assert session.mask("plane", prompts) is not None
    assert len(painter.seen) == 1


def test_a_hover_is_one_probe_and_a_click_none_more(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    probes: Counter[int] = Counter()

    def count(name: str) -> None:
        real = getattr(Prober, name)

        def counting(self: Prober, points: Any, *rest: Any, **more: Any) -> Mask:
            probes[len(points)] += 1
            mask: Mask = real(self, points, *rest, **more)
            return mask

        monkeypatch.setattr(Prober, name, counting)

    count("probe")
    count("preview")
    clicked = Prompts().plus((500.0, 500.0), 1)
    session.mask("plane", clicked)
    assert probes == {1: 1}
    for step in range(5):
        session.preview("plane", clicked, (480.0 + step, 520.0), -1)
    # The clicked mask is kept; each move asks only for what a click there would do.
    assert probes == {1: 1, 2: 5}
    session.mask("plane", clicked)
    assert probes == {1: 1, 2: 5}
    # A click where the pointer rests gets the very mask that was shown.
    session.mask("plane", clicked.plus((484.0, 520.0), -1))
    assert probes == {1: 1, 2: 5}


def test_a_hover_makes_no_frame(session: Session) -> None:
    assert session.preview("plane", Prompts(), (100.0, 100.0)) is not None
    assert peak(lambda: session.preview("plane", Prompts(), (480.0, 480.0))) < 1024**2


# Passes of a coloring, on real networks


@pytest.fixture(scope="module")
def sd(tiny_sd: Path) -> Iterator[Any]:
    model = load_model(tiny_sd, device="cpu")
    yield model
    model.unload()


@pytest.fixture
def calls(sd: Any) -> Iterator[Counter[str]]:
    """Count passes through the real parts of the real network."""
    counts: Counter[str] = Counter()
    net = sd.net
    parts = {
        "encode": net.vae.encoder,
        "unet": net.unet,
        "decode": net.vae.decoder,
    }

    def count(name: str) -> Callable[..., None]:
        def hook(_module: Any, inputs: Any, _output: Any) -> None:
            counts[name] += 1
            counts[f"{name} pictures"] += int(inputs[0].shape[0])

        return hook

    hooks = [part.register_forward_hook(count(name)) for name, part in parts.items()]
    yield counts
    for hook in hooks:
        hook.remove()


def rgb(seed: int, side: int = 64) -> np.ndarray:
    picture = np.random.default_rng(seed).uniform(0, 1, (side, side, 3))
    return picture.astype(np.float32)


ONCE = {"encode": 1, "unet": 1, "decode": 1}


def test_a_coloring_is_one_pass_through_each_part(sd: Any, calls: Counter[str]) -> None:
    coloring = sd.color(rgb(0), 64)
    assert {name: calls[name] for name in ONCE} == ONCE
    for place in range(6):
        coloring.probe([(10 * place, 10 * place)])
    coloring.propose()
    assert {name: calls[name] for name in ONCE} == ONCE


def test_a_batch_is_one_pass_of_all_its_pictures(sd: Any, calls: Counter[str]) -> None:
    sd.predict_many([rgb(n) for n in range(3)], 64)
    assert {name: calls[name] for name in ONCE} == ONCE
    assert {calls[f"{name} pictures"] for name in ONCE} == {3}


def test_other_sizes_make_other_batches(sd: Any, calls: Counter[str]) -> None:
    sd.predict_many([rgb(0), rgb(1, 48), rgb(2)], 64)
    assert calls["unet"] == 2
    assert calls["unet pictures"] == 3


def test_the_prompt_is_not_computed_again(
    sd: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    transformers = pytest.importorskip("transformers")

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the text encoder was loaded for a coloring")

    monkeypatch.setattr(transformers.CLIPTextModel, "from_pretrained", refuse)
    before = sd.net.prompt.data_ptr()
    sd.color(rgb(5), 64)
    assert sd.net.prompt.data_ptr() == before


def test_evaluating_colours_each_picture_once(sd: Any, calls: Counter[str]) -> None:
    from napari_gen2seg.workflows.evaluate import EvaluationSettings, iter_evaluate

    labels = np.zeros((64, 64), np.int32)
    labels[10:30, 10:30], labels[35:60, 35:60] = 1, 2
    data = [((labels * 90).astype(np.uint8), labels)] * 3
    settings = EvaluationSettings(
        rules=("distance", "paper"), resamples=20, edge_levels=3, resolution=64
    )
    list(iter_evaluate(data, sd, "all", settings))
    assert {name: calls[name] for name in ONCE} == dict.fromkeys(ONCE, 3)

"""Every public function, given every kind of wrong argument in every place."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fuzz.outcome import attempt
from tests.helpers.fake_colorer import FakeColorer

import napari_gen2seg as g

IMAGE = np.zeros((32, 40), np.uint8)
IMAGE[8:20, 8:30] = 200

WRONG: dict[str, Any] = {
    "a number": 5,
    "minus a half": -0.5,
    "not a number": float("nan"),
    "a word": "wrong",
    "bytes": b"\x00\xff",
    "a list": [1, "a", None],
    "nothing in a list": [],
    "a dictionary": {"a": 1},
    "an object": object(),
    "a function": len,
    "a class": int,
    "a complex number": 3 + 4j,
    "an array of words": np.array(["a", "b"]),
    "an array of objects": np.array([object()], object),
    "a ragged list": [[1, 2], [3]],
    "an array of five dimensions": np.zeros((1, 2, 3, 4, 5)),
    "None": None,
}


@cache
def coloring() -> g.Coloring:
    return g.Coloring.from_array(np.dstack([IMAGE] * 3))


@cache
def candidates() -> g.CandidateSet:
    return coloring().candidates()


@cache
def colorer() -> Any:
    return FakeColorer()


@cache
def project() -> g.Project:
    return g.Project.create(Path(tempfile.mkdtemp()) / "project")


def drained(events: Any) -> None:
    for _ in events:
        pass


#: Name -> what is called, and arguments with which it works.
CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "ProbeSettings": (g.ProbeSettings, {
        "rule": "distance", "tolerance": 9.0, "contiguous": True, "brightness": True,
    }),
    "ProposalSettings": (g.ProposalSettings, {
        "tolerance": 9.0, "diameter": 9.0, "min_score": 0.5, "max_overlap": 0.5,
        "most": 9,
    }),
    "Mask": (g.Mask, {
        "crop": IMAGE > 0, "bbox": (0, 0, 32, 40), "shape": (32, 40),
        "source_shape": (32, 40),
    }),
    "ModelSpec": (g.ModelSpec, {
        "id": "a", "family": "sd", "title": "a", "source": "folder", "licence": "MIT",
    }),
    "Coloring": (g.Coloring, {
        "values": np.zeros((8, 8, 3), np.float32), "source_shape": (8, 8),
        "extra_maps": None, "brightness_image": None,
    }),
    "Coloring.from_array": (g.Coloring.from_array, {
        "rgb": np.zeros((8, 8, 3)), "source_shape": (8, 8),
    }),
    "Coloring.load": (g.Coloring.load, {"path": "no such file.tif"}),
    "Coloring.probe": (lambda **k: coloring().probe(**k), {
        "points": [(12, 12)], "signs": [1], "settings": g.ProbeSettings(),
    }),
    "Coloring.on_background": (lambda **k: coloring().on_background(**k), {
        "points": [(12, 12)],
    }),
    "Coloring.candidates": (lambda **k: coloring().candidates(**k), {
        "settings": g.ProposalSettings(),
    }),
    "Coloring.propose": (lambda **k: coloring().propose(**k), {
        "settings": g.ProposalSettings(),
    }),
    "CandidateSet.from_masks": (g.CandidateSet.from_masks, {
        "masks": [IMAGE > 0], "scores": [0.5], "source_shape": (32, 40),
    }),
    "CandidateSet.from_labels": (g.CandidateSet.from_labels, {
        "labels": (IMAGE > 0).astype(int), "scores": [0.5], "source_shape": (32, 40),
    }),
    "select": (lambda **k: g.select(**{"candidates": candidates(), **k}), {
        "candidates": None, "settings": None, "among": None,
    }),
    "paint": (lambda **k: g.paint(**{"candidates": candidates(), **k}), {
        "candidates": None, "indices": [0],
    }),
    "load_probe": (g.load_probe, {"name": "no such probe"}),
    "Probe.mask": (
        lambda **k: g.Probe(len).mask(**{"coloring": coloring(), **k}),
        {
            "coloring": None, "points": [(12, 12)], "signs": [1],
            "settings": g.ProbeSettings(),
        },
    ),
    "Probe.refine": (
        lambda **k: g.Probe(len).refine(
            **{"coloring": coloring(), "candidates": candidates(), **k}
        ),
        {"coloring": None, "candidates": None},
    ),
    "Project.open": (g.Project.open, {"folder": "no such folder"}),
    "Project.create": (g.Project.create, {
        "folder": "project", "name": "a", "model": "mini",
    }),
    "Project.add": (lambda **k: project().add(**k), {"image": "no.tif", "group": ""}),
    "Project.set_state": (lambda **k: project().set_state(**k), {
        "name": "a", "state": "done",
    }),
    "Project.import_labels": (lambda **k: project().import_labels(**k), {
        "source": "no such folder",
    }),
    "Project.export": (lambda **k: project().export(**k), {
        "kind": "tiff", "target": "out",
    }),
    "load_model": (g.load_model, {
        "id_or_path": "no such model", "device": "cpu", "dtype": "float32",
        "revision": None,
    }),
    "segment": (lambda **k: g.segment(**{"model": colorer(), **k}), {
        "array": IMAGE, "model": None, "axes": "YX", "clicks": [(12, 12)],
        "settings": None, "recipe": None, "resolution": 64, "passes": 1,
        "labels_out": None,
    }),
    "iter_segment": (
        lambda **k: drained(g.iter_segment(**{"model": colorer(), **k})),
        {"array": IMAGE, "axes": "YX", "clicks": None, "proposals": None},
    ),
    "batch": (lambda **k: drained(g.batch(**k)), {
        "inputs": [], "out": "out", "model": "mini", "axes": None, "proposals": None,
        "resolution": 64, "passes": 1, "tile": 64, "overlap": 8, "link": None,
        "overwrite": False, "workers": 1, "scheduler": None,
    }),
    "link": (g.link, {
        "labels": np.zeros((3, 8, 8), int), "axis": 0, "settings": None,
        "spacing": (1.0, 1.0), "labels_out": np.zeros((3, 8, 8), int),
    }),
    "LinkSettings": (g.LinkSettings, {
        "radius": 9.0, "min_overlap": 0.1, "gaps": 1, "divisions": True,
    }),
    "evaluate": (lambda **k: g.evaluate(**{"model": colorer(), **k}), {
        "data": [(IMAGE, (IMAGE > 0).astype(int))], "model": None,
        "protocol": "proposals", "settings": None, "pictures": 1,
    }),
    "finetune": (g.finetune, {"config": {"run": "/nowhere", "pairs": []}}),
    "iter_finetune": (
        lambda **k: drained(g.iter_finetune(**k)),
        {"config": {"run": "/nowhere", "pairs": []}},
    ),
}  # fmt: skip


def refuses_or_works(
    call: Callable[..., Any], given: dict[str, Any], value: Any
) -> None:
    """Call; a wrong type is refused as Python would, a wrong word may be no file."""
    try:
        call(**given)
    except g.Gen2SegError as error:
        if not isinstance(value, (str, type(None))):
            assert isinstance(error, (ValueError, TypeError)), repr(error)
        raise


CASES = [
    (name, argument, wrong)
    for name, (_, good) in CALLS.items()
    for argument in good
    for wrong in WRONG
]


@pytest.mark.parametrize("name", CALLS)
def test_wrong_arguments_are_named(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a word may be a file to write
    call, good = CALLS[name]
    wrong = []
    for argument in good:
        for kind, value in WRONG.items():
            what = f"{name}({argument}={kind})"
            given = {k: v for k, v in good.items() if v is not None}
            try:
                call_with = {**given, argument: value}
                attempt(what, refuses_or_works, call, call_with, value)
            except AssertionError as error:
                wrong.append(str(error))
    assert not wrong, f"{len(wrong)} raw errors:\n" + "\n".join(wrong)


def test_there_are_enough() -> None:
    assert len(CASES) > 600

"""The coloring map: a value that knows where it came from.

Colours are arbitrary per forward pass: nothing here, or anywhere, carries a
colour from one map to another.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_gen2seg.common.arguments import check_fields, checked_arguments
from napari_gen2seg.common.types import Float64Array, Shape
from napari_gen2seg.core.candidates import CandidateSet, paint, select
from napari_gen2seg.core.image.geometry import nearest_pixel, rescale
from napari_gen2seg.core.map.instances import INSTANCE_SCORE, Instances
from napari_gen2seg.core.map.object_size import DARK, typical_size
from napari_gen2seg.core.map.tiff import read_map, write_map
from napari_gen2seg.core.map.values import (
    further_maps,
    map_values,
    seen_image,
    source_brightness,
)
from napari_gen2seg.core.probe.mask import Mask
from napari_gen2seg.core.probe.prober import Prober, ProbeSettings
from napari_gen2seg.core.probe.query_color import query_colors
from napari_gen2seg.core.proposal_settings import ProposalSettings
from napari_gen2seg.core.propose import find_candidates
from napari_gen2seg.errors import ImageError, PromptError, StorageError

__all__ = ["Coloring", "Mask"]

_FORMAT = "napari-gen2seg coloring"
# Keywords of `from_array` before they had the field's names.
_FORMER_NAMES = {
    "on_black": "black_background",
    "more": "extra_maps",
    "picture": "brightness_image",
}
_FACTS = ("model_id", "revision", "resolution", "source_key")


@dataclass(frozen=True, eq=False)
class Coloring:
    """A coloring map of one plane.

    Attributes
    ----------
    values
        float32 (h, w, 3) in 0..255, finite, read-only.
    source_shape
        (H, W) in pixels of the plane it stands for.
    model_id, revision
        The model that made it and, for a hub model, the resolved commit.
    resolution
        Longer side in pixels at which the model worked; 0 if unknown.
    source_key
        Hash of the RGB that the model saw (:func:`~.rgb.rgb_key`).
    black_background
        Whether the model paints the background black, so that dark means background.
    extra_maps
        float32 (h, w, 3 n) or (h, w, 3 n + 1) in 0..255, read-only, or None: the maps
        of n mirror images of the picture, mirrored back, and the picture's brightness
        where it agrees with the map (:mod:`~.brightness`). Clicks consult them too;
        nothing shows them.
    brightness_image
        uint8 (H, W), read-only, or None: the brightness of a picture much larger than
        its map, which outlines at the size of the picture follow.
    diameter
        Of a typical object, in source pixels, where the model was told it; else None.
        Proposals are of about that size.
    instances
        What the model found without a click, at the size of the map, where its family
        does so; else None. Proposals are chosen of these.
    image
        uint8 (h, w, 3), read-only, or None: the image as the model saw it, at the size
        of the map. The learned probe reads it.
    learned_probe
        Name of the learned probe that was measured on maps of this model; None where
        none was.
    """

    values: npt.NDArray[np.float32]
    source_shape: Shape
    model_id: str = "array"
    revision: str | None = None
    resolution: int = 0
    source_key: str = ""
    black_background: bool = False
    extra_maps: npt.NDArray[np.float32] | None = None
    brightness_image: npt.NDArray[np.uint8] | None = None
    diameter: float | None = None
    instances: Instances | None = None
    image: npt.NDArray[np.uint8] | None = None
    learned_probe: str | None = None

    def __post_init__(self) -> None:
        check_fields(self, ImageError)
        values = map_values(self.values)
        height, width = (int(n) for n in self.source_shape)
        if height < 1 or width < 1:
            raise ImageError(
                f"The source is {height} x {width} pixels; both must be at least 1."
            )
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "source_shape", (height, width))
        if self.extra_maps is not None:
            object.__setattr__(
                self, "extra_maps", further_maps(self.extra_maps, self.shape)
            )
        if self.brightness_image is not None:
            image = source_brightness(self.brightness_image, self.source_shape)
            object.__setattr__(self, "brightness_image", image)
        if self.instances is not None and self.instances.labels.shape != self.shape:
            raise ImageError(
                f"The instances have the shape {self.instances.labels.shape}; it must "
                f"be {self.shape}, the map's."
            )
        if self.image is not None:
            object.__setattr__(self, "image", seen_image(self.image, self.shape))

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is prepared for probing: it is large, and made anew."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the arrays read-only again, which pickles do not keep."""
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    @classmethod
    @checked_arguments(ImageError)
    def from_array(
        cls, rgb: npt.ArrayLike, source_shape: Shape | None = None, **facts: Any
    ) -> Coloring:
        """Wrap a map made elsewhere.

        Parameters
        ----------
        rgb
            (h, w, 3), uint8 or floats in 0..255.
        source_shape
            (H, W) of the picture it stands for; that of ``rgb`` if not given.
        **facts
            ``model_id``, ``revision``, ``resolution``, ``source_key``,
            ``black_background``, ``diameter``, ``image``, ``learned_probe``.
        """
        values = np.asarray(rgb)
        if values.dtype.kind not in "uif":
            raise ImageError(
                f"The coloring map has the type {values.dtype}; it must be uint8 or "
                "floats in 0..255."
            )
        if source_shape is None:
            if values.ndim != 3:
                raise ImageError(
                    f"The coloring map has the shape {values.shape}; it must be "
                    "(rows, columns, 3)."
                )
            source_shape = (values.shape[0], values.shape[1])
        for old, new in _FORMER_NAMES.items():
            if old in facts:
                facts[new] = facts.pop(old)
        facts.setdefault("resolution", max(values.shape[:2], default=0))
        return cls(values.astype(np.float32), source_shape, **facts)

    @property
    def shape(self) -> Shape:
        """(h, w) of the map."""
        return int(self.values.shape[0]), int(self.values.shape[1])

    @property
    def uses_brightness(self) -> bool:
        """Whether clicks consult the image's brightness beside the map."""
        return self.extra_maps is not None and self.extra_maps.shape[2] % 3 == 1

    @cached_property
    def key(self) -> str:
        """Names this value: 64 hexadecimal digits over pixels and facts."""
        digest = hashlib.sha256(json.dumps(self._facts(), sort_keys=True).encode())
        digest.update(self.values.data)
        if self.extra_maps is not None:
            digest.update(self.extra_maps.data)
        if self.brightness_image is not None:
            digest.update(self.brightness_image.data)
        if self.instances is not None:
            digest.update(self.instances.labels.data)
            digest.update(self.instances.scores.data)
        if self.image is not None:
            digest.update(self.image.data)
        return digest.hexdigest()

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {name: getattr(self, name) for name in _FACTS}
        facts["source_shape"] = list(self.source_shape)
        facts["shape"] = list(self.shape)
        if (
            self.black_background
        ):  # absent otherwise: the keys of other maps stay what they are
            facts["on_black"] = True
        if self.diameter is not None:
            facts["diameter"] = self.diameter
        if self.learned_probe is not None:
            facts["learned_probe"] = self.learned_probe
        return facts

    def as_rgb8(self) -> npt.NDArray[np.uint8]:
        """Return the map rounded to uint8 (h, w, 3)."""
        return np.asarray(np.rint(self.values), np.uint8)

    def to_coloring(self, points: npt.ArrayLike) -> Float64Array:
        """Source (row, column) -> map (row, column); (..., 2), fractional."""
        return rescale(points, self.source_shape, self.shape)

    @cached_property
    def prober(self) -> Prober:
        """What is prepared once per map to answer clicks quickly."""
        return Prober(
            self.values,
            self.source_shape,
            self.extra_maps,
            self.brightness_image,
            self.black_background,
        )

    @checked_arguments(PromptError, left=("points", "signs"))
    def probe(
        self,
        points: npt.ArrayLike,
        signs: npt.ArrayLike | None = None,
        settings: ProbeSettings | None = None,
        *,
        insisted: npt.ArrayLike | None = None,
        base: Mask | None = None,
    ) -> Mask:
        """Return the object under the clicks.

        The first click that keeps finds it; each further one corrects what there is
        then, near itself, so their order matters.

        Parameters
        ----------
        points
            (n, 2) rows and columns in source pixels, in the order of the clicks.
        signs
            n values of +1 (keep) or -1 (leave out); all +1 if not given.
        settings
            See :class:`~napari_gen2seg.core.probe.prober.ProbeSettings`.
        insisted
            n flags, or one for all: the mask may grow by this click as it likes. By
            others it becomes four times as large at most, and `Mask.refused` says
            where one asked for more.
        base
            What the clicks correct, instead of what the first one finds: see
            `Mask.from_source`.

        Raises
        ------
        PromptError
            For a click outside the picture, or no positive click and no base.
        """
        return self.prober.probe(points, signs, settings, insisted=insisted, base=base)

    @checked_arguments()
    def candidates(self, settings: ProposalSettings | None = None) -> CandidateSet:
        """Return all instances that may be objects, for `select`.

        Those that the model found itself, where its family does; else, and where a
        tolerance or a background is given, what clicks everywhere on the map give.

        Parameters
        ----------
        settings
            ``tolerance``, ``background`` and ``diameter`` decide where is probed; the
            others are for `select` and can be changed afterwards.
        """
        settings = settings or ProposalSettings()
        found = self.instances
        if found is None or (settings.tolerance, settings.background) != (None, None):
            return find_candidates(
                self.prober, settings, self.black_background, self.diameter
            )
        candidates = CandidateSet.from_labels(
            found.labels, found.scores, self.source_shape
        )
        told = settings.diameter or self.diameter
        return replace(
            candidates,
            settings=settings,
            diameter=told,
            least_score=INSTANCE_SCORE,
            smallest=0.0 if told else typical_size(found.labels),
        )

    @checked_arguments()
    def propose(
        self, settings: ProposalSettings | None = None
    ) -> npt.NDArray[np.int32]:
        """Return all objects found without clicks: labels (H, W), 0 elsewhere.

        The same as `paint` of what `select` keeps of `candidates`; call these where
        settings are tried out.
        """
        candidates = self.candidates(settings)
        return paint(candidates, select(candidates))

    @checked_arguments(PromptError)
    def on_background(self, points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Tell which points lie on what the model takes for background.

        Parameters
        ----------
        points
            (n, 2) rows and columns in source pixels.

        Returns
        -------
        numpy.ndarray
            bool (n,); all False for a model of which that is not known.
        """
        places = np.asarray(points, float)
        if places.size % 2 or places.ndim > 2:
            raise PromptError(
                f"The points have the shape {places.shape}; they must be (n, 2), rows "
                "and columns."
            )
        places = places.reshape(-1, 2)
        if not self.black_background:
            return np.zeros(len(places), bool)
        pixels = nearest_pixel(self.to_coloring(places), self.shape)
        colors = query_colors(self.prober.rule(brightness=False).map, pixels, 0.0)
        return np.asarray(np.linalg.norm(colors, axis=1) < DARK)

    @checked_arguments()
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the map as a TIFF that any program opens, facts as JSON inside.

        The file appears whole or not at all.

        Raises
        ------
        StorageError
            If it cannot be written.
        """
        facts = {"format": _FORMAT, "version": 1, **self._facts(), "key": self.key}
        del facts["shape"]  # tifffile takes it for its own, and for wrong; pixels tell
        found = self.instances
        if found is not None:
            facts["scores"] = found.scores.tolist()
        return write_map(
            Path(path),
            facts,
            self.values,
            self.extra_maps,
            self.brightness_image,
            self.image,
            None if found is None else found.labels,
        )

    @classmethod
    @checked_arguments(ImageError)
    def load(cls, path: str | os.PathLike[str]) -> Coloring:
        """Read a map that :meth:`save` wrote.

        Raises
        ------
        StorageError
            If the file is missing, damaged or not a colouring map.
        """
        source = Path(path)
        file = read_map(source)
        facts = file.facts
        if not isinstance(facts, dict) or facts.get("format") != _FORMAT:
            raise StorageError(
                f"{source} is a TIFF without a coloring map's facts; wrap a plain "
                "picture with Coloring.from_array instead."
            )
        try:
            shape = (int(facts["source_shape"][0]), int(facts["source_shape"][1]))
            known = {name: facts[name] for name in _FACTS}
            found = None
            if file.labels is not None:
                found = Instances(file.labels, np.asarray(facts["scores"], np.float32))
            loaded = cls(
                file.values,
                shape,
                **known,
                black_background=bool(facts.get("on_black", False)),
                diameter=facts.get("diameter"),
                extra_maps=file.extra_maps,
                brightness_image=file.brightness_image,
                image=file.image,
                learned_probe=facts.get("learned_probe"),
                instances=found,
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise StorageError(
                f"{source} holds a damaged coloring map ({error}); make it again."
            ) from error
        if loaded.key != facts.get("key"):
            raise StorageError(
                f"{source} was changed or damaged after it was written (its key does "
                "not fit its content); make it again."
            )
        return loaded

"""What an evaluation does; plain values, checked when they are made."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from napari_gen2seg.common.arguments import check_fields
from napari_gen2seg.core.learned_probe.choice import METHODS
from napari_gen2seg.core.probe.settings import ProbeSettings
from napari_gen2seg.errors import SettingsError
from napari_gen2seg.metrics.click_protocol import CAP, SMALLEST

Protocol = Literal["clicks", "proposals", "edges", "all"]
Rule = Literal["distance", "paper"]

PROTOCOLS: tuple[str, ...] = get_args(Protocol)


@dataclass(frozen=True)
class EvaluationSettings:
    """How an evaluation is done. Equal settings on equal data give equal numbers.

    Attributes
    ----------
    protocol
        ``"clicks"``, ``"proposals"``, ``"edges"`` or ``"all"``.
    rules
        Probe rules to click with: ``"distance"``, ``"paper"`` or both.
    probe
        How clicks become masks; its ``rule`` is replaced by each of ``rules``.
    method
        Which probe answers clicks: ``"similarity"``, ``"learned"``, or None for the
        default on the maps of the model; each image's ``probe`` says which did.
    smallest
        Objects below this many pixels are not clicked.
    most
        At most this many objects of a picture are clicked, chosen with a seed.
    corrections
        Count the clicks to 0.85 and 0.90 (rule ``"distance"`` only: the published rule
        has no negative click).
    cap
        Corrections stop at this many clicks.
    resolution
        Longer side in pixels at which the model works; its own rule if None.
    passes
        1, 2 or 4: how many of a picture and its mirror images the model sees.
    edge_levels
        Thresholds of the edge protocol.
    edge_sigma
        Width in pixels of the Gaussian derivative.
    edge_distance
        Largest distance of matched edges, as a share of the diagonal.
    resamples, confidence
        Bootstrap over pictures.
    seed
        For off-centre clicks and the bootstrap.
    worst
        So many of the worst objects are kept as pictures.
    """

    protocol: Protocol = "all"
    rules: tuple[Rule, ...] = ("distance",)
    probe: ProbeSettings = field(default_factory=ProbeSettings)
    method: str | None = None
    smallest: int = SMALLEST
    most: int | None = None
    corrections: bool = True
    cap: int = CAP
    resolution: int | None = None
    passes: int = 1
    edge_levels: int = 99
    edge_sigma: float = 1.0
    edge_distance: float = 0.0075
    resamples: int = 2000
    confidence: float = 0.95
    seed: int = 0
    worst: int = 8

    def __post_init__(self) -> None:
        check_fields(self)
        if self.protocol not in PROTOCOLS:
            raise SettingsError(
                f"The protocol is {self.protocol!r}; it must be one of "
                f"{', '.join(PROTOCOLS)}."
            )
        if not self.rules or not set(self.rules) <= set(get_args(Rule)):
            raise SettingsError(
                f"The rules are {self.rules}; they must be distance, paper or both."
            )
        if self.method not in (None, *METHODS):
            raise SettingsError(
                f'The probe is {self.method!r}; it must be "similarity" or "learned".'
            )
        for name in ("smallest", "cap", "edge_levels", "resamples"):
            if getattr(self, name) < 1:
                raise SettingsError(
                    f"{name} is {getattr(self, name)}; it must be at least 1."
                )
        if self.most is not None and self.most < 1:
            raise SettingsError(f"most is {self.most}; it must be at least 1, or None.")
        if not 0 < self.confidence < 1:
            raise SettingsError(
                f"confidence is {self.confidence}; it must lie between 0 and 1."
            )
        if self.worst < 0 or self.seed < 0:
            raise SettingsError("worst and seed must be 0 or more.")
        if self.edge_sigma <= 0 or self.edge_distance <= 0:
            raise SettingsError("edge_sigma and edge_distance must be above 0.")

    def does(self, part: str) -> bool:
        """Whether a protocol is part of this evaluation."""
        return self.protocol in (part, "all")

    def facts(self) -> dict[str, Any]:
        """Return plain values for a report."""
        return asdict(self) | {"rules": list(self.rules)}

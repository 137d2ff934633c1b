"""A stage that goes on for as long as somebody lets it, and can be finished any time.

The rate warms up and then stays. *Finishing* lowers it to nothing from a copy of the
state, and gives the weights to ship. A run folder holds, for a stage NAME,
``NAME.state.pt`` (all that is needed to go on), ``NAME.safetensors`` (averaged
weights), ``NAME.jsonl`` (a line of figures per 25 steps), and after finishing
``NAME-finished.safetensors``.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.errors import TrainingError, WeightsError
from napari_gen2seg.train.engine.ema import WeightAverage

_LOG_EVERY = 25

Step = Callable[[], tuple[Tensor, Mapping[str, float]]]
"""Draws a batch and returns its loss, to be differentiated, and figures for the log."""


@dataclass(frozen=True)
class Pace:
    """Settings that the loop reads; a stage's settings are these and more.

    Attributes
    ----------
    rate, warmup, clip
        Of the optimizer: learning rate, steps until it is reached, largest gradient.
    finish_minutes
        How long finishing takes.
    save_minutes
        How often the state is saved.
    """

    rate: float = 2e-3
    warmup: int = 200
    clip: float = 1.0
    finish_minutes: float = 20.0
    save_minutes: float = 3.0


@dataclass
class Run:
    """A network in training.

    Attributes
    ----------
    name
        Of the stage, and of its files.
    net, optimizer, average
        Whose groups of parameters may have a ``factor`` of the rate.
    step, seconds
        Done so far.
    """

    name: str
    net: nn.Module
    optimizer: torch.optim.Optimizer
    average: WeightAverage
    step: int = 0
    seconds: float = 0.0

    def resume(self, folder: Path) -> bool:
        """Go on where a folder says it was left; False where there is nothing."""
        path = state_path(folder, self.name)
        if not path.is_file():
            return False
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = int(state["step"])
        self.average.restore(state["average"], self.step)
        self.seconds = float(state["seconds"])
        return True

    def save(self, folder: Path) -> None:
        """Write state and averaged weights, each whole or not at all."""
        state = {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.shadow,
            "step": self.step,
            "seconds": self.seconds,
        }
        with writing(state_path(folder, self.name)) as path:
            torch.save(state, path)
        self.write_weights(folder / f"{self.name}.safetensors")

    def write_weights(self, path: Path) -> None:
        """Write the averaged weights."""
        from safetensors.torch import save_file

        told = {"step": str(self.step), "seconds": str(round(self.seconds))}
        weights = {k: v.contiguous() for k, v in self.average.shadow.items()}
        with writing(path) as part:
            save_file(weights, part, told)


def state_path(folder: Path, name: str) -> Path:
    """Return the file in a run folder that a stage goes on from."""
    return folder / f"{name}.state.pt"


@dataclass(frozen=True)
class Trained:
    """Weights of a run.

    Attributes
    ----------
    weights
        By their names.
    step, seconds
        After which they were written.
    finished
        Whether the rate had come down to nothing.
    """

    weights: dict[str, Tensor]
    step: int
    seconds: int
    finished: bool


def train(
    run: Run,
    step: Step,
    config: Pace,
    folder: Path,
    cancel: Callable[[], bool] = lambda: False,
    *,
    finish: bool = False,
    minutes: float = 0.0,
) -> Iterator[dict[str, Any]]:
    """Train from where it was left, until cancelled or, if given, for some minutes.

    Parameters
    ----------
    run
        Network and optimizer.
    step
        One batch.
    config
        The settings.
    folder
        Run folder.
    cancel
        Asked between steps; True stops with everything saved.
    finish
        Lower the rate to nothing within ``config.finish_minutes``, and write
        ``NAME-finished.safetensors``; the state to go on from stays as it is.
    minutes
        Stop after so many; 0 goes on until cancelled.

    Yields
    ------
    dict
        Every 25 steps: ``step``, the means of ``loss`` and its parts since the last,
        ``rate``, ``seconds``.

    Raises
    ------
    TrainingError
        If the loss is no longer a number.
    """
    begun = time.monotonic()
    since: dict[str, list[float]] = defaultdict(list)  # the last line of figures
    earlier, saved, budget = run.seconds, time.monotonic(), 60 * config.finish_minutes
    run.net.train()
    while not cancel():
        spent = time.monotonic() - begun
        if (finish and spent > budget) or (minutes and spent > 60 * minutes):
            break
        left = max(1 - spent / budget, 0.0) if finish else 1.0
        pace = config.rate * min(1.0, (run.step + 1) / config.warmup) * left
        for group in run.optimizer.param_groups:
            group["lr"] = pace * group.get("factor", 1.0)
        loss, parts = step()
        if not math.isfinite(loss.item()):
            raise TrainingError(
                f"The loss became {loss.item()} at step {run.step}. The last saved "
                "state is kept; go on with a smaller rate."
            )
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(run.net.parameters(), config.clip)
        run.optimizer.step()
        run.optimizer.zero_grad(set_to_none=True)
        run.average.update()
        for name, value in {"loss": loss.item(), **parts}.items():
            since[name].append(value)
        run.step += 1
        run.seconds = earlier + time.monotonic() - begun
        if run.step % _LOG_EVERY == 0:
            event = {
                "step": run.step,
                **{name: sum(of) / len(of) for name, of in since.items()},
                "rate": pace,
                "seconds": run.seconds,
                "finish": finish,
            }
            with (folder / f"{run.name}.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(event) + "\n")
            yield event
            since.clear()
        if not finish and time.monotonic() - saved > 60 * config.save_minutes:
            run.save(folder)
            saved = time.monotonic()
    if finish:
        run.write_weights(folder / f"{run.name}-finished.safetensors")
    else:
        run.save(folder)


def read_trained(folder: Path, name: str) -> Trained:
    """Read the finished weights of a run, else its averaged ones.

    Raises
    ------
    WeightsError
        If the run has no weights yet.
    """
    from safetensors import safe_open
    from safetensors.torch import load_file

    paths = [folder / f"{name}-finished.safetensors", folder / f"{name}.safetensors"]
    path = next((one for one in paths if one.is_file()), None)
    if path is None:
        raise WeightsError(
            f"{folder} holds no trained weights; run the stage {name} into it first."
        )
    with safe_open(path, "pt") as file:
        told = file.metadata() or {}
    return Trained(
        load_file(path),
        int(told.get("step", 0)),
        int(told.get("seconds", 0)),
        path == paths[0],
    )


def recipe_of(config: Any, trained: Trained) -> dict[str, Any]:
    """Return how weights came about, as facts that JSON can say.

    Parameters
    ----------
    config
        Dataclass with the settings of the stage; where files lie is left out.
    trained
        The weights.
    """
    settings = json.loads(json.dumps(dataclasses.asdict(config), default=str))
    settings["data"].pop("root")
    settings["start"] = Path(settings["start"]).name
    return {
        "settings": settings,
        "steps": trained.step,
        "seconds": trained.seconds,
        "finished": trained.finished,
        "torch": torch.__version__,
    }

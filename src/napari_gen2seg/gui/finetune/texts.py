"""Format the progress and the plan of a training for display."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QLabel

from napari_gen2seg.common.text import bytes_text, count_text, duration_text, names_text
from napari_gen2seg.gui.panels.widgets import quiet_label
from napari_gen2seg.train.data.label_checks import remarks

if TYPE_CHECKING:
    from napari_gen2seg.io.label_facts import LabelFacts
    from napari_gen2seg.jobs.training.past_runs import PastRun

TRAINS = {
    "full": "the whole network",
    "lora": "small additions to the network (LoRA)",
    "last_blocks": "the last blocks of the network",
}
WARNING = '<span style="color:#e0a030">⚠ {}</span>'


def wide_label(text: str = "", width: int = 300) -> QLabel:
    """Return a label for explanations in a dialog.

    Narrower than ``width`` it never gets: Qt would make the window as high as the
    narrowest label needs.
    """
    label = quiet_label(text)
    label.setMinimumWidth(width)
    return label


def share_done(step: dict[str, Any]) -> float | None:
    """Return how far a run is, 0..1: by steps or by time, whichever is further.

    Either may end it.

    Parameters
    ----------
    step
        The event.
    """
    shares = []
    if step.get("steps"):
        shares.append(float(step["step"]) / float(step["steps"]))
    past, left = step.get("seconds"), step.get("left")
    if past is not None and left is not None and past + left > 0:
        shares.append(float(past) / float(past + left))
    return max(shares, default=None)


def step_text(step: dict[str, Any]) -> str:
    """Say how far a run is: ``1 min 57 s left, 26 steps done``.

    Parameters
    ----------
    step
        The event.
    """
    done = f"{count_text(int(step['step']), 'step')} done"
    left = step.get("left")
    return done if left is None else f"{duration_text(float(left))} left, {done}"


REASONS = {
    "steps": "All steps are done",
    "minutes": "The time is over",
    "patience": "It no longer gets better",
    "stop": "Stopping here",
}
BUSY = 0.4
"""Share of the time without computing from which a machine is called busy."""


def ending_text(event: dict[str, Any]) -> str:
    """Say why a training ends, after how many steps, and whether it had to wait.

    Parameters
    ----------
    event
        The event ``stopping``.
    """
    why = event.get("reason")
    if why == "cancel":
        return "Stopping: saving what was learned…"
    if why not in REASONS:
        return "Stopping…"
    text = REASONS[why]
    if event.get("step") is not None:
        text += f", after {count_text(int(event['step']), 'step')}"
    if (event.get("waited") or 0) >= BUSY:
        text += (
            f" (the computer was busy with something else {event['waited']:.0%} of the "
            "time)"
        )
    return f"{text}. Comparing the old and the new model…"


def score_decimals(objects: int) -> int:
    """Return how many decimals of a mean IoU over so many objects say anything.

    IoU of single objects scatters by about 0.25, and their mean by that over the root
    of their number: above 0.025 the second decimal is noise.
    """
    return 2 if objects >= 100 else 1


def score_text(value: float, objects: int) -> str:
    """Write a mean IoU with the decimals that its noise deserves."""
    return f"{value:.{score_decimals(objects)}f}"


def dock_text(event: dict[str, Any]) -> str | None:
    """Say in a word or two how far it is; None where an event does not tell."""
    if event["event"] == "trying":
        return f"{event['what'].lower()}"
    if event["event"] == "comparing":
        share = int(event.get("done", 0)) / max(int(event.get("total", 0)), 1)
        return f"comparing, {share:.0%}"
    if event["event"] != "step":
        return None
    done = share_done(event)
    return f"step {event['step']}" if done is None else f"{done:.0%}"


def comparing_text(event: dict[str, Any], title: Callable[[str], str]) -> str:
    """Say how far the comparison is.

    Parameters
    ----------
    event
        The event ``comparing``.
    title
        Gives a picture's name for people.
    """
    which = "new" if event.get("when") == "after" else "old"
    done, total = int(event.get("done", 0)), int(event.get("total", 0))
    return (
        f"{title(str(event.get('name', '')))}, {which} model: {done:,} of "
        f"{count_text(total, 'object')} clicked"
    )


def length_text(values: dict[str, Any]) -> str:
    """Say how long a training lasts that was set by hand; empty where it was not."""
    ends = [f"{values['minutes']:g} minutes"] if values["minutes"] else []
    ends += [count_text(values["steps"], "step")] if values["steps"] else []
    return " or ".join(ends)


def labels_text(facts: LabelFacts, complete: bool) -> str:
    """Say what is labeled in an image, how the rest is taken, and what is odd."""
    rest = (
        "Everything else is background."
        if complete
        else "Dark is unknown: nothing is learned there."
    )
    told = (
        f"{count_text(facts.objects, 'object')}, about {facts.diameter:.0f} pixels "
        "wide. This is exactly what the model sees; outlines of the labels are yellow. "
        f"{rest}"
    )
    odd = [WARNING.format(one) for one in remarks(facts, complete)]
    return "<br>".join([told, *odd])


def left_text(past: PastRun) -> str:
    """Say how a run stands that nobody has decided on, and ask what becomes of it."""
    if past.state != "done":
        stands = f"The training of {past.name!r} is not finished."
    elif past.unchanged:
        stands = f"The training of {past.name!r} gained nothing."
    else:
        stands = f"The new model {past.name!r} is neither used nor thrown away."
    return f"{stands} What becomes of it?"


def plan_text(plan: dict[str, Any], title: Callable[[str], str]) -> str:
    """Say what a run does, from its first event.

    Parameters
    ----------
    plan
        The event.
    title
        Gives a picture's name for people.
    """
    train = [title(name) for name in plan.get("train", ())]
    held = [title(name) for name in plan.get("validation", ())]
    lines = [
        f"Learns from {names_text(train)} "
        f"({count_text(int(plan.get('objects', 0)), 'object')}); "
        + (f"held back: {names_text(held)}." if held else "nothing is held back."),
        (
            f"Trains {TRAINS.get(plan.get('trains', ''), 'the network')}: "
            f"{plan.get('trainable', 0) / 1e6:,.1f} of "
            f"{plan.get('parameters', 0) / 1e6:,.1f} million values, "
            f"{plan.get('batch', 1)} crops of {plan.get('crop', 0)} pixels at once, on "
            f"{plan.get('device', '')}. Memory: about "
            f"{bytes_text(plan.get('memory_bytes', 0))} of "
            f"{bytes_text(plan.get('memory_free', 0))} free."
        ),
    ]
    lines += [WARNING.format(one) for one in plan.get("warnings", ())]
    return "<br>".join(lines)

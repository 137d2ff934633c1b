"""The model card of a fine-tuned model, and its recipe in ``gen2seg.json``."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_gen2seg.common.atomic import writing
from napari_gen2seg.common.text import count_text
from napari_gen2seg.models.json_file import read_json
from napari_gen2seg.models.model_config import FACTS_NAME
from napari_gen2seg.train.finetune.config import FinetuneConfig
from napari_gen2seg.train.finetune.inference_settings import use_words
from napari_gen2seg.workflows.finetune.judged_clicks import CAP, WANTED

if TYPE_CHECKING:
    from napari_gen2seg.train.data.split import Split
    from napari_gen2seg.train.finetune.checkpoint import Progress

_PACKAGES = ("torch", "diffusers", "transformers")


def write_card(
    config: FinetuneConfig,
    model: Path,
    report: dict[str, Any],
    progress: Progress,
    learnt: str,
) -> None:
    """Write ``README.md`` and the recipe, and renew the checksums.

    ``learnt`` is what `learnt_from` says.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    from napari_gen2seg.train.finetune.export import CARD_NAME, read_best
    from napari_gen2seg.train.mini.export import CHECKSUMS_NAME, checksums

    best = read_best(config.folder)
    facts = read_json(model / FACTS_NAME)
    settings = dataclasses.asdict(config)
    # Names of files and folders may tell more than their owner wants to publish.
    for private in ("pairs", "run", "replay"):
        settings.pop(private)
    for dataset in settings["datasets"]:
        dataset["root"] = Path(dataset["root"]).name
    settings["model"] = facts["base_model"]
    facts["recipe"] = {
        "kind": "fine-tuning",
        "base": facts["base_model"],
        "trainable": best.trainable,
        "steps": progress.step,
        "seconds": round(progress.seconds),
        "best_step": best.step,
        "use": best.use,
        "ended_by": progress.finished,
        "pictures": sum(bool(pair.labels) for pair in config.pairs),
        "settings": settings,
        "scores": {key: report[key] for key in ("before", "after", "verdict")},
        "versions": {
            "napari-gen2seg": version("napari-gen2seg"),
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    for name, text in (
        (FACTS_NAME, json.dumps(facts, indent=2) + "\n"),
        (CARD_NAME, card(config, facts, report, learnt)),
    ):
        with writing(model / name) as draft:
            draft.write_text(text, encoding="utf-8")
    with writing(model / CHECKSUMS_NAME) as draft:
        draft.write_text(
            "".join(
                line + "\n"
                for line in checksums(model).splitlines()
                if f"  {draft.name}" not in line
            ),
            encoding="utf-8",
        )


def learnt_from(config: FinetuneConfig, split: Split) -> str:
    """Say what a model learnt from, and what was held back."""
    if config.datasets:
        return " and ".join(f"{d.kind} (weight {d.weight:g})" for d in config.datasets)
    train = {pair.name for pair in split.train}
    validation = {pair.name for pair in split.validation}
    parts = "a part of " if train & validation else ""
    # Of the others, what has no label is unknown and not background.
    complete = sum(bool((pair.labels == 0).any()) for pair in split.train)
    all_ = {0: "none", len(split.train): "all"}.get(complete, f"{complete}")
    text = f"{parts}{_images(len(train))} ({all_} completely)"
    if train & validation:
        return f"{text}, judged by the rest"
    return (
        f"{text}, judged by {_images(len(validation))} held back"
        if validation
        else text
    )


def _images(count: int) -> str:
    return count_text(count, "labeled picture")


def card(
    config: FinetuneConfig, facts: dict[str, Any], report: dict[str, Any], learnt: str
) -> str:
    """Return the text of the model card."""
    recipe = facts["recipe"]
    before, after = report["before"], report["after"]
    rows = "\n".join(
        f"| {title} | {_number(before[key])} | {_number(after[key])} |"
        for key, title in (
            ("one_click", "one center click, mean IoU"),
            ("off_centre", "one off-center click, mean IoU"),
            ("ap", "AP of proposals (IoU 0.50 to 0.95)"),
            ("clicks", f"clicks to IoU {WANTED} (at most {CAP})"),
        )
    )
    versions = ", ".join(f"{k} {v}" for k, v in recipe["versions"].items())
    gain = (
        f"[{_number(report['low'])}, {_number(report['high'])}]"
        if report["low"] is not None
        else "not known: too few objects"
    )
    verdict = f"Verdict: **{report['verdict']}**."
    if words := use_words(facts):
        verdict += f" {words}"
    if recipe["best_step"] == 0:
        verdict += " No step was better than the base: these are its weights."
    return f"""---
library_name: napari-gen2seg
license: other
license_name: {json.dumps(facts["licence"])}
base_model: {json.dumps(facts["base_model"])}
pipeline_tag: image-segmentation
tags: [instance-segmentation, microscopy, napari]
---

# {config.name}

`{facts["base_model"]}`, fine-tuned with napari-gen2seg on {learnt}.
License of the weights: that of the base, {facts["licence"]}. {facts["licence_url"]}

## Held-back objects, before and after

| | before | after |
|---|---|---|
{rows}

{verdict} Gain in one-click IoU: {gain} ({report["interval"]}),
{report["objects"]} objects; {report["judged_by"]}.{_probes(report)}

## Recipe

Trained: {recipe["trainable"]}; {recipe["steps"]} steps in {recipe["seconds"]} s, ended
by {recipe["ended_by"] or "hand"}; the weights of step {recipe["best_step"]} are kept.
Seed {config.seed}. All settings: `gen2seg.json`, entry `recipe`. {versions}.
"""


def _probes(report: dict[str, Any]) -> str:
    """Say which probe answered the clicks; nothing where a report does not know."""
    before, after = report.get("probes") or ("", "")
    if not before and not after:
        return ""
    if before == after:
        return f" Clicks were answered by the {after} probe."
    return f" Clicks were answered by the {before} probe before, the {after} one after."


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"

"""What a fine-tuning would do and need, without doing it."""

from __future__ import annotations

import json
import shutil
import subprocess
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from napari_gen2seg.common.user_dirs import data_dir
from napari_gen2seg.errors import TrainingError
from napari_gen2seg.io.annotated import AnnotatedSource
from napari_gen2seg.jobs.training.child import start_child
from napari_gen2seg.jobs.training.run import COMMAND
from napari_gen2seg.jobs.training.written_data import pair_entry
from napari_gen2seg.train.finetune.run_folder import CONFIG_NAME, ERRORS_NAME

FACTS = "facts.json"
LOOK = 0.2  # seconds between two looks at whether it is still wanted


def plan(
    config: Mapping[str, Any],
    sources: Sequence[AnnotatedSource],
    names: Sequence[str],
    check: Callable[[], None],
    command: Sequence[str] = COMMAND,
) -> dict[str, Any]:
    """Ask a child what it would do, from facts alone: no pixels are written.

    Parameters
    ----------
    config
        Without ``pairs`` and ``run``.
    sources, names
        The images, as for `write_pairs`. Labels of which nothing is known as a whole
        are looked through.
    check
        Called now and then; raises to stop.
    command
        Starts the child.

    Returns
    -------
    dict
        The event ``plan``.

    Raises
    ------
    TrainingError
        With the child's own sentence, if it could not be done.
    """
    folder = data_dir() / f".planning-{uuid.uuid4().hex[:12]}"
    try:
        folder.mkdir(parents=True)
        facts = []
        for source in sources:
            check()
            facts.append(asdict(source.look()))
        pairs = [
            pair_entry(source, folder, name)
            for source, name in zip(sources, names, strict=True)
        ]
        path, known = folder / CONFIG_NAME, folder / FACTS
        path.write_text(
            json.dumps({**config, "run": str(folder), "pairs": pairs}), "utf-8"
        )
        known.write_text(json.dumps(facts), "utf-8")
        options = ("--plan", "--facts", str(known))
        with (folder / ERRORS_NAME).open("wb") as errors:
            child = start_child([*command, str(path), *options], errors)
        try:
            said = _listen(child, check)
        finally:
            child.kill()
            child.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for line in said.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if event.get("event") == "plan":
            return dict(event)
        if event.get("event") == "failed":
            raise TrainingError(str(event.get("message")))
    raise TrainingError(
        "It could not be found out what the training needs. Start it: settings that "
        "do not fit are refused before anything happens."
    )


def _listen(child: subprocess.Popen[bytes], check: Callable[[], None]) -> str:
    while True:
        try:
            said, _ = child.communicate(timeout=LOOK)
        except subprocess.TimeoutExpired:
            check()
        else:
            return said.decode("utf-8", "replace")

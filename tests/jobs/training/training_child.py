"""A fine-tuning without a network: says and writes what the real command does.

``python training_child.py CONFIG [--resume]``. The "model" is the name of a model
folder to be exported unchanged, and the "coloring" of a held-back picture becomes its
labels' colours step by step. ``TRAINING_CHILD`` may be ``disk``, ``nan``, ``crash``,
``full`` (it cannot save when cancelled), ``stuck`` (before anything is saved),
``worse``, ``unchanged`` or ``unheld``.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import tifffile

from napari_gen2seg.core.coloring import Coloring

MODE = os.environ.get("TRAINING_CHILD", "")
PACE = float(os.environ.get("TRAINING_CHILD_PACE", "0.02"))  # seconds a step


class Child:
    def __init__(self, path: Path, resume: bool) -> None:
        self.config = json.loads(path.read_text())
        self.run = path.parent
        self.asked = False
        self.step = 0
        self.steps = int(self.config.get("steps") or 40)
        self.log = (self.run / "events.jsonl").open("a")
        if resume:
            self.step = json.loads((self.run / "state.pt").read_text())["step"]
        signal.signal(signal.SIGTERM, self.cancel)
        signal.signal(signal.SIGINT, self.cancel)

    def cancel(self, *_: object) -> None:
        self.asked = True

    def say(self, event: str, **facts: object) -> None:
        line = json.dumps({"event": event, **facts})
        self.log.write(line + "\n")
        self.log.flush()
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    @property
    def pairs(self) -> list[dict]:
        return self.config["pairs"]

    @property
    def held(self) -> list[dict]:
        if MODE == "unheld":
            return []
        return [p for p in self.pairs if p["role"] == "validation"] or self.pairs[-1:]

    def plan(self) -> None:
        held = [p["name"] for p in self.held]
        train = [p["name"] for p in self.pairs if p["name"] not in held]
        if "--facts" in sys.argv:  # asked before anything is written
            known = Path(sys.argv[sys.argv.index("--facts") + 1])
            objects = sum(one["objects"] for one in json.loads(known.read_text()))
        else:
            objects = sum(
                int(np.unique(tifffile.imread(p["labels"])).size) - 1
                for p in self.pairs
            )
        self.say(
            "plan",
            steps=self.steps,
            seconds_estimate=PACE * self.steps,
            trains="full",
            parameters=5_000_000,
            trainable=5_000_000,
            memory_bytes=900_000_000,
            memory_free=8_000_000_000,
            batch=2,
            crop=192,
            precision="float32",
            device="cpu",
            reason="This computer has no GPU that torch can use.",
            train=train or held,
            validation=held,
            objects=objects,
            warnings=[],
        )

    def paint(self, pair: dict, share: float) -> Coloring:
        labels = tifffile.imread(pair["labels"])
        rng = np.random.default_rng(3)
        table = rng.uniform(40, 255, (int(labels.max()) + 1, 3))
        table[0] = 0
        noise = rng.uniform(0, 255, (*labels.shape, 3))
        values = share * table[labels] + (1 - share) * noise
        return Coloring.from_array(values.astype(np.float32))

    def preview(self) -> None:
        for pair in self.held:
            target = self.run / "previews" / f"{pair['name']}.tif"
            target.parent.mkdir(exist_ok=True)
            self.paint(pair, min(self.step / 40, 0.9)).save(target)
            self.say("preview", step=self.step, name=pair["name"], path=str(target))

    def score(self) -> None:
        value = 0.9 - 0.5 * 0.97**self.step
        self.say(
            "score", step=self.step, one_click=value, objects=9, seconds=0.1, best=True
        )

    def save(self) -> None:
        draft = self.run / "state.part"
        draft.write_text(json.dumps({"step": self.step}))
        draft.replace(self.run / "state.pt")
        self.say("saved", step=self.step, path=str(self.run / "state.pt"))

    def train(self) -> int:
        self.plan()
        if "--plan" in sys.argv:
            return 0
        if MODE == "stuck":
            time.sleep(60)
        if not self.step:
            self.score()
            self.preview()
        reason = "steps"
        while self.step < self.steps:
            if self.asked or (self.run / "CANCEL").exists():
                if MODE == "full":
                    self.say("failed", kind="StorageError", message="The disk is full.")
                    return 1
                self.say("stopping", reason="cancel")
                self.save()
                return 130
            if (self.run / "STOP").exists():
                (self.run / "STOP").unlink()
                reason = "stop"
                break
            time.sleep(PACE)
            self.step += 1
            left = PACE * (self.steps - self.step)
            loss = 2.0 * 0.95**self.step
            if self.step == 20 and MODE:
                if MODE == "crash":
                    raise RuntimeError("the child's own last words")
                message = {
                    "disk": "The disk is full: free some space, then press Resume.",
                    "nan": "The loss became no number at step 20, a second time. Start "
                    "anew with a smaller rate; or resume and stop at once (Stop and "
                    "keep best), which keeps the best weights so far.",
                }.get(MODE)
                if message is not None:
                    kind = "StorageError" if MODE == "disk" else "TrainingError"
                    self.say("failed", kind=kind, message=message)
                    return 1
            self.say(
                "step",
                step=self.step,
                steps=self.steps,
                loss=loss,
                rate=1e-4,
                seconds=PACE * self.step,
                left=left,
            )
            if self.step % 5 == 0:
                self.score()
                self.preview()
                self.save()
        self.say("stopping", reason=reason)
        self.finish()
        return 0

    def finish(self) -> None:
        folder = self.run / "compare"
        folder.mkdir(exist_ok=True)
        pictures = []
        total = 2 * len(self.held)
        for number, pair in enumerate(self.held):
            name, labels = pair["name"], tifffile.imread(pair["labels"])
            for done, when in ((2 * number, "before"), (2 * number + 1, "after")):
                self.say("comparing", done=done, total=total, name=name, when=when)
                time.sleep(5 * PACE)
            for when, share in (("before", 0.2), ("after", 0.9)):
                self.paint(pair, share).save(folder / f"{name}-{when}.tif")
                found = np.where(labels > (3 if when == "before" else 0), labels, 0)
                tifffile.imwrite(folder / f"{name}-{when}-labels.tif", found)
            pictures.append({"name": name, "before": 0.41, "after": 0.83})
        before = {"one_click": 0.41, "off_centre": 0.33, "ap": 0.22, "clicks": 4.1}
        after = {"one_click": 0.83, "off_centre": 0.79, "ap": 0.61, "clicks": 1.6}
        if MODE == "worse":
            before, after = after, before
        if MODE == "unchanged":
            after = before
        if MODE == "unheld":
            before = after = dict.fromkeys(before)
        same = dict.fromkeys(("unchanged", "unheld"), "no difference")
        verdict = {"worse": "worse", **same}.get(MODE, "better")
        shutil.copytree(self.config["model"], self.run / "model", dirs_exist_ok=True)
        self.say(
            "compared",
            before=before,
            after=after,
            better=verdict == "better",
            verdict=verdict,
            low=0.0 if MODE == "unchanged" else 0.3,
            high=0.0 if MODE == "unchanged" else 0.5,
            pictures=pictures,
            path=str(folder),
            unchanged=MODE == "unchanged",
        )
        (self.run / "crops").mkdir(exist_ok=True)
        self.say(
            "done",
            model=str(self.run / "model"),
            verdict=verdict,
            seconds=PACE * self.step,
        )


if __name__ == "__main__":
    sys.exit(Child(Path(sys.argv[1]), "--resume" in sys.argv).train())

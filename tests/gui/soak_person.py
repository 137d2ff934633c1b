"""A random person at a real window, and who looks over their shoulder.

Started by ``scripts/soak.py``; prints one line for each action, and ends with a
traceback at the first thing that is wrong.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from napari_gen2seg.cli.virtual_display import virtual_display

SETTLE = 20.0  # seconds that anything asked for may take


class Broken(AssertionError):
    """Something is not as it must be."""


class Witness:
    """Hears every exception and warning, whoever would have swallowed it."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def listen(self) -> None:
        """Hear Python, its threads, its finalizers, Qt, vispy and napari."""
        from napari.utils.notifications import (
            NotificationSeverity,
            notification_manager,
        )
        from qtpy.QtCore import qInstallMessageHandler

        def raised(kind: Any, error: Any, trace: Any) -> None:
            sys.__excepthook__(kind, error, trace)
            self.heard.append(f"{kind.__name__}: {error}")

        def notified(note: Any) -> None:
            if note.severity >= NotificationSeverity.ERROR:
                self.heard.append(f"napari says: {note.message}")

        def from_qt(kind: Any, _context: Any, text: str | None) -> None:
            if "debug" not in str(kind).lower() and "info" not in str(kind).lower():
                self.heard.append(f"Qt says: {text}")

        class Log(logging.Handler):
            def emit(handler, record: logging.LogRecord) -> None:  # noqa: N805
                self.heard.append(f"{record.name} says: {record.getMessage()}")

        # napari's own hooks show a notification in place of the traceback.
        sys.excepthook = raised
        threading.excepthook = lambda args: raised(
            args.exc_type, args.exc_value, args.exc_traceback
        )
        sys.unraisablehook = lambda args: raised(
            args.exc_type, args.exc_value, args.exc_traceback
        )
        notification_manager.notification_ready.connect(notified)
        qInstallMessageHandler(from_qt)
        for name in ("vispy", "napari", "napari_gen2seg"):
            logging.getLogger(name).addHandler(Log(logging.WARNING))

    def check(self) -> None:
        """Stop where anything was heard."""
        if self.heard:
            raise Broken("; ".join(self.heard))


def watch_draws(witness: Witness) -> None:
    """Tell of draws that would read a vertex attribute nobody feeds.

    Software OpenGL ends the process there, a graphics card may draw nonsense.
    """
    from vispy.gloo import gl, glir

    program = glir.GlirProgram
    link, draw = program.link_program, program.draw

    def linked(self: Any, *args: Any) -> None:
        link(self, *args)
        count = gl.glGetProgramParameter(self._handle, gl.GL_ACTIVE_ATTRIBUTES)
        self.reads = {gl.glGetActiveAttrib(self._handle, n)[0] for n in range(count)}

    def drawn(self: Any, mode: Any, selection: Any, instances: int = 1) -> None:
        living = {
            one.handle: one._buffer_size
            for one in self._parser._objects.values()
            if isinstance(one, glir.GlirVertexBuffer)
        }
        wrong = [
            f"{n} is not set"
            for n in getattr(self, "reads", ()) - set(self._attributes)
        ]
        for name, (buffer, _, _, args, divisor) in self._attributes.items():
            if buffer and buffer not in living:
                wrong.append(f"the buffer of {name} is gone")
            elif buffer and len(selection) == 2 and not divisor:
                last = (sum(selection) - 1) * (args[3] or 4 * args[0])
                if last + args[4] + 4 * args[0] > living[buffer]:
                    wrong.append(f"the buffer of {name} is too short")
        if wrong:
            witness.heard.append(f"draw of {mode}: {', '.join(wrong)}")
        draw(self, mode, selection, instances)

    program.link_program, program.draw = linked, drawn


def picture(kind: str, random: np.random.Generator) -> np.ndarray:
    """Draw round cells, grey, RGB, or a stack of planes."""
    shape = tuple(int(n) for n in random.integers(96, 280, 2))
    planes = []
    rows, cols = np.ogrid[: shape[0], : shape[1]]
    for _ in range(3 if kind == "stack" else 1):
        plane = random.normal(25, 3, shape)
        for _ in range(12):
            row, col = random.uniform(0, 1, 2) * shape
            inside = (rows - row) ** 2 + (cols - col) ** 2 < random.uniform(9, 20) ** 2
            plane[inside] = random.uniform(110, 230)
        planes.append(np.clip(plane, 0, 255).astype(np.uint8))
    if kind == "stack":
        return np.stack(planes)
    if kind == "rgb":
        return np.stack([planes[0], planes[0] // 2, 255 - planes[0]], -1)
    return planes[0]


class Person:
    """Does one thing after another, without waiting for the last to be done."""

    def __init__(self, seed: int, train: float, witness: Witness) -> None:
        import napari

        self.random = np.random.default_rng(seed)
        self.witness = witness
        self.viewer = napari.Viewer()
        self.viewer.window.resize(1300, 800)
        self.dock: Any = None
        self.widget: Any = None
        self.train_share = train
        self.opened = 0
        self.hands: set[str] = set()  # layers edited by hand
        self.many = False  # whether one act may have kept many objects by now
        self.actions: dict[str, tuple[float, Callable[[], Any]]] = {
            "open": (3, self.open),
            "color": (8, self.color),
            "hover": (10, self.hover),
            "click": (16, self.click),
            "leave out": (5, self.leave_out),
            "commit": (12, self.commit),
            "undo": (6, self.undo),
            "undo button": (4, lambda: self.press(self.widget.objects.undo)),
            "redo": (3, self.redo),
            "clear": (2, lambda: self.key("Escape")),
            "start": (4, lambda: self.press(self.widget.probe.start)),
            "next": (2, lambda: self.press(self.widget.objects.another)),
            "one click each": (1, lambda: self.press(self.widget.objects.at_once)),
            "number": (2, self.number),
            "brush": (3, lambda: self.stroke("paint")),
            "eraser": (3, lambda: self.stroke("erase")),
            "fill": (1, self.fill),
            "target": (1, self.target),
            "image": (2, self.choose_image),
            "delete": (2, self.delete),
            "delete all": (0.6, self.delete_all),
            "rename": (1, self.rename),
            "plane": (3, self.plane),
            "finer": (1, lambda: self.press(self.widget.model.finer)),
            "tolerance": (2, lambda: self.key("BracketRight")),
            "scale": (1, self.scale),
            "hide": (1, self.hide),
            "select": (2, self.select),
            "3D": (0.3, self.turn),
            "dock": (0.7, self.reopen),
            "collect": (1, gc.collect),
            "train": (0.4 * train, self.train),
            "keep all": (3, lambda: self.many_by(lambda: self.key("Return", "Shift"))),
            "keep along": (3, lambda: self.many_by(self.sweep)),
            "drop": (3, lambda: self.key("D")),
            "next proposal": (3, lambda: self.key("N")),
            "doubtful": (2, lambda: self.press(self.widget.review.next_doubtful)),
            "certainty": (2, self.certainty),
            "proposals": (0.4, lambda: self.press(self.widget.review.on)),
            "color planes": (1, lambda: self.press(self.widget.stack.color)),
            "carry": (2, lambda: self.many_by(lambda: self.key("Period"))),
            "carry back": (1, lambda: self.many_by(lambda: self.key("Comma"))),
            "stop": (1, lambda: self.press(self.widget.stack.stop)),
            "ahead": (0.4, lambda: self.press(self.widget.stack.ahead)),
            "save": (1, lambda: self.press(self.widget.objects.saving.save)),
            "go on": (2, lambda: self.many_by(self.go_on)),
        }
        self.reopen()
        self.open()

    # ---- hands

    def wait(self, milliseconds: int = 0) -> None:
        from qtpy.QtTest import QTest

        QTest.qWait(milliseconds or int(self.random.choice([0, 5, 20, 60])))

    @property
    def canvas(self) -> Any:
        return self.viewer.window._qt_viewer.canvas

    def place(self, at: tuple[float, float]) -> Any:
        from qtpy.QtCore import QPoint

        x, y = self.canvas.view.scene.transform.map([at[1], at[0]])[:2]
        inside = self.canvas.native.rect()
        return QPoint(
            min(max(round(x), 1), inside.width() - 2),
            min(max(round(y), 1), inside.height() - 2),
        )

    def mouse(self, kind: str, at: tuple[float, float], held: Any = None) -> None:
        from qtpy.QtCore import QEvent, QPointF, Qt
        from qtpy.QtGui import QMouseEvent
        from qtpy.QtWidgets import QApplication

        native, point = self.canvas.native, self.place(at)
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        types = {
            "press": (QEvent.Type.MouseButtonPress, left, left),
            "move": (QEvent.Type.MouseMove, none, none),
            "drag": (QEvent.Type.MouseMove, none, left),
            "release": (QEvent.Type.MouseButtonRelease, left, none),
        }
        type_, button, buttons = types[kind]
        event = QMouseEvent(
            type_,
            QPointF(point),
            QPointF(native.mapToGlobal(point)),
            button,
            buttons,
            held or Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(native, event)

    def key(self, name: str, *modifiers: str) -> None:
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        held = Qt.KeyboardModifier.NoModifier
        for one in modifiers:
            held |= getattr(Qt.KeyboardModifier, f"{one}Modifier")
        QTest.keyClick(self.canvas.native, getattr(Qt.Key, f"Key_{name}"), held)

    def press(self, button: Any) -> None:
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        if button.isEnabled() and button.isVisible():
            QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def anywhere(self) -> tuple[float, float]:
        """Return a place in the world: in the picture mostly, over an object often."""
        layer = self.widget.bridge.source.layer
        view = self.widget.bridge.source.view
        if layer is None or view is None:
            return tuple(self.random.uniform(-20, 200, 2))
        plane = np.asarray(view.read(layer.data, layer.rgb))
        bright = plane.mean(-1) if layer.rgb else plane
        found = np.argwhere(bright > 90)
        if len(found) and self.random.random() < 0.8:
            at = found[self.random.integers(len(found))]
        else:
            at = self.random.uniform(-8, np.array(bright.shape) + 8)
        full = np.zeros(layer.ndim)
        full[list(view.axes)] = at
        row, col = np.asarray(layer.data_to_world(full))[list(view.axes)]
        return float(row), float(col)

    def pick(self, things: Any) -> Any:
        things = list(things)
        return things[self.random.integers(len(things))] if things else None

    def labels(self) -> list[Any]:
        from napari.layers import Labels

        from napari_gen2seg.gui.layers.overlays import PREVIEW, role_of

        mine = (one for one in self.viewer.layers if isinstance(one, Labels))
        return [one for one in mine if one.editable and role_of(one) != PREVIEW]

    # ---- actions

    def open(self) -> None:
        kind = self.pick(["grey", "grey", "rgb", "stack"])
        if len(self.viewer.layers) > 14:
            self.viewer.layers.clear()
        self.opened += 1
        self.viewer.add_image(
            picture(kind, self.random), name=f"cells {self.opened}", rgb=kind == "rgb"
        )

    def color(self) -> None:
        self.press(self.widget.model.color)
        if self.random.random() < 0.8:
            self.settle()
        elif self.random.random() < 0.5:
            self.press(self.widget.model.cancel)

    def hover(self) -> None:
        for _ in range(int(self.random.integers(1, 9))):
            self.mouse("move", self.anywhere())
            self.wait()

    def click(self, held: Any = None) -> None:
        at = self.anywhere()
        self.mouse("move", at)
        self.mouse("press", at, held)
        self.mouse("release", at, held)

    def leave_out(self) -> None:
        from qtpy.QtCore import Qt

        self.click(Qt.KeyboardModifier.ShiftModifier)

    def commit(self) -> None:
        if self.random.random() < 0.6:
            self.key("Return")
        else:
            self.press(self.widget.objects.commit)

    def undo(self) -> None:
        self.key("Z", "Control")

    def redo(self) -> None:
        self.key("Z", "Control", "Shift")

    def number(self) -> None:
        self.widget.objects.number.setValue(int(self.random.integers(1, 12)))

    def stroke(self, mode: str) -> None:
        layer = self.pick(self.labels())
        if layer is None:
            return
        self.viewer.layers.selection.active = layer
        if self.viewer.dims.ndisplay == 2:
            layer.mode = mode
        self.wait()
        at = self.anywhere()
        self.mouse("press", at)
        for _ in range(int(self.random.integers(1, 7))):
            at = at[0] + self.random.normal(0, 6), at[1] + self.random.normal(0, 6)
            self.mouse("drag", at)
            self.wait()
        self.mouse("release", at)
        self.hands.add(str(layer.unique_id))

    def fill(self) -> None:
        layer = self.pick(self.labels())
        if layer is not None and self.viewer.dims.ndisplay == 2:
            self.viewer.layers.selection.active = layer
            layer.mode = "fill"
            self.click()
            self.hands.add(str(layer.unique_id))

    def target(self) -> None:
        combo = self.widget.objects.target
        combo.setCurrentIndex(int(self.random.integers(max(combo.count(), 1))))

    def choose_image(self) -> None:
        combo = self.widget.image.layer
        combo.setCurrentIndex(int(self.random.integers(max(combo.count(), 1))))

    def delete(self) -> None:
        layer = self.pick(self.viewer.layers)
        if layer is not None:
            self.viewer.layers.remove(layer)

    def delete_all(self) -> None:
        self.viewer.layers.select_all()
        self.viewer.layers.remove_selected()

    def rename(self) -> None:
        layer = self.pick(self.viewer.layers)
        if layer is not None:
            layer.name = f"mine {self.random.integers(9)}"

    def plane(self) -> None:
        dims = self.viewer.dims
        if dims.ndim > 2 and dims.ndisplay == 2:
            dims.set_current_step(0, int(self.random.integers(dims.nsteps[0])))

    def scale(self) -> None:
        layer = self.widget.bridge.source.layer
        if layer is not None:
            layer.scale = np.full(layer.ndim, self.random.choice([0.5, 1, 2]))

    def hide(self) -> None:
        layer = self.pick(self.viewer.layers)
        if layer is not None:
            layer.visible = not layer.visible

    def select(self) -> None:
        layer = self.pick(self.viewer.layers)
        if layer is not None:
            self.viewer.layers.selection.active = layer

    def turn(self) -> None:
        self.viewer.dims.ndisplay = 3
        self.wait(60)
        self.viewer.dims.ndisplay = 2

    def reopen(self) -> None:
        from tests.helpers.fake_colorer import FakeColorer

        from napari_gen2seg.gui.qt_threads import Mailbox, lane
        from napari_gen2seg.gui.settings import FileMemory
        from napari_gen2seg.gui.widget import SegmentWidget
        from napari_gen2seg.session import Session

        if self.dock is not None:
            self.viewer.window.remove_dock_widget(self.dock)
            self.wait(50)
        # A lane of its own, as in earnest: a thread beside the window.
        mail = Mailbox()
        session = Session(
            lane(mail, "soak"), load=lambda *_args, **_options: FakeColorer()
        )
        home = Path(os.environ["NAPARI_GEN2SEG_HOME"])
        self.widget = SegmentWidget(
            self.viewer, session, memory=FileMemory(home / "settings.json")
        )
        self.mail = mail
        child = ROOT / "tests" / "jobs" / "training" / "training_child.py"
        self.widget.finetune.options = {"command": (sys.executable, str(child))}
        self.dock = self.viewer.window.add_dock_widget(self.widget, name="gen2seg")

    def train(self) -> None:
        """Train on what is labelled, and cancel."""
        dialog = self.widget.finetune.open()
        self.until(lambda: not dialog.pairs.looking, 5)
        dialog.pictures.next.click()
        page = dialog.settings
        page.model.addItem("tiny", str(ROOT / "tests" / "data" / "tiny-gen2seg-sd"))
        page.model.setCurrentIndex(page.model.count() - 1)
        page.start.click()
        self.wait(int(self.random.integers(50, 1500)))
        if dialog.work.busy:
            dialog.training.cancel.click()
            self.until(lambda: not dialog.work.busy)
        dialog.work.drop()
        dialog.close()

    def many_by(self, do: Callable[[], Any]) -> None:
        self.many = True
        do()

    def sweep(self) -> None:
        """Draw over proposals, Control held down, from one place to another."""
        from qtpy.QtCore import Qt

        control, at = Qt.KeyboardModifier.ControlModifier, self.anywhere()
        self.mouse("press", at, control)
        for _ in range(int(self.random.integers(1, 7))):
            at = self.anywhere()
            self.mouse("drag", at, control)
            self.wait()
        self.mouse("release", at, control)

    def certainty(self) -> None:
        self.widget.review.certainty.setValue(int(self.random.integers(0, 101)))

    def go_on(self) -> None:
        row = self.widget.objects.saving
        self.press(row.go_on if self.random.random() < 0.7 else row.anew)

    # ---- looking

    def until(self, ready: Callable[[], Any], seconds: float = SETTLE) -> None:
        end = time.monotonic() + seconds
        while not ready() and time.monotonic() < end:
            self.wait(10)

    def settle(self) -> None:
        """Wait until the coloring is done and what follows has been drawn."""
        self.until(lambda: not self.widget.session.job.running)
        self.wait(60)

    def objects(self) -> dict[str, dict[int, int]]:
        """Return the size of every object in every Labels layer that can be edited."""
        found = {}
        for layer in self.labels():
            numbers, sizes = np.unique(np.asarray(layer.data), return_counts=True)
            sizes_of = dict(zip(numbers.tolist(), sizes.tolist(), strict=True))
            sizes_of.pop(0, None)
            found[str(layer.unique_id)] = sizes_of
        return found

    def drawing(self) -> bool:
        """Whether a press on the canvas draws into a Labels layer."""
        active = self.viewer.layers.selection.active
        return active in self.labels() and active.mode in ("paint", "erase", "fill")

    def judge(
        self, name: str, before: dict[str, dict[int, int]], by_hand: bool
    ) -> None:
        """Find what was lost that this action may not take."""
        after = self.objects()
        taken_back = name in ("undo", "undo button", "redo")
        for layer, had in before.items():
            if layer not in after or by_hand:
                continue
            has = after[layer]
            lost = [n for n in had if n not in has]
            smaller = [n for n in had if has.get(n, 0) < had[n]]
            steps = self.many or layer in self.hands or len(smaller) <= 1
            if taken_back and steps:
                continue
            corrected = name in ("commit", "click") and len(smaller) <= 1 and not lost
            # D over a kept object, where no proposal is lit, deletes it.
            deleted = name == "drop" and len(smaller) <= 1
            if smaller and not (corrected or deleted):
                raise Broken(f"{name} took pixels of {smaller} (lost: {lost})")

    def listen(self) -> None:
        """Read what the dock says of a plane that is not colored."""
        from napari_gen2seg.gui.panels.model_panel import NOT_COLORED

        session, view = self.widget.session, self.widget.bridge.source.view
        if view is None or session.job.running or session.coloring(view) is not None:
            return
        said = self.widget.model.doing.text()
        if NOT_COLORED not in said:
            raise Broken(f"a plane is not colored, and the dock says {said!r}")

    def act(self) -> None:
        """Do one thing and see whether all is well."""
        names = list(self.actions)
        weights = np.array([self.actions[name][0] for name in names])
        name = names[self.random.choice(len(names), p=weights / weights.sum())]
        sys.stdout.write(f"{name} ({len(self.viewer.layers)} layers)\n")
        sys.stdout.flush()
        before, by_hand = self.objects(), self.drawing()
        self.actions[name][1]()
        self.wait()
        by_hand |= name in ("brush", "eraser", "fill")
        if by_hand:
            self.hands.update(before)
        self.judge(name, before, by_hand)
        self.listen()
        self.witness.check()


ROOT = Path(__file__).parents[2]


def work(minutes: float, seed: int, train: float) -> None:
    """Let the person work for so long."""
    witness = Witness()
    watch_draws(witness)
    person = Person(seed, train, witness)
    witness.listen()
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        person.act()
    person.widget.close_session()
    person.viewer.close()
    person.wait(100)
    witness.check()


def main() -> None:
    """Read the options; give the person a home of their own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train", type=float, default=1)
    options = parser.parse_args()
    faulthandler.enable()
    with tempfile.TemporaryDirectory() as home, virtual_display():
        for name in ("CACHE", "CONFIG", "DATA", "STATE"):
            os.environ[f"XDG_{name}_HOME"] = f"{home}/{name}"
        os.environ["NAPARI_GEN2SEG_HOME"] = f"{home}/gen2seg"
        os.environ["NAPARI_CONFIG"] = f"{home}/napari.yaml"
        os.environ.setdefault("TRAINING_CHILD_PACE", "0.03")
        work(options.minutes, options.seed, options.train)


if __name__ == "__main__":
    main()

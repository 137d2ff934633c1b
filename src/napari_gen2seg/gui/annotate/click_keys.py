"""Keys on the layer of the clicks, while it is selected: what each asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_gen2seg.gui.annotate.tool_keys import CLASS_KEYS, HELP_KEY, PROMPTS, TOOLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Points


class ClickKeys:
    """Binds keys on a layer, and tells what is asked for."""

    commit_requested = Signal()
    undo_requested = Signal()
    redo_requested = Signal()
    clear_requested = Signal()
    flip_requested = Signal()  # a plain click means the other sign
    insist_requested = Signal()
    keep_all_requested = Signal()
    drop_requested = Signal()
    next_left_requested = Signal()
    next_doubtful_requested = Signal()
    carry_requested = Signal(int)  # to the planes after (+1) or before (-1)
    tool_requested = Signal(str)  # name of a tool for kept objects
    class_requested = Signal(int)  # the digit of a class for a kept object
    help_requested = Signal()
    tolerance_requested = Signal(int)  # a step up (+1) or down (-1)

    def bind(self, layer: Points) -> None:
        """Bind the keys on a layer."""
        for key, call in self._calls().items():
            layer.bind_key(key, call, overwrite=True)

    def release(self, layer: Points) -> None:
        """Bind none of them there any more."""
        for key in self._calls():
            layer.bind_key(key, None)

    def _calls(self) -> dict[str, Callable[[Any], None]]:
        return {
            "Enter": lambda _: self.commit_requested.emit(),
            "Control-Z": lambda _: self.undo_requested.emit(),
            "Control-Shift-Z": lambda _: self.redo_requested.emit(),
            "Escape": lambda _: self.clear_requested.emit(),
            "T": lambda _: self.flip_requested.emit(),
            "I": lambda _: self.insist_requested.emit(),
            "Shift-Enter": lambda _: self.keep_all_requested.emit(),
            "D": lambda _: self.drop_requested.emit(),  # or delete
            "N": lambda _: self.next_left_requested.emit(),
            "Shift-N": lambda _: self.next_doubtful_requested.emit(),
            ".": lambda _: self.carry_requested.emit(1),
            ",": lambda _: self.carry_requested.emit(-1),
            "]": lambda _: self.tolerance_requested.emit(1),
            "[": lambda _: self.tolerance_requested.emit(-1),
            HELP_KEY: lambda _: self.help_requested.emit(),
            **{
                tool.key: self._tool_key(tool.name)
                for tool in TOOLS
                if tool.name != "delete"
            },
            **{tool.key: self._tool_key(tool.name) for tool in PROMPTS},
            **{key: self._class_key(digit) for digit, key in CLASS_KEYS.items()},
        }

    def _tool_key(self, name: str) -> Callable[[Any], None]:
        return lambda _: self.tool_requested.emit(name)

    def _class_key(self, digit: int) -> Callable[[Any], None]:
        return lambda _: self.class_requested.emit(digit)

"""Server of the model process: the child in which models run for the window.

Importing torch and diffusers holds Python's lock for up to a second at a time, and
a model that runs out of memory takes its process along. Neither may happen to
napari, so models live here. Requests come by stdin and replies leave by stdout,
both as pickles between two halves of the same program.
"""

from __future__ import annotations

import logging
import os
import pickle
import queue
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

from napari_gen2seg.errors import Gen2SegError, MemoryShortError, ModelError
from napari_gen2seg.jobs.model.messages import (
    CANCEL,
    COLOR,
    DONE,
    FAILED,
    LOAD,
    PREDICT,
    PROBE,
    PROGRESS,
    WARM,
    Loaded,
    Message,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_gen2seg.core.learned_probe.looking import Predict
    from napari_gen2seg.models.colorer import Colorer

_log = logging.getLogger(__name__)
NICE = 5  # the window comes first


class Server:
    """Answers requests one by one; a cancel overtakes them.

    Parameters
    ----------
    requests, replies
        Streams of pickles.
    load
        Loads a model; by default `napari_gen2seg.load_model`.
    """

    def __init__(
        self,
        requests: BinaryIO,
        replies: BinaryIO,
        load: Callable[..., Colorer] | None = None,
    ) -> None:
        self._in, self._out, self._load = requests, replies, load
        self._todo: queue.Queue[Message | None] = queue.Queue()
        self._cancelled: set[int] = set()
        self._colorer: Colorer | None = None
        self._probes: dict[str, Predict] = {}

    def run(self) -> None:
        """Serve until the other side closes the stream."""
        threading.Thread(target=self._read, daemon=True).start()
        while (message := self._todo.get()) is not None:
            try:
                self._send(DONE, message.number, self._answer(message))
            except Exception as error:  # noqa: BLE001 - carried to the other side
                self._send(FAILED, message.number, _portable(error))

    def _read(self) -> None:
        # Pickles from our own parent process, never from a file or the network.
        with suppress(EOFError, OSError):
            while True:
                message: Message = pickle.load(self._in)  # noqa: S301
                if message.verb == CANCEL:
                    self._cancelled.add(message.number)
                else:
                    self._todo.put(message)
        self._todo.put(None)

    def _answer(self, message: Message) -> Any:
        number, given = message.number, message.payload

        def progress(fraction: float | None, text: str) -> None:
            self._send(PROGRESS, number, (fraction, text))

        def cancel() -> bool:
            return number in self._cancelled

        if message.verb == WARM:
            from napari_gen2seg.models import loader  # noqa: F401 - that is the point
            from napari_gen2seg.models.runtime.device import choose

            choose(*given)
            from napari_gen2seg.models.probes import list_probes

            for name in list_probes():
                self._probe(name)
            return None
        if message.verb == PROBE:
            name, channels = given
            return self._probe(name)(channels)
        if message.verb == LOAD:
            self._unload()
            load = self._load or _loader()
            self._colorer = load(**given, progress=progress, cancel=cancel)
            return self._facts()
        if message.verb in (COLOR, PREDICT):
            if self._colorer is None:
                raise ModelError("No model is loaded. Press Color again.")
            made: Any
            if message.verb == COLOR:
                made = self._colorer.color(**given, progress=progress, cancel=cancel)
            else:
                made = self._colorer.predict_many(*given)
            return made, self._facts()
        self._unload()
        return None

    def _probe(self, name: str) -> Predict:
        """Return a learned probe's network, loaded when it is first asked for."""
        if name not in self._probes:
            from napari_gen2seg.models.probes import load_predict

            self._probes[name] = load_predict(name)
        return self._probes[name]

    def _facts(self) -> Loaded | None:
        made = self._colorer
        if made is None:
            return None
        return Loaded(
            str(made.device), str(made.dtype), str(made.reason), made.spec, made.notes
        )

    def _unload(self) -> None:
        if self._colorer is not None:
            self._colorer.unload()
        self._colorer = None

    def _send(self, verb: str, number: int, payload: Any) -> None:
        pickle.dump(Message(verb, number, payload), self._out, protocol=5)
        self._out.flush()


def _loader() -> Callable[..., Colorer]:
    from napari_gen2seg.models.loader import load_model

    return load_model


def _portable(error: Exception) -> Exception:
    """Return an error that survives the journey, with its sentence."""
    if isinstance(error, Gen2SegError):
        return type(error)(str(error))
    _log.error("the model failed", exc_info=error)
    if isinstance(error, MemoryError):
        return MemoryShortError(
            "There is not enough memory for this. Choose a smaller size, or close "
            "other programs."
        )
    return ModelError(
        f"The model failed ({type(error).__name__}: {error}). The log tells more; "
        "another model or size may work."
    )


def serve(load: Callable[..., Colorer] | None = None) -> None:
    """Run a server on this process's stdin and stdout."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Libraries print; that must not get between the replies.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if hasattr(os, "nice"):
        with suppress(OSError):
            os.nice(NICE)
    with suppress(BrokenPipeError):
        Server(sys.stdin.buffer, replies, load).run()


if __name__ == "__main__":
    serve()

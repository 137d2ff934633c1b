"""Client of the model process: start it, ask it, end it."""

from __future__ import annotations

import pickle
import queue
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_gen2seg.common.progress import is_cancelled
from napari_gen2seg.errors import Cancelled, MemoryShortError, ModelError
from napari_gen2seg.jobs.child import start
from napari_gen2seg.jobs.model.messages import (
    CANCEL,
    COLOR,
    DONE,
    FAILED,
    LOAD,
    PREDICT,
    PROBE,
    PROGRESS,
    UNLOAD,
    WARM,
    Loaded,
    Message,
)
from napari_gen2seg.models.forwarding_colorer import ForwardingColorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from napari_gen2seg.common.progress import Cancel, Progress
    from napari_gen2seg.core.coloring import Coloring
    from napari_gen2seg.models.forwarding_colorer import ColorOptions

PATIENCE = 5.0  # seconds that a cancelled model gets to stop by itself
LOOK = 0.05  # seconds between two looks at whether it was cancelled
COMMAND = (sys.executable, "-m", "napari_gen2seg.jobs.model.server")


class ModelClient:
    """A child process that holds a model; started when first asked.

    One question at a time: its methods but `close` are called by one thread after
    another, never by two at once.

    Parameters
    ----------
    command
        Starts the child, `COMMAND` by default; another one for tests.
    """

    def __init__(self, command: Sequence[str] | None = None) -> None:
        self._command = list(COMMAND if command is None else command)
        self._child: subprocess.Popen[bytes] | None = None
        self._replies: queue.Queue[Message | None] = queue.Queue()
        self._number = 0
        self._closed = False

    @property
    def alive(self) -> bool:
        """Whether the child runs."""
        return self._child is not None and self._child.poll() is None

    @property
    def pid(self) -> int | None:
        """Number of the child's process, or None while there is none."""
        return self._child.pid if self._child is not None else None

    def warm(self, device: str = "auto", dtype: str = "auto") -> None:
        """Start the child and let it import the model library."""
        self.ask(WARM, (device, dtype))

    def load(
        self,
        id_or_path: str | Path,
        *,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        **options: Any,
    ) -> RemoteColorer:
        """Load a model in the child; options as for `napari_gen2seg.load_model`."""
        given = {"id_or_path": id_or_path, **options}
        return RemoteColorer(self, self.ask(LOAD, given, progress, cancel))

    def ask(
        self,
        verb: str,
        payload: Any = None,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        limit: float | None = None,
    ) -> Any:
        """Ask the child something and wait for the answer.

        Parameters
        ----------
        verb, payload
            The question.
        progress, cancel
            Called while it works; asked whether it is to stop.
        limit
            Seconds after which the answer is given up; the child goes on.

        Raises
        ------
        Cancelled
            If ``cancel`` said so, when a child that does not listen is ended; or where
            the limit was over.
        ModelError, MemoryShortError
            If the child died, or whatever it reports.
        """
        child = self._running()
        given_up = None if limit is None else time.monotonic() + limit
        self._number += 1
        number = self._number
        self._send(child, Message(verb, number, payload))
        asked_to_stop: float | None = None
        while True:
            if asked_to_stop is None and is_cancelled(cancel):
                asked_to_stop = time.monotonic()
                self._send(child, Message(CANCEL, number))
            if asked_to_stop and time.monotonic() - asked_to_stop > PATIENCE:
                self.end()
                raise Cancelled("Stopped as asked; the model was ended.")
            try:
                wait = LOOK
                if given_up is not None:
                    wait = min(LOOK, max(given_up - time.monotonic(), 0.001))
                reply = self._replies.get(timeout=wait)
            except queue.Empty:
                if given_up is not None and time.monotonic() > given_up:
                    raise Cancelled("It took too long and was given up.") from None
                continue
            if reply is None:
                if asked_to_stop:
                    self.end()
                    raise Cancelled("Stopped as asked; the model was ended.")
                raise self._exit_error(child)
            if reply.number != number:
                continue  # of an earlier question that was given up
            if reply.verb == PROGRESS:
                if progress is not None:
                    progress(*reply.payload)
            elif reply.verb == FAILED:
                raise reply.payload
            elif reply.verb == DONE:
                return reply.payload

    def probe(
        self,
        name: str,
        channels: npt.NDArray[np.float32],
        limit: float | None = None,
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Ask a learned probe's network; see `core.learned_probe.looking.Predict`."""
        logits, quality = self.ask(PROBE, (name, channels), limit=limit)
        return logits, quality

    def end(self) -> None:
        """End the child; the next question starts another."""
        child, self._child = self._child, None
        if child is None:
            return
        with suppress(OSError):
            child.kill()
        with suppress(subprocess.TimeoutExpired):
            child.wait(2)
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def close(self) -> None:
        """End the child for good; may be called from any thread."""
        self._closed = True
        self.end()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise Cancelled("Closed; nothing more is computed.")
        if self._child is not None and self._child.poll() is None:
            return self._child
        child = start(
            self._command, "The models' process", ModelError, stdin=subprocess.PIPE
        )
        self._child, self._replies = child, queue.Queue()
        threading.Thread(
            target=_listen,
            args=(child, self._replies),
            name="gen2seg-replies",
            daemon=True,
        ).start()
        return child

    def _send(self, child: subprocess.Popen[bytes], message: Message) -> None:
        if child.stdin is None:  # it was started with one
            return
        with suppress(OSError, ValueError):  # a dead child is noticed by its silence
            pickle.dump(message, child.stdin, protocol=5)
            child.stdin.flush()

    def _exit_error(self, child: subprocess.Popen[bytes]) -> Exception:
        with suppress(subprocess.TimeoutExpired):
            child.wait(2)
        self.end()
        if self._closed:
            return Cancelled("Closed while it worked.")
        if child.returncode in (-9, 137):
            return MemoryShortError(
                "The system ended the model's process, most likely because memory ran "
                "out. Choose a smaller size or model, or close other programs; nothing "
                "else was lost."
            )
        return ModelError(
            f"The model's process ended unexpectedly (code {child.returncode}); "
            "nothing else was lost. Try again, or run 'napari-gen2seg doctor'."
        )


class RemoteColorer(ForwardingColorer):
    """The `Colorer` of a model in the child process.

    Parameters
    ----------
    client
        Asks the child.
    facts
        Of the model, from the child.
    """

    def __init__(self, client: ModelClient, facts: Loaded) -> None:
        super().__init__(facts)
        self._client = client

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._client.alive

    def _color(
        self,
        image: Any,
        options: ColorOptions,
        progress: Progress | None,
        cancel: Cancel | None,
    ) -> Coloring:
        # The image travels as it is: RGB floats would be up to twelve times as much.
        given = {"image": image, **options}
        coloring: Coloring
        coloring, self._facts = self._client.ask(COLOR, given, progress, cancel)
        return coloring

    def predict_many(
        self, images: Sequence[npt.NDArray[np.float32]], resolution: int
    ) -> list[npt.NDArray[np.float32]]:
        """Return the maps of several RGB images; equal sizes go as one batch."""
        maps: list[npt.NDArray[np.float32]]
        maps, self._facts = self._client.ask(PREDICT, (list(images), resolution))
        return maps

    def unload(self) -> None:
        """Free the memory; the child stays, ready for another model."""
        if self.alive:
            self._client.ask(UNLOAD)


def _listen(
    child: subprocess.Popen[bytes], replies: queue.Queue[Message | None]
) -> None:
    """Put the child's replies in a queue; None when there will be no more."""
    stream = child.stdout
    # Pickles from our own child process, never from a file or the network.
    with suppress(EOFError, OSError, ValueError, pickle.UnpicklingError):
        while stream is not None:
            replies.put(pickle.load(stream))  # noqa: S301
    replies.put(None)

"""A screen that nobody sees, for machines that have none."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from napari_gen2seg.errors import SettingsError

#: Settings that would lead Qt past the virtual display.
_MISLEADING = ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DISPLAY")


def available() -> bool:
    """Tell whether a virtual display can be started here."""
    return shutil.which("Xvfb") is not None


@contextmanager
def virtual_display(width: int = 1600, height: int = 1000) -> Iterator[str]:
    """Start an X server without a screen and let Qt use it.

    Must be entered before Qt is. The environment is as before afterwards.

    Yields
    ------
    str
        The display's name, such as ``":99"``.

    Raises
    ------
    SettingsError
        If Xvfb is not installed or does not start.
    """
    program = shutil.which("Xvfb")
    if program is None:
        raise SettingsError(
            "There is no screen, and Xvfb, which would stand in for one, is not "
            "installed. Install it: sudo apt-get install xvfb xauth"
        )
    before = {name: os.environ.get(name) for name in _MISLEADING}
    reader, writer = os.pipe()
    screen = f"{width}x{height}x24"
    server = subprocess.Popen(
        [
            program,
            "-displayfd",
            str(writer),
            "-screen",
            "0",
            screen,
            "-nolisten",
            "tcp",
        ],
        pass_fds=[writer],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        # Written when the server is ready; an empty answer means that it ended.
        with os.fdopen(reader) as stream:
            number = stream.readline().strip()
        if not number:
            raise SettingsError(
                "Xvfb, the virtual display, did not start. Try `Xvfb :99` to see why."
            )
        for name in _MISLEADING:
            os.environ.pop(name, None)
        os.environ["DISPLAY"] = f":{number}"
        yield f":{number}"
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=5)
        if server.poll() is None:
            server.kill()
            server.wait()

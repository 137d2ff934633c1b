"""Qt, napari and the canvas: will a window open, and draw?"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata

from napari_gen2seg.doctor.finding import Finding, note, ok, problem
from napari_gen2seg.doctor.software import PIP
from napari_gen2seg.doctor.trial import attempt

_BINDINGS = ("PyQt6", "PySide6", "PySide6_Essentials", "PyQt5", "PySide2")
_ALL = f"{PIP} 'napari-gen2seg[all]'"
_LIBRARIES = (
    "sudo apt-get install libegl1 libgl1 libfontconfig1 libdbus-1-3 libxkbcommon-x11-0 "
    "libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 (names as on Debian)"
)


def binding() -> Iterator[Finding]:
    """Check the Qt binding: one, and it loads."""
    found = []
    for name in _BINDINGS:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    if not found:
        yield problem("qt", "No Qt binding is installed, so no window opens.", _ALL)
        return
    outcome = attempt("qt")
    if outcome.error:
        missing = "cannot open shared object" in outcome.error
        yield problem(
            "qt",
            f"{', '.join(found)} does not load: {outcome.error}",
            _LIBRARIES if missing else f"{PIP} --force-reinstall PyQt6",
        )
        return
    facts = outcome.facts
    text = f"{facts['binding']} {facts['binding_version']}, Qt {facts['qt']}"
    if _drops_references(facts["binding"], facts["binding_version"]):
        yield problem(
            "qt",
            f"{text} crashes Python below 3.12 after some thousand signals (it gives "
            "back references to None and True that it never took).",
            f"{PIP} 'PySide6-Essentials<6.12'  (or Python 3.12, or PyQt6)",
        )
        return
    families = {entry.split()[0].split("_")[0] for entry in found}
    if len(families) > 1:
        yield note(
            "qt",
            f"{text} is used, but several bindings are installed: {', '.join(found)}.",
            "Keep one: libraries of two Qt versions can crash each other.",
        )
    elif "PyQt5" in families or "PySide2" in families:
        yield note("qt", f"{text} is deprecated by napari.", f"{PIP} PyQt6")
    else:
        yield ok("qt", text)


def _drops_references(binding: str, version: str) -> bool:
    """Tell whether this is the PySide6 that trusts None and True to be immortal.

    They are from Python 3.12 on. Measured with 6.12.0; 6.11.3 is fine.
    """
    return (
        binding == "PySide6"
        and version.startswith("6.12.")
        and sys.version_info < (3, 12)
    )


def napari() -> Iterator[Finding]:
    """Check that napari is there, recent enough, and knows the plugin."""
    try:
        version = metadata.version("napari")
    except metadata.PackageNotFoundError:
        yield problem("napari", "napari is not installed.", _ALL)
        return
    if tuple(int(part) for part in version.split(".")[:2]) < (0, 8):
        yield problem(
            "napari",
            f"napari is {version}; it must be 0.8 or newer.",
            f"{PIP} --upgrade 'napari[all]>=0.8'",
        )
        return
    outcome = attempt("napari")
    if outcome.error:
        yield problem(
            "napari",
            f"napari {version} does not load: {outcome.error}",
            f"{PIP} --upgrade --force-reinstall 'napari[all]>=0.8'",
        )
    elif not outcome.facts["plugin"]:
        yield problem(
            "napari",
            f"napari {version} does not find the plugin.",
            f"{PIP} --force-reinstall --no-deps napari-gen2seg",
        )
    elif outcome.facts["disabled"]:
        yield problem(
            "napari",
            f"napari {version} has the plugin switched off.",
            "Switch it on in napari: Plugins > Install/Uninstall Plugins.",
        )
    else:
        yield ok("napari", f"napari {version} finds the plugin")


def display() -> Iterator[Finding]:
    """Check that a canvas opens and draws."""
    platform = os.environ.get("QT_QPA_PLATFORM", "")
    if platform in {"offscreen", "minimal"}:
        yield problem(
            "display",
            f"QT_QPA_PLATFORM is {platform!r}, where napari's canvas cannot draw.",
            "Unset it; without a screen, run under a virtual one: xvfb-run -a COMMAND",
        )
        return
    if not has_display():
        virtual = shutil.which("Xvfb") is not None
        yield note(
            "display",
            "There is no screen here (neither DISPLAY nor WAYLAND_DISPLAY is set): "
            "napari's window does not open; every command works, and `demo` "
            + ("takes a virtual screen." if virtual else "goes on without a window."),
            "For the window, use a desktop, connect with `ssh -X`, or take a virtual "
            "screen: "
            + ("xvfb-run -a napari" if virtual else "sudo apt-get install xvfb xauth"),
        )
        return
    outcome = attempt("canvas")
    facts = outcome.facts
    if outcome.error or not facts.get("red"):
        reason = outcome.error or "nothing was drawn"
        yield problem(
            "display",
            f"A canvas does not open or does not draw: {reason}",
            f"Install a graphics driver, or software OpenGL: {_LIBRARIES}",
        )
        return
    text = f"{facts['platform']}, OpenGL {facts['version']} ({facts['renderer']})"
    if "llvmpipe" in facts["renderer"] or "softpipe" in facts["renderer"]:
        yield note(
            "display",
            f"{text}: drawn by the processor, 30 to 60 ms slower a picture.",
            "Install the graphics card's driver, if there is a card.",
        )
    else:
        yield ok("display", text)


def has_display() -> bool:
    """Tell whether the environment names a screen (Windows and macOS always have)."""
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))

"""The doctor names what is wrong, and the fix."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import namedtuple
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from napari_gen2seg.doctor import checks, screen, software, storage, trial
from napari_gen2seg.doctor.finding import Finding
from napari_gen2seg.doctor.trial import Outcome, attempt


def only(findings: Iterator[Finding]) -> Finding:
    """Return the one finding of a check."""
    (finding,) = findings
    return finding


def torch_says(monkeypatch: pytest.MonkeyPatch, gpu: str, **facts: Any) -> Finding:
    """Let the trial find such a torch on a machine with such a GPU."""
    known = {"version": "2.13.0", "cuda_build": None, "cuda": False, "gpus": []}
    outcome = Outcome({**known, "mps": False, **facts})
    monkeypatch.setattr(software, "attempt", lambda _: outcome)
    monkeypatch.setattr(software, "nvidia_gpu", lambda: gpu)
    return only(software.torch())


def test_the_whole_examination_in_a_child_process(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-m", "napari_gen2seg", "doctor", "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NAPARI_GEN2SEG_HOME": str(tmp_path / "home")},
    )
    findings = {entry["subject"]: entry for entry in json.loads(child.stdout)}
    assert set(findings) >= {
        "python", "packages", "opencv", "torch", "model library", "weights", "models",
        "cache", "memory", "hub", "qt", "napari", "display",
    }  # fmt: skip
    wrong = [entry for entry in findings.values() if entry["status"] == "problem"]
    assert child.returncode == (1 if wrong else 0)
    for entry in findings.values():
        assert bool(entry["fix"]) == (entry["status"] != "ok")
    for subject in ("python", "model library", "weights", "models", "napari"):
        assert findings[subject]["status"] == "ok", findings[subject]
    assert (tmp_path / "home").is_dir()


def test_a_machine_without_a_screen_has_no_problem(tmp_path: Path) -> None:
    environment = {**os.environ, "NAPARI_GEN2SEG_HOME": str(tmp_path)}
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        environment.pop(name, None)
    child = subprocess.run(
        [sys.executable, "-m", "napari_gen2seg", "doctor"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    (line,) = [one for one in child.stdout.splitlines() if " display: " in one]
    assert line.startswith("note ")
    assert child.returncode == ("PROBLEM" in child.stdout)
    if not child.returncode:
        assert "No problem found; " in child.stdout.splitlines()[-1]


def test_offscreen_qt_is_a_problem_with_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    finding = only(screen.display())
    assert finding.status == "problem"
    assert "QT_QPA_PLATFORM is 'offscreen'" in finding.text
    assert "xvfb-run" in finding.fix


def test_canvas_really_draws_under_the_test_display() -> None:
    if not screen.has_display():
        pytest.skip("no display, not even a virtual one")
    outcome = attempt("canvas")
    assert outcome.facts["red"] is True, outcome.error


def test_a_display_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    finding = only(screen.display())
    assert finding.status == "problem"
    monkeypatch.delenv("DISPLAY")
    for installed, words, fix in (
        (None, "goes on without a window", "apt-get install xvfb"),
        ("/usr/bin/Xvfb", "takes a virtual screen", "xvfb-run -a napari"),
    ):
        monkeypatch.setattr(screen.shutil, "which", lambda _, path=installed: path)
        finding = only(screen.display())
        assert finding.status == "note"
        assert "every command works" in finding.text
        assert words in finding.text
        assert fix in finding.fix


def test_a_trial_that_crashes_or_hangs_is_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "KeyError" in attempt("no such trial").error
    assert "no answer within" in attempt("torch", timeout=0.01).error


def test_torch_without_cuda_beside_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = torch_says(monkeypatch, "NVIDIA RTX")
    assert finding.status == "problem"
    assert "NVIDIA RTX" in finding.text
    assert "--index-url" in finding.fix


def test_torch_with_cuda_that_finds_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = torch_says(monkeypatch, "NVIDIA RTX", cuda_build="12.6")
    assert finding.status == "problem"
    assert "driver" in finding.fix
    finding = torch_says(monkeypatch, "", cuda_build="12.6")
    assert finding.status == "note"
    assert "whl/cpu" in finding.fix


def test_torch_that_suits_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert torch_says(monkeypatch, "").status == "ok"
    assert torch_says(monkeypatch, "", mps=True).status == "ok"
    facts = {"cuda_build": "12.6", "cuda": True, "gpus": ["RTX"]}
    finding = torch_says(monkeypatch, "RTX", **facts)
    assert finding.status == "ok"
    assert "RTX" in finding.text


def test_torch_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    for error, words in [
        ("ModuleNotFoundError: No module named 'torch'", "install torch"),
        ("OSError: [WinError 126] DLL load failed", "Visual C++"),
        ("ImportError: undefined symbol", "--force-reinstall torch"),
    ]:
        monkeypatch.setattr(software, "attempt", lambda _, e=error: Outcome(error=e))
        finding = only(software.torch())
        assert finding.status == "problem"
        assert words in finding.fix


def test_opencv_wheels_that_overwrite_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    installed = {"opencv-python": "4.11", "opencv-contrib-python-headless": "4.12"}

    def version(name: str) -> str:
        if name not in installed:
            raise metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(software.metadata, "version", version)
    finding = only(software.opencv())
    assert finding.status == "problem"
    assert "uninstall -y opencv-python opencv-contrib-python-headless" in finding.fix
    del installed["opencv-python"]
    assert only(software.opencv()).status == "ok"


def test_a_package_that_is_too_old_or_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "safetensors":
            raise metadata.PackageNotFoundError(name)
        return "1.0" if name == "torch" else real(name)

    monkeypatch.setattr(software.metadata, "version", version)
    found = list(software.packages())
    texts = [finding.text for finding in found if finding.status == "problem"]
    assert len(texts) == 2
    assert any("safetensors is not installed" in text for text in texts)
    assert any("torch is 1.0; it must be >=2.4" in text for text in texts)


def test_changed_weights_are_found(tmp_path: Path) -> None:
    (tmp_path / "unet").mkdir()
    (tmp_path / "unet" / "a.safetensors").write_bytes(b"weights")
    (tmp_path / "b.json").write_bytes(b"facts")
    sums = [
        f"{hashlib.sha256(content).hexdigest()}  {name}"
        for name, content in [
            ("unet/a.safetensors", b"weights"),
            ("b.json", b"facts"),
        ]
    ]
    (tmp_path / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    assert storage.changed_files(tmp_path) == []
    (tmp_path / "unet" / "a.safetensors").write_bytes(b"weightz")
    (tmp_path / "b.json").unlink()
    assert storage.changed_files(tmp_path) == ["unet/a.safetensors", "b.json"]


def test_a_home_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path / "file" / "home"))
    found = list(storage.folders())
    assert {finding.status for finding in found} == {"problem"}
    assert all("NAPARI_GEN2SEG_HOME" in finding.fix for finding in found)


def test_little_space(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setenv("NAPARI_GEN2SEG_HOME", str(tmp_path))
    for free, wanted in [(1e8, "problem"), (1e9, "note"), (1e11, "ok")]:
        monkeypatch.setattr(
            storage.shutil, "disk_usage", lambda _, f=free: usage(1e12, 0, f)
        )
        assert next(storage.folders()).status == wanted


def test_a_check_that_fails_does_not_hide_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> Iterator[Finding]:
        raise ValueError("unforeseen")
        yield

    monkeypatch.setattr(checks, "HEADLESS", (broken, software.python))
    found = list(checks.examine(window=False))
    assert [finding.status for finding in found] == ["problem", "ok"]
    assert "unforeseen" in found[0].text


def test_the_telling_line_of_a_traceback() -> None:
    lines = ["Traceback (most recent call last):", "ImportError: libEGL.so.1", "bye"]
    assert trial._telling(lines) == "ImportError: libEGL.so.1"


@pytest.mark.parametrize(
    ("binding", "version", "wanted"),
    [
        ("PySide6", "6.12.0", "problem"),
        ("PySide6", "6.11.3", "ok"),
        ("PyQt6", "6.12.0", "ok"),
    ],
)
def test_the_qt_binding_that_crashes_python_3_11(
    monkeypatch: pytest.MonkeyPatch, binding: str, version: str, wanted: str
) -> None:
    facts = {"binding": binding, "binding_version": version, "qt": version}
    monkeypatch.setattr(screen, "attempt", lambda _: Outcome(facts))
    monkeypatch.setattr(screen.sys, "version_info", (3, 11, 7))
    monkeypatch.setattr(screen, "_BINDINGS", ("numpy",))
    assert only(screen.binding()).status == wanted
    monkeypatch.setattr(screen.sys, "version_info", (3, 12, 0))
    assert only(screen.binding()).status == "ok"

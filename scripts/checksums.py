"""Write SHA256SUMS into a model folder, for `doctor` to compare with.

    python scripts/checksums.py [src/napari_gen2seg/models/mini]
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

MINI = Path(__file__).parent.parent / "src" / "napari_gen2seg" / "models" / "mini"
NAME = "SHA256SUMS"


def write(folder: Path) -> Path:
    """List every file of a folder with its digest."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.name != NAME and "__pycache__" not in path.parts
    )
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  "
        f"{path.relative_to(folder).as_posix()}\n"
        for path in files
    ]
    target = folder / NAME
    target.write_text("".join(lines), encoding="utf-8")
    return target


if __name__ == "__main__":
    print(write(Path(sys.argv[1]) if len(sys.argv) > 1 else MINI))

"""Run the whole suite as two processes side by side, windows in one of them.

    python scripts/run_tests.py            # everything, about half as long
    python scripts/run_tests.py ARGUMENTS  # as pytest with these arguments

Most tests wait for windows and child processes rather than compute, and two of them at
once do not get in each other's way. What the second process says is shown at the end.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

APART = ("tests/gui", "tests/session")


def main(arguments: list[str]) -> int:
    """Return the first exit status that is not 0."""
    pytest = [sys.executable, "-m", "pytest"]
    if arguments:
        return subprocess.call([*pytest, *arguments])
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen([*pytest, *APART], stdout=said, stderr=said) as windows:
            try:
                rest = subprocess.call([*pytest, *(f"--ignore={p}" for p in APART)])
                status = windows.wait()
            finally:
                windows.kill()
        said.seek(0)
        sys.stdout.buffer.write(said.read())
        sys.stdout.flush()
    return rest or status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

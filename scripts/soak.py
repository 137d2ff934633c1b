"""Let a random person work in a real window, and say what broke.

    python scripts/soak.py [--minutes 1] [--seed 0] [--train 1]

A child process opens napari under a virtual display and does one thing after another,
as the seed says: open, color, hover, click, commit, undo, paint, erase, fill, delete,
rename, change the plane, train and cancel, close the dock and open it again. It ends
well if nothing died, no exception and no warning of Qt came, every draw had what its
shader reads, and no object was lost that nobody took back, erased or painted over.
"""

from __future__ import annotations

import argparse
import collections
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
LAST = 50  # actions told when something broke
STUCK = 300  # seconds without an action: it hangs


def watch(minutes: float, seed: int, train: float) -> int:
    """Run the child and tell how it ended; return an exit status."""
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.gui.soak_person"]
    command += [f"--minutes={minutes}", f"--seed={seed}", f"--train={train}"]
    child = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    actions: collections.deque[str] = collections.deque(maxlen=LAST)
    errors: collections.deque[str] = collections.deque(maxlen=400)
    seen = [time.monotonic()]
    count = [0]

    def read_actions() -> None:
        for line in child.stdout or ():
            actions.append(line.rstrip())
            seen[0] = time.monotonic()
            count[0] += 1

    def read_errors() -> None:
        for line in child.stderr or ():
            errors.append(line.rstrip())

    readers = [threading.Thread(target=one) for one in (read_actions, read_errors)]
    for reader in readers:
        reader.start()
    started, hung = time.monotonic(), False
    while child.poll() is None:
        time.sleep(0.2)
        if time.monotonic() - seen[0] > STUCK:
            hung = True
            child.send_signal(6)  # faulthandler then says where
            break
    status = child.wait()
    for reader in readers:
        reader.join()
    spent = (time.monotonic() - started) / 60
    how = "hung" if hung else f"ended with status {status}" if status else "is well"
    print(f"seed {seed}: {count[0]} actions in {spent:.1f} minutes; the window {how}")
    if status:
        print(f"The last {len(actions)} actions:", *actions, sep="\n  ")
        print("What was said:", *errors, sep="\n  ")
    return 1 if status else 0


def main() -> int:
    """Read the options, let the person work."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--train", type=float, default=1, help="how often to train, 0 for never"
    )
    options = parser.parse_args()
    return watch(options.minutes, options.seed, options.train)


if __name__ == "__main__":
    sys.exit(main())

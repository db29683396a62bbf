"""``python -m harness.faults.guardian JOURNAL MARK``: waits for the end of its input, then cleans up.

Its input is a pipe that only the runner holds, so the kernel tells when the runner is gone, whatever
ended it. Signals to the terminal's group do not reach it: they would come when it is needed.
"""

import os
import signal
import sys
from pathlib import Path


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    journal, mark = Path(sys.argv[1]), sys.argv[2]
    # Loaded before the wait: afterwards two seconds count, and the environment may be in pieces.
    from harness.faults.guardian.cleanup import clean_up

    os.write(1, b"ready\n")
    while os.read(0, 4096):
        pass
    return clean_up(journal, mark)


if __name__ == "__main__":
    sys.exit(main())

"""``python -m harness.cli._worker``: one run of a suite that has several under way. Not for people to call."""

import os
import signal
import sys


def main() -> int:
    """Exit code 0 once the run's result lies in its folder, whatever the verdict."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    from harness import assembly
    from harness.model.errors import UserError
    from harness.model.verdicts import EXIT_USER_ERROR, Verdict
    from harness.outputs.patient import PatientStream, drained_within

    # The suite reads as it can; a run must not wait for it.
    stream = PatientStream(sys.stdout.fileno())
    try:
        assembly.work(sys.stdin.fileno(), stream.write_bytes)
    except KeyboardInterrupt:
        return Verdict.INTERRUPTED.exit_code
    except UserError as problem:
        sys.stderr.write(f"{problem}\n")
        return EXIT_USER_ERROR
    except Exception:
        import traceback

        traceback.print_exc()
        return Verdict.ERROR.exit_code
    if not drained_within(_DRAIN_S, stream):
        os._exit(0)
    return 0


_DRAIN_S = 5.0

if __name__ == "__main__":
    sys.exit(main())

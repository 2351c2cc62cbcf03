"""`python -m mergeline.project.leash PIPE ...`: the command line, until the pipe's writer ends.

Nobody writes to the pipe. It ends with the process that holds its other end, however that one
came to its end: by a kill that it could not answer, or with the terminal that it ran in.
"""

import os
import runpy
import signal
import sys
import threading


def main() -> None:
    """Run `mergeline` with the rest of the arguments; interrupt it as Ctrl-C does."""
    pipe = int(sys.argv.pop(1))
    os.set_inheritable(pipe, False)
    # Started in the background by a shell, it would inherit that interrupts are ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=_interrupt_at_end, args=(pipe,), daemon=True).start()
    runpy.run_module("mergeline", run_name="__main__", alter_sys=True)


def _interrupt_at_end(pipe: int) -> None:
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    main()

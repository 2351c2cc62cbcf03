"""What makes the bytes of a result depend on the machine, fixed for every stage.

Sums depend on the number of threads, on the BLAS kernel and on NumPy's vector kernels;
sets of text on the hash seed. Libraries read these variables when they are loaded, so
a stage starts itself again with them before it imports any.
"""

import os
import platform
import sys

_X86 = {
    # Every x86-64 server of the last ten years has AVX2; AVX-512 only some.
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
_ARM = {"OPENBLAS_CORETYPE": "ARMV8"}


def pinned_variables() -> dict[str, str]:
    """Return the environment variables that every stage runs with."""
    kernels = {"x86_64": _X86, "AMD64": _X86, "aarch64": _ARM, "arm64": _ARM}
    return {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        **kernels.get(platform.machine(), {}),
    }


def pin_process(arguments: list[str]) -> None:
    """Start this process again with the pinned variables, unless it has them.

    Args:
        arguments: What follows `python -m mergeline`.
    """
    wanted = pinned_variables()
    if all(os.environ.get(name) == value for name, value in wanted.items()):
        return
    command = [sys.executable, "-m", "mergeline", *arguments]
    os.execve(sys.executable, command, {**os.environ, **wanted})  # noqa: S606 -- itself

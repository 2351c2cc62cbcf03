"""Division of sums over rows, where a replicate of the bootstrap may have drawn none."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[np.float64]]


def divide(above: "Floats", below: "Floats", otherwise: float = float("nan")) -> "Floats":
    """Divide where the denominator is positive; NaN elsewhere, or another value."""
    import numpy as np

    return np.divide(above, below, out=np.full_like(above, otherwise), where=below > 0)

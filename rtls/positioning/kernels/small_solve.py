"""Solve the symmetric 3 × 3 systems of the fix and the filter.

Layer: kernels. Takes: six numbers of a symmetric matrix. Gives: its inverse to the other kernels.
"""

from numba import njit

Symmetric3 = tuple[float, float, float, float, float, float]
DETERMINANT_MIN = 1e-30


@njit(cache=True, nogil=True, error_model="numpy")
def invert3(
    a00: float, a10: float, a11: float, a20: float, a21: float, a22: float
) -> tuple[Symmetric3, bool]:
    """Return the inverse of a symmetric positive matrix as (00, 10, 11, 20, 21, 22)."""
    c00 = a11 * a22 - a21 * a21
    c10 = a20 * a21 - a10 * a22
    c20 = a10 * a21 - a11 * a20
    determinant = a00 * c00 + a10 * c10 + a20 * c20
    if not determinant > DETERMINANT_MIN:
        return (0.0, 0.0, 0.0, 0.0, 0.0, 0.0), False
    scale = 1.0 / determinant
    c11 = a00 * a22 - a20 * a20
    c21 = a10 * a20 - a00 * a21
    c22 = a00 * a11 - a10 * a10
    return (
        c00 * scale,
        c10 * scale,
        c11 * scale,
        c20 * scale,
        c21 * scale,
        c22 * scale,
    ), True


@njit(cache=True, nogil=True, error_model="numpy")
def times(a: Symmetric3, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return a packed symmetric matrix times a vector."""
    return (
        a[0] * x + a[1] * y + a[3] * z,
        a[1] * x + a[2] * y + a[4] * z,
        a[3] * x + a[4] * y + a[5] * z,
    )

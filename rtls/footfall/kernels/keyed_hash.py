"""Draw for each row of numbers one number that only who has the key can foresee.

Layer: kernels. Takes: rows of 64-bit words and a key of two. Gives: SipHash-2-4 of each row
(Aumasson and Bernstein, SipHash: a fast short-input PRF, 2012), v0 to v3 as in the paper.
"""

import numpy as np
import numpy.typing as npt

UInt64s = npt.NDArray[np.uint64]
State = tuple[UInt64s, UInt64s, UInt64s, UInt64s]


def sip_hash(words: UInt64s, key_0: int, key_1: int) -> UInt64s:
    """Return (n,) the keyed hash of each row of ``words`` : (n, m), eight bytes a word."""
    n, m = words.shape
    low, high = np.uint64(key_0), np.uint64(key_1)
    state: State = (
        np.full(n, low ^ np.uint64(0x736F6D6570736575)),
        np.full(n, high ^ np.uint64(0x646F72616E646F6D)),
        np.full(n, low ^ np.uint64(0x6C7967656E657261)),
        np.full(n, high ^ np.uint64(0x7465646279746573)),
    )
    for column in range(m):
        state = _taken_in(state, words[:, column])
    # The last block holds the length in bytes, as the paper asks; all rows are of one length.
    state = _taken_in(state, np.full(n, np.uint64((8 * m % 256) << 56)))
    v0, v1, v2, v3 = state
    v2 ^= np.uint64(0xFF)
    for _ in range(4):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3


def _taken_in(state: State, word: UInt64s) -> State:
    v0, v1, v2, v3 = state
    v3 ^= word
    for _ in range(2):
        v0, v1, v2, v3 = _round(v0, v1, v2, v3)
    return v0 ^ word, v1, v2, v3


def _round(v0: UInt64s, v1: UInt64s, v2: UInt64s, v3: UInt64s) -> State:
    v0 = v0 + v1
    v1 = _turned(v1, 13) ^ v0
    v0 = _turned(v0, 32)
    v2 = v2 + v3
    v3 = _turned(v3, 16) ^ v2
    v0 = v0 + v3
    v3 = _turned(v3, 21) ^ v0
    v2 = v2 + v1
    v1 = _turned(v1, 17) ^ v2
    v2 = _turned(v2, 32)
    return v0, v1, v2, v3


def _turned(word: UInt64s, by: int) -> UInt64s:
    return (word << np.uint64(by)) | (word >> np.uint64(64 - by))

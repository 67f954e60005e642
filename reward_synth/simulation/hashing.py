"""Random numbers as a function of what they are for, the same in NumPy and in PyTorch.

A counter-based generator (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): a
number depends on its key alone, so nothing is kept, nothing is shared between environments, and a
device draws without the host.  The mixing function is MurmurHash3's 32-bit finaliser.
"""

from typing import Any

Array = Any

_MASK = 0xFFFFFFFF
_FIRST, _SECOND = 0x85EBCA6B, 0xC2B2AE35
"""MurmurHash3's multipliers."""
_STEP = 0x9E3779B9
"""2³² over the golden ratio: keeps keys apart that differ in one part by little."""


def uniform(*key: Array) -> Array:
    """Uniform numbers in [0, 1), of the keys' broadcast shape.

    Args:
        key: int64 arrays of one namespace (NumPy or PyTorch), or plain integers; not negative.
    """
    mixed: Any = 0
    for part in key:
        mixed = _mix((mixed * 31 + part + _STEP) & _MASK)
    return mixed / 2.0**32


def _mix(x: Array) -> Array:
    # Products pass 64 bits and wrap, which leaves their lower 32 bits as they are.
    x = x ^ (x >> 16)
    x = (x * _FIRST) & _MASK
    x = x ^ (x >> 13)
    x = (x * _SECOND) & _MASK
    return x ^ (x >> 16)

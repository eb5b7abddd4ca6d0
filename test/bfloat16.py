"""Numbers of bf16, which numpy has not: as words of 16 bits."""

import numpy as np


def to_bf16(numbers):
    """The words of the nearest numbers of bf16, the even one of two as near; NaN is one word."""
    numbers = np.asarray(numbers, np.float32)
    bits = numbers.view(np.uint32).astype(np.uint64)
    words = ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(numbers), np.uint16(0x7FC0), words)


def from_bf16(words):
    """The numbers that words stand for, as f32."""
    return (np.asarray(words, np.uint16).astype(np.uint32) << 16).view(np.float32)

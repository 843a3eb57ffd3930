"""What each leaf of each tree says, and which features led there.

On the way from a tree's root to a leaf the expected value changes with every split; each change is put down to the
feature that was asked (A. Saabas, "Interpreting random forests", 2014). The expected value of a node is the mean of its
leaves by how many rows fell into them in training, as in path-dependent TreeSHAP (Lundberg and others, 2020), so both
start from the same base and add up to the same margin. All of it is known before the first row comes: a row of numbers
for each leaf.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Effects:
    """For each leaf of all trees its value, and what each feature added on the way: in 32 bits, it is for people."""

    def __init__(self, trees: Sequence[Mapping[str, Any]], features: int) -> None:
        rows: list[NDArray[np.float64]] = []
        first = []
        self.base = 0.0
        """What the trees say of an order of which nothing is known: their mean over the training rows."""
        for tree in trees:
            first.append(len(rows))
            root = tree["tree_structure"]
            self.base += _expected(root)[0]
            leaves = sorted(_leaves(root, np.zeros(features + 1)), key=lambda leaf: leaf[0])
            rows += [row for _, row in leaves]
        self._first = np.array(first, dtype=np.float64)
        table = np.array(rows)
        self._values = table[:, -1].copy()
        self._effects = table[:, :-1].astype(np.float32)
        self._ones = np.ones(len(first), dtype=np.float32)

    def of(self, leaves: NDArray[np.float64]) -> tuple[float, NDArray[np.float32]]:
        """Return the margin of a row that fell into these leaves, and each feature's effect."""
        # As a product with ones, because BLAS adds rows in a third of the time that a sum over them takes.
        at = (leaves + self._first).astype(np.intp)
        return self._values.take(at).sum().item(), self._ones @ self._effects.take(at, axis=0)


def _expected(node: Mapping[str, Any]) -> tuple[float, int]:
    """Return a node's mean over its training rows, and how many they were."""
    if "leaf_value" in node:
        return node["leaf_value"], node.get("leaf_count", 1)
    (left, n), (right, m) = _expected(node["left_child"]), _expected(node["right_child"])
    return (left * n + right * m) / (n + m), n + m


def _leaves(node: Mapping[str, Any], so_far: NDArray[np.float64]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    if "leaf_value" in node:
        so_far[-1] = node["leaf_value"]
        yield node.get("leaf_index", 0), so_far
        return
    here = _expected(node)[0]
    for child in (node["left_child"], node["right_child"]):
        further = so_far.copy()
        further[node["split_feature"]] += _expected(child)[0] - here
        yield from _leaves(child, further)

"""Graph steps over the edges of the components that changed, by scipy: any depth, no recursion."""

from __future__ import annotations

import numpy
from scipy.sparse import coo_matrix, csgraph


def connected_components(edges: list[dict[str, str]] | None) -> list[dict[str, str]]:
    """Label each record of `edges` ({a, b}, undirected) with the smallest record_key it is connected to.

    Returns one {record_key, cluster_id} per distinct end; the order of the edges does not matter.
    """
    if not edges:
        return []
    keys = sorted({edge["a"] for edge in edges} | {edge["b"] for edge in edges})
    position = {key: index for index, key in enumerate(keys)}
    left = numpy.fromiter((position[edge["a"]] for edge in edges), dtype=numpy.int64, count=len(edges))
    right = numpy.fromiter((position[edge["b"]] for edge in edges), dtype=numpy.int64, count=len(edges))
    matrix = coo_matrix((numpy.ones(len(edges), dtype=numpy.int8), (left, right)), shape=(len(keys),) * 2)
    _, labels = csgraph.connected_components(matrix, directed=False)
    smallest: dict[int, str] = {}
    for key, label in zip(keys, labels, strict=True):  # keys ascend, so the first of a label is its smallest
        smallest.setdefault(label, key)
    return [{"record_key": key, "cluster_id": smallest[label]} for key, label in zip(keys, labels, strict=True)]


def follow_chains(steps: list[dict[str, str]] | None) -> list[dict[str, str]]:
    """Follow `steps` (a was merged into b, one per a) to their ends: one {a, b = last winner} per a.

    A chain that runs in a circle (a merge that was undone the other way round) ends at the smallest key
    of the circle, so that the answer does not depend on where one starts.
    """
    if not steps:
        return []
    follows = {step["a"]: step["b"] for step in sorted(steps, key=lambda step: (step["a"], step["b"]))}
    ends: dict[str, str] = {}
    for start in follows:
        path: list[str] = []
        seen: set[str] = set()
        at = start
        while at in follows and at not in ends and at not in seen:
            seen.add(at)
            path.append(at)
            at = follows[at]
        end = ends.get(at, min(path[path.index(at) :]) if at in seen else at)
        ends.update(dict.fromkeys(path, end))
    return [{"a": start, "b": end} for start, end in sorted(ends.items())]

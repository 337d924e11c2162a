"""Find the shortest way over a grid by A* (Hart, Nilsson, Raphael, 1968) with a binary heap.

Layer: kernels. Takes: nodes, steps between them, and how far the ends are from nodes near them.
Gives: the nodes of the way to rtls.navigation.route_finder. No way is shorter than the straight
line, so that line is what is still to go at least.
"""

import math

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Whole = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def _sift_up(cost: Floats, node: Whole, place: int) -> None:
    while place > 0:
        above = (place - 1) // 2
        if cost[above] <= cost[place]:
            return
        cost[above], cost[place] = cost[place], cost[above]
        node[above], node[place] = node[place], node[above]
        place = above


@njit(cache=True, nogil=True)
def _sift_down(cost: Floats, node: Whole, size: int) -> None:
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            return
        if below + 1 < size and cost[below + 1] < cost[below]:
            below += 1
        if cost[place] <= cost[below]:
            return
        cost[below], cost[place] = cost[place], cost[below]
        node[below], node[place] = node[place], node[below]
        place = below


@njit(cache=True, nogil=True)
def _way_back(before: Whole, node: int) -> Whole:
    count = 0
    place = node
    while place >= 0:
        count += 1
        place = before[place]
    way = np.empty(count, np.int64)
    for k in range(count - 1, -1, -1):
        way[k] = node
        node = before[node]
    return way


@njit(cache=True, nogil=True)
def shortest_way(
    node_xy: Floats,
    neighbours: Ints,
    start_node: Whole,
    start_m: Floats,
    end_node: Whole,
    end_m: Floats,
    end_x: float,
    end_y: float,
) -> Whole:
    """Return the nodes of the way, none where there is no way.

    ``start_node``, ``end_node`` : (k,) nodes that are reached straight from the ends, and
    ``start_m``, ``end_m`` : (k,) how far they are. ``neighbours`` : (n, 8), -1 for none.
    """
    n = node_xy.shape[0]
    walked, last = np.full(n, np.inf), np.full(n, np.inf)
    before, is_done = np.full(n, -1, np.int64), np.zeros(n, np.bool_)
    room = n * neighbours.shape[1] + start_node.size + 1
    heap_cost, heap_node = np.empty(room), np.empty(room, np.int64)
    size = 0
    for k, node in enumerate(end_node):
        last[node] = end_m[k]
    for k, node in enumerate(start_node):
        walked[node] = start_m[k]
        rest = math.hypot(node_xy[node, 0] - end_x, node_xy[node, 1] - end_y)
        heap_cost[size], heap_node[size] = start_m[k] + rest, node
        size += 1
        _sift_up(heap_cost, heap_node, size - 1)
    best, best_node = np.inf, -1
    while size > 0 and heap_cost[0] < best:
        node = heap_node[0]
        size -= 1
        heap_cost[0], heap_node[0] = heap_cost[size], heap_node[size]
        _sift_down(heap_cost, heap_node, size)
        if is_done[node]:
            continue
        is_done[node] = True
        if walked[node] + last[node] < best:
            best, best_node = walked[node] + last[node], node
        for k in range(neighbours.shape[1]):
            there = neighbours[node, k]
            if there < 0 or is_done[there]:
                continue
            step = math.hypot(
                node_xy[there, 0] - node_xy[node, 0], node_xy[there, 1] - node_xy[node, 1]
            )
            if walked[node] + step < walked[there]:
                walked[there] = walked[node] + step
                before[there] = node
                rest = math.hypot(node_xy[there, 0] - end_x, node_xy[there, 1] - end_y)
                heap_cost[size], heap_node[size] = walked[there] + rest, there
                size += 1
                _sift_up(heap_cost, heap_node, size - 1)
    return _way_back(before, best_node)

"""Which known word was meant by an unknown one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word within one slip of the pen (two in words of six letters or more), or ``None``.

    A similarity ratio will not do here: two keys that share a long ending and differ in their first
    word altogether are 80 % alike, yet are two different settings.
    """
    wanted = _folded(word)
    allowed = 2 if len(wanted) >= 6 else 1
    slips, best = min(((_slips(wanted, _folded(other)), other) for other in known), default=(allowed + 1, ""))
    return best if slips <= allowed else None


def _folded(word: str) -> str:
    return word.casefold().replace("_", "-")


def _slips(left: str, right: str) -> int:
    """Letters left out, added, replaced, or swapped with their neighbour (optimal string alignment)."""
    if abs(len(left) - len(right)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, above, row = row, before, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
    return row[-1]

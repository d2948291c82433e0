"""Links: pairs of images that belong together, as indices, and the groups that they form."""

from collections.abc import Iterable, Sequence


def links_by_value(values: Sequence[object]) -> list[tuple[int, int]]:
    """Link the index of each value to that of the first equal value."""
    first: dict[object, int] = {}
    return [(first.setdefault(value, number), number) for number, value in enumerate(values)]


def joined(links: Iterable[tuple[int, int]], count: int) -> list[int]:
    """Return the group of each of `count` images: the smallest index that links lead to."""
    group = [*range(count)]

    def root(number: int) -> int:
        while group[number] != number:
            number = group[number]
        return number

    for one, other in links:
        first, second = sorted((root(one), root(other)))
        group[second] = first
    return [root(number) for number in range(count)]

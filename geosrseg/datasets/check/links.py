"""Links: pairs of images that belong together, by their numbers, and the groups they make."""

from collections.abc import Iterable, Sequence


def links_by_value(values: Sequence[object]) -> list[tuple[int, int]]:
    """A link from each value to the first one that is equal, by their numbers."""
    first: dict[object, int] = {}
    return [(first.setdefault(value, number), number) for number, value in enumerate(values)]


def joined(links: Iterable[tuple[int, int]], count: int) -> list[int]:
    """For each of `count` images the smallest number that it is linked with, over any others."""
    group = [*range(count)]

    def root(number: int) -> int:
        while group[number] != number:
            number = group[number]
        return number

    for one, other in links:
        first, second = sorted((root(one), root(other)))
        group[second] = first
    return [root(number) for number in range(count)]

"""Groups of linked images."""

from geosrseg.datasets.check.links import joined, links_by_value


def test_links_join_over_others_and_a_group_has_its_smallest_number():
    assert joined([(3, 1), (4, 3), (0, 5)], 6) == [0, 1, 2, 1, 1, 0]


def test_what_is_alone_is_its_own_group():
    assert joined([], 3) == [0, 1, 2]


def test_equal_values_are_linked_with_the_first_of_them():
    assert joined(links_by_value(["a", 1, "a", 2, 1]), 5) == [0, 1, 0, 3, 1]

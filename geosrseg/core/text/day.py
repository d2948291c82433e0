"""Parses days in names."""

from datetime import date, datetime


def parse_day(text: str, layout: str) -> date | None:
    """Return the day that a text states in a layout of `strptime`; None if there is no such day."""
    try:
        day = datetime.strptime(text, layout).date()
    except ValueError:
        return None
    # strptime takes day 366 of a common year for the next year's first
    return day if day.strftime(layout) == text else None

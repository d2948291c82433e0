"""Examines a scene before it is read: bands, radiometry, fill, area of interest, plausibility."""

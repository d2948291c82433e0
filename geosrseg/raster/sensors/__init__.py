"""Sensors: recognise products of several files and describe their bands."""

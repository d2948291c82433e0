"""Sensors: products of several files, recognised and described for the reader of scenes."""

"""Windows over a scene, and the blending of their overlaps."""

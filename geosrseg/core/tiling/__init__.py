"""Windows over a scene, and how their overlaps are blended."""

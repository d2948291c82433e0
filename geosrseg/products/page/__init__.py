"""The HTML page of a map, with a swipe between scene and map."""

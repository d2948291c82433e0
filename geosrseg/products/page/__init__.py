"""The page to swipe between scene and map."""

"""From a scene to a class map: planning, running windows, painting and writing layers."""

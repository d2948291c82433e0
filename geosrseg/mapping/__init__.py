"""Scene to class map: planning, running the windows, painting the layers."""

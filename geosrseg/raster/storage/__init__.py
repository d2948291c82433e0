"""Where files lie: folders, archives, addresses; locks and publication."""

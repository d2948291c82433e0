"""What commands show: progress, summaries, tables."""

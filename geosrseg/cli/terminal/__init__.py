"""What commands print: progress, summaries, tables."""

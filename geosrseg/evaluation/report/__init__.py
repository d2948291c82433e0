"""What an evaluation is written as: text, tables and a page."""

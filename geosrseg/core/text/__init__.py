"""Text that people and files give, and how it is read and written."""

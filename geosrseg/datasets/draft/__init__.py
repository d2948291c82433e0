"""Drafts of dataset cards, made from images and masks."""

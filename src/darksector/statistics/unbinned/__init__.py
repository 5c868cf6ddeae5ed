"""Shapes, and fits event by event in a batch."""

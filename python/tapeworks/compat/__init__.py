"""Surfaces of other frameworks on top of tapeworks; each is imported by name when wanted."""

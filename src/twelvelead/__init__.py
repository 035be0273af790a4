"""Reads 12-lead ECGs; the project layout in README.md has the order of its rooms."""

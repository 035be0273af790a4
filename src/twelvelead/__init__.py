"""Reads 12-lead ECGs: each room of docs and code is a module or package here, README.md has the way through them."""

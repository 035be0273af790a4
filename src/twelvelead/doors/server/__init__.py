"""The HTTP server: the same flow for uploads; what parses a stranger's bytes runs in processes that may die."""

"""Probabilities, decisions, and how good they are: the Challenge's scores, ours, thresholds, intervals."""

"""Record -> windows: the recipe in physical units, and windows; quality and heart rate on the way."""

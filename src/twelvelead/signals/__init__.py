"""Record -> windows: the recipe in physical units, and the cutting of a recording into windows."""

"""Networks under one protocol: folds, runs, the comparison of their out-of-fold predictions."""

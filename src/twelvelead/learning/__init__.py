"""From labelled recordings to trained weights: split, samples, store, fit."""

"""From labelled recordings to trained weights: split, samples, fit, export."""

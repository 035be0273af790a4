"""The CNN-GRU and its named configurations; torch lives here and in learning, nowhere else."""

"""The CNN-GRU and its named configurations; torch lives in cnn_gru, to_onnx and learning, nowhere else."""

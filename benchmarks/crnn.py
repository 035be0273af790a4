"""torch_ecg's CRNN as it comes, as an ONNX graph on standard output.

In a process and a folder of its own (build/torch-ecg, PYTHONPATH), for torch_ecg wants an older pandas than the
development set has.
"""

import io
import sys
import warnings
from copy import deepcopy

import torch

WINDOW_SAMPLES = 5_000  # 10 s at the 500 Hz of its configuration

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    from torch_ecg.model_configs import ECG_CRNN_CONFIG
    from torch_ecg.models import ECG_CRNN

    network = ECG_CRNN(classes=list(map(str, range(9))), n_leads=12, config=deepcopy(ECG_CRNN_CONFIG)).eval()
    window, graph = torch.zeros(1, 12, WINDOW_SAMPLES), io.BytesIO()
    torch.onnx.export(network, (window,), graph, input_names=["windows"], dynamo=False)
    sys.stdout.buffer.write(graph.getvalue())

"""The network's graph with convolutions and products in 8-bit integers, calibrated on recordings."""

import logging
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

IN_INTEGERS: Final = ("Conv", "MatMul")
BATCH: Final = 32


def to_int8(graph: bytes, windows: NDArray[np.float32]) -> bytes:
    """The graph with static quantisation (QDQ): a scale for each weight's channel, and for each activation one that
    the windows (n, 12, samples) need. The GRU stays in float32, for which onnxruntime has no integers of this kind.
    Weights have seven bits: processors without VNNI add two products in sixteen, which products of eight overflow.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, made = Path(folder, "model.onnx"), Path(folder, "model.int8.onnx")
        path.write_bytes(graph)
        disabled = logging.root.manager.disable
        logging.disable(max(disabled, logging.WARNING))  # it asks for a preparation that changes nothing here
        try:
            quantize_static(
                path,
                made,
                _Windows(windows),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                reduce_range=True,
                op_types_to_quantize=list(IN_INTEGERS),
            )
        finally:
            logging.disable(disabled)
        return made.read_bytes()


class _Windows(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, windows: NDArray[np.float32]) -> None:
        self.batches = (windows[start : start + BATCH] for start in range(0, len(windows), BATCH))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        batch = next(self.batches, None)
        return None if batch is None else {"windows": batch}

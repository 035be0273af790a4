"""The doors through which people and machines come in; each calls the same flow."""

import os

# A recording's products are too small for threads: beside a busy process NumPy's take ten times as long as one thread.
# Recordings are handed to processes instead. NumPy looks at the variable when it is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

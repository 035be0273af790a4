"""Which recordings are the test: PTB-XL's fold 9 in millivolts, and the even-numbered records of CPSC2018.

    python experiments/test_lists.py DATA

wrote experiments/ptb-xl-fold-9.txt (333 recordings) and experiments/cpsc2018-even.txt (30).
"""

import sys
from pathlib import Path

from twelvelead.databases import LabelledRecord, find
from twelvelead.formats import read


def is_fold_9(record: LabelledRecord) -> bool:
    """Whether a recording is of PTB-XL's fold 9, and not one of those that survive standardised only."""
    return record.database == "ptb-xl" and record.fold == 9 and read(record.path).unit == "mV"


def is_even(record: LabelledRecord) -> bool:
    """Whether a recording of CPSC2018 has an even number."""
    return record.database == "cpsc2018" and int(record.recording[1:]) % 2 == 0


def main() -> None:
    """Write both lists beside this file."""
    records = find([Path(sys.argv[1])]).records
    for name, belongs in (("ptb-xl-fold-9", is_fold_9), ("cpsc2018-even", is_even)):
        keys = sorted(record.key for record in records if belongs(record))
        path = Path(__file__).parent / f"{name}.txt"
        path.write_text(f"# {name}: {len(keys)} recordings kept for the test\n" + "\n".join(keys) + "\n")
        print(f"{path.name}: {len(keys)} recordings")


if __name__ == "__main__":
    main()

"""The databases that can be downloaded: where each lies, its licence, its size.

Only what anybody may have without an account. Each address is that of the publisher's own page, by version; see
https://physionet.org/content/PATH/ and https://zenodo.org/records/PATH for what is known of each.
"""

from typing import Final, Literal, NamedTuple


class Source(NamedTuple):
    """Where a database lies.

    host and path: a project and its version at PhysioNet, or a record's number at Zenodo.
    gigabytes: about how much room it takes, from the number of its samples; used where the list gives no sizes,
    and no file of it is larger.
    within: only the files whose names begin so; empty for all.
    """

    host: Literal["physionet", "zenodo"]
    path: str
    licence: str
    gigabytes: float
    within: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """The publisher's page."""
        return PAGES[self.host] + self.path


ROOTS: Final = {"physionet": "https://physionet.org/files", "zenodo": "https://zenodo.org"}
PAGES: Final = {"physionet": "https://physionet.org/content/", "zenodo": "https://zenodo.org/records/"}

CC_BY, ODC_BY, ODBL = "CC BY 4.0", "ODC-By 1.0", "ODbL 1.0"
CHALLENGE: Final = "challenge-2021/1.0.3"
PTBXL_AT_100_HZ: Final = ("LICENSE.txt", "ptbxl_database.csv", "scp_statements.csv", "records100/")

SOURCES: Final = {
    "challenge-2020": Source("physionet", "challenge-2020/1.0.2", CC_BY, 8.4),
    "challenge-2021": Source("physionet", CHALLENGE, CC_BY, 14),
    "chapman-shaoxing": Source("physionet", CHALLENGE, CC_BY, 1.3, ("training/chapman_shaoxing/",)),
    "code-15": Source("zenodo", "4916206", CC_BY, 47),
    "cpsc2018": Source("physionet", CHALLENGE, CC_BY, 1.4, ("training/cpsc_2018/",)),
    "cpsc2018-extra": Source("physionet", CHALLENGE, CC_BY, 0.7, ("training/cpsc_2018_extra/",)),
    "ecg-arrhythmia": Source("physionet", "ecg-arrhythmia/1.0.0", CC_BY, 6),
    "georgia": Source("physionet", CHALLENGE, CC_BY, 1.3, ("training/georgia/",)),
    "incart": Source("physionet", "incartdb/1.0.0", ODC_BY, 0.8),
    "ludb": Source("physionet", "ludb/1.0.1", ODC_BY, 0.1),
    "mimic-iv-ecg": Source("physionet", "mimic-iv-ecg/1.0", ODBL, 98),
    "ningbo": Source("physionet", CHALLENGE, CC_BY, 4.3, ("training/ningbo/",)),
    "ptb": Source("physionet", "ptbdb/1.0.0", ODC_BY, 1.8),
    "ptb-xl": Source("physionet", "ptb-xl/1.0.3", CC_BY, 3.2),
    "ptb-xl-100": Source("physionet", "ptb-xl/1.0.3", CC_BY, 0.7, PTBXL_AT_100_HZ),
}

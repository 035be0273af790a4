"""The published databases that are known by name: what each is called, its licence, and where it is."""

from typing import Final

PUBLISHED: Final = {
    "ptb-xl": ("PTB-XL", "CC BY 4.0", "https://doi.org/10.13026/kfzx-aw45"),
    "ludb": ("LUDB", "ODC-By 1.0", "https://doi.org/10.13026/eegm-h675"),
    "cpsc2018": ("CPSC2018", "CC BY 4.0", "http://2018.icbeb.org/Challenge.html"),
    "cpsc2018-extra": ("CPSC2018-Extra", "CC BY 4.0", "https://doi.org/10.13026/34va-7q14"),
    "georgia": ("Georgia", "CC BY 4.0", "https://doi.org/10.13026/34va-7q14"),
    "chapman-shaoxing": ("Chapman-Shaoxing", "CC BY 4.0", "https://doi.org/10.13026/34va-7q14"),
    "ningbo": ("Ningbo", "CC BY 4.0", "https://doi.org/10.13026/34va-7q14"),
    "ptb": ("PTB", "ODC-By 1.0", "https://doi.org/10.13026/C28C71"),
    "incart": ("INCART", "ODC-By 1.0", "https://doi.org/10.13026/C2V88N"),
    "sph": ("SPH", "CC0 1.0", "https://doi.org/10.6084/m9.figshare.c.5779802"),
    "code-15": ("CODE-15 %", "CC BY 4.0", "https://doi.org/10.5281/zenodo.4916206"),
    "mimic-iv-ecg": ("MIMIC-IV-ECG", "ODbL 1.0", "https://doi.org/10.13026/4nqg-sb35"),
}

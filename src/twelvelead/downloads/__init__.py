"""Name of a database -> its files on disk, each verified against the checksum that its publisher gives."""

from twelvelead.downloads.download import Downloaded, download
from twelvelead.downloads.fetch import DownloadError
from twelvelead.downloads.sources import SOURCES

__all__ = ["SOURCES", "DownloadError", "Downloaded", "download"]

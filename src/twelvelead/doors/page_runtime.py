"""onnxruntime-web, with which the page runs the network: fetched once from the npm registry, pinned and verified."""

import hashlib
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from twelvelead.downloads.download import connections_to
from twelvelead.downloads.fetch import File, fetch
from twelvelead.record import TwelveleadError

VERSION: Final = "1.30.0"
URL: Final = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
ELSEWHERE: Final = f"name another in XDG_CACHE_HOME, or give --runtime what `npm pack onnxruntime-web@{VERSION}` gives"
N_BYTES: Final = 33_106_585
SHA512: Final = (
    "ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca"
    "590a5cdc57bb2f35ce2b298de32f4d956fb42644c0ecd528a0a91e025c07ca61"
)
SHA256: Final = {
    "package/dist/ort.wasm.bundle.min.mjs": "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    "package/dist/ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}


class PageError(TwelveleadError):
    """The page cannot be written: its runtime is missing, damaged, or of another version."""


class Runtime(NamedTuple):
    """The two files of onnxruntime-web that the page needs: its script, a module, and its WebAssembly."""

    script: str
    wasm: bytes


def cache_folder() -> Path:
    """Where the fetched runtime is kept, as the XDG specification has it."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    try:
        return (Path(named) if Path(named).is_absolute() else Path.home() / ".cache") / "twelvelead"
    except RuntimeError as error:  # of nobody that the system knows
        raise PageError(f"no home folder for what is fetched: {ELSEWHERE}") from error


def fetched(tell: Callable[[int], None]) -> Path:
    """The archive in the cache folder, fetched first where it is not there; tell: bytes as they come.

    Raises DownloadError where the registry cannot be reached or gives other bytes than were published.
    """
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PageError(f"nothing can be kept in {folder} ({error.strerror}): {ELSEWHERE}") from error
    file = File(URL.rpartition("/")[2], URL, "sha512", SHA512, N_BYTES, N_BYTES)
    fetch(file, folder, connections_to(URL, 1, 0.5, tell))
    return folder / file.name


def runtime_in(archive: Path) -> Runtime:
    """The runtime in an npm archive; raises PageError where it is another version's, or damaged."""
    files = _files(archive)
    for name, sha256 in SHA256.items():
        found = hashlib.sha256(files[name]).hexdigest()
        if found != sha256:
            raise PageError(
                f"{name} in {archive} has sha256 {found[:12]}…, that of onnxruntime-web {VERSION} is {sha256[:12]}…: "
                f"get it with npm pack onnxruntime-web@{VERSION}"
            )
    script, wasm = files.values()
    return Runtime(script.decode(), wasm)


def _files(archive: Path) -> dict[str, bytes]:
    """The two files of an npm archive, which is read once, from its beginning to its end."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r|gz") as held:
            for member in held:
                if member.name in SHA256 and (opened := held.extractfile(member)):
                    found[member.name] = opened.read()
        return {name: found[name] for name in SHA256}
    except (OSError, KeyError, tarfile.TarError, EOFError) as error:
        raise PageError(
            f"{archive} is not the npm archive of onnxruntime-web {VERSION} ({str(error).splitlines()[0]}): "
            f"get it with npm pack onnxruntime-web@{VERSION}"
        ) from error

"""A real Chromium for the tests of the page, and the page as a file; skipped in one line where there is none."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from programs import chromium
from twelvelead.classifier import load_bundle, shipped_bundle
from twelvelead.doors.page_assembly import one_file
from twelvelead.doors.page_runtime import URL, fetched, runtime_in
from twelvelead.downloads.fetch import DownloadError

TIMEOUT_MS = 120_000


def runtime_archive() -> Path:
    """onnxruntime-web, fetched once into the cache."""
    try:
        return fetched(lambda _: None)
    except DownloadError as error:
        pytest.skip(f"no onnxruntime-web, and {URL} cannot be fetched: {error}")


def write_page(path: Path) -> Path:
    """The page with the shipped bundle, in one file."""
    html = one_file(runtime_in(runtime_archive()), load_bundle(shipped_bundle()))
    path.write_text(html, encoding="utf-8", newline="\n")
    return path


@contextmanager
def browsing() -> Iterator[Any]:
    """A browser whose pages have no network."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install '.[dev]'")
    path = chromium()
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=TIMEOUT_MS)
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Any, url: str, *, offline: bool = False, tokens: Sequence[str] = (), refusals: bool = False, **options: Any
) -> Iterator[Any]:
    """A page that is ready; at the end it must have reported no error, but for a server's refusals where they are
    looked for. `requests` are the addresses that it asked for. All but the last of `tokens` are refused.
    """
    context = browser.new_context(offline=offline, **{"viewport": {"width": 1280, "height": 800}, **options})
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    page.problems, page.requests = [], []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("console", lambda said: page.problems.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: page.requests.append(request.url))
    page.goto(url)
    if tokens:
        assert_nothing_is_lost(page)
    for token in tokens:
        page.fill("#token", token)
        page.keyboard.press("Enter")
        if token != tokens[-1]:
            page.locator("#status", has_text="The server refuses this token.").wait_for()
            assert page.get_attribute("#token:focus", "aria-invalid") == "true"
    page.wait_for_selector("html[data-ready=yes]")
    yield page
    assert [each for each in page.problems if not (refusals and each.startswith("Failed to load resource"))] == []
    context.close()


def assert_nothing_is_lost(page: Any) -> None:
    """Of files that are chosen or dropped before the page is ready: they cannot be chosen, and dropping is told."""
    page.wait_for_selector("#token")
    assert page.locator("#choose-files, #choose-folder, #files, #folder, #controls *").and_(
        page.locator("button:enabled, input:enabled, select:enabled")
    ).all() == []  # fmt: skip
    leaves = "document.dispatchEvent(new DragEvent('drop', {cancelable: true, dataTransfer: new DataTransfer()}))"
    assert not page.evaluate(leaves)
    assert "drop the files again" in page.inner_text("#status")


def choose(page: Any, paths: Iterable[Path]) -> str:
    """Choose files as a person does, wait until all are read, and give what the page says of it."""
    page.set_input_files("#files", [str(path) for path in paths])
    page.locator("#status", has_text=re.compile(r" recordings? read")).wait_for()
    status = page.inner_text("#status")
    page.evaluate("document.getElementById('status').textContent = ''")
    return status

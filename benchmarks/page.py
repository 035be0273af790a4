"""How long the page takes from opening to a drawn and classified recording, and the network in it; in real Chromium.

    python benchmarks/page.py [--n 10]

The page is opened as a file with the network cut, in a browser that runs already and in one that is started for it; its
peer is the command line, which does the same with the same ten seconds: `twelvelead classify FILE --paper DIR`.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import simulator
from browser import browsing, write_page
from twelvelead.doors.page_assembly import SOURCE

DRAWN = "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
INFERENCE = """async (table) => {
  const bytes = new TextEncoder().encode(table);
  performance.clearMeasures();
  for (let k = 0; k < 30; k++) {
    await twelvelead.reportsOf([{ path: 'ecg.csv', size: bytes.length, bytes: async () => bytes }]);
  }
  return performance.getEntriesByName('inference').map((each) => each.duration);
}"""


def opened_in_s(browser, path: Path) -> tuple[float, list[float]]:
    """Seconds from opening to what is drawn, and milliseconds of each run of the warm network after it."""
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    start = time.perf_counter()
    page.goto(path.as_uri(), wait_until="commit")
    page.wait_for_selector("html[data-ready=yes]")
    page.evaluate(DRAWN)
    took_s = time.perf_counter() - start
    inference_ms = page.evaluate(INFERENCE, (path.parent / "ecg.csv").read_text())
    context.close()
    return took_s, inference_ms


def said(name: str, values: list[float], unit: str) -> str:
    """The median, the least and the most, and of how many."""
    return f"{name}: {statistics.median(values):.3g} {unit}, {min(values):.3g} to {max(values):.3g} of {len(values)}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10)
    n = parser.parse_args().n
    with tempfile.TemporaryDirectory() as folder:
        path = write_page(Path(folder, "index.html"))
        rows = [",".join(f"{value:.3f}" for value in row) for row in simulator.ecg().T]
        head = ["# rate_hz: 500", "# unit: mV", ",".join(simulator.LEADS)]
        (path.parent / "ecg.csv").write_text("\n".join([*head, *rows]) + "\n")
        print(f"load of {os.cpu_count()} cores before: {os.getloadavg()[0]:.1f}")
        with browsing() as browser:
            runs = [opened_in_s(browser, path) for _ in range(n)]
        started, peers = [], []
        for _ in range(max(1, n // 3)):
            start = time.perf_counter()
            with browsing() as browser:
                opened = time.perf_counter() - start
                started.append(opened + opened_in_s(browser, path)[0])
            start = time.perf_counter()
            command = [sys.executable, "-m", "twelvelead", "classify", "ecg.csv", "--paper", "paper"]
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
            peers.append(time.perf_counter() - start)
        print(said("from opening the page to drawn and classified", [took for took, _ in runs], "s"))
        print(said("the same with the browser's own start", started, "s"))
        print(said("twelvelead classify --paper", peers, "s"))
        print(f"ratio of the medians: {statistics.median(t for t, _ in runs) / statistics.median(peers):.2f}")
        print(said("one window through the warm network", [each for _, times in runs for each in times], "ms"))
        print(f"own code: {sum(file.stat().st_size for file in SOURCE.iterdir()) / 1000:.1f} kB in {SOURCE.name}/")
        print(f"the page as one file: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()

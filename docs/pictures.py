"""Makes docs/page.png and docs/page-phone.png: `python docs/pictures.py`, the page with its simulated example."""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from browser import browsing, opened, write_page

DOCS = Path(__file__).parent
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


def main() -> None:
    """Open the page at both sizes, measure from one R peak to the next, and keep what is seen."""
    with tempfile.TemporaryDirectory() as folder, browsing() as browser:
        address = write_page(Path(folder, "index.html")).as_uri()
        with opened(browser, address, offline=True) as page:
            sheet = page.locator("#paper svg").bounding_box()
            mm = sheet["width"] / 297
            page.mouse.move(sheet["x"] + 39.75 * mm, sheet["y"] + 36 * mm)
            page.mouse.down()
            page.mouse.move(sheet["x"] + 61 * mm, sheet["y"] + 42 * mm)
            page.mouse.up()
            keep(page.screenshot(), "page.png")
        with opened(browser, address, offline=True, **PHONE) as page:
            keep(page.screenshot(), "page-phone.png")


def keep(picture: bytes, name: str) -> None:
    """Write a picture with 256 colours, which is less than half of its size."""
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256).save(DOCS / name, optimize=True)
    print(f"{name}: {(DOCS / name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

"""The page as one HTML file that works from a double click: its modules, style, runtime, and network inside.

A browser fetches nothing for a page that was opened as a file, not even a module beside it; so all of it is in the
file, and a content policy in its head forbids it to fetch anything.
"""

import base64
import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Final

from twelvelead.classifier.bundle import GRAPH, Classifier
from twelvelead.doors.page_runtime import Runtime

SOURCE: Final = Path(__file__).parent.parent / "page"
ENTRY: Final = "page.js"
CARD_FIELDS: Final = ("called", "purpose", "recipe", "diagnoses", "calibration", "deciding", "barely_learned")
POLICY: Final = (
    "default-src 'none'; style-src '{style}'; script-src '{script}' 'wasm-unsafe-eval'; base-uri 'none'; "
    "form-action 'none'"
)
_IMPORT: Final = re.compile(r'^import \{([^}]*)\} from "\./([a-z0-9_]+\.js)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ((?:async )?function|class|const|let) (\w+)", re.MULTILINE)
_RUNTIME_ORIGIN: Final = 'typeof location>"u"?void 0:location.origin'
_ORIGIN: Final = (  # Firefox says "null" of a file
    'typeof location>"u"||location.origin==="null"?"file://":location.origin'
)
_RUNTIME_EXPORTS: Final = re.compile(r"export\{([^}]*)\};?\s*(?://# sourceMappingURL=\S*\s*)?$")


def one_file(runtime: Runtime, classifier: Classifier) -> str:
    """The whole page as HTML."""
    script = f"{runtime_as_value(runtime.script)}\n{joined_modules()}"
    style = (SOURCE / "style.css").read_text(encoding="utf-8")
    if re.search(r"</script|<!--", script, re.IGNORECASE):
        raise ValueError("a script of the page holds a mark of HTML: write it in another way")
    card = classifier.in_use
    held = "\n".join(
        [
            _data("bundle-card", json.dumps({name: card[name] for name in CARD_FIELDS})),
            _data("bundle-graph", _packed((classifier.folder / GRAPH).read_bytes())),
            _data("runtime-wasm", _packed(runtime.wasm)),
        ]
    )
    policy = POLICY.format(style=_digest(style), script=_digest(script))
    html = (SOURCE / "index.html").read_text(encoding="utf-8")
    for mark, part in {
        '<link rel="stylesheet" href="page/style.css">': f"<style>{style}</style>",
        "<!-- policy -->": f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f'<script type="module" src="page/{ENTRY}"></script>': f'{held}\n<script type="module">{script}</script>',
    }.items():
        if html.count(mark) != 1:
            raise ValueError(f"index.html must hold {mark} once")
        html = html.replace(mark, part)
    return html


def joined_modules() -> str:
    """Our modules as one script, each in a scope of its own, those that others need first."""
    names: list[str] = []
    _order(ENTRY, names)
    scopes = "\n".join(_scope(name) for name in names)
    return f"const modules = {{}};\n{scopes}"


def _order(name: str, found: list[str]) -> None:
    for _, needed in _IMPORT.findall(_text(name)):
        if needed not in found:
            _order(needed, found)
    if name not in found:
        found.append(name)


def _scope(name: str) -> str:
    """A module as a function's body that leaves what it exports in `modules`."""
    text = _text(name)
    exported = ", ".join(found for _, found in _EXPORT.findall(text))
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(lambda match: f'const {{{match[1]}}} = modules["{match[2]}"];\n', text))
    if re.search(r"^(?:import|export)\b", body, re.MULTILINE):
        raise ValueError(f"{name} imports or exports in a way that is not joined: name what is, one statement each")
    return f'modules["{name}"] = (() => {{\n{body}return {{ {exported} }};\n}})();'


def _text(name: str) -> str:
    return (SOURCE / name).read_text(encoding="utf-8")


def runtime_as_value(script: str) -> str:
    """The runtime's module with its exports as `globalThis.ort`, in a scope of its own."""
    match = _RUNTIME_EXPORTS.search(script)
    if match is None:
        raise ValueError("the runtime's script does not end with its exports")
    if script.count(_RUNTIME_ORIGIN) != 1:
        raise ValueError("the runtime's script does not ask once for the page's origin as it is known to")
    pairs = (part.split(" as ") for part in match[1].split(","))
    exports = ", ".join(f'"{pair[-1]}": {pair[0]}' for pair in pairs)
    body = script[: match.start()].replace(_RUNTIME_ORIGIN, _ORIGIN)
    return f"globalThis.ort = (() => {{\n{body}\nreturn {{ {exports} }};\n}})();"


def _data(name: str, text: str) -> str:
    """A block that a browser keeps and does not run; nothing in it can end it."""
    escaped = text.replace("<", "\\u003c")
    return f'<script type="application/octet-stream" id="{name}">{escaped}</script>'


def _packed(data: bytes) -> str:
    """Compressed and as text; the same bytes always give the same text."""
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode("ascii")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")

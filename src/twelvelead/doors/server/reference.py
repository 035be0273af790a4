"""The page at /docs: the OpenAPI schema as plain HTML, so that it needs no script and no outside address."""

from collections.abc import Iterator
from html import escape
from typing import Any


def reference_page(schema: dict[str, Any]) -> str:
    """An HTML document of every path of an OpenAPI schema: what it takes and what it answers."""
    info = schema["info"]
    operations = "\n".join(
        _operation(path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>'
        f"{escape(info['title'])} {escape(info['version'])}</title>"
        '<link rel="stylesheet" href="/page/page.css"></head><body><main>\n'
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>\n<p>{escape(info['description'])}</p>\n"
        f'<p>For programs: <a href="/openapi.json">openapi.json</a>.</p>\n{operations}\n</main></body></html>\n'
    )


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    return (
        f"<section><h2><code>{escape(method.upper())} {escape(path)}</code></h2>\n"
        f"<p>{escape(operation.get('description') or operation.get('summary', ''))}</p>\n"
        f"<table><tbody>{''.join(_rows(operation))}</tbody></table></section>"
    )


def _rows(operation: dict[str, Any]) -> Iterator[str]:
    for parameter in operation.get("parameters", ()):
        allowed = ", ".join(map(str, parameter["schema"].get("enum", ())))
        yield _row(f"?{parameter['name']}=", f"{parameter.get('description', '')} {allowed}")
    for media_type in operation.get("requestBody", {}).get("content", ()):
        yield _row("body", f"{media_type}: {operation['requestBody'].get('description', '')}")
    for status, response in operation["responses"].items():
        kinds = ", ".join(response.get("content", ()))
        yield _row(status, f"{response['description']} {kinds}")


def _row(name: str, text: str) -> str:
    return f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>"

"""The server as clients, browsers, strangers and operators meet it, over a real socket."""

import asyncio
import concurrent.futures
import contextlib
import json
import logging
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest.mock import Mock
from xml.etree import ElementTree

import numpy as np
import pytest
import urllib3
import uvicorn
from pebble.common.types import RemoteTraceback
from starlette.datastructures import Headers
from uvicorn.lifespan.off import LifespanOff

import simulator
import writers
from serving import recording, serving, until
from twelvelead.classifier import classify, load_bundle, shipped_bundle
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.doors.serve import _listen, _says_something
from twelvelead.doors.server import batching, renderings, uploads, workers
from twelvelead.doors.server.defects import place_of
from twelvelead.doors.server.gate import gated, refuse_foreign
from twelvelead.doors.server.problems import Problem
from twelvelead.doors.server.settings import Settings
from twelvelead.formats import read

SCRIPT = "<script>alert(1)</script>.dcm"
XML = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    b'<AnnotatedECG xmlns="urn:hl7-org:v3">&c;</AnnotatedECG>'
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("server"), "--workers", 2) as running:
        yield running


@pytest.fixture(scope="module")
def wfdb(tmp_path_factory):
    return recording(tmp_path_factory.mktemp("wfdb"))


@pytest.fixture(scope="module")
def long_wfdb(tmp_path_factory):
    """Twelve minutes: enough work for a worker to be met at it."""
    return recording(tmp_path_factory.mktemp("long"), "long", 720.0)


@pytest.fixture(scope="module")
def hour_wfdb(tmp_path_factory):
    """Enough to be killed at it, also on a fast machine."""
    return recording(tmp_path_factory.mktemp("hour"), "hour", 3600.0)


def problem(answer, status):
    assert answer.status == status, answer.data
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert said["status"] == status
    assert said["detail"]
    return said


def raw(server, sent, *, seconds=60.0):
    """What the server answers to bytes, until it closes or nothing more comes."""
    with socket.create_connection(server.address, timeout=seconds) as connection:
        connection.sendall(sent)
        return everything(connection)


def everything(connection):
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            received += part
    return received


def head(server, path="/api/classify", **headers):
    host, port = server.address
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}:{port}",
        *(f"{k.replace('_', '-')}: {v}" for k, v in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def test_the_answer_is_that_of_the_other_doors(server, wfdb, tmp_path):
    dicom = writers.write_dicom(tmp_path)
    answers = server.post(*wfdb, ("ecg.dcm", dicom.read_bytes())).json()
    assert [answer["path"] for answer in answers] == ["A0001.hea", "ecg.dcm"]
    for name, content in wfdb:
        (tmp_path / name).write_bytes(content)
    classifier = load_bundle(shipped_bundle())
    for answer, path in zip(answers, (tmp_path / "A0001.hea", dicom), strict=True):
        expected = classify(read(path), classifier).as_json()
        assert answer["probabilities"] == pytest.approx(expected.pop("probabilities"), abs=1e-5)
        assert {name: answer[name] for name in expected} == json.loads(json.dumps(expected))


def test_windows_of_several_lengths_may_wait_together():
    classifier, random = load_bundle(shipped_bundle()), np.random.default_rng(0)
    asked = [random.standard_normal((n, 12, length), np.float32) for n, length in ((1, 1000), (1, 600), (2, 1000))]

    async def answered():
        jobs = asyncio.Queue()
        waiting = [asyncio.create_task(batching.ask(jobs, windows)) for windows in asked]
        worker = asyncio.create_task(batching.answer_jobs(jobs, classifier))
        answers = await asyncio.wait_for(asyncio.gather(*waiting), 60)
        worker.cancel()
        return answers

    for windows, (logits, attention) in zip(asked, asyncio.run(answered()), strict=True):
        expected = classifier.run(windows)
        np.testing.assert_allclose(logits, expected[0], atol=1e-5)
        np.testing.assert_allclose(attention, expected[1], atol=1e-5)


def test_what_cannot_be_read_is_refused_beside_what_can(server, wfdb):
    answers = server.post(("notes.txt", b"hello"), *wfdb)
    assert answers.status == 200
    refused, good = answers.json()
    assert set(refused) == {"path", "error"}
    assert set(good["probabilities"]) == set(DIAGNOSES)


def test_records_of_the_same_name_in_two_folders_stay_apart(server, tmp_path):
    first, second = recording(tmp_path / "1"), recording(tmp_path / "2", seed=5)
    sent = [(f"{folder}/{name}", content) for folder, files in (("a", first), ("b", second)) for name, content in files]
    one, two = server.post(*sent).json()
    assert (one["path"], two["path"]) == ("a/A0001.hea", "b/A0001.hea")
    assert one["probabilities"] != two["probabilities"]


@pytest.mark.parametrize(
    "name", ["../../../etc/A0001.dcm", "/etc/passwd", "..\\..\\x", "", ".", "a\0b", "é" * 300, SCRIPT]
)
def test_a_name_is_text_and_never_a_path(server, name, tmp_path):
    answer = server.post((name, writers.write_dicom(tmp_path).read_bytes()))
    assert answer.status == 200, answer.data
    assert answer.headers["content-type"] == "application/json"
    assert server.left_on_disk() == []


def test_no_name_makes_one_file_answer_for_another(server, wfdb, tmp_path):
    """A record beside files whose names look like anything that a server could invent."""
    flat, dicom = tmp_path / "flat.dcm", writers.write_dicom(tmp_path).read_bytes()
    writers.write_dicom(tmp_path, np.zeros((12, 5000))).rename(flat)
    sent = [("file-1.dcm", flat.read_bytes()), ("(y).dcm", dicom), ("file-0.dcm", dicom), *wfdb]
    answers = {answer["path"]: answer for answer in server.post(*sent).json()}
    assert "none of the twelve leads ever changes" in answers["file-1.dcm"]["error"]
    assert answers["(y).dcm"]["probabilities"] == answers["file-0.dcm"]["probabilities"]
    assert set(answers) == {"file-1.dcm", "(y).dcm", "file-0.dcm", "A0001.hea"}


def test_two_files_of_one_name_are_refused_by_that_name(server, tmp_path):
    first, second = recording(tmp_path / "1"), recording(tmp_path / "2", seed=5)
    answer = problem(server.post(*first, *second), 422)
    assert [error["path"] for error in answer["errors"]] == ["A0001.hea", "A0001.hea"]
    assert all("two files are called A0001" in error["error"] for error in answer["errors"])
    answer = server.post(*first, second[1])
    assert "two files are called A0001.mat" in problem(answer, 422)["detail"]


@pytest.mark.parametrize("name", ["ecg(1)", "ecg@ward=7", "Ärztin,links", "a.b"])
def test_a_record_may_have_any_name(server, name, tmp_path):
    files = recording(tmp_path)
    sent = [(file.replace("A0001", name), content.replace(b"A0001", name.encode())) for file, content in files]
    (answer,) = server.post(*sent).json()
    assert answer["record"] == name
    (alone,) = server.post(*files).json()
    assert answer["probabilities"] == alone["probabilities"]
    assert f"without its header {name}.hea" in problem(server.post(sent[1]), 422)["detail"]


def test_a_name_with_script_is_text_in_a_drawing(server, tmp_path):
    drawn = server.post((SCRIPT, writers.write_dicom(tmp_path).read_bytes()), to="/api/report?format=svg")
    assert drawn.status == 200
    root = ElementTree.fromstring(drawn.data)
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    assert "script" not in "".join(root.itertext())  # nobody is named


def zipped():
    return b"PK\x03\x04" + bytes(200)


@pytest.mark.parametrize("files, status, sentence", [
    ([], 400, "empty body"),
    ([("a.zip", zipped())], 422, "none of the formats"),
    ([("a.hea", b"")], 422, ""),
    ([("a.xml", XML)], 422, ""),
    ([("a.hea", b"a 12 500 5000\n")], 422, ""),
    ([(f"{number}.dcm", b"x") for number in range(1000)], 413, "more than 256 files"),
    ([("x" * 5000, b"x")], 400, "a header of more than 4,096 bytes in a part"),
    ([("x" * 50_000, b"x")], 400, "a header of more than 4,096 bytes in a part"),
])  # fmt: skip
def test_what_is_no_recording_is_a_clear_refusal(server, files, status, sentence):
    assert sentence in problem(server.post(*files), status)["detail"]
    assert server.get("/health").status == 200


def test_a_truncated_file_is_refused_by_its_own_name(server, wfdb):
    (header, content), (name, samples) = wfdb
    said = problem(server.post((header, content), (name, samples[:5000])), 422)
    assert said["errors"] == [{"path": "A0001.hea", "error": said["detail"]}]
    assert "cut short" in said["detail"]


@pytest.mark.parametrize("headers, body, status", [
    ({"Content_Length": 0}, b"", 400),
    ({"Content_Type": "multipart/form-data; boundary=x", "Content_Length": 0}, b"", 400),
    ({"Content_Type": "text/plain", "Content_Length": 2}, b"hi", 415),
    ({"Content_Type": "multipart/form-data", "Content_Length": 2}, b"hi", 400),
    ({"Content_Type": "multipart/form-data; boundary=x", "Content_Length": 2}, b"hi", 400),
    ({"Content_Type": "multipart/form-data; boundary=x", "Content_Length": 5}, b"--x\r\n", 400),
    ({"Content_Type": f"multipart/form-data; boundary={'x' * 300}", "Content_Length": 2}, b"hi", 400),
    ({"Content_Type": "multipart/form-data; boundary=x", "Content_Length": 51_000_000}, b"", 413),
])  # fmt: skip
def test_a_body_that_is_no_upload_is_refused(server, headers, body, status):
    answered = raw(server, head(server, Connection="close", **headers) + body)
    assert answered.startswith(f"HTTP/1.1 {status} ".encode()), answered
    assert b"content-type: application/problem+json" in answered


@pytest.mark.parametrize("parameters, name", [
    ("filename*=utf-8''%C3%BC.dcm", "ü.dcm"),
    ("filename=\"u.dcm\"; filename*=UTF-8'de'%C3%BC.dcm", "ü.dcm"),
    ("filename*=iso-8859-1''%FC.dcm; filename=u.dcm", "ü.dcm"),
    ("filename*=koi8-r''%FC.dcm; filename=u.dcm", "u.dcm"),
    ("filename=\"a; filename*=utf-8''b.dcm\"", "a; filename*=utf-8''b.dcm"),
    ("filename=\"100%25.dcm\"", "100%25.dcm"),
])  # fmt: skip
def test_a_file_name_may_be_extended(parameters, name, tmp_path):
    said = f'--x\r\nContent-Disposition: form-data; name="files"; {parameters}\r\n\r\n'.encode()
    body = said + writers.write_dicom(tmp_path).read_bytes() + b"\r\n--x--\r\n"
    recipe = load_bundle(shipped_bundle()).recipe
    (read_one,) = uploads.read_uploads(body, "multipart/form-data; boundary=x", recipe, with_records=False)
    assert (read_one.path, read_one.error) == (name, "")


def body_of_headers(files, n_headers):
    """One signal file as an upload, with so many headers that all name it."""
    (_, header), signal = files
    fields = [("files", (f"{number}.hea", header)) for number in range(n_headers)]
    return urllib3.encode_multipart_formdata([*fields, ("files", signal)])


def test_a_file_that_several_headers_name_is_not_read_for_a_report(wfdb, monkeypatch):
    monkeypatch.setattr(uploads, "_record", None)
    recipe = load_bundle(shipped_bundle()).recipe
    refused = uploads.read_uploads(*body_of_headers(wfdb, 4), recipe, with_records=True)
    assert refused == uploads.Refusal(422, "4 recordings: a report is of one; send them one by one")


def test_the_samples_of_one_request_are_bounded(wfdb, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_SAMPLES", 130_000)
    recipe = load_bundle(shipped_bundle()).recipe
    said = uploads.read_uploads(*body_of_headers(wfdb, 4), recipe, with_records=False)
    assert [each.error.partition(":")[0] for each in said] == ["", "", *2 * ["180,000 samples in all leads"]]


def test_an_encoded_body_is_refused_by_its_encoding(server, wfdb):
    refused = server.post(*wfdb, Content_Encoding="gzip")
    assert "content encoding 'gzip': only identity is taken" in problem(refused, 415)["detail"]
    assert refused.headers["accept-encoding"] == "identity"
    assert server.post(*wfdb, Content_Encoding="Identity").status == 200


def test_another_field_is_named(server):
    body = b'--x\r\nContent-Disposition: form-data; name="evil"\r\n\r\n1\r\n--x--\r\n'
    headers = head(server, Content_Type="multipart/form-data; boundary=x", Content_Length=len(body), Connection="close")
    assert b"'evil'" in raw(server, headers + body)


def test_51_mb_are_refused_with_and_without_their_length(server):
    assert "use `twelvelead classify`" in problem(server.post(("big.dcm", bytes(51_000_000))), 413)["detail"]
    chunk = b"%x\r\n" % 1_000_000 + bytes(1_000_000) + b"\r\n"
    sent = head(server, Content_Type="multipart/form-data; boundary=x", Transfer_Encoding="chunked") + chunk * 52
    assert raw(server, sent + b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("headers, status", [
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Origin": "http://["}, 403),
    ({"Sec_Fetch_Site": "cross-site"}, 403),
    ({"Sec_Fetch_Site": "same-site"}, 403),
    ({"Host": "evil.example"}, 421),
    ({"Host": "127.0.0.1.evil.example:8412"}, 421),
    ({"Host": "[::1"}, 421),
    ({"Host": "evil.example@127.0.0.1"}, 421),
    ({"Host": "127.0.0.1:8412, evil.example"}, 421),
])  # fmt: skip
def test_other_sites_cannot_use_the_server(server, wfdb, headers, status):
    problem(server.post(*wfdb, **headers), status)


@pytest.mark.parametrize(
    "host", ["", "[::1", "evil.example", "evil.example@[::1]", "[::1]:8412, evil.example", "[::1]/x", "[::1]:8412\n"]
)
def test_a_host_that_cannot_be_read_is_no_name_of_the_server(host):
    with pytest.raises(Problem, match="names another machine"):
        refuse_foreign("GET", "/", Headers({"host": host}), Settings(host="::1"))
    refuse_foreign("GET", "/", Headers({"host": "[::1]:8412"}), Settings(host="::1"))


@pytest.mark.parametrize("asked, status", [
    ("GET /health", 200), ("HEAD /health", 200), ("POST /health", 421), ("GET /", 421), ("GET /api/bundle", 421),
])  # fmt: skip
def test_a_health_check_need_not_name_a_host(server, asked, status):
    assert raw(server, f"{asked} HTTP/1.0\r\n\r\n".encode()).startswith(f"HTTP/1.1 {status} ".encode())


def test_its_own_page_can(server, wfdb):
    assert server.post(*wfdb, Origin=server.url, Sec_Fetch_Site="same-origin").status == 200


def test_reports(server, wfdb):
    drawn = server.post(*wfdb, to="/api/report")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    ElementTree.fromstring(drawn.data)
    said = server.post(*wfdb, to="/api/report?format=json").json()
    assert said["record"] == "A0001"
    assert said["thresholds"].keys() == said["probabilities"].keys()
    assert np.shape(said["attention"]["weights"])[:2] == (len(said["attention"]["starts_s"]), 9)
    table = server.post(*wfdb, to="/api/report?format=csv")
    assert table.headers["content-type"].startswith("text/csv")
    np.testing.assert_allclose(read(table.data).signal, simulator.ecg(), atol=0.0006)  # half a quantum of the record
    form = server.post(*wfdb, to="/api/report?format=wfdb")
    assert form.headers["content-type"].startswith("multipart/form-data; boundary=")
    sent = {"Content-Type": form.headers["content-type"]}
    again = urllib3.request("POST", f"{server.url}/api/report?format=json", body=form.data, headers=sent).json()
    assert again["probabilities"] == pytest.approx(said["probabilities"], abs=2e-3)
    problem(server.post(*wfdb, to="/api/report?format=gif"), 422)
    assert "parameter 'fmt': there is format" in problem(server.post(*wfdb, to="/api/report?fmt=pdf"), 422)["detail"]
    assert "there is none here" in problem(server.post(*wfdb, to="/api/classify?anyway=true"), 422)["detail"]
    two = problem(server.post(*wfdb, ("x.dcm", b""), to="/api/report"), 422)
    assert two["detail"] == "2 recordings: a report is of one; send them one by one"


@pytest.mark.parametrize("name, media_type, beginning", [
    ("html", "text/html; charset=utf-8", b"<!doctype html>"), ("pdf", "application/pdf", b"%PDF-"), ("fhir", "application/fhir+json", b"{"),
])  # fmt: skip
def test_whole_reports_name_nobody(server, wfdb, name, media_type, beginning):
    answer = server.post(*wfdb, to=f"/api/report?format={name}")
    assert (answer.status, answer.headers["content-type"]) == (200, media_type)
    assert answer.data.startswith(beginning)
    assert b"A0001" not in answer.data
    if name == "html":
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline';")
        assert b"where the network looked, not a measurement" in answer.data
    if name == "fhir":
        assert answer.json()["entry"][0]["resource"]["resourceType"] == "DiagnosticReport"


def test_the_bundle_is_its_card(server):
    told = server.get("/api/bundle").json()
    assert told.pop("called") == f"{told['name']} {told['version']}"
    assert told.pop("deciding") == told["thresholds"]
    assert told.pop("barely_learned") == {"STE": 8}
    assert told == json.loads((shipped_bundle() / "card.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/page/page.js", "/page/style.css", "/nowhere", "/page/../app.py", "/health"]
)
def test_pages_need_nothing_from_elsewhere_and_forbid_it(server, path):
    answer = server.get(path)
    assert not re.search(rb"https?://|\s(?:src|href)=\"//|\son\w+=|style=", answer.data)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "server" not in answer.headers
    if path in ("/nowhere", "/page/../app.py"):
        problem(answer, 404)


@pytest.mark.parametrize("path", ["/", "/health", "/api/bundle", "/docs", "/page/page.js", "/nothing", "/api/classify"])
def test_head_is_get_without_its_body(server, path):
    got = server.get(path)
    head = urllib3.request("HEAD", server.url + path, timeout=60, retries=False)
    assert (head.status, head.headers["Content-Length"]) == (got.status, got.headers["Content-Length"])
    assert head.headers["Content-Type"] == got.headers["Content-Type"]
    assert got.data
    assert not head.data


def test_the_reference_lists_every_route(server):
    page = server.get("/docs").data.decode()
    for path in ("/api/classify", "/api/report", "/api/bundle", "/health"):
        assert path in server.get("/openapi.json").json()["paths"]
        assert path in page


def test_a_request_with_two_lengths_is_refused_and_its_connection_closed(server):
    sent = head(server, Content_Length=5, Transfer_Encoding="chunked") + b"0\r\n\r\n"
    answered = raw(server, sent + head(server, "/health"), seconds=30)
    assert answered.startswith(b"HTTP/1.1 400 ")
    assert answered.count(b"HTTP/1.1 ") == 1


def test_what_is_no_http_is_refused(server):
    assert raw(server, b"\x16\x03\x01 hello\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    with socket.create_connection(server.address) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\n")  # and gone


@pytest.mark.parametrize("arguments, sentence", [
    (["--host", "0.0.0.0"], "name a --token"),
    (["--host", "0.0.0.0", "--token", "short"], "at least 16"),
    (["--host", "example.org"], "name a --token"),
    (["--public-name", "ecg.example.org"], "name ecg.example.org can be reached from other machines: name a --token"),
    (["--public-name", "https://ecg.example.org", "--token", "correct-horse-battery"], "without https://"),
    (["--token", "correct-horse-battery "], "without spaces"),
])  # fmt: skip
def test_an_open_address_needs_a_token(twelvelead, arguments, sentence):
    done = twelvelead("serve", *arguments, "--port", 0)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_port_in_use_is_one_sentence(server, twelvelead):
    done = twelvelead("serve", "--port", server.address[1])
    assert done.returncode == 1
    assert "name another --port" in done.stderr


def test_the_schema_names_each_status_and_no_token_where_none_is_needed(server):
    schema = server.get("/openapi.json").json()
    statuses = {path: set(next(iter(there.values()))["responses"]) for path, there in schema["paths"].items()}
    of_all = {"200", "400", "421", "429", "500", "503"}
    of_uploads = of_all | {"403", "408", "413", "415", "422"}
    assert statuses == {
        "/api/classify": of_uploads, "/api/report": of_uploads, "/api/bundle": of_all | {"403"}, "/health": of_all
    }  # fmt: skip
    assert "securitySchemes" not in schema.get("components", {})


def test_the_schema_says_where_a_token_is_needed(proxied):
    schema = proxied.get("/openapi.json").json()
    (scheme,) = schema["components"]["securitySchemes"].values()
    assert scheme == {"type": "http", "scheme": "bearer"}
    for path, there in schema["paths"].items():
        (operation,) = there.values()
        assert ("security" in operation) == ("401" in operation["responses"]) == path.startswith("/api/")


def test_with_a_token_only_its_holders_are_answered(tmp_path, wfdb):
    token = "correct-horse-battery"
    with serving(tmp_path, "--host", "0.0.0.0", "--workers", 1, TWELVELEAD_TOKEN=token) as server:
        server.url = server.url.replace("0.0.0.0", "127.0.0.1")
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": token}, {"Authorization": "Bearer é"}):
            answer = server.post(*wfdb, **headers)
            problem(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
        problem(server.get("/api/bundle"), 401)
        assert server.post(*wfdb, Authorization=f"Bearer {token}").status == 200
        assert server.get("/").status == server.get("/health").status == 200


@pytest.mark.parametrize("host", ["ecg.example.org", "ECG.example.org:8443", None])
def test_behind_a_proxy_its_page_works_and_others_do_not(proxied, wfdb, host):
    """As nginx passes requests on: with the Host that the browser named, or with the server's own."""
    named = {"Host": host} if host else {}
    theirs = {"Sec_Fetch_Site": "same-origin", "Authorization": "bearer  correct-horse-battery"}
    assert urllib3.request("GET", proxied.url, headers=named).status == 200
    assert proxied.post(*wfdb, **named, **theirs, Origin="https://ecg.example.org:8443").status == 200
    problem(proxied.post(*wfdb, **named, **theirs, Origin="https://evil.example"), 403)
    problem(proxied.post(*wfdb, **theirs, Host="evil.example", Origin="https://evil.example"), 421)
    problem(proxied.post(*wfdb, **named, Origin="https://ecg.example.org:8443"), 401)


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    name, token = "ECG.example.org:8443", "correct-horse-battery"
    folder = tmp_path_factory.mktemp("proxied")
    with serving(folder, "--workers", 1, "--public-name", name, TWELVELEAD_TOKEN=token) as server:
        yield server


def kill_the_worker_at_work(server, idle_kb, upload):
    """Kill the only worker once it holds more than two uploads: while one is handed over, its end does not count."""
    upload_kb = sum(len(content) for _, content in upload) / 1000
    until(lambda: server.held_kb() > idle_kb + 2.2 * upload_kb)
    for worker in server.workers():
        os.kill(worker, signal.SIGKILL)


def test_a_killed_worker_is_replaced_and_its_request_answered(tmp_path, hour_wfdb, wfdb):
    with serving(tmp_path, "--workers", 1) as server, concurrent.futures.ThreadPoolExecutor() as pool:
        assert server.post(*wfdb).status == 200  # the worker is there, with all that it imports
        idle_kb = server.held_kb()
        answer = pool.submit(server.post, *hour_wfdb)
        kill_the_worker_at_work(server, idle_kb, hour_wfdb)
        assert answer.result().status == 200
        assert server.post(*wfdb).status == 200
        assert server.left_on_disk() == []


def test_an_upload_whose_workers_are_killed_twice_costs_its_request_only(tmp_path, hour_wfdb, wfdb):
    with serving(tmp_path, "--workers", 1) as server, concurrent.futures.ThreadPoolExecutor() as pool:
        assert server.post(*wfdb).status == 200  # the worker is there, with all that it imports
        idle_kb = server.held_kb()
        answer = pool.submit(server.post, *hour_wfdb)
        kill_the_worker_at_work(server, idle_kb, hour_wfdb)
        until(lambda: server.held_kb() < idle_kb + 8_000)
        kill_the_worker_at_work(server, idle_kb, hour_wfdb)
        assert "ended twice" in problem(answer.result(), 422)["detail"]
        assert server.post(*wfdb).status == 200
        assert server.left_on_disk() == []


def test_idle_workers_may_be_killed(server, wfdb):
    for worker in server.workers():
        os.kill(worker, signal.SIGKILL)
    assert [server.post(*wfdb).status for _ in range(4)] == [200] * 4


def test_requests_under_way_finish_when_it_is_told_to_stop(tmp_path, long_wfdb):
    with serving(tmp_path, "--workers", 1) as server, concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(server.post, *long_wfdb)
        server.wait_until_under_way()
        assert server.stop() == 0
        assert answer.result().status == 200
    assert [path.name for path in tmp_path.iterdir()] == ["stderr"]
    assert (tmp_path / "stderr").read_text() == ""


def test_a_second_ctrl_c_is_logged_as_no_defect(tmp_path, long_wfdb):
    with serving(tmp_path, "--workers", 1) as server, concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(server.post, *long_wfdb, to="/api/report?format=pdf")
        server.wait_until_under_way()
        server.process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGINT)
        server.process.wait(timeout=90)
        problem(answer.result(), 503)
    assert (tmp_path / "stderr").read_text() == ""


@pytest.mark.parametrize("n_tasks, n_lines", [(0, 0), (1, 1)])
def test_a_stop_that_runs_out_of_time_is_logged_where_it_ends_a_request(caplog, n_tasks, n_lines):
    """An answer that a client still reads is under way without a task."""

    async def stopped():
        server = uvicorn.Server(uvicorn.Config(lambda: None, log_config=None, timeout_graceful_shutdown=0))
        server.servers = []
        server.lifespan = LifespanOff(server.config)
        server.server_state.connections.add(Mock())
        server.server_state.tasks.update(asyncio.create_task(asyncio.sleep(60)) for _ in range(n_tasks))
        await server.shutdown()

    logger = logging.getLogger("uvicorn.error")
    logger.addFilter(_says_something)
    try:
        asyncio.run(asyncio.wait_for(stopped(), 30))
    finally:
        logger.removeFilter(_says_something)
    assert len([line for line in caplog.messages if line.startswith("Cancel")]) == n_lines


def test_what_takes_too_long_is_ended(tmp_path, tmp_path_factory, wfdb):
    forty_minutes = recording(tmp_path_factory.mktemp("longer"), "longer", 2400.0)
    with serving(tmp_path, "--workers", 1, "--request-seconds", 0.2) as server:
        assert "not done within 0.2 s" in problem(server.post(*forty_minutes), 422)["detail"]
        until(lambda: server.post(*wfdb).status == 200)


def test_a_request_is_under_way_until_it_is_answered(server, long_wfdb):
    body, media_type = urllib3.encode_multipart_formdata([("files", file) for file in long_wfdb])
    asked = head(
        server, "/api/report?format=pdf", Content_Type=media_type, Content_Length=len(body), Connection="close"
    )
    with socket.create_connection(server.address, timeout=120) as connection:
        connection.sendall(asked + body)
        server.wait_until_under_way()
        seen = []
        while not select.select([connection], [], [], 0)[0]:
            seen.append(server.get("/health").json()["under_way"])
        assert everything(connection).startswith(b"HTTP/1.1 200 ")
    assert len(seen) > 3
    assert set(seen[:-1]) == {1}  # through reading, network and drawing; the answer may come during the last look


def test_what_a_worker_s_function_raises_is_the_caller_s_at_once():
    async def asked():
        pool = await workers.start_workers(1)
        try:
            await workers.run_in_worker(pool, workers.Deadline.after(60), asyncio.get_running_loop)  # there is none
        finally:
            await workers.stop_workers(pool)

    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.run(asyncio.wait_for(asked(), 30))


def test_a_defect_in_a_worker_is_logged_at_its_place_in_this_package(caplog):
    async def app(*_):
        pool = await workers.start_workers(1)
        try:
            await workers.run_in_worker(pool, workers.Deadline.after(60), renderings.as_report, "gif", None, None, None)
        finally:
            await workers.stop_workers(pool)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", b"localhost")]}
    asyncio.run(asyncio.wait_for(gated(app, Settings())(scope, None, None), 60))
    (said,) = caplog.messages
    kind, file, line = re.fullmatch(r"defect: (\w+) at (.+):(\d+)", said).groups()
    assert (kind, file) == ("KeyError", renderings.__file__)
    assert "FORMS[form]" in Path(file).read_text().splitlines()[int(line) - 1]


def test_a_message_that_looks_like_a_place_is_none():
    error = ValueError("x")
    error.__cause__ = RemoteTraceback(f"""Traceback (most recent call last):
  File "{renderings.__file__}", line 3, in as_svg
ValueError: a file of this content:
  File "/secret.py", line 7, in secret
""")
    assert place_of(error) == f"{renderings.__file__}:3"


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A server of little patience."""
    options = ("--workers", 1, "--queue", 1, "--connections", 12, "--body-seconds", 2)
    with serving(tmp_path_factory.mktemp("strict"), *options) as running:
        yield running


def test_a_slow_body_is_refused(strict, wfdb):
    with socket.create_connection(strict.address, timeout=60) as connection:
        connection.sendall(head(strict, Content_Type="multipart/form-data; boundary=x", Content_Length=1000))
        stop = threading.Event()

        def drip():
            with contextlib.suppress(OSError):
                while not stop.wait(0.5):
                    connection.sendall(b"-")

        threading.Thread(target=drip, daemon=True).start()
        began = time.monotonic()
        answered = connection.recv(65536)
        assert time.monotonic() - began < 30
        stop.set()
    assert answered.startswith(b"HTTP/1.1 408 ")
    assert strict.post(*wfdb).status == 200


@contextlib.contextmanager
def asking_for_nine_megabytes(server, files):
    """A connection of small buffers on which an answer has begun that they do not hold."""
    fields = [("files", file) for file in files]
    body, kind = urllib3.encode_multipart_formdata(fields)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        connection.settimeout(120)
        connection.connect(server.address)
        to = "/api/report?format=wfdb"
        connection.sendall(head(server, to, Content_Type=kind, Content_Length=len(body), Connection="close") + body)
        connection.recv(1, socket.MSG_PEEK)
        yield connection


def length_stated(answer):
    headers, _, _ = answer.partition(b"\r\n\r\n")
    return len(headers) + 4 + int(re.search(rb"content-length: (\d+)", headers)[1])


def test_a_client_that_does_not_read_its_answer_is_cut_off(strict, long_wfdb):
    with asking_for_nine_megabytes(strict, long_wfdb) as connection:
        assert strict.get("/health").status == 200
        time.sleep(6)
        answered = everything(connection)
    assert answered.startswith(b"HTTP/1.1 200 ")
    assert len(answered) < length_stated(answered)


def test_a_client_that_reads_slowly_has_its_whole_answer(strict, long_wfdb):
    with asking_for_nine_megabytes(strict, long_wfdb) as connection:
        began, received = time.monotonic(), b""
        while part := connection.recv(1 << 16):
            received += part
            time.sleep(0.05)
        assert time.monotonic() - began > 4  # twice as long as it may take nothing
    assert len(received) == length_stated(received)


@pytest.mark.parametrize(
    "sent", [b"", b"GET /health HTTP/1.1\r\nHost: 127", b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"]
)
def test_a_connection_that_says_no_more_is_closed(strict, sent):
    began = time.monotonic()
    raw(strict, sent)
    assert time.monotonic() - began < 40


def test_too_many_connections_of_one_address_are_refused(strict, wfdb):
    opened = [socket.create_connection(strict.address, timeout=30) for _ in range(40)]
    try:
        for connection in opened:
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answers = [connection.recv(65536).split(b"\r\n")[0] for connection in opened]
    finally:
        for connection in opened:
            connection.close()
    taken = answers.count(b"HTTP/1.1 200 OK")
    assert 8 <= taken <= 12  # a client before this one may still hold a connection
    assert answers.count(b"HTTP/1.1 429 Too Many Requests") == 40 - taken
    until(lambda: strict.post(*wfdb).status == 200)


def test_a_full_queue_says_when_to_come_again(strict, long_wfdb, wfdb):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        under_way = [pool.submit(strict.post, *long_wfdb) for _ in range(2)]
        strict.wait_until_under_way(2)
        refused = strict.post(*wfdb)
        problem(refused, 429)
        assert refused.headers["retry-after"] == "1"
        assert [answer.result().status for answer in under_way] == [200, 200]


def test_many_clients_at_once(server, wfdb):
    end = time.monotonic() + 4
    statuses = []

    def client():
        while time.monotonic() < end:
            statuses.append(server.post(*wfdb).status)

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for done in [pool.submit(client) for _ in range(32)]:
            done.result()
    assert set(statuses) == {200}
    assert len(statuses) >= 32


def test_nothing_of_an_upload_is_left_or_logged(tmp_path, wfdb):
    (_, header), (_, samples) = wfdb
    (tmp_path / "in").mkdir()
    dicom = writers.write_dicom(tmp_path / "in").read_bytes()
    with serving(tmp_path, "--workers", 1) as server:
        server.post(("secret.hea", header.replace(b"A0001", b"secret")), ("secret.mat", samples))
        server.post(("secret.dcm", dicom[:-3000]))
        server.post(("secret.xml", XML))
        assert server.stop() == 0
        assert server.process.stdout.read() == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "stderr"]
    assert (tmp_path / "stderr").read_text() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_is_stopped_while_its_workers_start_says_nothing_of_them(number):
    """As a terminal stops it: all of its processes are sent the signal."""
    command = [sys.executable, "-m", "twelvelead", "serve", "--port", "0", "--workers", "1"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes, start_new_session=True) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        until(lambda: len(children.read_text().split()) >= 2)  # what keeps account of resources, and what forks workers
        os.killpg(process.pid, number)
        said, errors = process.communicate(timeout=60)
    assert errors == ""
    assert process.returncode == 0
    assert said == "" or said.startswith("twelvelead listens on ")


def test_a_simulated_ecg_of_any_length_fits(server, tmp_path):
    path = simulator.Wfdb("odd", simulator.digital(simulator.ecg(duration_s=37.3))).write(tmp_path)
    files = [(file.name, file.read_bytes()) for file in (path, path.with_suffix(".mat"))]
    assert server.post(*files).status == 200


def test_what_a_fuzzer_makes_of_the_schema_is_no_defect(server):
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    command = ["-m", "schemathesis.cli", "run", f"{server.url}/openapi.json", "--max-examples", "10", "--no-color"]
    command += ["--checks", checks, "--request-timeout", "60", "--phases", "examples,coverage,fuzzing", "--seed", "1"]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout


def test_an_answer_does_not_wait_for_the_client_to_acknowledge_its_head():
    with _listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

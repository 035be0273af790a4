"""Downloads from a server of our own that does what servers do: drop, lie, refuse, and forget how to resume."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from base64 import b64encode
from contextlib import nullcontext
from email.utils import formatdate
from typing import NamedTuple

import pytest

import layouts
import simulator
from publisher import body, dropped, publishing, status
from twelvelead.databases import find
from twelvelead.downloads import SOURCES, DownloadError, download
from twelvelead.downloads.fetch import ATTEMPTS, FREE_BYTES_TO_LEAVE, Connections, _request
from twelvelead.downloads.listing import refuse_unsafe

downloading = sys.modules["twelvelead.downloads.download"]  # whose name the function has too

LUDB = "ludb/1.0.1"
TABLE = f"/{LUDB}/ludb.csv"
SIGNAL = f"/{LUDB}/data/1.dat"
FILES = {
    "ludb.csv": b"ID,Sex\n1,F\n" * 50_000,
    "data/1.hea": b"1 12 500 5000\n",
    "data/1.dat": bytes(range(256)) * 4_000,
}


class Usage(NamedTuple):
    free: int


@pytest.fixture
def publisher(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**12))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with publishing() as publisher:
        publisher.publish(LUDB, FILES)
        yield publisher


def fetched(publisher, folder, name="ludb", **options):
    return download(name, folder, mirror=publisher.url, backoff_s=0.001, **options)


def there(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def assert_whole(folder, files=FILES):
    found = there(folder)
    assert {name: found.get(name) for name in files} == files
    assert not [name for name in found if name.endswith(".part")]


def test_a_database_is_downloaded_and_verified(publisher, tmp_path):
    done = fetched(publisher, tmp_path / "new/ludb")
    assert (done.n_files, done.n_fetched, done.failed) == (3, 3, ())
    assert_whole(tmp_path / "new/ludb")


def test_many_small_files_over_many_connections_are_counted_exactly(publisher, tmp_path):
    files = {f"data/{n // 20}/{n}.dat": bytes([n % 256]) * n for n in range(400)}
    publisher.publish(LUDB, files)
    told = []
    assert fetched(publisher, tmp_path, n_connections=16, tell=told.append).n_fetched == 400
    assert_whole(tmp_path, files)
    assert (told[-1].n_done, told[-1].n_bytes) == (400, sum(map(len, files.values())))


def test_what_is_there_and_right_is_not_fetched_again(publisher, tmp_path):
    fetched(publisher, tmp_path)
    (tmp_path / "ludb.csv").write_bytes(b"damaged")
    publisher.asked.clear()
    assert fetched(publisher, tmp_path).n_fetched == 1
    assert [path for path, _ in publisher.asked] == [f"/{LUDB}/SHA256SUMS.txt", TABLE]
    assert_whole(tmp_path)


@pytest.mark.parametrize("n_connections", [1, 4])
def test_a_dropped_connection_is_resumed_where_it_broke(n_connections, publisher, tmp_path):
    publisher.faults[TABLE] = [dropped(300_000)]
    assert fetched(publisher, tmp_path, n_connections=n_connections).failed == ()
    assert_whole(tmp_path)
    ranges = [wanted for path, wanted in publisher.asked if path == TABLE]
    assert len(ranges) == 2
    assert ranges[0] is None
    assert 0 < int(ranges[1].removeprefix("bytes=").rstrip("-")) <= 300_000


def test_without_range_support_a_file_begins_anew(publisher, tmp_path):
    publisher.knows_ranges = False
    publisher.faults[TABLE] = [dropped(100_000), dropped(100_000)]
    assert fetched(publisher, tmp_path).failed == ()
    assert_whole(tmp_path)


def test_a_server_that_sends_another_range_is_not_believed(publisher, tmp_path):
    def another(request, content):
        request.send_response(206)
        request.send_header("Content-Range", f"bytes 5-{len(content) - 1}/{len(content)}")
        request.send_header("Content-Length", str(len(content) - 5))
        request.end_headers()
        request.wfile.write(content[5:])

    publisher.faults[TABLE] = [dropped(300_000), another]
    assert fetched(publisher, tmp_path).failed == ()
    assert_whole(tmp_path)


@pytest.mark.parametrize(
    "fault",
    [
        body(lambda content: content, declared=10),
        body(lambda content: content + b"more"),
        body(lambda content: content[:-1]),
        body(lambda content: b"x" + content[1:]),
        body(lambda _: b""),
        body(lambda _: b"<html>Service temporarily unavailable</html>"),
    ],
    ids=["length too small", "longer", "shorter", "one byte differs", "empty", "an error page as success"],
)
def test_wrong_lengths_and_wrong_bytes_are_fetched_again(fault, publisher, tmp_path):
    publisher.faults[TABLE] = [fault]
    assert fetched(publisher, tmp_path).failed == ()
    assert_whole(tmp_path)


def test_a_file_that_stays_wrong_is_named_and_never_put_in_place(publisher, tmp_path):
    publisher.files[TABLE] = b"something else"
    ((name, reason),) = fetched(publisher, tmp_path).failed
    assert name == "ludb.csv"
    assert "sha256 is" in reason
    assert publisher.n_asked(TABLE) == ATTEMPTS
    assert set(there(tmp_path)) == {"SHA256SUMS.txt", "data/1.hea", "data/1.dat"}


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date", "nonsense"])
def test_retry_after_is_kept(code, form, publisher, tmp_path):
    after = {"seconds": "1", "date": formatdate(time.time() + 2, usegmt=True), "nonsense": "soon"}[form]
    publisher.faults[TABLE] = [status(code, Retry_After=after)]
    begun = time.monotonic()
    assert fetched(publisher, tmp_path).failed == ()
    waited_s = time.monotonic() - begun
    assert (waited_s < 0.9) if form == "nonsense" else (0.9 < waited_s < 5)
    assert_whole(tmp_path)


def test_a_server_that_asks_to_wait_for_an_hour_is_left_alone(publisher, tmp_path):
    publisher.faults[TABLE] = [status(429, Retry_After="3600")]
    ((_, reason),) = fetched(publisher, tmp_path).failed
    assert reason == "the server asks to wait 3600 s: start again then, it goes on where it stopped"


@pytest.mark.parametrize("code, n_asked", [(500, ATTEMPTS), (503, ATTEMPTS), (404, 1), (403, 1), (401, 1)])
def test_a_fault_that_stays_is_named_and_the_other_files_are_there(code, n_asked, publisher, tmp_path):
    publisher.faults[TABLE] = [status(code)] * 9
    ((name, reason),) = fetched(publisher, tmp_path).failed
    assert name == "ludb.csv"
    assert f"the server answers {code}" in reason
    assert publisher.n_asked(TABLE) == n_asked
    assert set(there(tmp_path)) == {"SHA256SUMS.txt", "data/1.hea", "data/1.dat"}


def test_where_nothing_can_be_had_not_every_file_is_tried(publisher, tmp_path):
    publisher.publish(LUDB, {f"data/{n}.dat": b"x" for n in range(200)})
    for n in range(200):
        del publisher.files[f"/{LUDB}/data/{n}.dat"]
    done = fetched(publisher, tmp_path)
    assert len(done.failed) == 200
    assert len(publisher.asked) < 30


def test_a_file_that_moved_is_followed_and_a_circle_is_not(publisher, tmp_path):
    publisher.files["/elsewhere"] = FILES["ludb.csv"]
    publisher.faults[TABLE] = [status(302, Location="/elsewhere")]
    publisher.faults[SIGNAL] = [status(302, Location=SIGNAL)] * 99
    ((name, reason),) = fetched(publisher, tmp_path).failed
    assert name == "data/1.dat"
    assert "connection to 127.0.0.1 failed (too many redirects)" in reason
    assert there(tmp_path)["ludb.csv"] == FILES["ludb.csv"]


@pytest.mark.parametrize(
    "led_to, is_refused", [("http://elsewhere/x", True), ("https://elsewhere/x", False), ("/x", False)]
)
def test_an_address_with_https_is_not_followed_to_one_without(led_to, is_refused):
    class Answer:
        status = 200
        geturl = staticmethod(lambda: led_to)
        close = staticmethod(lambda: None)

    class Pool:
        request = staticmethod(lambda *_, **__: Answer())

    connections = Connections(Pool(), lambda _: None)
    with pytest.raises(DownloadError, match="without https") if is_refused else nullcontext():
        _request("https://publisher/x", 0, connections)


def test_the_proxy_of_the_environment_is_used(publisher, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", publisher.url)
    assert download("ludb", tmp_path / "by proxy", mirror="http://mirror.invalid", backoff_s=0.001).failed == ()
    assert_whole(tmp_path / "by proxy")
    assert {sent["User-Agent"] for sent in publisher.headers} == {"twelvelead"}
    monkeypatch.setenv("http_proxy", publisher.url.replace("://", "://ward:p%40ss@"))
    assert download("ludb", tmp_path / "known", mirror="http://mirror.invalid", backoff_s=0.001).failed == ()
    assert publisher.headers[-1]["Proxy-Authorization"] == f"Basic {b64encode(b'ward:p@ss').decode()}"
    monkeypatch.setenv("no_proxy", "mirror.invalid")
    with pytest.raises(DownloadError, match="the connection to mirror.invalid failed .*resolve"):
        download("ludb", tmp_path / "direct", mirror="http://mirror.invalid", backoff_s=0.001)


def test_a_proxy_without_its_scheme_is_one_and_nonsense_is_refused(publisher, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", publisher.url.removeprefix("http://"))
    assert download("ludb", tmp_path / "by proxy", mirror="http://mirror.invalid", backoff_s=0.001).failed == ()
    for proxy in ("socks5h://127.0.0.1:1080", "http://[bad"):
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(DownloadError, match="environment's http_proxy names no proxy that can be used .*host:port"):
            download("ludb", tmp_path / "not", mirror="http://mirror.invalid", backoff_s=0.001)


@pytest.mark.parametrize(
    "mirror", ["ftp://x", "file:///etc", "physionet.org", "", "http://[::1", "http://exa mple/", "http://"]
)
def test_a_mirror_that_is_no_web_address_is_refused(mirror, tmp_path):
    with pytest.raises(DownloadError, match="it must be an address that begins with https://"):
        download("ludb", tmp_path, mirror=mirror)


def test_no_server_at_all_is_a_sentence(tmp_path):
    with pytest.raises(
        DownloadError, match=r"SHA256SUMS.txt: the connection to 127.0.0.1 failed .*refused.*start again later"
    ):
        download("ludb", tmp_path, mirror="http://127.0.0.1:9", backoff_s=0.001)


def test_a_part_that_is_complete_is_verified_without_fetching(publisher, tmp_path):
    (tmp_path / ".ludb.csv.part").write_bytes(FILES["ludb.csv"])
    fetched(publisher, tmp_path)
    assert_whole(tmp_path)
    (tmp_path / "ludb.csv").unlink()
    (tmp_path / ".ludb.csv.part").write_bytes(FILES["ludb.csv"] + b"too much")
    assert fetched(publisher, tmp_path).failed == ()
    assert_whole(tmp_path)


def test_a_download_killed_in_the_middle_goes_on(publisher, tmp_path):
    large = {f"data/{n}.dat": random.Random(n).randbytes(2_000_000) for n in range(6)}
    publisher.publish(LUDB, large)

    def slow(request, content):
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        for at in range(0, len(content), 100_000):
            request.wfile.write(content[at : at + 100_000])
            request.wfile.flush()
            time.sleep(0.05)

    for name in large:
        publisher.faults[f"/{LUDB}/{name}"] = [slow]
    command = [
        sys.executable,
        "-m",
        "twelvelead",
        "download",
        "ludb",
        str(tmp_path / "ludb"),
        "--mirror",
        publisher.url,
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not any(size > 400_000 for size in part_sizes(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    begun = part_sizes(tmp_path)
    assert max(begun) > 400_000
    assert not list((tmp_path / "ludb").glob("data/?.dat"))
    publisher.faults.clear()
    publisher.asked.clear()
    assert fetched(publisher, tmp_path / "ludb").failed == ()
    assert_whole(tmp_path / "ludb", large)
    asked_from = sorted(int(wanted.removeprefix("bytes=").rstrip("-")) for _, wanted in publisher.asked if wanted)
    assert asked_from == sorted(size for size in begun if size)


def part_sizes(folder):
    return [path.stat().st_size for path in folder.glob("ludb/data/.*.part")]


def test_ctrl_c_stops_at_once_and_says_how_to_go_on(publisher, tmp_path):
    def stalled(request, content):
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        for at in range(0, len(content), 1_000):
            request.wfile.write(content[at : at + 1_000])
            time.sleep(0.01)

    publisher.faults[SIGNAL] = [stalled]
    command = [sys.executable, "-m", "twelvelead", "download", "ludb", str(tmp_path), "--mirror", publisher.url]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=default_interrupt
    ) as process:
        while not (tmp_path / "data/.1.dat.part").exists():
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        _, said = process.communicate(timeout=30)
    assert time.monotonic() - begun < 8
    assert process.returncode == 130
    assert "stopped" in said.splitlines()[-1]


def default_interrupt():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/passwd", "data/../../evil", "data//x", "data/./x", ".bashrc", "data/.ssh/x", "a\\..\\b", "C:\\x", "a\nb",
     "a\0b", "~/x", "a:b", "%2e%2e/x", "x/", "", " ", "x ", "x.", "\u202ecod", "a" * 300, "http://x/y", "$(x)", "a;b"],
)  # fmt: skip
def test_names_that_lead_out_or_are_odd_are_refused(name):
    with pytest.raises(DownloadError, match="the list names a file"):
        refuse_unsafe(name)


@pytest.mark.parametrize(
    "name", ["ludb.csv", "data/1.hea", "Label mappings 2021.xlsx", "a_b-c+1=2@(3),4's.txt", "x/y/z"]
)
def test_plain_names_are_taken(name):
    assert refuse_unsafe(name) == name


@pytest.mark.parametrize("name", ["../evil.txt", "/tmp/evil.txt", "data/../../evil.txt"])
def test_a_list_with_a_name_outside_is_refused_before_anything_is_fetched(name, publisher, tmp_path):
    publisher.publish(LUDB, FILES | {name: b"evil"})
    with pytest.raises(DownloadError, match="only relative paths"):
        fetched(publisher, tmp_path / "in")
    assert set(there(tmp_path)) == {"in/SHA256SUMS.txt"}


def test_a_folder_that_is_a_link_out_is_not_written_through(publisher, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in/data").symlink_to(tmp_path / "outside")
    publisher.publish(LUDB, FILES | {"data/deep/2.dat": b"deep"})
    done = fetched(publisher, tmp_path / "in")
    assert sorted(name for name, _ in done.failed) == ["data/1.dat", "data/1.hea", "data/deep/2.dat"]
    assert "is a link out of" in done.failed[0][1]
    assert not list((tmp_path / "outside").iterdir())


def test_a_part_that_is_a_link_is_not_written_through(publisher, tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/.ludb.csv.part").symlink_to(victim)
    assert [name for name, _ in fetched(publisher, tmp_path / "in").failed] == ["ludb.csv"]
    assert victim.read_bytes() == b""


@pytest.mark.parametrize(
    "damage",
    [b"", b"<html></html>\n", b"\xff\xfe\x00", b"0123  ludb.csv\n", b"a" * 64 + b"  x\n" + b"b" * 64 + b"  X\n"],
)
def test_a_damaged_list_is_refused_in_a_sentence(damage, publisher, tmp_path):
    publisher.files[f"/{LUDB}/SHA256SUMS.txt"] = damage
    with pytest.raises(DownloadError, match="SHA256SUMS.txt"):
        fetched(publisher, tmp_path)


def test_a_list_without_end_is_cut_off(publisher, tmp_path, monkeypatch):
    monkeypatch.setattr(downloading, "MAX_LIST_BYTES", 100)
    with pytest.raises(DownloadError, match=r"SHA256SUMS.txt: the server sent more than 100 bytes"):
        fetched(publisher, tmp_path)
    assert publisher.n_asked(f"/{LUDB}/SHA256SUMS.txt") == 1
    assert there(tmp_path) == {}


def test_a_file_larger_than_its_whole_database_is_cut_off(publisher, tmp_path, monkeypatch):
    monkeypatch.setitem(SOURCES, "ludb", SOURCES["ludb"]._replace(gigabytes=len(FILES["data/1.dat"]) / 1e9))
    publisher.files[SIGNAL] += b"x"
    ((name, reason),) = fetched(publisher, tmp_path).failed
    assert (name, "more than 1,024,000 bytes" in reason) == ("data/1.dat", True)
    assert publisher.n_asked(SIGNAL) == 1
    assert not (tmp_path / "data/.1.dat.part").exists()


def test_only_the_part_that_is_named_is_fetched(publisher, tmp_path):
    files = {"training/georgia/g1/E00001.hea": b"g", "training/ptb-xl/g1/HR00001.hea": b"p", "LICENSE.txt": b"l"}
    publisher.publish("challenge-2021/1.0.3", files)
    assert fetched(publisher, tmp_path, "georgia").n_files == 1
    assert set(there(tmp_path)) == {"SHA256SUMS.txt", "training/georgia/g1/E00001.hea"}


ZIPS = {"exams.csv": b"exam_id\n", "exams_part0.zip": b"PK" * 300_000}


def test_a_record_of_zenodo_is_fetched_and_told_in_bytes(publisher, tmp_path):
    publisher.publish_record("4916206", ZIPS)
    told = []
    done = fetched(publisher, tmp_path, "code-15", tell=told.append)
    assert (done.n_files, done.failed) == (2, ())
    assert_whole(tmp_path, ZIPS)
    total = sum(map(len, ZIPS.values()))
    assert (told[-1].total_bytes, told[-1].n_bytes) == (total, total)
    assert told[-1].n_done == 2


def test_more_than_the_listed_size_is_cut_off(publisher, tmp_path):
    publisher.publish_record("4916206", ZIPS)
    publisher.files["/api/records/4916206/files/exams.csv/content"] += b"x" * 1_000_000
    ((name, reason),) = fetched(publisher, tmp_path, "code-15").failed
    assert name == "exams.csv"
    assert "more than the 8 bytes that are listed" in reason


@pytest.mark.parametrize(
    "damage",
    [b"[]", b"{}", b'{"files": [{}]}', b'{"files": [{"key": "a", "size": 1, "checksum": "crc:1"}]}', b"[" * 99_999]
    + [
        f'{{"files": [{{"key": "a", "size": {size}, "checksum": "md5:{"0" * 32}"}}]}}'.encode()
        for size in ("Infinity", "-1", "NaN", "true", '"12"', "9" * 400)
    ],
)
def test_a_damaged_record_is_refused_in_a_sentence(damage, publisher, tmp_path):
    publisher.files["/api/records/4916206"] = damage
    with pytest.raises(DownloadError, match=r"api/records/4916206"):
        fetched(publisher, tmp_path, "code-15")


@pytest.mark.parametrize(
    "name, project, write, n",
    [
        ("ludb", LUDB, simulator.write_ludb, 4),
        ("ptb-xl-100", "ptb-xl/1.0.3", lambda folder: simulator.write_ptbxl(folder, n=6, rates=(100, 500)), 6),
        ("ecg-arrhythmia", "ecg-arrhythmia/1.0.0", layouts.write_ecg_arrhythmia, 3),
        ("incart", "incartdb/1.0.0", layouts.write_incart, 4),
        ("ptb", "ptbdb/1.0.0", layouts.write_ptb, 3),
        ("mimic-iv-ecg", "mimic-iv-ecg/1.0", layouts.write_mimic, 4),
        ("georgia", "challenge-2021/1.0.3", lambda folder: layouts.write_georgia(folder / "training/georgia"), 3),
    ],
)
def test_what_was_downloaded_is_found(name, project, write, n, publisher, tmp_path):
    write(tmp_path / "published")
    publisher.publish(project, there(tmp_path / "published"))
    assert fetched(publisher, tmp_path / "here", name).failed == ()
    assert len(find([tmp_path / "here"]).records) == n
    assert not list((tmp_path / "here").glob("records500/*"))


def test_room_is_looked_at_first(publisher, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9))
    publisher.publish("mimic-iv-ecg/1.0", FILES)
    with pytest.raises(DownloadError, match=r"about 98.0 GB are needed and 0.9 GB are free in .*: make room"):
        fetched(publisher, tmp_path, "mimic-iv-ecg")
    assert set(there(tmp_path)) == {"SHA256SUMS.txt"}


def test_what_is_there_in_part_needs_no_room_again(publisher, tmp_path, monkeypatch):
    begun = FILES["data/1.dat"][:1_000_000]
    (tmp_path / "data").mkdir()
    (tmp_path / "data/.1.dat.part").write_bytes(begun)
    free = int(SOURCES["ludb"].gigabytes * 1e9) - len(begun) // 2 + FREE_BYTES_TO_LEAVE
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(free))
    assert fetched(publisher, tmp_path).failed == ()


def test_a_disk_that_fills_up_is_a_sentence(publisher, tmp_path, monkeypatch):
    free = iter([10**9] * 8)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(next(free, 0)))
    done = fetched(publisher, tmp_path, n_connections=1)
    assert done.failed
    assert all("is full: make room and start again to go on" in reason for _, reason in done.failed)


def test_an_unknown_name_says_what_is_known(tmp_path):
    with pytest.raises(DownloadError, match=r"no database 'mit' can be downloaded: known are challenge-2020, .*ptb-xl"):
        download("mit", tmp_path)


def test_every_source_is_at_its_publisher_with_a_version_and_a_licence():
    for name, source in SOURCES.items():
        assert source.page.startswith("https://"), name
        assert source.path.isdecimal() if source.host == "zenodo" else source.path.count("/") == 1
        assert source.licence
        assert source.gigabytes > 0


def test_the_command_answers_in_json_and_by_its_exit_status(publisher, tmp_path, twelvelead):
    done = twelvelead("download", "ludb", tmp_path, "--mirror", publisher.url, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"folder": str(tmp_path), "n_files": 3, "n_fetched": 3, "failed": []}
    (tmp_path / "ludb.csv").unlink()
    publisher.files.pop(TABLE)
    done = twelvelead("download", "ludb", tmp_path, "--mirror", publisher.url)
    assert done.returncode == 1
    assert "2 of 3 files verified, 0 fetched now" in done.stdout
    assert "not there: ludb.csv" in done.stderr

"""An archive of any form becomes a row for each recording, the same as `classify` gives; nothing of it is trusted."""

import bz2
import errno
import fcntl
import gzip
import io
import json
import lzma
import os
import random
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import simulator
import warm
from archiving import rows, run, write_mixture, write_recordings
from twelvelead.archive import inside, manifest
from twelvelead.archive.entries import from_line, recording_of, to_line
from twelvelead.archive.inside import _signal_files, recordings_inside
from twelvelead.archive.listing import LISTING, ArchiveError
from twelvelead.archive.manifest import Settings, begin, read_manifest
from twelvelead.archive.members import MAX_MEMBER_BYTES, bytes_of, members_of
from twelvelead.archive.running import refused_in, run_here
from twelvelead.classifier import classify, load_bundle, shipped_bundle
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.formats import read, recordings_in
from twelvelead.learning.store import CHUNK
from twelvelead.record import LEADS, RecordError


@pytest.fixture(scope="module")
def mixture(tmp_path_factory):
    return write_mixture(tmp_path_factory.mktemp("mixture") / "in")


@pytest.fixture(scope="module")
def results(mixture):
    out = mixture.parent / "out"
    done = run(mixture, "--out", out, "--json", "--shard-size", 4)
    assert done.returncode == 0, done.stderr
    assert "recordings" in done.stderr
    assert f"passed over in the folders, as no recordings or links: 1, such as {mixture}/notes.txt" in done.stderr
    return out, json.loads(done.stdout)


def test_the_rows_are_those_of_classify(mixture, results):
    """Bit for bit."""
    classify = [sys.executable, "-m", "twelvelead", "classify", str(mixture), "--json"]
    done = subprocess.run(classify, capture_output=True, text=True, check=False)
    wanted = [json.loads(line) for line in done.stdout.splitlines()]
    found = [row for row in rows(results[0]) if "inner" not in row["path"]]
    assert len(found) == len(wanted) == 10
    for row, answer in zip(found, wanted, strict=True):
        assert row["error"] == answer.get("error")
        if row["error"] is None:
            assert {name: row[name] for name in DIAGNOSES} == answer["probabilities"]
            assert {entry["diagnosis"]: entry["reason"] for entry in row["withheld"]} == answer["withheld"]
            assert all(finding.pop("windows") is None for finding in row["quality"])  # the column is there in every row
            assert [row[name] for name in ("record", "positive", "quality", "warnings")] == [
                answer[name] for name in ("record", "positive", "quality", "warnings")
            ]


def test_its_decisions_are_those_of_the_specificity_asked_for(tmp_path):
    done = run(write_recordings(tmp_path / "in", 3), "--out", tmp_path / "out", "--specificity", "0.99")
    assert done.returncode == 0, done.stderr
    strict = load_bundle(shipped_bundle(), specificity="0.99")
    assert read_manifest(tmp_path / "out").bundle_name == strict.name
    for row in rows(tmp_path / "out"):
        assert row["positive"] == list(classify(read(row["path"]), strict).positive)


def test_every_recording_has_a_row_with_its_place_and_reason(results):
    out, said = results
    found = rows(out)
    assert [row["index"] for row in found] == list(range(22))
    refused = {Path(row["path"]).name: row["error"] for row in found if row["error"]}
    assert (said["recordings"], said["passed_over"]) == (22, 1)  # notes.txt
    assert said["refused"] == sum(row["error"] is not None for row in found) == 8
    assert "at least 5 s are needed" in refused["brief.hea"]
    assert "it is a link" in refused["link.hea"]
    orphans = [row for row in found if row["path"].endswith("/orphan.mat")]
    assert len({Path(row["path"]).parent for row in orphans}) == len(orphans) == 3  # the folder's, the tar's, the zip's
    assert all("a signal file without its header orphan.hea" in row["error"] for row in orphans)
    assert "an archive within an archive" in refused["nested.zip"]
    assert "none of the formats" in refused["claims.dcm"]
    assert all(row[name] is None for row in found if row["error"] for name in DIAGNOSES)


def test_tar_and_zip_give_the_same(results):
    probabilities = [
        [
            [row["record"], *(row[name] for name in DIAGNOSES)]
            for row in rows(results[0])
            if f"inner{suffix}/" in row["path"] and row["error"] is None
        ]
        for suffix in (".tar", ".zip")
    ]
    assert sorted(probabilities[0]) == sorted(probabilities[1])
    assert {row[0] for row in probabilities[0]} == {"flac", "t0000", "t0001", "t0002"}


def test_a_zip_whose_folders_are_parted_as_on_windows(tmp_path):
    header = simulator.Wfdb("r0", simulator.digital(simulator.ecg()), suffix=".dat")
    members = (("rec\\r0.hea", header.header().encode()), ("rec\\r0.dat", header.signal_bytes()))
    [entry] = recordings_inside(packed(tmp_path / "a.zip", *members))
    assert (Path(entry.path).name, sorted(entry.parts)) == ("r0.hea", ["r0.dat", "r0.hea"])


@pytest.mark.corpus
def test_real_recordings_read_the_same_from_a_tar_and_a_zip(corpus, tmp_path):
    folder = corpus / "formats"
    with tarfile.open(tmp_path / "all.tar", "w") as tar, zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder), recursive=False)
            packed.write(path, path.relative_to(folder))
    for archive in ("all.tar", "all.zip"):
        entries = {entry.path: entry for entry in recordings_inside(tmp_path / archive)}
        assert sorted(entries) == [f"{tmp_path / archive}/{path.relative_to(folder)}" for path in recordings_in(folder)]
        for path in recordings_in(folder):
            entry = entries[f"{tmp_path / archive}/{path.relative_to(folder)}"]
            assert outcome(lambda e=entry: recording_of(from_line(to_line(e)))) == outcome(lambda p=path: read(p))


def outcome(reading):
    try:
        record = reading()
    except RecordError as error:
        return str(error)
    return record.name, record.signal.tobytes(), record.warnings


def test_a_folder_named_by_a_link_is_entered(mixture, results, tmp_path):
    (tmp_path / "link").symlink_to(mixture / "ward 1")
    done = run(tmp_path / "link", "--out", tmp_path / "out", "--workers", 1)
    assert done.returncode == 0, done.stderr
    directly = [Path(row["path"]).name for row in rows(results[0]) if "ward 1" in row["path"]]
    assert [Path(row["path"]).name for row in rows(tmp_path / "out")] == directly


def test_a_folder_below_the_input_that_is_a_link_is_counted(tmp_path):
    folder = write_recordings(tmp_path / "in", 1)
    (folder / "ward").symlink_to(write_recordings(tmp_path / "elsewhere", 2))
    done = run(folder, "--out", tmp_path / "out", "--json")
    assert [json.loads(done.stdout)[name] for name in ("recordings", "passed_over")] == [1, 1]
    assert f"1, such as {folder / 'ward'}" in done.stderr


def test_a_list_may_name_files_folders_and_archives_and_repeat_them(mixture, tmp_path):
    lines = [
        "ward 1/r0000.hea",
        "ward 1",
        "inner.zip",
        "ward 1/r0000.hea",
        "",
        "gone.hea",
        "x" * 300,
        str(mixture / "ecg.dcm"),
    ]
    (mixture / "list.txt").write_text("\n".join(lines), encoding="utf-8-sig")
    try:
        done = run(mixture / "list.txt", "--out", tmp_path / "out", "--workers", 1)
        assert done.returncode == 0, done.stderr
    finally:
        (mixture / "list.txt").unlink()
    found = rows(tmp_path / "out")
    names = [Path(row["path"]).name for row in found]
    assert names[0] == names[11] == "r0000.hea", names
    assert names[-3:] == ["gone.hea", "x" * 300, "ecg.dcm"]
    assert [row["error"].rpartition(": ")[2] for row in found[-3:-1]] == [
        "No such file or directory",
        "File name too long",
    ]
    assert {**found[0], "index": 11} == found[11]


def test_what_is_named_is_what_its_bytes_say(tmp_path):
    """A recording called as a list is, a list of records without suffixes, archives without theirs."""
    names = [name.removesuffix(".hea") for name, _ in files(tmp_path, 2) if name.endswith(".hea")]
    lines = ["# rate_hz: 100", "# unit: mV", ",".join(LEADS)]
    signal = simulator.ecg(duration_s=6.0, rate_hz=100.0)
    (tmp_path / "csv.txt").write_text("\n".join(lines + [",".join(f"{v:.3f}" for v in row) for row in signal.T]))
    (tmp_path / "RECORDS.txt").write_text("\n".join(f"loose/{name}" for name in names))
    taped(tmp_path / "taped", *files(tmp_path, 2))
    packed(tmp_path / "packed", *files(tmp_path, 2))
    inputs = [tmp_path / name for name in ("csv.txt", "RECORDS.txt", "taped", "packed")]
    done = run(*inputs, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    found = rows(tmp_path / "out")
    assert [row["record"] for row in found] == ["csv", *names * 3]
    assert [row["error"] for row in found] == [None] * 7


def test_another_spelling_of_a_path_is_no_other_input(tmp_path):
    folder, out = write_recordings(tmp_path / "in", 1), tmp_path / "out"
    assert run(folder, "--out", out).returncode == 0
    done = run(folder / ".." / "in", "--out", out)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("change, sentence", [
    ("input", "the recordings are not the same (3 then, 4 now)"),
    ("setting", "anyway was False, now True"),
    ("shards", "shard_size was 2, now 3"),
    ("bundle", "the bundle was twelvelead"),
    ("thresholds", "manifest.json has AF positive from 0.125 on, the bundle from 0."),
])  # fmt: skip
def test_what_was_begun_otherwise_is_not_gone_on_with(change, sentence, tmp_path, request):
    folder, out = write_recordings(tmp_path / "in", 3), tmp_path / "out"
    assert run(folder, "--out", out, "--shard-size", 2).returncode == 0
    options = {"setting": ["--anyway"], "bundle": ["--bundle"]}.get(change, [])
    if change == "input":
        write_recordings(folder, 1, "new")
    if change == "bundle":
        options.append(request.getfixturevalue("bundle"))
    if change == "thresholds":
        facts = json.loads((out / "manifest.json").read_text())
        facts["thresholds"]["AF"] = 0.125
        (out / "manifest.json").write_text(json.dumps(facts))
    before = rows(out)
    done = run(folder, "--out", out, "--shard-size", 3 if change == "shards" else 2, *options)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "go on as before, or name a new folder" in done.stderr
    assert rows(out) == before


def test_a_shard_that_is_damaged_or_gone_is_done_again(tmp_path):
    folder, out = write_recordings(tmp_path / "in", 6), tmp_path / "out"
    assert run(folder, "--out", out, "--shard-size", 2).returncode == 0
    before, shards = rows(out), sorted((out / "shards").iterdir())
    shards[0].write_bytes(shards[0].read_bytes()[:-10])
    shards[1].unlink()
    shards[2].write_bytes(shards[2].read_bytes())
    done = run(folder, "--out", out, "--shard-size", 2, "--json")
    assert json.loads(done.stdout)["there_before"] == 2
    assert rows(out) == before
    assert json.loads(run(folder, "--out", out, "--shard-size", 2, "--json").stdout)["there_before"] == 6


def test_results_without_their_manifest_are_not_mixed_with_others(tmp_path):
    out = tmp_path / "out"
    assert run(write_recordings(tmp_path / "in", 8), "--out", out, "--shard-size", 3).returncode == 0
    (out / "manifest.json").unlink()
    before = rows(out)
    done = run(write_recordings(tmp_path / "others", 2), "--out", out, "--shard-size", 3)
    assert done.returncode == 1
    assert "holds files (00000000.parquet)" in done.stderr
    assert "no manifest.json that says of what: put that back to go on, or name a new folder" in done.stderr
    assert rows(out) == before


def test_a_folder_whose_run_was_killed_before_its_manifest_stood_is_written_to(tmp_path):
    (tmp_path / "out/shards").mkdir(parents=True)
    for name in ("shards/.00000000.parquet.01.part", ".manifest.json.01.part", ".listing.jsonl.part", "listing.jsonl"):
        (tmp_path / "out" / name).touch()
    done = run(write_recordings(tmp_path / "in", 2), "--out", tmp_path / "out")
    assert (done.returncode, len(rows(tmp_path / "out"))) == (0, 2), done.stderr


@pytest.mark.parametrize("reason, sentence", [
    (errno.EAGAIN, "another run is writing to"),
    (errno.EACCES, "another run is writing to"),
    (errno.ENOLCK, r"cannot lock files \(No locks available\): name a folder on another"),
    (errno.EOPNOTSUPP, r"cannot lock files \(Operation not supported\): name a folder on another"),
])  # fmt: skip
def test_a_folder_that_cannot_be_locked_is_not_said_to_be_written_to(reason, sentence, tmp_path, monkeypatch):
    def flock(*_: object) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(ArchiveError, match=sentence), manifest.alone_in(tmp_path / "out"):
        pass


def test_inputs_that_change_while_they_are_listed_again_are_said(tmp_path, monkeypatch):
    folder, out, classifier = write_recordings(tmp_path / "in", 2), tmp_path / "out", load_bundle(shipped_bundle())
    out.mkdir()
    begin([folder], out, classifier, Settings())
    (out / LISTING).write_text("")
    write = manifest.write_listing

    def meanwhile(*arguments):
        write_recordings(folder, 1, "more")
        return write(*arguments)

    monkeypatch.setattr(manifest, "write_listing", meanwhile)
    with pytest.raises(ArchiveError, match="the recordings change while they are listed"):
        begin([folder], out, classifier, Settings())


def test_a_shard_whose_file_is_not_there_is_not_counted(tmp_path, monkeypatch):
    folder, out, bundle = write_recordings(tmp_path / "in", 1), tmp_path / "out", shipped_bundle().absolute()
    out.mkdir()
    monkeypatch.setattr("twelvelead.archive.running.run_shard", lambda _seat, _shard: None)
    with pytest.raises(ArchiveError, match="shard 0 is not in"):
        run_here(out, bundle, begin([folder], out, load_bundle(bundle), Settings()), 1, lambda _: None)


def test_a_listing_that_was_changed_is_made_again(tmp_path):
    folder, out = write_recordings(tmp_path / "in", 4), tmp_path / "out"
    assert run(folder, "--out", out, "--shard-size", 2).returncode == 0
    before, listing = rows(out), out / "listing.jsonl"
    for path, change in (
        (listing, lambda content: content.replace(b"r1.", b"r0.")),
        (listing, lambda content: content[:1]),
        (out / "listing.offsets", lambda content: content[:-3]),
    ):
        path.write_bytes(change(path.read_bytes()))
        (out / "shards/00000000.parquet").unlink()
        assert run(folder, "--out", out, "--shard-size", 2).returncode == 0
        assert rows(out) == before


def test_any_changed_bit_of_a_shard_is_found(tmp_path):
    folder, out = write_recordings(tmp_path / "in", 3), tmp_path / "out"
    assert run(folder, "--out", out).returncode == 0
    before, (shard,) = rows(out), (out / "shards").iterdir()
    manifest = read_manifest(out)
    whole = shard.read_bytes()
    assert refused_in(out, manifest, 0) == 0
    footer_at = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    for at in range(0, footer_at, 5):  # 5 and 8 share nothing: every bit of a byte, everywhere
        changed = bytearray(whole)
        changed[at] ^= 1 << at % 8
        shard.write_bytes(changed)
        assert refused_in(out, manifest, 0) is None, at
    shard.write_bytes(whole[:4] + bytes(footer_at - 4) + whole[footer_at:])
    told = subprocess.run(
        [sys.executable, "-m", "twelvelead", "archive-report", out, "--json"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (told.returncode, json.loads(told.stdout)["recordings"]) == (0, 0)
    assert json.loads(run(folder, "--out", out, "--json").stdout)["there_before"] == 0
    assert rows(out) == before


def test_no_module_of_the_folder_is_run(tmp_path):
    """Workers are Pythons of their own, started where the recordings may lie."""
    folder = tmp_path / "in"
    simulator.write_challenge(folder, n=CHUNK + 1)
    for module in ("json", "struct", "selectors", "types", "pickle", "socket"):
        (folder / f"{module}.py").write_text(
            f"open({str(tmp_path / 'ran')!r}, 'a').write('{module} ')\nraise SystemExit(3)"
        )
    twelvelead = Path(sys.executable).with_name("twelvelead")
    done = [
        subprocess.run([twelvelead, *words], cwd=folder, capture_output=True, text=True, timeout=120)
        for words in (
            ["archive", ".", "--out", tmp_path / "out", "--workers", "2"],
            ["store", ".", "--out", tmp_path / "store", "--workers", "2"],
        )
    ]
    assert not (tmp_path / "ran").exists()
    assert [each.returncode for each in done] == [0, 0], done


def test_the_results_may_lie_within_the_input(tmp_path):
    folder = write_recordings(tmp_path / "in", 3)
    for _ in range(2):
        assert run(folder, "--out", folder / "results").returncode == 0
    assert len(rows(folder / "results")) == 3


@pytest.mark.parametrize("arguments, sentence", [
    (["/nowhere", "--out", "out"], "/nowhere is not there"),
    (["empty", "--out", "out"], "no recordings in"),
    (["in", "--out", "precious"], "holds other things (thesis)"),
    (["in", "--out", "no/such/folder"], "is no folder: make it"),
    (["binary.txt", "--out", "out"], "is no list of files"),
    (["prose.txt", "--out", "out"], "prose.txt names nothing that is there, such as"),
    (["in", "--out", "out", "--bundle", "/nowhere"], "no bundle in /nowhere"),
    (["in", "--out", "out", "--cluster", "garbage"], "--cluster garbage is no address of a scheduler"),
])  # fmt: skip
def test_a_wrong_call_is_one_sentence(arguments, sentence, tmp_path):
    write_recordings(tmp_path / "in", 1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/thesis").write_text("years of work")
    (tmp_path / "binary.txt").write_bytes(b"\0\1\2\n")
    (tmp_path / "prose.txt").write_text("Once there was\na recording\n")
    done = warm.twelvelead("archive", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("twelvelead: ")]) == 1
    assert "Traceback" not in done.stderr
    assert (tmp_path / "precious/thesis").read_text() == "years of work"
    assert not ({"/nowhere", "garbage"} & set(arguments) and (tmp_path / "out").exists())


def packed(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return path


def taped(path: Path, *members: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def files(tmp_path: Path, n: int = 2) -> list[tuple[str, bytes]]:
    folder = write_recordings(tmp_path / "loose", n)
    return [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]


def reasons(archive: Path) -> dict[str, str]:
    """What is said of each recording of an archive; empty where it is read."""
    found = {}
    for entry in recordings_inside(archive):
        try:
            recording_of(from_line(to_line(entry)))
            found[entry.path.removeprefix(f"{archive}/")] = ""
        except RecordError as error:
            found[entry.path.removeprefix(f"{archive}/")] = str(error)
    return found


def test_a_file_that_tar_was_given_twice_is_one_recording(tmp_path):
    """As GNU tar packs `a.dcm a.dcm`: the second as a hard link to its own name."""
    members = files(tmp_path, 1)
    archive = taped(tmp_path / "a.tar", *members)
    with tarfile.open(archive, "a") as again:
        for name, _ in members:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.LNKTYPE, name
            again.addfile(link)
    assert list(reasons(archive).values()) == [""]


def test_members_with_names_that_lead_elsewhere_are_only_names(tmp_path):
    names = ("../up", "/root/abs", "a/../../b", "c:\\d", "x\ny")
    members = [(name + content_name, content) for name in names for content_name, content in files(tmp_path, 1)]
    before = sorted(tmp_path.rglob("*"))
    for archive in (packed(tmp_path / "a.zip", *members), taped(tmp_path / "a.tar", *members)):
        found = reasons(archive)
        assert len(found) == len(names)
        archive.unlink()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_zip_bomb_is_refused_by_its_numbers(tmp_path):
    bomb = packed(tmp_path / "bomb.zip", ("big.dcm", bytes(64 << 20)), ("huge.edf", bytes(MAX_MEMBER_BYTES + 1)))
    found = reasons(bomb)
    assert "stand for 67,108,864: no recording packs so well" in found["big.dcm"]
    assert "at most 134,217,728 of a member are read" in found["huge.edf"]


def test_a_zip_whose_sizes_lie_is_refused(tmp_path):
    archive = packed(tmp_path / "a.zip", ("a.dcm", bytes(range(256)) * 40))
    content = archive.read_bytes()
    at = content.rfind(b"PK\x01\x02") + 24
    archive.write_bytes(content[:at] + (5000).to_bytes(4, "little") + content[at + 4 :])
    assert "not what its archive declares" in reasons(archive)["a.dcm"]
    archive.write_bytes(content.replace(b"a.dcm", b"b.dcm", 1)[:40] + b"\0\0\0\0" + content[44:])
    assert "archive" in reasons(archive)["a.dcm"]


def test_what_a_tar_holds_beside_files_is_refused_by_name(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in (
            ("link.hea", tarfile.SYMTYPE),
            ("hard.dcm", tarfile.LNKTYPE),
            ("pipe.edf", tarfile.FIFOTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    found = reasons(tmp_path / "a.tar")
    assert len(found) == 3
    assert all("not a plain file" in reason for reason in found.values())


def test_what_a_zip_holds_as_a_link_is_refused_by_name(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        info = zipfile.ZipInfo("link.hea")
        info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    (reason,) = reasons(tmp_path / "a.zip").values()
    assert "not a plain file" in reason


def test_a_record_whose_signal_file_is_refused_says_why(tmp_path):
    """And not that it is missing."""
    [(header, text), (signal, content)] = files(tmp_path, 1)
    kept = tarfile.TarInfo("r/" + signal), tarfile.TarInfo(signal), tarfile.TarInfo(signal)
    kept[0].size, kept[1].type, kept[1].linkname = len(content), tarfile.LNKTYPE, "r/" + signal
    kept[2].type = tarfile.GNUTYPE_SPARSE
    for name, info in zip(("hard", "sparse"), kept[1:], strict=True):
        with tarfile.open(taped(tmp_path / f"{name}.tar", (header, text)), "a") as archive:
            archive.addfile(kept[0], io.BytesIO(content))
            archive.addfile(info)
    with zipfile.ZipFile(packed(tmp_path / "bzip2.zip", (header, text)), "a") as archive:
        archive.writestr(signal, content, zipfile.ZIP_BZIP2)
    taped(tmp_path / "large.tar", (header, text), (signal, bytes(MAX_MEMBER_BYTES + 1)))
    found = {name: reasons(tmp_path / name)[header] for name in ("hard.tar", "sparse.tar", "bzip2.zip", "large.tar")}
    way_out = "unpack the archive, and name its folder"
    assert found["hard.tar"] == f"{signal}: a hard link to r/{signal}, not a plain file: {way_out}"
    assert found["sparse.tar"] == f"{signal}: not a plain file: a link, a device or sparse; {way_out}"
    assert found["bzip2.zip"].startswith(f"{signal}: packed by method 12: plain and deflated members are read")
    assert found["large.tar"] == f"{signal}: 134,217,729 bytes: at most 134,217,728 of a member are read; take it out"


def test_a_tar_whose_first_name_begins_as_a_zip_does_is_a_tar(tmp_path):
    members = [(f"PK{name}", content.replace(b"r0", b"PKr0")) for name, content in files(tmp_path, 2)]
    assert reasons(taped(tmp_path / "a.tar", *members)) == {"PKr0000.hea": "", "PKr0001.hea": ""}


@pytest.mark.parametrize("pack", [
    gzip.compress,
    bz2.compress,
    lzma.compress,
    lambda content: b"\x28\xb5\x2f\xfd" + content,  # as zstd begins
])  # fmt: skip
def test_a_packed_archive_that_is_called_tar_is_said_to_be_packed(pack, tmp_path):
    archive = taped(tmp_path / "a.tar", *files(tmp_path, 1))
    archive.write_bytes(pack(archive.read_bytes()))
    said = "packed: unpack it first; of archives, plain tar and zip are read"
    assert reasons(archive) == {str(archive): said}


def test_a_tar_whose_first_name_begins_as_bzip2_does_is_a_tar(tmp_path):
    members = [(f"BZh{name}", content.replace(b"r0", b"BZhr0")) for name, content in files(tmp_path, 1)]
    assert reasons(taped(tmp_path / "a.tar", *members)) == {"BZhr0000.hea": ""}


def test_an_empty_zip_is_no_damaged_one(tmp_path):
    assert reasons(packed(tmp_path / "a.zip")) == {}


def test_a_tar_behind_a_tar_is_not_passed_over_without_a_word(tmp_path):
    first = taped(tmp_path / "a.tar", *files(tmp_path, 2)).read_bytes()
    (tmp_path / "b.tar").write_bytes(first + bytes(10240) + first)
    found = reasons(tmp_path / "b.tar")
    assert sum(reason == "" for reason in found.values()) == 2
    assert "another archive follows the end of this one" in found[str(tmp_path / "b.tar")]
    (tmp_path / "b.tar").write_bytes(first + bytes(10240))
    assert set(reasons(tmp_path / "b.tar").values()) == {""}


@pytest.mark.parametrize("make, suffix", [(packed, ".zip"), (taped, ".tar")])
def test_an_archive_cut_short_says_so_and_keeps_what_is_whole(make, suffix, tmp_path):
    archive = make(tmp_path / f"a{suffix}", *files(tmp_path, 4))
    whole = archive.read_bytes()
    for share in (0.1, 0.5, 0.9):
        archive.write_bytes(whole[: int(len(whole) * share)])
        found = reasons(archive)
        assert any("damaged" in reason for reason in found.values()), found
        assert sum(reason == "" for reason in found.values()) == (0 if suffix == ".zip" else int(4 * share))


@pytest.mark.parametrize("make, suffix", [(packed, ".zip"), (taped, ".tar")])
def test_damaged_archives_never_do_more_than_refuse(make, suffix, tmp_path):
    chance = random.Random(3)
    whole = make(tmp_path / f"a{suffix}", *files(tmp_path, 2)).read_bytes()
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(chance.choice((1, 3, 30))):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        (tmp_path / f"b{suffix}").write_bytes(damaged)
        reasons(tmp_path / f"b{suffix}")


@pytest.mark.parametrize("counted", [0, 2, 5])
def test_a_zip_is_read_whole_whatever_it_counts(counted, tmp_path):
    archive = packed(tmp_path / "a.zip", *files(tmp_path, 2))
    content = bytearray(archive.read_bytes())
    end = content.rfind(b"PK\x05\x06")
    content[end + 8 : end + 12] = counted.to_bytes(2, "little") * 2
    archive.write_bytes(content)
    found = reasons(archive)
    assert f"its directory holds 4 entries and counts {counted}" in found.pop(str(archive))
    assert found == {"r0000.hea": "", "r0001.hea": ""}


def test_a_zip_of_many_members_may_count_those_beyond_65536_only(tmp_path):
    n = (1 << 16) + 2
    archive = packed(tmp_path / "a.zip", *[(f"{i}.hea", b"") for i in range(n)], method=zipfile.ZIP_STORED)
    content = archive.read_bytes()
    wide, end = content.rfind(b"PK\x06\x06"), bytearray(content[content.rfind(b"PK\x05\x06") :])
    end[8:12] = (n % (1 << 16)).to_bytes(2, "little") * 2
    archive.write_bytes(content[:wide] + end)
    with archive.open("rb") as file:
        assert sum(1 for _ in members_of(file)) == n


def test_members_are_what_the_standard_library_finds(tmp_path):
    members = [*files(tmp_path, 3), ("é/ü.hea", b"x" * 5000), ("n" * 300, b""), ("twice", b"1")]
    packed(tmp_path / "a.zip", *members)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, (tmp_path / "a.zip").open("rb") as file:
        wanted = {info.filename: archive.read(info) for info in archive.infolist()}
        assert {member.name: bytes_of(file, member) for member in list(members_of(file))} == wanted
    taped(tmp_path / "a.tar", *members)
    with tarfile.open(tmp_path / "a.tar") as archive, (tmp_path / "a.tar").open("rb") as file:
        assert {member.name: bytes_of(file, member) for member in list(members_of(file))} == dict(members)


def test_a_zip64_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, content in files(tmp_path, 1):
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(content)
    content = bytearray((tmp_path / "a.zip").read_bytes())
    end = content.rfind(b"PK\x05\x06")
    n_bytes, at = (int.from_bytes(content[end + k : end + k + 4], "little") for k in (12, 16))
    wide = b"PK\x06\x06" + (44).to_bytes(8, "little") + bytes(4) + bytes(8)
    wide += b"".join(number.to_bytes(8, "little") for number in (2, 2, n_bytes, at))
    locator = b"PK\x06\x07" + bytes(4) + end.to_bytes(8, "little") + (1).to_bytes(4, "little")
    content[end + 8 : end + 20] = b"\xff" * 12
    (tmp_path / "b.zip").write_bytes(content[:end] + wide + locator + content[end:])
    assert reasons(tmp_path / "a.zip") == reasons(tmp_path / "b.zip") == {"r0000.hea": ""}


def test_a_member_that_is_there_twice_is_read_once_the_last(tmp_path):
    (header, content), signal = files(tmp_path, 1)
    archive = taped(tmp_path / "a.tar", (header, b"old"), (header, content), signal)
    assert reasons(archive) == {"r0000.hea": ""}


@pytest.mark.parametrize("size", [-512, -1024, -(1 << 40), 1 << 62, (1 << 64) - 512])
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_whose_sizes_lead_backwards_or_nowhere_ends(size, form, tmp_path):
    header = tarfile.TarInfo("a.hea")
    if form == tarfile.PAX_FORMAT:
        header.pax_headers = {"size": str(size)}
    else:
        header.size = size
    good = tarfile.TarInfo("b.hea").tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "a.tar").write_bytes(good + header.tobuf(form) + bytes(4096))
    found = reasons(tmp_path / "a.tar")
    assert "damaged" in found[str(tmp_path / "a.tar")]


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_tar_of_many_headers_before_one_member_is_damaged(kind, tmp_path):
    content = {tarfile.GNUTYPE_LONGNAME: b"a.hea\0", tarfile.XHDTYPE: b"14 path=a.hea\n"}[kind]
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, len(content)
    one = header.tobuf(tarfile.GNU_FORMAT) + content.ljust(512, b"\0")
    member = tarfile.TarInfo("b.hea").tobuf(tarfile.GNU_FORMAT)
    for n, found in ((3, {"a.hea"}), (2000, {str(tmp_path / "a.tar")})):
        (tmp_path / "a.tar").write_bytes(one * n + member + bytes(1024))
        assert set(reasons(tmp_path / "a.tar")) == found


def test_a_tar_cut_short_within_a_sparse_header_is_damaged(tmp_path):
    header = tarfile.TarInfo("a.hea")
    header.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(header.tobuf(tarfile.GNU_FORMAT))
    block[482], block[148:156] = 1, b" " * 8  # more of it follows
    block[148:156] = b"%06o\0 " % sum(block)
    (tmp_path / "a.tar").write_bytes(block)
    assert "damaged" in reasons(tmp_path / "a.tar")[str(tmp_path / "a.tar")]


def test_each_header_is_read_once_to_know_the_signal_files_of_others(tmp_path, monkeypatch):
    """However many folders there are, and in whatever order their files come."""
    folders = [f"d{number}" for number in range(12)]
    headers = [(f"{folder}/h.hea", b"h 2\na.dat\nb.dat\n") for folder in folders]
    signals = [(f"{folder}/{name}.dat", b"") for name in "ab" for folder in folders]
    read = []
    monkeypatch.setattr(inside, "_signal_files", lambda *given: read.append(given) or _signal_files(*given))
    archive = packed(tmp_path / "a.zip", *headers, *signals, ("d0/c.dat", b""), ("d0/c.mat", b""))
    assert set(reasons(archive)) == {*(name for name, _ in headers), "d0/c.mat"}
    assert len(read) == 2 * len(folders)  # and once more for its own parts


def test_a_zip_that_places_members_beyond_any_file_is_damaged(tmp_path):
    archive = packed(tmp_path / "a.zip", *files(tmp_path, 1), ("z.dcm", b"x" * 50))
    content = bytearray(archive.read_bytes())
    at, end = content.rfind(b"PK\x01\x02"), content.rfind(b"PK\x05\x06")
    wide = (1).to_bytes(2, "little") + (8).to_bytes(2, "little") + b"\xff" * 8
    content[at + 30 : at + 32] = len(wide).to_bytes(2, "little")
    content[at + 42 : at + 46] = b"\xff" * 4
    content[end + 12 : end + 16] = (int.from_bytes(content[end + 12 : end + 16], "little") + 12).to_bytes(4, "little")
    archive.write_bytes(content[:end] + wide + content[end:])
    found = reasons(archive)
    assert found.pop("r0000.hea") == ""
    assert "damaged" in found[str(archive)]


def test_a_finding_of_a_long_recording_says_in_how_many_windows(tmp_path, twelvelead):
    signal = simulator.ecg(duration_s=310.0, rate_hz=250.0)
    signal[8, : 60 * 250] = 0.2
    path = simulator.Wfdb("long", simulator.digital(signal), rate="250").write(tmp_path / "in")
    assert run(path, "--out", tmp_path / "out").returncode == 0
    [row] = rows(tmp_path / "out")
    answer = json.loads(twelvelead("classify", path, "--json").stdout)
    assert row["quality"] == answer["quality"]
    assert row["quality"][0]["windows"] > 1

"""The summary of an archive counts what its rows say; its picture is sound SVG whatever names it meets."""

import json
import math
import os
import shutil
from collections import Counter
from xml.etree import ElementTree

import pytest

import simulator
from archiving import rows, run, write_mixture
from twelvelead.archive.listing import ArchiveError
from twelvelead.archive.manifest import read_manifest
from twelvelead.archive.summary import without_particulars
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.record import LEADS


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = write_mixture(tmp_path_factory.mktemp("report") / "<b>&in")
    out = folder.parent / "out"
    assert run(folder, "--out", out, "--shard-size", 5).returncode == 0
    return out


def test_the_counts_are_those_of_the_rows(out, twelvelead):
    done = twelvelead("archive-report", out, "--json")
    assert done.returncode == 0, done.stderr
    said, found = json.loads(done.stdout), rows(out)
    classified = [row for row in found if row["error"] is None]
    assert (said["recordings"], said["refused"], said["of"]) == (22, 8, 22)
    positive = Counter(name for row in classified for name in row["positive"])
    assert said["positive"] == {name: positive[name] for name in DIAGNOSES}
    assert said["none_of_the_nine"] == sum(not row["positive"] and not row["withheld"] for row in classified)
    assert sum(said["reasons"].values()) == 8
    kinds = Counter(kind for row in classified for kind in {finding["kind"] for finding in row["quality"]})
    assert said["quality"] == kinds
    for name in DIAGNOSES:
        known = [row[name] for row in classified if row[name] is not None]
        assert sum(said["histograms"][name]) == len(known)
        assert said["histograms"][name][0] == sum(probability < 0.02 for probability in known)


def test_what_could_not_be_assessed_is_counted_apart(twelvelead, tmp_path):
    for name, flat in (("whole", []), ("half", ["V2"]), ("dead", ["II", "V1", "V2", "V3", "V4", "V5", "V6"])):
        signal = simulator.digital(simulator.ecg("Normal", seed=3))
        signal[[LEADS.index(lead) for lead in flat]] = 0
        simulator.Wfdb(name, signal).write(tmp_path / "in")
    done = twelvelead("archive", tmp_path / "in", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    said = json.loads(twelvelead("archive-report", tmp_path / "out", "--json").stdout)
    found = {row["record"]: row for row in rows(tmp_path / "out")}
    assert len(found["dead"]["withheld"]) == len(DIAGNOSES) > len(found["half"]["withheld"]) > 0
    assert said["nothing_assessed"] == 1
    assert said["none_of_those_assessed"] == (not found["half"]["positive"])
    assert said["none_of_the_nine"] == (not found["whole"]["positive"])


def test_the_picture_has_a_panel_a_diagnosis(out, twelvelead, tmp_path):
    done = twelvelead("archive-report", out, "--picture", tmp_path / "a.svg")
    assert done.returncode == 0, done.stderr
    picture = ElementTree.parse(tmp_path / "a.svg").getroot()
    texts = ["".join(text.itertext()) for text in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0].endswith("on <b>&in")
    assert "14 recordings classified, 8 refused" in texts[1]
    assert sum("positive" in text for text in texts[2:]) == len(DIAGNOSES)


def test_a_picture_that_cannot_be_written_names_the_way_out(out, twelvelead):
    done = twelvelead("archive-report", out, "--picture", "/proc/a.svg")
    assert (done.returncode, "/proc/a.svg cannot be written" in done.stderr, "--picture" in done.stderr) == (
        1,
        True,
        True,
    )


def test_the_picture_replaces_nothing_but_a_picture(out, twelvelead):
    before = (out / "manifest.json").read_bytes()
    done = twelvelead("archive-report", out, "--picture", out / "manifest.json")
    assert (done.returncode, "it is drawn as SVG; name a file that ends in .svg" in done.stderr) == (1, True)
    assert (out / "manifest.json").read_bytes() == before


def test_an_archive_that_is_not_finished_is_said_to_be_so(out, twelvelead):
    shard = out / "shards" / "00000001.parquet"
    content = shard.read_bytes()
    shard.unlink()
    try:
        done = twelvelead("archive-report", out)
    finally:
        shard.write_bytes(content)
    assert done.returncode == 0
    assert "17 of 22 recordings" in done.stdout
    assert "not finished: 1 of 5 files missing" in done.stdout


@pytest.mark.parametrize("part", ["shards", "shards/00000001.parquet"])
def test_results_that_cannot_be_read_are_neither_missing_nor_done_again(part, out, twelvelead, tmp_path):
    """Here by a link that leads to itself: the tests may run as an administrator, who may read everything."""
    shutil.copytree(out, tmp_path / "copy")
    (tmp_path / "copy" / part).rename(tmp_path / "away")
    (tmp_path / "copy" / part).symlink_to(tmp_path / "copy" / part)
    begun = (out.parent / "<b>&in", "--out", tmp_path / "copy", "--shard-size", 5)
    for words in (["archive-report", tmp_path / "copy"], ["archive", *begun]):
        done = twelvelead(*words)
        assert done.returncode == 1, words
        [sentence] = [line for line in done.stderr.splitlines() if line.startswith("twelvelead: ")]
        assert "Too many levels of symbolic links" in sentence
        assert part in sentence
    assert (tmp_path / "copy" / part).is_symlink()


def test_files_of_others_among_the_shards_are_said_and_not_counted(out, twelvelead, tmp_path):
    folder = out.parent / "<b>&in"
    assert twelvelead("archive", folder, "--out", tmp_path / "out", "--shard-size", 5).returncode == 0
    shards = tmp_path / "out/shards"
    for name in ("1.parquet", "00000099.parquet", "extra.parquet", "_SUCCESS", ".nfs01"):
        shutil.copy(shards / "00000001.parquet", shards / name)
    (shards / "00000002.parquet").unlink()  # so that it is not finished
    said = "shards/ holds 3 files that this archive did not write, such as 00000099.parquet: take them out"
    for words, n in (
        (["archive-report", tmp_path / "out"], 17),
        (["archive", folder, "--out", tmp_path / "out", "--shard-size", 5], 22),
    ):
        done = twelvelead(*words)
        assert (done.returncode, done.stderr.count(said), f"{n} " in done.stdout) == (0, 1, True), done
        as_json = json.loads(twelvelead(*words, "--json").stdout)
        assert (as_json["foreign_files"], as_json["recordings"]) == (3, n)
    assert len(list(shards.iterdir())) == 10


@pytest.mark.parametrize("name", ["s3:x", os.fsdecode(b"out\xff")])
def test_a_folder_may_be_called_anything(name, out, twelvelead, tmp_path):
    shutil.copytree(out, tmp_path / name)
    done = twelvelead("archive-report", name, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["recordings"] == 22


def test_what_is_no_archive_is_refused_in_a_sentence(twelvelead, tmp_path):
    assert "no results of an archive" in twelvelead("archive-report", tmp_path).stderr
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1, "settings": []}))
    done = twelvelead("archive-report", tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("part, name, value", [
    ("settings", "shard_size", 0),
    ("settings", "shard_size", "x"),
    ("settings", "shard_size", True),
    ("settings", "seconds", "long"),
    ("settings", "precision", "half"),
    ("settings", "specificity", [0.9]),
    ("listing", "recordings", 10**15),
    ("listing", "recordings", -1),
    ("listing", "sha256", None),
    (None, "thresholds", {"AF": 0.5}),
    (None, "thresholds", dict.fromkeys(DIAGNOSES, math.nan)),
    (None, "software", {"numpy": 2}),
    (None, "inputs", [1]),
    (None, "bundle_name", None),
])  # fmt: skip
def test_a_damaged_manifest_is_said_to_be_so(part, name, value, out, tmp_path):
    facts = json.loads((out / "manifest.json").read_text())
    (facts[part] if part else facts)[name] = value
    (tmp_path / "manifest.json").write_text(json.dumps(facts))
    with pytest.raises(ArchiveError, match=r"manifest.json missing or damaged"):
        read_manifest(tmp_path)


def test_a_manifest_of_more_shards_than_there_are_is_summarised_at_once(out, twelvelead, tmp_path):
    facts = json.loads((out / "manifest.json").read_text())
    facts["listing"] |= {"recordings": 10**15, "size": 10**18}
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards/00000001.parquet").touch()
    (tmp_path / "manifest.json").write_text(json.dumps(facts))
    done = twelvelead("archive-report", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "not finished" in done.stdout


@pytest.mark.parametrize("one, other", [
    ("a.hea has 4,711 bytes: at most 1 are read", "c.dat has 12 bytes: at most 1 are read"),
    ("leads I, II are missing: a 12-lead ECG needs them", "leads V6 are missing: a 12-lead ECG needs them"),
    ("starts with b'\\x00', which is none", "starts with b\"it's\", which is none"),  # as 0.6.0 wrote it
    ("starts with \"it's you\", which is none", "starts with \"# Real r\", which is none"),
    ('starts with the bytes "00 ff", which is none', 'starts with the bytes "89 50 4e", which is none'),
    ("3 leads (X, Y, Z) of 1e-3 mV", "2 leads (I, II) of -0.25 mV"),
])  # fmt: skip
def test_reasons_are_told_apart_by_what_they_say_and_not_of_whom(one, other):
    assert without_particulars(one) == without_particulars(other)
    assert without_particulars(one) != without_particulars(f"{other}, too")

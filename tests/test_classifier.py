"""The bundle, the flow from record to report, and the drawing."""

import hashlib
import json
import pickle
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import simulator
from twelvelead.classifier import BundleError, classify, classify_together, groups, load_bundle, shipped_bundle
from twelvelead.classifier.writing import add_test, sealed_text, write_bundle
from twelvelead.databases import find
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.formats import read
from twelvelead.record import Record, RecordError
from twelvelead.signals.recipe import Recipe

sys.path.insert(0, str(Path(__file__).parent.parent / "experiments"))


def made(kind="Normal", duration_s=10.0, rate_hz=500.0, seed=77, **fields):
    signal = simulator.ecg(kind, duration_s, rate_hz, seed).astype(np.float32)
    return Record(name="simulated", signal=signal, rate_hz=rate_hz, **fields)


@pytest.fixture(scope="module")
def classifier(bundle):
    return load_bundle(bundle)


@pytest.fixture
def copy(bundle, tmp_path):
    return shutil.copytree(bundle, tmp_path / "copy")


def test_the_report_says_what_the_network_learned(classifier):
    normal = classify(made("Normal"), classifier)
    assert "Normal" in normal.positive
    for kind in ("LBBB", "PVC"):
        report = classify(made(kind), classifier)
        assert kind in report.positive
        assert report.probabilities[kind] > 2 * normal.probabilities[kind]


def test_a_long_recording_is_used_in_full(classifier):
    calm, ectopic = made("Normal", 50.0), made("PVC", 10.0)
    joined = Record(name="x", signal=np.hstack([calm.signal, ectopic.signal]), rate_hz=500.0)
    before, after = classify(calm, classifier), classify(joined, classifier)
    assert len(after.starts_s) == 11
    assert after.starts_s[-1] == 50.0
    assert after.probabilities["PVC"] > before.probabilities["PVC"]


@pytest.mark.parametrize("duration_s", [5.0, 7.3, 10.0, 61.7])
@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 257.0, 1000.0])
def test_any_length_and_rate(classifier, duration_s, rate_hz):
    report = classify(made(duration_s=duration_s, rate_hz=rate_hz), classifier)
    assert set(report.probabilities) == set(DIAGNOSES)
    assert all(0 <= value <= 1 for value in report.probabilities.values())
    np.testing.assert_allclose(report.attention.sum(axis=2), 1, atol=1e-5)


@pytest.mark.parametrize("factor", [0.205, 1.0, 4.88])
def test_the_gain_of_a_machine_does_not_change_the_answer(classifier, factor):
    record = made("AF")
    scaled = Record(name="x", signal=record.signal * np.float32(factor), rate_hz=500.0)
    expected = classify(record, classifier).probabilities
    assert classify(scaled, classifier).probabilities == pytest.approx(expected, abs=1e-4)


def test_what_is_not_in_millivolts_is_refused(classifier):
    with pytest.raises(RecordError, match="classify its original in millivolts"):
        classify(made(rate_hz=100.0, unit="NU"), classifier)


@pytest.mark.parametrize("name", ["model.onnx", "weights.safetensors", "split.csv"])
def test_a_changed_byte_is_found(copy, name):
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(BundleError, match=f"{name} has sha256 .* the file was changed"):
        load_bundle(copy)
    (copy / name).unlink()
    with pytest.raises(BundleError, match=f"{name} cannot be read"):
        load_bundle(copy)


@pytest.mark.parametrize("change, sentence", [
    ({"format": 2}, "has format 2: this version reads format 1"), ({"format": None}, "has format None"),
    ({"sha256": {}}, "is not what its seal was made of"), ({"sha256": 5}, "lacks checksums"),
    ({"diagnoses": ["AF"]}, "names other diagnoses"), ({"thresholds": {}}, "is damaged"),
    ({"thresholds": dict.fromkeys(DIAGNOSES, "x")}, "is damaged"), ({"thresholds": dict.fromkeys(DIAGNOSES, float("nan"))}, "between 0 and 1"),
    ({"recipe": {"low_hz": 1e-9}}, "needs 0.05 <= low_hz"), ({"recipe": {"rate": 1}}, "is damaged"), ({"recipe": {"hop_s": 0}}, "hop_s from 1"), ({"recipe": {"rate_hz": "100"}}, "must be numbers"),
    ({"recipe": {"scaling": "none"}}, "scaling 'none'"), ({"calibration": {name: {"slope": "a", "offset": 0} for name in DIAGNOSES}}, "is damaged"),
    ({"name": None}, None), ({"name": "\x1b[2Jx"}, None), ({"thresholds_at_specificity": 5}, None),
])  # fmt: skip
def test_a_bundle_of_another_version_or_of_hostile_content_is_refused(copy, change, sentence):
    card = json.loads((copy / "card.json").read_text()) | change
    (copy / "card.json").write_text(sealed_again(card))
    if sentence is None:
        assert load_bundle(copy).name.startswith(str(card["name"]).replace("\x1b", "\ufffd"))
    else:
        with pytest.raises(BundleError, match=sentence):
            load_bundle(copy)


def sealed_again(card):
    """As somebody would who changes a card on purpose."""
    with suppress(TypeError):
        return sealed_text(card) if card["sha256"] else json.dumps(card)
    return json.dumps(card)


@pytest.mark.parametrize("at", [5, {"0.95": 5}, {"0.95": {}}, {"0.95": dict.fromkeys(DIAGNOSES, 2)}])
def test_hostile_thresholds_at_a_specificity_are_refused(copy, at):
    card = json.loads((copy / "card.json").read_text()) | {"thresholds_at_specificity": at}
    (copy / "card.json").write_text(sealed_again(card))
    with pytest.raises(BundleError, match="is damaged"):
        load_bundle(copy, specificity="0.95")


def test_a_classifier_goes_to_another_process_as_its_folder(classifier):
    strict = load_bundle(classifier.folder, "int8", "0.99")
    there = pickle.loads(pickle.dumps(strict))
    assert (there.name, there.precision, there.thresholds.tolist()) == (strict.name, "int8", strict.thresholds.tolist())
    assert classify(made("AF"), there).probabilities == classify(made("AF"), strict).probabilities


def test_what_was_replaced_in_a_classifier_goes_with_it(classifier, monkeypatch, tmp_path):
    changed = replace(classifier, name="mine", thresholds=np.full(9, 0.5), recipe=replace(classifier.recipe, hop_s=2.0))
    there = pickle.loads(pickle.dumps(changed))
    assert (there.name, there.thresholds.tolist(), there.recipe) == ("mine", [0.5] * 9, changed.recipe)
    monkeypatch.chdir(classifier.folder.parent)
    relative = load_bundle(classifier.folder.name)
    monkeypatch.chdir(tmp_path)
    assert pickle.loads(pickle.dumps(relative)).seen == relative.seen == classifier.seen


def test_what_a_bundle_may_be_asked_for_is_said(classifier):
    assert load_bundle(classifier.folder, specificity=0.95).name.endswith("at specificity 0.95")
    with pytest.raises(BundleError, match=r"specificity of 0.8: it has 0.9, 0.95, 0.99; choose one of these"):
        load_bundle(classifier.folder, specificity=0.8)
    with pytest.raises(BundleError, match=r"no graph in int4: it has float32, int8; choose one of these"):
        load_bundle(classifier.folder, "int4")


def test_what_is_no_record_is_not_classified(classifier):
    with pytest.raises(
        TypeError, match=r"ndarray is classified as a Record: make it one by twelvelead.formats.read, or"
    ):
        classify(made("AF").signal, classifier)


def test_a_specificity_decides_and_is_said(classifier):
    stricter = load_bundle(classifier.folder, specificity="0.99")
    assert stricter.name == f"{classifier.name} at specificity 0.99"
    usual, strict = (classify(made("AF"), one) for one in (classifier, stricter))
    assert strict.probabilities == usual.probabilities
    assert strict.thresholds == stricter.card["thresholds_at_specificity"]["0.99"] != usual.thresholds
    assert strict.positive == tuple(
        name for name, chance in strict.probabilities.items() if chance >= strict.thresholds[name]
    )


def test_a_changed_byte_of_the_card_is_found(copy):
    text = (copy / "card.json").read_text()
    slope = re.search(r'"slope": (\d)', text)
    (copy / "card.json").write_text(text[: slope.start(1)] + str(9 - int(slope[1])) + text[slope.end(1) :])
    with pytest.raises(BundleError, match=r"card.json is not what its seal was made of"):
        load_bundle(copy)


def test_a_graph_that_does_not_run_is_refused(copy):
    card = json.loads((copy / "card.json").read_text())
    (copy / "model.onnx").write_bytes(b"no graph")
    card["sha256"]["model.onnx"] = hashlib.sha256(b"no graph").hexdigest()
    (copy / "card.json").write_text(sealed_text(card))
    with pytest.raises(BundleError, match="its graph does not run"):
        load_bundle(copy)


def test_a_graph_is_given_no_file_beside_it(copy, monkeypatch):
    """Its weights would be whatever lies in the folder that somebody works in, under no checksum."""
    monkeypatch.chdir(copy)
    onnx.save_model(
        onnx.load(copy / "model.onnx"),
        copy / "model.onnx",
        save_as_external_data=True,
        location="w.bin",
        size_threshold=0,
    )
    card = json.loads((copy / "card.json").read_text())
    card["sha256"]["model.onnx"] = hashlib.sha256((copy / "model.onnx").read_bytes()).hexdigest()
    (copy / "card.json").write_text(sealed_text(card))
    with pytest.raises(BundleError, match="its graph does not run"):
        load_bundle(copy)


def test_what_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(BundleError, match="no bundle in"):
        load_bundle(tmp_path)
    (tmp_path / "card.json").write_text("{")
    with pytest.raises(BundleError, match="is no JSON"):
        load_bundle(tmp_path)


def test_a_bundle_replaces_another_only_when_it_is_whole(copy, monkeypatch):
    before = (copy / "card.json").read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write_bundle(copy, {"name": "x"}, Recipe(), b"w", {"float32": b"g"}, {})
    monkeypatch.undo()
    assert (copy / "card.json").read_bytes() == before
    load_bundle(copy)
    for ours, mine in ((".copy.old", "copy.old"), (".copy.part", "copy.part")):
        (copy.parent / ours / "left").mkdir(parents=True)
        (copy.parent / mine / "kept").mkdir(parents=True)
    write_bundle(copy, {"name": "x"}, Recipe(), b"w", {"float32": b"g"}, {"a/1": ("training", "0f")})
    assert (copy / "model.onnx").read_bytes() == b"g"
    assert sorted(path.name for path in copy.parent.iterdir()) == ["copy", "copy.old", "copy.part"]


def test_a_test_result_enters_the_card_and_the_bundle_still_opens(copy):
    add_test(copy, "a test", {"records": 3})
    assert load_bundle(copy).card["tests"] == {"a test": {"records": 3}}


def test_classifying_imports_neither_torch_nor_scipy_nor_wfdb(bundle, tmp_path):
    path = simulator.Wfdb("A0001", simulator.digital(simulator.ecg())).write(tmp_path)
    program = (
        "import sys; from twelvelead.doors.cli import main\n"
        f"sys.argv = ['twelvelead', 'classify', {str(path)!r}, '--bundle', {str(bundle)!r}, '--json']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print([name for name in ('torch', 'scipy', 'wfdb', 'pydicom', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_shipped_bundle_opens_and_is_light():
    card = load_bundle(shipped_bundle()).card
    assert card["network"]["parameters"] <= 50_000
    assert "out of fold" in card["tests"]
    assert 0 < card["precisions"]["int8"]["largest_difference"] < 0.2


def test_the_shipped_integers_mean_the_same_on_every_processor():
    """Two products of eight bits overflow where a processor adds them in sixteen, as those without VNNI do."""
    graph = onnx.load(shipped_bundle() / "model.int8.onnx").graph
    weights = [
        numpy_helper.to_array(tensor) for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.INT8
    ]
    kernels = [weight for weight in weights if weight.ndim > 1]
    assert len(kernels) > 10
    assert max(np.abs(kernel.astype(int)).max() for kernel in kernels) <= 64
    exact, rough = load_bundle(shipped_bundle()), load_bundle(shipped_bundle(), "int8")
    for kind in ("Normal", "AF", "PVC"):
        pair = [classify(made(kind), classifier).probabilities for classifier in (exact, rough)]
        assert max(abs(pair[0][name] - pair[1][name]) for name in DIAGNOSES) < 0.1


@pytest.mark.corpus
def test_the_tests_in_the_shipped_card_are_those_of_the_study(corpus):
    import ship

    card = load_bundle(shipped_bundle()).card
    scored = ship.study_results(find([corpus / "data"]).records)
    of_card, again = (json.loads(json.dumps(tests), parse_float=_to_12_digits) for tests in (card["tests"], scored))
    assert of_card == again


def _to_12_digits(number):
    return round(float(number), 12)


@pytest.mark.corpus
def test_the_shipped_card_knows_whom_it_has_seen(corpus, twelvelead):
    done = twelvelead("evaluate", corpus / "data", "--records", "experiments/cpsc2018-even.txt", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["seen_in_training"] == 30


def test_together_or_alone_every_recording_gets_the_same_answer_to_the_bit(classifier):
    """Lengths and rates mixed, some in groups, one long, one faulty, one refused, one never read."""
    flat = made("AF").signal.copy()
    flat[6:] = 0.2
    damaged = RecordError("cut short")
    readings = [
        *(made(kind) for kind in ("Normal", "AF", "LBBB", "PVC")),
        damaged,
        *(made(kind, duration_s=14.0, rate_hz=257.0) for kind in ("AF", "RBBB")),
        made("AF", duration_s=310.0, rate_hz=100.0),
        replace(made("AF"), signal=flat),
        made(duration_s=4.0),
        *(made("Normal") for _ in range(16)),
    ]
    found = list(groups(enumerate(readings)))
    assert [number for group in found for number, _ in group] == list(range(len(readings)))
    assert max(map(len, found)) > 4
    for group in found:
        for (_, reading), answer in zip(
            group, classify_together([reading for _, reading in group], classifier), strict=True
        ):
            if isinstance(answer, RecordError):
                assert answer is damaged or reading.duration_s == 4.0
                continue
            alone = classify(reading, classifier)
            assert answer.as_json() == alone.as_json()
            assert answer.attention.tobytes() == alone.attention.tobytes()
            assert answer.by_window.tobytes() == alone.by_window.tobytes()


class _Session:
    """The real one, with a count of what it was asked; `off` is added where it is asked about several at once."""

    def __init__(self, session, off):
        self.session, self.off, self.asked = session, off, []

    def run(self, names, inputs):
        self.asked.append(len(inputs["windows"]))
        logits, attention = self.session.run(names, inputs)
        return [logits + self.off * (len(logits) > 1), attention]


def test_the_network_is_asked_about_several_at_once_only_where_that_changes_no_bit(classifier):
    readings = [made(kind) for kind in ("Normal", "AF", "LBBB", "PVC", "RBBB")]
    expected = [classify(reading, classifier) for reading in readings]
    for off, asked_then in ((0.0, [5]), (1e-6, [1] * 5)):
        session = _Session(classifier.session, np.float32(off))
        watched = replace(classifier, session=session, alike={})
        classify_together(readings, watched)
        assert session.asked == [1] * 5 + [5] + asked_then  # seen first, then asked
        session.asked.clear()
        found = classify_together(readings, watched)
        assert session.asked == asked_then
        for answer, alone in zip(found, expected, strict=True):
            assert answer.as_json() == alone.as_json()
            assert answer.attention.tobytes() == alone.attention.tobytes()
        classify(readings[0], watched)
        assert session.asked == [*asked_then, 1]


@pytest.mark.corpus
def test_a_recording_that_is_cut_short_is_not_another_diagnosis(corpus):
    """Silence around a short recording was half of what the network saw, and one in two had ST depression."""
    shipped = load_bundle(shipped_bundle())
    headers = sorted((corpus / "data/challenge/training/chapman_shaoxing").rglob("*.hea"))
    records = [record for record in map(read, headers) if record.duration_s == 10]
    chances = {}
    for seconds in (10, 5):
        cut = [replace(record, signal=record.signal[:, : round(seconds * record.rate_hz)]) for record in records]
        chances[seconds] = np.array([classify(record, shipped).probabilities["STD"] for record in cut])
    assert len(records) > 50
    assert abs(chances[5].mean() - chances[10].mean()) < 0.05


def test_short_recordings_together_say_what_each_says_alone(classifier):
    cut = [replace(made(kind), signal=made(kind).signal[:, :3000]) for kind in ("Normal", "AF", "PVC")]
    readings = [cut[0], made("LBBB"), *cut[1:]]
    for answer, reading in zip(classify_together(readings, classifier), readings, strict=True):
        assert answer.as_json() == classify(reading, classifier).as_json()

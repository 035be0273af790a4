"""The organisers' scores to the digit, ours against scikit-learn, thresholds and calibration on what they are for."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, precision_score, recall_score, roc_auc_score

from twelvelead.diagnoses import DIAGNOSES
from twelvelead.scoring.challenge import ScoreError, challenge_scores
from twelvelead.scoring.challenge_files import score_folders
from twelvelead.scoring.evaluation import evaluation
from twelvelead.scoring.probabilities import (
    SMALLEST_SLOPE,
    SPECIFICITIES,
    Calibration,
    decide,
    fit_calibration,
    fit_thresholds,
    merge,
    sigmoid,
    thresholds_at,
)
from twelvelead.scoring.scores import (
    RATES,
    Predictions,
    _rankings,
    _weighted_scores,
    class_rates,
    class_scores,
    intervals,
    means,
    rate_intervals,
)

NAMES_IN_GOLDEN = {
    "f2": "f_beta",
    "g2": "g_beta",
    "f1": "f_measure",
    "accuracy": "accuracy",
    "auroc": "auroc",
    "auprc": "auprc",
}
PHASES = {"unofficial": "feb2020", "2020": "final2020"}


@pytest.fixture(scope="module")
def golden(corpus):
    return json.loads((corpus / "golden" / "challenge_scores_golden.json").read_text())


@pytest.mark.corpus
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("case", ["A_tiny", "B_9class"])
def test_the_organisers_numbers(golden, case, phase):
    given_case = golden[case]
    truth, decisions = (np.array(given_case[name], bool) for name in ("labels", "outputs"))
    scores = challenge_scores(truth, decisions, np.array(given_case["scores"], float), phase)
    expected = given_case["expected"][PHASES[phase]]
    for ours, theirs in NAMES_IN_GOLDEN.items():
        assert scores[ours] == pytest.approx(expected[theirs], abs=1e-12)


@pytest.mark.corpus
@pytest.mark.parametrize("phase", PHASES)
def test_the_organisers_numbers_where_scores_are_binary(golden, phase):
    truth = np.eye(3, dtype=bool)
    expected = golden["C_quirks"]["binary_scores_give_auroc_0_in_feb"][PHASES[phase]]
    scores = challenge_scores(truth, truth, truth.astype(float), phase)
    assert {ours: scores[ours] for ours in NAMES_IN_GOLDEN} == {
        ours: expected[theirs] for ours, theirs in NAMES_IN_GOLDEN.items()
    }


def by_the_letter(truth, decisions, outputs, phase):
    """Both scripts again as slow loops, from their description: the oracle of the test below."""
    empty = 1.0 if phase == "unofficial" else np.nan
    rows, classes = truth.shape
    table = {name: [] for name in ("f2", "g2", "f1", "accuracy", "auroc", "auprc")}
    for k in range(classes):
        tp = fp = fn = tn = plain_tp = plain_fp = plain_fn = 0.0
        for i in range(rows):
            weight = 1 / max(truth[i].sum(), 1)
            said, is_so = decisions[i, k], truth[i, k]
            tp, fp = tp + weight * (said and is_so), fp + weight * (said and not is_so)
            fn, tn = fn + weight * (is_so and not said), tn + weight * (not is_so and not said)
            plain_tp, plain_fp, plain_fn = (
                plain_tp + (said and is_so),
                plain_fp + (said and not is_so),
                plain_fn + (is_so and not said),
            )
        if phase == "2020":
            f1_tp, f1_fp, f1_fn = plain_tp, plain_fp, plain_fn
        else:
            f1_tp, f1_fp, f1_fn = tp, fp, fn
        table["f2"].append(5 * tp / (5 * tp + fp + 4 * fn) if 5 * tp + fp + 4 * fn else empty)
        table["g2"].append(tp / (tp + fp + 2 * fn) if tp + fp + 2 * fn else empty)
        table["f1"].append(2 * f1_tp / (2 * f1_tp + f1_fp + f1_fn) if 2 * f1_tp + f1_fp + f1_fn else empty)
        table["accuracy"].append((tp + tn) / (tp + fp + fn + tn))
        falling = sorted(set(outputs[:, k]), reverse=True)
        if phase == "2020":
            falling = [falling[0] + 1, *falling]
        else:
            falling = falling if falling[0] == 1 else [1.0, *falling]
            falling = falling[:-1] if falling[-1] == 0 else falling
        points = []
        passed = set()
        for threshold in falling:
            passed |= {i for i in range(rows) if outputs[i, k] >= threshold}
            hits, alarms = sum(truth[i, k] for i in passed), sum(not truth[i, k] for i in passed)
            positives, negatives = truth[:, k].sum(), (~truth[:, k]).sum()
            points.append((
                hits / positives if positives else empty,
                (negatives - alarms) / negatives if negatives else empty,
                hits / (hits + alarms) if hits + alarms else empty,
            ))  # fmt: skip
        pairs = list(zip(points, points[1:], strict=False))
        table["auroc"].append(sum(0.5 * (b[0] - a[0]) * (b[1] + a[1]) for a, b in pairs))
        table["auprc"].append(sum((b[0] - a[0]) * b[2] for a, b in pairs))
    if phase == "2020":
        scores = {name: np.nanmean(values) if not np.isnan(values).all() else np.nan for name, values in table.items()}
        return scores | {"accuracy": np.mean([(a == b).all() for a, b in zip(truth, decisions, strict=True)])}
    return {name: np.mean(values) for name, values in table.items()}


@settings(deadline=None, max_examples=200)
@given(data=st.data(), phase=st.sampled_from(list(PHASES)))
def test_both_phases_against_the_letter(data, phase):
    shape = (data.draw(st.integers(1, 9)), data.draw(st.integers(1, 4)))
    truth = data.draw(arrays(bool, shape))
    truth[:, 0] |= ~truth.any(axis=1)  # the unofficial phase needs a label
    decisions = data.draw(arrays(bool, shape))
    outputs = data.draw(arrays(float, shape, elements=st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0, 1.5, -0.5])))
    ours, letter = challenge_scores(truth, decisions, outputs, phase), by_the_letter(truth, decisions, outputs, phase)
    assert set(ours) == set(letter)
    for name in ours:
        assert ours[name] == pytest.approx(letter[name], abs=1e-12, nan_ok=True), name


def test_what_cannot_be_scored_is_refused():
    truth = np.array([[True, False]])
    with pytest.raises(ScoreError, match="must be"):
        challenge_scores(truth, truth[:, :1], truth.astype(float), "2020")
    with pytest.raises(ScoreError, match="1 recordings have no label"):
        challenge_scores(~truth & truth, truth, truth.astype(float), "unofficial")


def random_predictions(n=300, seed=0):
    random = np.random.default_rng(seed)
    truth = random.random((n, 9)) < np.linspace(0.02, 0.5, 9)
    truth[:, 8] = False
    probabilities = np.round(sigmoid(random.standard_normal((n, 9)) + 2.0 * truth - 2), 2)
    return Predictions(truth, probabilities > 0.3, probabilities, [f"p{i // 2}" for i in range(n)])


def test_areas_are_those_of_scikit_learn():
    predictions = random_predictions()
    scores = class_scores(predictions)
    for k in range(8):
        truth, chances = predictions.truth[:, k], predictions.probabilities[:, k]
        assert scores["auroc"][k] == pytest.approx(roc_auc_score(truth, chances), abs=1e-12)
        assert scores["auprc"][k] == pytest.approx(average_precision_score(truth, chances), abs=1e-12)


def test_rates_are_those_of_scikit_learn():
    predictions = random_predictions()
    rates = class_rates(predictions)
    for k in range(8):
        truth, called = predictions.truth[:, k], predictions.decisions[:, k]
        assert rates["sensitivity"][k] == pytest.approx(recall_score(truth, called), abs=1e-12)
        assert rates["specificity"][k] == pytest.approx(recall_score(~truth, ~called), abs=1e-12)
        assert rates["ppv"][k] == pytest.approx(precision_score(truth, called), abs=1e-12)
    row = evaluation(predictions, {})["classes"]["AF"]
    assert row["called"] == predictions.decisions[:, 0].sum()
    for name in RATES:
        low, high = row["intervals"][name]
        assert low <= row[name] <= high


def test_rates_that_have_no_number_have_none():
    truth, called = np.zeros((20, 9), bool), np.zeros((20, 9), bool)
    truth[:5, 0] = called[3:, 1] = True
    predictions = Predictions(truth, called, np.full((20, 9), 0.5), list(map(str, range(20))))
    classes = evaluation(predictions, {})["classes"]
    assert (classes["AF"]["sensitivity"], classes["AF"]["specificity"], classes["AF"]["ppv"]) == (0.0, 1.0, None)
    assert (classes["I-AVB"]["sensitivity"], classes["I-AVB"]["ppv"]) == (None, 0.0)
    assert classes["I-AVB"]["specificity"] == pytest.approx(3 / 20)


def test_a_class_without_a_positive_is_left_out_and_named():
    result = evaluation(random_predictions(), {})
    assert result["without_positives"] == ["STE"]
    assert result["classes"]["STE"]["auroc"] is None
    present = [result["classes"][name]["auroc"] for name in DIAGNOSES[:8]]
    assert result["scores"]["auroc"] == pytest.approx(np.mean(present))
    json.dumps(result, allow_nan=False)


def test_f2_counts_the_recordings_with_a_diagnosis_and_auroc_all():
    predictions = random_predictions()
    labelled = predictions.truth.any(axis=1)
    assert 0 < labelled.sum() < len(labelled)
    whole, part = class_scores(predictions), class_scores(predictions.subset(labelled))
    np.testing.assert_allclose(whole["f2"], part["f2"])
    assert not np.allclose(whole["auroc"][:8], part["auroc"][:8])


def test_f2_of_the_labelled_is_the_challenges():
    predictions = random_predictions()
    part = predictions.subset(predictions.truth.any(axis=1))
    with_positives = slice(0, 8)
    official = challenge_scores(
        part.truth[:, with_positives], part.decisions[:, with_positives], part.probabilities[:, with_positives], "2020"
    )
    ours = means(class_scores(predictions))
    assert ours["f2"] == pytest.approx(official["f2"], abs=1e-12)
    assert ours["g2"] == pytest.approx(official["g2"], abs=1e-12)


def test_weights_are_repetitions():
    predictions = random_predictions(60)
    times = np.random.default_rng(1).integers(0, 3, 60)
    repeated = Predictions(
        *(
            np.repeat(part, times, axis=0)
            for part in (predictions.truth, predictions.decisions, predictions.probabilities)
        ),
        ["x"] * int(times.sum()),
    )
    for name, values in _weighted_scores(predictions, _rankings(predictions), times[None].astype(float)).items():
        np.testing.assert_allclose(values[0], class_scores(repeated)[name], atol=1e-12, err_msg=name)


def test_intervals_hold_the_score_and_are_wider_for_fewer_patients():
    predictions = random_predictions()
    fewer = Predictions(
        predictions.truth, predictions.decisions, predictions.probabilities, [f"p{i // 30}" for i in range(300)]
    )
    score = means(class_scores(predictions))["auroc"]
    (low, high), (low_fewer, high_fewer) = intervals(predictions)[0]["auroc"], intervals(fewer)[0]["auroc"]
    assert low < score < high
    assert low_fewer < score < high_fewer
    copies = Predictions(
        *(np.repeat(part, 4, axis=0) for part in (predictions.truth, predictions.decisions, predictions.probabilities)),
        [g for g in predictions.people for _ in range(4)],
    )
    assert intervals(copies)[0]["auroc"] == pytest.approx([low, high], abs=1e-9), "copies of a patient add nothing"


def test_the_interval_of_a_mean_is_of_the_same_classes_in_every_resample():
    common = random_predictions()
    common.truth[0, 8], common.probabilities[:, 8] = True, np.linspace(0, 1, 300)  # one positive, the last of all
    scores = class_scores(common)["auroc"]
    low, high = intervals(common)[0]["auroc"]
    assert low < scores.mean() < high < scores[:8].mean()


def test_a_mean_of_classes_too_rare_for_an_interval_has_none():
    rare = random_predictions()
    rare.truth[:] = False
    rare.truth[np.arange(0, 18, 2), np.arange(9)] = True  # each in one patient: a resample in sixty has them all
    of_means, of_classes = intervals(rare)
    assert np.isnan(of_means["auroc"]).all()
    assert np.isfinite(of_classes["auroc"]).all()


def test_a_single_patient_has_no_interval():
    alone = replace(random_predictions(), people=["p"] * 300)
    of_means, of_classes = intervals(alone)
    assert np.isnan(of_means["auroc"]).all()
    assert np.isnan(of_classes["auroc"]).all()
    assert np.isnan(rate_intervals(alone)["sensitivity"]).all()


def test_calibration_finds_the_scale_it_was_spoilt_by():
    random = np.random.default_rng(0)
    logits = random.normal(-1, 2, (4000, 9))
    truth = random.random((4000, 9)) < sigmoid(0.5 * logits + 1)
    calibration = fit_calibration(list(logits[:, None]), truth)
    np.testing.assert_allclose(calibration.slopes, 0.5, atol=0.1)
    np.testing.assert_allclose(calibration.offsets, 1, atol=0.2)
    again = Calibration.from_json(json.loads(json.dumps(calibration.as_json())))
    np.testing.assert_array_equal(again.probabilities(logits), calibration.probabilities(logits))


def test_calibration_stays_where_it_was_without_positives():
    calibration = fit_calibration([np.full((1, 9), -3.0)] * 20, np.zeros((20, 9), bool))
    assert (calibration.slopes > 0).all()
    assert (np.abs(calibration.offsets) < 1).all()


def test_a_class_that_the_network_has_upside_down_keeps_its_prevalence():
    """Its slope stops at the smallest allowed, and the offset is fitted for that slope."""
    random = np.random.default_rng(0)
    logits = random.normal(-2, 2, (4000, 9))
    truth = random.random((4000, 9)) < sigmoid(-0.5 * logits - 2)
    calibration = fit_calibration(list(logits[:, None]), truth)
    np.testing.assert_allclose(calibration.slopes, SMALLEST_SLOPE)
    np.testing.assert_allclose(calibration.probabilities(logits).mean(axis=0), truth.mean(axis=0), atol=0.002)


def test_a_long_recording_counts_once_in_the_calibration():
    random = np.random.default_rng(0)
    logits = [random.normal(-1, 2, (1, 9)) for _ in range(400)]
    truth = random.random((400, 9)) < sigmoid(np.concatenate(logits))
    short = fit_calibration([*logits, np.full((1, 9), -3.0)], np.vstack([truth, np.ones((1, 9), bool)]))
    long = fit_calibration([*logits, np.full((360, 9), -3.0)], np.vstack([truth, np.ones((1, 9), bool)]))
    np.testing.assert_allclose(long.slopes, short.slopes, rtol=1e-6)
    np.testing.assert_allclose(long.offsets, short.offsets, rtol=1e-6, atol=1e-9)


def test_thresholds_are_better_than_a_half_and_rare_classes_share_one():
    random = np.random.default_rng(0)
    truth = random.random((3000, 9)) < 0.15
    truth[:, 8] = False
    truth[:3, 8] = True
    probabilities = sigmoid(random.normal(-2.5, 1, (3000, 9)) + 2.5 * truth)
    thresholds = fit_thresholds(probabilities, truth)
    at_half = class_scores(Predictions(truth, probabilities > 0.5, probabilities, ["x"] * 3000))
    chosen = class_scores(Predictions(truth, decide(probabilities, thresholds), probabilities, ["x"] * 3000))
    assert means(chosen)["f2"] > means(at_half)["f2"]
    assert means(chosen)["g2"] > means(at_half)["g2"]
    assert ((thresholds > 0.02) & (thresholds < 0.5)).all()


def test_thresholds_without_a_positive_are_the_default():
    assert fit_thresholds(np.full((5, 9), 0.3), np.zeros((5, 9), bool)).tolist() == [0.16] * 9


@pytest.mark.parametrize("specificity", SPECIFICITIES)
def test_thresholds_at_a_specificity_are_the_lowest_that_hold_it(specificity):
    random = np.random.default_rng(0)
    truth = random.random((400, 9)) < 0.2
    probabilities = random.random((400, 9)) ** 3
    thresholds = thresholds_at(float(specificity), probabilities, truth)
    held = class_rates(Predictions(truth, decide(probabilities, thresholds), probabilities, ["x"] * 400))["specificity"]
    lower = decide(probabilities, thresholds - 0.0011)
    below = class_rates(Predictions(truth, lower, probabilities, ["x"] * 400))["specificity"]
    assert (held >= float(specificity)).all()
    assert (held < float(specificity) + 0.02).all()
    assert (below < held).any()


def test_as_many_negatives_are_called_as_a_specificity_allows():
    probabilities = np.repeat(np.arange(400)[:, None] / 1000, 9, axis=1)
    assert (
        thresholds_at(0.95, probabilities, np.zeros((400, 9), bool)).tolist() == [0.38] * 9
    )  # .380 to .399: 20 of 400
    assert thresholds_at(0.95, np.ones((400, 9)), np.zeros((400, 9), bool)).tolist() == [1.0] * 9
    assert thresholds_at(0.95, probabilities, np.ones((400, 9), bool)).tolist() == [0.001] * 9


def test_sigmoid_does_not_overflow_and_windows_are_averaged():
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
    assert merge(np.array([[0.2] * 9, [0.6] * 9])) == pytest.approx(np.full(9, 0.4))


def write_entry(folder, dx, classes, decisions, scores, name="A0001"):
    (folder / "labels").mkdir(exist_ok=True)
    (folder / "outputs").mkdir(exist_ok=True)
    (folder / "labels" / f"{name}.hea").write_text(f"{name} 12 500 5000\n#Dx: {dx}\n")
    (folder / "outputs" / f"{name}.csv").write_text(f"#{name}\n{classes}\n{decisions}\n{scores}\n")
    return folder / "labels", folder / "outputs"


def test_folders_are_scored_by_name_whatever_the_order_of_columns(tmp_path):
    write_entry(tmp_path, "AF", "AF, PVC", "1, 0", "0.9, 0.2")
    folders = write_entry(tmp_path, "PVC, AF", "PVC, AF", "1, 1", "0.8, 0.7", "A0002")
    scores = score_folders(*folders, "unofficial")
    assert scores["f2"] == 1.0
    truth = np.array([[True, False], [True, True]])
    assert scores == challenge_scores(truth, truth, np.array([[0.9, 0.2], [0.7, 0.8]]), "unofficial")


def test_the_final_phase_merges_equivalents_and_leaves_unscored_classes_out(tmp_path):
    folders = write_entry(tmp_path, "59118001, 999", "713427006,59118001,164889003", "0,1,0", "0.2,0.6,nan")
    assert score_folders(*folders, "2020")["f2"] == 1.0
    with pytest.raises(ScoreError, match="score 'nan' is no number"):
        score_folders(*folders, "unofficial")


def test_abbreviations_against_codes_are_refused_and_not_scored_as_silence(tmp_path):
    folders = write_entry(tmp_path, "164889003", "AF, PVC", "1, 0", "0.9, 0.2")
    with pytest.raises(
        ScoreError, match="the labels are such as .*, the outputs name AF, PVC: name the classes in both alike"
    ):
        score_folders(*folders, "2020")


@pytest.mark.parametrize("phase", ["unofficial", "2020"])
@pytest.mark.parametrize("label, named", [("164889003", "AF"), ("AF", "164889003")])
def test_where_no_class_can_be_meant_by_both_nothing_is_scored(label, named, phase, tmp_path):
    folders = write_entry(tmp_path, label, named, "1", "0.9")
    with pytest.raises(ScoreError, match=f"the labels are such as {label}, the outputs name {named}"):
        score_folders(*folders, phase)


def test_equivalents_that_a_file_does_not_name_count_0_in_their_mean_and_nan_not_at_all(tmp_path):
    both, said = "713427006,59118001", [".9,.7", ".3,.4", "nan,.36", "inf,.1"]
    write_entry(tmp_path, "427084000", "59118001", "0", ".5", "A0001")
    for number, scores in enumerate(said, start=2):
        folders = write_entry(
            tmp_path, "59118001" if number in (2, 4) else "427084000", both, "0,0", scores, f"A000{number}"
        )
    truth = np.array([[False, True], [True, False], [False, True], [True, False], [False, True]])
    means = np.array([[0.25, 0], [0.8, 0], [0.35, 0], [0.36, 0], [np.inf, 0]])
    assert score_folders(*folders, "2020") == challenge_scores(truth, np.zeros_like(truth), means, "2020")


def test_headers_are_known_in_any_case_and_hidden_files_are_none(tmp_path):
    labels, outputs = write_entry(tmp_path, "AF", "AF", "1", "0.9")
    (labels / "._A0001.hea").write_text("what a Macintosh leaves")
    write_entry(tmp_path, "PVC", "AF", "1", "0.8", "A0002")
    (labels / "A0002.hea").rename(labels / "A0002.HEA")
    assert score_folders(labels, outputs, "2020")["accuracy"] == 0.5


def test_a_score_that_is_none_is_null_in_json(tmp_path, twelvelead):
    folders = write_entry(tmp_path, "AF", "AF", "1", "0.9")
    assert json.loads(twelvelead("score", *folders, "--phase", "2020", "--json").stdout)["auroc"] is None


@pytest.mark.parametrize(
    "outputs, sentence",
    [
        ("#A0001\nAF\n1\n", "must have four"),
        ("#A0001\nAF,PVC\n1\n0.5,0.5\n", "must have four"),
        ("#A0001\nAF,PVC,AF\n1,0,0\n0.5,0.5,0.1\n", "names 'AF' twice"),
        ("#A0001\nAF\n0.7\n0.5\n", "decision '0.7' is neither 0 nor 1"),
    ],
)
def test_a_bad_output_is_refused(outputs, sentence, tmp_path):
    folders = write_entry(tmp_path, "AF", "AF", "1", "0.5")
    (tmp_path / "outputs/A0001.csv").write_text(outputs)
    with pytest.raises(ScoreError, match=sentence):
        score_folders(*folders, "2020")
    (tmp_path / "outputs/A0001.csv").unlink()
    with pytest.raises(ScoreError, match="a plain .csv for each .hea"):
        score_folders(*folders, "2020")

"""Prediction-powered shares: against ppi-python, by simulation, and through the store with labels of both kinds."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Connection

from pipeline.errors import PipelineError
from pipeline.tables.columns import CORRECTED, LABELS, SectionInfo, ThemeInfo
from pipeline.tables.corpus import Corpus
from pipeline.tables.correction import MINIMUM_LABELLED_AUTHORITIES, corrected, prediction_powered_shares
from tests.tables.building import BAND_OF, Report, Written, write

REPLICATES = 300


def independent() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The setting of the paper: what was read and foretold of 300 paragraphs, what is foretold of 20,000 others."""
    rng = np.random.default_rng(0)
    truth = rng.random(20_300) < 0.2
    found = np.where(truth, rng.random(20_300) < 0.8, rng.random(20_300) < 0.05)
    return truth[:300].astype(float), found[:300].astype(float), found[300:].astype(float)


def check(share: float, low: float, high: float) -> None:
    read, foretold, many = independent()
    # Every paragraph is its own cluster, and the labelled ones are outside the many.
    ours = prediction_powered_shares(
        read[:, None],
        foretold[:, None],
        np.ones(300),
        np.arange(300),
        np.concatenate([np.zeros(300), many])[:, None],
        np.concatenate([np.zeros(300), np.ones(20_000)]),
    )
    assert ours.share[0] == pytest.approx(share, abs=2e-4)
    # Theirs is symmetric, ours on the logit scale: their widths agree, and their ends nearly.
    assert ours.high[0] - ours.low[0] == pytest.approx(high - low, rel=0.05)
    assert (ours.low[0], ours.high[0]) == pytest.approx((low, high), abs=0.01)


def test_independent_paragraphs_give_the_estimate_of_ppi_python() -> None:
    ppi = pytest.importorskip("ppi_py", reason="ppi-python is not installed: it brings numba")
    estimate = ppi.ppi_mean_pointestimate(*independent())
    low, high = ppi.ppi_mean_ci(*independent(), alpha=0.05)
    check(estimate.item(), low.item(), high.item())


def test_independent_paragraphs_give_what_ppi_python_gave() -> None:
    """Its version 0.2.3, on the same numbers, for where it is not installed."""
    check(0.19213, 0.16321, 0.22105)


def simulated(
    reports: int, labels: int, share: float, sensitivity: float, false_alarms: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Reports that differ in theme and in how well the classifier reads them: (report, truth, found, labelled)."""
    report = np.repeat(np.arange(reports), 1 + rng.gamma(2, 60, size=reports).astype(int))
    spread = (1 - 0.05) / 0.05
    own = rng.beta(share * spread, (1 - share) * spread, size=(reports, REPLICATES))
    hit = np.clip(sensitivity + rng.normal(0, 0.08, size=(reports, 1)), 0.3, 1)
    alarm = np.clip(false_alarms * np.exp(rng.normal(0, 0.4, size=(reports, 1))), 0, 1)
    truth = rng.random((len(report), REPLICATES), dtype=np.float32) < own[report]
    found = rng.random((len(report), REPLICATES), dtype=np.float32) < np.where(truth, hit[report], alarm[report])
    return report, truth, found, rng.random(len(report)) < labels / len(report)


@pytest.mark.parametrize(("sensitivity", "false_alarms"), [(0.85, 0.01), (0.7, 0.03)])
@pytest.mark.parametrize(
    ("reports", "labels", "share"), [(130, 1200, 0.03), (130, 1200, 0.15), (45, 400, 0.1), (45, 400, 0.3)]
)
def test_95_percent_intervals_cover_93_to_97_percent(
    reports: int, labels: int, share: float, sensitivity: float, false_alarms: float
) -> None:
    rng = np.random.default_rng([reports, int(100 * share), int(100 * sensitivity)])
    covered, widths = [], []
    for _ in range(6):
        report, truth, found, labelled = simulated(reports, labels, share, sensitivity, false_alarms, rng)
        sizes = np.bincount(report, minlength=reports)
        sums = np.stack([np.bincount(report[column], minlength=reports) for column in found.T], axis=1)
        ours = prediction_powered_shares(
            truth[labelled], found[labelled], np.ones(labelled.sum()), report[labelled], sums, sizes
        )
        covered.append((ours.low <= share) & (share <= ours.high))
        alone = prediction_powered_shares(
            truth[labelled], 0 * found[labelled], np.ones(labelled.sum()), report[labelled], 0 * sums, sizes
        )
        widths.append((ours.high - ours.low) / (alone.high - alone.low))
    assert 0.93 <= np.mean(covered) <= 0.97
    # It is worth its while: narrower than from the labels alone.
    assert np.nanmean(widths) < 0.97


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_intervals_cover_as_they_say_where_a_third_of_the_clusters_was_tested(share: float) -> None:
    """As with the encoder, which was kept from some authorities only."""
    rng = np.random.default_rng(int(100 * share))
    covered = []
    for _ in range(6):
        report, truth, found, labelled = simulated(130, 1500, share, 0.85, 0.01, rng)
        sums = np.stack([np.bincount(report[column], minlength=130) for column in found.T], axis=1)
        ours = prediction_powered_shares(
            truth[labelled],
            found[labelled],
            np.ones(labelled.sum()),
            report[labelled],
            sums,
            np.bincount(report, minlength=130),
            predicted_weight=(report[labelled] % 3 == 0).astype(float),
        )
        covered.append((ours.low <= share) & (share <= ours.high))
    assert 0.93 <= np.mean(covered) <= 0.97


def test_a_useless_classifier_is_given_no_weight_and_a_perfect_one_all() -> None:
    rng = np.random.default_rng(3)
    report, truth, _, labelled = simulated(100, 900, 0.2, 0.8, 0.02, rng)
    noise = rng.random(truth.shape) < 0.2
    sizes = np.bincount(report, minlength=100)

    def weight(found: np.ndarray) -> np.ndarray:
        sums = np.stack([np.bincount(report[column], minlength=100) for column in found.T], axis=1)
        return prediction_powered_shares(
            truth[labelled], found[labelled], np.ones(labelled.sum()), report[labelled], sums, sizes
        ).weight

    assert np.median(weight(noise)) < 0.1
    assert np.median(weight(truth)) > 0.9


CAMHS = ThemeInfo("camhs", "CAMHS")


def labelled_corpus(connection: Connection, missed: bool) -> tuple[Corpus, pd.DataFrame, pd.DataFrame]:
    """60 good reports of 20 paragraphs, a quarter of which carry the theme; the classifier misses half of those.

    Six paragraphs a report are labelled at random, and one more, by a key word, that always carries it. On the labelled
    paragraphs the stored tags are right (learned by heart); what the folds foretold is not.
    """
    reports, labels, predictions = [], [], []
    rng = np.random.default_rng(4)
    for number in range(60):
        paragraphs = []
        for ordinal in range(20):
            carries = ordinal % 4 == 0
            # One a report was chosen because it carries the theme, six were drawn by lot.
            drawn = "keyword: camhs" if ordinal == 0 else "random" if ordinal in rng.choice(19, 6, False) + 1 else None
            found = carries and (not missed or rng.random() < 0.5)
            stored = carries if drawn else found
            paragraphs.append(Written({"camhs": "+"} if stored else {}))
            if drawn:
                labels.append(
                    (f"{number:04d}-{ordinal + 1:04d}", "camhs" if carries else "", "+" if carries else "", drawn)
                )
                predictions.append((f"{number:04d}-{ordinal + 1:04d}", "camhs" if found else "", "+" if found else ""))
        reports.append(
            Report(
                f"{number:04d}", {"overall_effectiveness": "good"}, paragraphs, published=date(2014 + number % 8, 1, 1)
            )
        )
    write(connection, reports)
    names = [field.name for field in LABELS]
    return (
        Corpus.read(connection, BAND_OF),
        pd.DataFrame(labels, columns=names),
        pd.DataFrame(predictions, columns=names[:3]),
    )


def test_what_the_classifier_misses_is_put_back(connection: Connection) -> None:
    corpus, labels, predictions = labelled_corpus(connection, missed=True)
    frame = corrected(corpus, labels, predictions, themes=[CAMHS])
    assert list(frame.columns) == [field.name for field in CORRECTED]
    good = frame[frame["band"] == "good"].iloc[0]
    assert good["paragraphs_percent"] < 21
    assert good["corrected_low"] < 25 < good["corrected_high"]
    assert abs(good["corrected_percent"] - 25) < abs(good["paragraphs_percent"] - 25)
    # The one chosen by its key word does not count as drawn at random.
    random = labels[labels["drawn"] == "random"]
    assert good["labels"] == random["paragraph_id"].nunique()
    assert good["labels_carrying"] == (random["theme"] == "camhs").sum()
    assert good["labelled_reports"] == 60
    assert 0 < good["found_of_them"] < good["labels_carrying"]


def test_no_corrected_share_from_a_handful_of_labels(connection: Connection) -> None:
    corpus, labels, predictions = labelled_corpus(connection, missed=True)
    frame = corrected(corpus, labels, predictions, "year", themes=[CAMHS])
    assert (frame["labelled_authorities"] < MINIMUM_LABELLED_AUTHORITIES).all()
    assert frame["corrected_percent"].isna().all()
    assert (frame["paragraphs_percent"] > 0).all()


def test_labels_that_the_store_does_not_have_are_left_out(connection: Connection) -> None:
    corpus, labels, predictions = labelled_corpus(connection, missed=False)
    ids = ["9999-0001", "0001-9999", "0001-x", "nonsense", ""]
    strangers = pd.DataFrame([{"paragraph_id": i, "theme": "camhs", "valence": "+", "drawn": "random"} for i in ids])
    more = pd.concat([labels, strangers], ignore_index=True)
    foretold = pd.concat([predictions, strangers.drop(columns="drawn")], ignore_index=True)
    pd.testing.assert_frame_equal(
        corrected(corpus, more, foretold, themes=[CAMHS]), corrected(corpus, labels, predictions, themes=[CAMHS])
    )
    none = corrected(corpus, labels.iloc[:0], predictions.iloc[:0], themes=[CAMHS])
    assert none["corrected_percent"].isna().all()
    assert (none["labels"] == 0).all()


def test_eras_of_which_more_was_labelled_count_no_more_for_it(connection: Connection) -> None:
    """Early reports carry the theme twice as often and hold most of the labels, as ``random by era`` may have it."""
    reports, labels = [], []
    for number in range(80):
        early = number < 40
        paragraphs = []
        for ordinal in range(20):
            carries = ordinal % (2 if early else 4) == 0
            paragraphs.append(Written())
            if ordinal < (16 if early else 4):
                labels.append(
                    (
                        f"{number:04d}-{ordinal + 1:04d}",
                        "camhs" if carries else "",
                        "",
                        "random by era" if early else "random",
                    )
                )
        published = date(2015 if early else 2021, 1, 1)
        reports.append(Report(f"{number:04d}", {"overall_effectiveness": "good"}, paragraphs, published=published))
    write(connection, reports)
    frame = pd.DataFrame(labels, columns=[field.name for field in LABELS])
    # A classifier that finds nothing: the labels alone must get the share right.
    nothing = frame.drop(columns="drawn").assign(theme="")
    row = corrected(Corpus.read(connection, BAND_OF), frame, nothing, themes=[CAMHS]).query("band == 'good'").iloc[0]
    assert row["corrected_low"] <= 37.5 <= row["corrected_high"]
    assert row["corrected_percent"] == pytest.approx(37.5, abs=0.5)


def test_a_missing_column_is_named(connection: Connection) -> None:
    corpus, labels, predictions = labelled_corpus(connection, missed=False)
    with pytest.raises(PipelineError, match="drawn"):
        corrected(corpus, labels.drop(columns="drawn"), predictions, themes=[CAMHS])


def test_strengths_and_weaknesses_are_corrected_by_their_own_labels(connection: Connection) -> None:
    """Two themes of one section: half of the paragraphs put both as strengths, a tenth disagree within themselves."""
    reports, labels = [], []
    for number in range(40):
        paragraphs = []
        for ordinal in range(20):
            first, second = ("+", "+") if ordinal % 2 else ("-", "-") if ordinal % 10 else ("+", "-")
            paragraphs.append(Written({"camhs": first, "health": second}))
            if ordinal < 10:
                own = f"{number:04d}-{ordinal + 1:04d}"
                labels += [(own, "camhs", first, "random"), (own, "health", second, "random")]
        reports.append(Report(f"{number:04d}", {"overall_effectiveness": "good"}, paragraphs))
    write(connection, reports)
    corpus = Corpus.read(connection, BAND_OF)
    frame = pd.DataFrame(labels, columns=[field.name for field in LABELS])
    both = [SectionInfo("4.2", "Both", ("camhs", "health"))]
    for measure, percent, labelled in (("paragraphs", 100, 400), ("strengths", 50, 200), ("weaknesses", 40, 160)):
        made = corrected(corpus, frame, frame, themes=[CAMHS], sections=both, measure=measure)
        row = made[made["band"] == "good"].iloc[0]
        assert (row["measure"], row["paragraphs_percent"], row["labels_carrying"]) == (measure, percent, labelled)
        assert row["corrected_percent"] == pytest.approx(percent)
    alone = corrected(corpus, frame, frame, themes=[CAMHS], measure="strengths")
    assert alone[alone["band"] == "good"].iloc[0]["paragraphs_percent"] == 60

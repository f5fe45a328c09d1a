"""Trend, risk ratio and slope: against statsmodels, by simulation under no trend, and through the store."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import statsmodels.api as sm
from sqlalchemy import Connection
from statsmodels.stats.contingency_tables import Table2x2

from pipeline.errors import UsageError
from pipeline.tables.changes import changes, slopes
from pipeline.tables.clustered import adjusted
from pipeline.tables.columns import CHANGES, CONTRASTS, ThemeInfo
from pipeline.tables.contrasts import Units, contrasts, risk_ratio, trend
from pipeline.tables.corpus import Corpus
from tests.tables.building import BAND_OF, THEMES, Report, Written, write

REPLICATES = 300
CAMHS, LEGAL = ThemeInfo("camhs", "CAMHS"), ThemeInfo("legal", "Legal")


def inspected(authorities: int, share: float, rng: np.random.Generator) -> tuple[Units, np.ndarray, np.ndarray]:
    """Authorities with reports that are alike in grade and, apart from that, in themes: no trend at all."""
    cluster = np.repeat(np.arange(authorities), np.clip(rng.poisson(3, authorities), 1, 6))
    reports = len(cluster)
    quality = rng.normal(0, 1, authorities)[cluster] + rng.normal(0, 0.7, reports)
    sizes = 1 + rng.gamma(2, 60, reports).astype(int)
    spread = (1 - 0.03) / 0.03
    own = rng.beta(share * spread, (1 - share) * spread, size=(authorities, REPLICATES))[cluster]
    own = np.clip(own, 1e-4, 1 - 1e-4)
    carrying = rng.binomial(sizes[:, None], rng.beta(own * spread, (1 - own) * spread))
    score = np.digitize(quality, [-1.3, -0.1, 0.9]).astype(float)
    return Units(score, rng.integers(0, 2, reports), cluster), carrying, sizes


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("authorities", [40, 115])
def test_no_trend_is_found_5_percent_of_the_time(authorities: int, share: float) -> None:
    rng = np.random.default_rng([authorities, int(100 * share)])
    found, as_if_independent, as_if_reports_were = [], [], []
    for _ in range(8):
        units, carrying, sizes = inspected(authorities, share, rng)
        found.append(trend(carrying, sizes, units)[1] < 0.05)
        reports_alone = Units(units.score, units.stratum, np.arange(len(sizes)))
        as_if_reports_were.append(trend(carrying, sizes, reports_alone)[1] < 0.05)
        pooled = carrying.sum(axis=0) / sizes.sum()
        centred = units.score - (sizes @ units.score) / sizes.sum()
        z = centred @ carrying / np.sqrt(pooled * (1 - pooled) * (sizes @ centred**2))
        as_if_independent.append(np.abs(z) > 1.96)
    assert 0.03 <= np.mean(found) <= 0.065
    assert np.mean(as_if_independent) > 0.4
    assert np.mean(as_if_reports_were) > 0.08


@pytest.mark.parametrize("with_strata", [False, True])
def test_trend_is_the_score_test_of_a_gee(with_strata: bool) -> None:
    rng = np.random.default_rng(11)
    units, carrying, sizes = inspected(30, 0.3, rng)
    sizes = np.minimum(sizes, 20)
    carrying = np.minimum(carrying[:, :3], sizes[:, None])
    units = Units(units.score, units.stratum * with_strata, units.cluster)
    statistic, _ = trend(carrying, sizes, units)
    clusters = len(np.unique(units.cluster))
    for column, ours in zip(carrying.T, statistic, strict=True):
        outcome = np.concatenate([np.repeat([1, 0], [y, n - y]) for y, n in zip(column, sizes, strict=True)])
        score, stratum, cluster = (np.repeat(values, sizes) for values in (units.score, units.stratum, units.cluster))
        small = np.column_stack([np.ones(len(outcome)), stratum])[:, : 1 + with_strata]
        options = {"groups": cluster, "family": sm.families.Binomial(), "cov_struct": sm.cov_struct.Independence()}
        full = sm.GEE(outcome, np.column_stack([small, score]), **options).fit()
        theirs = full.model.compare_score_test(sm.GEE(outcome, small, **options).fit())
        # Theirs takes the variance about 0, ours about the clusters' mean: the one follows from the other.
        about_zero = ours**2 / ((clusters - 1) / clusters + ours**2 / clusters)
        assert about_zero == pytest.approx(np.ravel(theirs["statistic"])[0], rel=1e-3)


def test_risk_ratio_of_independent_paragraphs_is_that_of_a_two_by_two_table() -> None:
    outcome = np.repeat([1, 0, 1, 0], [30, 170, 45, 555])[:, None]
    score = np.repeat([3.0, 1.0], [200, 600])
    units = Units(score, np.zeros(800, dtype=int), np.arange(800))
    ratio, low, high = risk_ratio(outcome, np.ones(800, dtype=int), units, score == 3, score == 1)
    table = Table2x2(np.array([[30, 170], [45, 555]]))
    assert ratio[0] == pytest.approx(table.riskratio)
    assert (low[0], high[0]) == pytest.approx(table.riskratio_confint(), rel=0.005)


def test_risk_ratio_within_frameworks_is_not_fooled_by_a_change_of_frameworks() -> None:
    """Frameworks differ in the theme's share and in how often they find inadequate; within each the ratio is 2."""
    rows = [(3.0, 0, 100, 40), (1.0, 0, 400, 80), (3.0, 1, 400, 16), (1.0, 1, 100, 2)]
    score, stratum, bases, carrying = (np.array(column) for column in zip(*rows, strict=True))
    pooled = Units(score, np.zeros(4, dtype=int), np.arange(4))
    within = Units(score, stratum, np.arange(4))
    assert risk_ratio(carrying[:, None], bases, within, score == 3, score == 1)[0][0] == pytest.approx(2)
    assert risk_ratio(carrying[:, None], bases, pooled, score == 3, score == 1)[0][0] < 1


def test_risk_ratio_covers_where_an_authority_has_reports_in_both_bands() -> None:
    rng = np.random.default_rng(12)
    covered = []
    for _ in range(8):
        units, carrying, sizes = inspected(115, 0.1, rng)
        _, low, high = risk_ratio(carrying, sizes, units, units.score == 3, units.score == 1)
        covered.append((low <= 1) & (high >= 1))
    assert 0.93 <= np.mean(covered) <= 0.97


def test_slopes_equal_statsmodels_weighted_least_squares() -> None:
    rng = np.random.default_rng(13)
    units, carrying, sizes = inspected(60, 0.2, rng)
    year = rng.integers(2013, 2026, len(sizes)).astype(float)
    slope, low, high, _ = slopes(carrying, sizes, year, units.cluster)
    for item in range(3):
        fit = sm.WLS(carrying[:, item] / sizes, sm.add_constant(year), weights=sizes).fit(
            cov_type="cluster",
            cov_kwds={"groups": units.cluster, "use_correction": False, "df_correction": True},
            use_t=True,
        )
        assert slope[item] == pytest.approx(fit.params[1])
        clusters = len(np.unique(units.cluster))
        half = (fit.conf_int()[1, 1] - fit.params[1]) * np.sqrt(clusters / (clusters - 1))
        assert high[item] - slope[item] == pytest.approx(half, rel=1e-6)
        assert slope[item] - low[item] == pytest.approx(half, rel=1e-6)


def test_slopes_cover_under_clustering() -> None:
    rng = np.random.default_rng(14)
    covered = []
    for _ in range(8):
        units, carrying, sizes = inspected(115, 0.1, rng)
        # Some authorities were seen earlier than others, all of their reports.
        year = 2014 + units.cluster % 7 + rng.integers(0, 5, len(sizes)).astype(float)
        _, low, high, _ = slopes(carrying, sizes, year, units.cluster)
        covered.append((low <= 0) & (high >= 0))
    assert 0.93 <= np.mean(covered) <= 0.97


def banded(connection: Connection, reports: int = 60) -> Corpus:
    """camhs is said of the worse bands more often, as a weakness; legal of all alike."""
    rng = np.random.default_rng(15)
    grades = ("outstanding", "good", "requires improvement", "inadequate")
    made = []
    for number in range(reports):
        band = number % 4
        paragraphs = [
            Written(
                ({"camhs": "-"} if rng.random() < 0.1 + 0.1 * band else {})
                | ({"legal": "+"} if rng.random() < 0.3 else {})
            )
            for _ in range(30)
        ]
        published = date(2014 + number // 8, 1, 1)
        made.append(
            Report(
                f"{number:04d}",
                {"overall_effectiveness": grades[band]},
                paragraphs,
                urn=str(number // 2),
                published=published,
                framework="SIF" if number % 3 else "ILACS",
            )
        )
    write(connection, made)
    return Corpus.read(connection, BAND_OF)


def test_a_trend_that_is_there_is_found_and_sized(connection: Connection) -> None:
    frame = contrasts(banded(connection), themes=[CAMHS, LEGAL])
    assert list(frame.columns) == [field.name for field in CONTRASTS]
    by = frame.set_index(["measure", "theme"])
    camhs = by.loc[("weaknesses", "camhs")]
    assert camhs["direction"] == "more in worse bands"
    assert camhs["ratio_low"] < 2 < camhs["ratio_high"]
    assert camhs["ratio_low"] > 1
    assert camhs["inadequate_percent"] == pytest.approx(100 * camhs["inadequate"] / camhs["of_inadequate"])
    assert by.loc[("paragraphs", "legal"), "direction"] == "no clear trend"
    # No paragraph puts camhs as a strength: nothing is divided by it.
    assert by.loc[("strengths", "camhs"), "direction"] == "too little to tell"
    assert np.isnan(by.loc[("strengths", "camhs"), "risk_ratio"])


def test_few_authorities_give_no_verdict(connection: Connection) -> None:
    corpus = banded(connection, reports=16)
    for frame in (contrasts(corpus, themes=[CAMHS]), changes(corpus, themes=[CAMHS])):
        assert (frame["direction"] == "too little to tell").all()
        assert frame["q_value"].isna().all()


def test_an_empty_corpus_gives_rows_without_values(connection: Connection) -> None:
    write(connection, [])
    corpus = Corpus.read(connection, BAND_OF)
    assert (contrasts(corpus, themes=[CAMHS])["reports"] == 0).all()
    assert (changes(corpus, "overall_effectiveness", themes=[CAMHS])["first_year"] == "unknown").all()


def test_bands_must_come_from_a_judgement(random_corpus: Corpus) -> None:
    with pytest.raises(UsageError, match="region"):
        contrasts(random_corpus, "region", themes=THEMES)


def test_q_values_are_benjamini_and_hochbergs_over_the_themes_that_have_one() -> None:
    q = adjusted(np.array([0.01, np.nan, 0.04, 0.03]))
    np.testing.assert_allclose(q, [0.03, np.nan, 0.04, 0.04])
    assert np.isnan(adjusted(np.array([np.nan]))).all()


def test_a_change_over_the_years_is_found_within_its_band_only(connection: Connection) -> None:
    """Good reports say ever more of camhs, ten points a year; inadequate ones stay where they are."""
    rng = np.random.default_rng(16)
    made = []
    for number in range(80):
        grade, year = ("good", "inadequate")[number % 2], 2014 + number % 5
        share = 0.1 * (year - 2013) if grade == "good" else 0.3
        paragraphs = [Written({"camhs": "+"} if rng.random() < share else {}) for _ in range(40)]
        made.append(
            Report(
                f"{number:04d}",
                {"overall_effectiveness": grade},
                paragraphs,
                urn=str(number),
                published=date(year, 5, 1),
            )
        )
    write(connection, made)
    frame = changes(Corpus.read(connection, BAND_OF), "overall_effectiveness", themes=[CAMHS])
    assert list(frame.columns) == [field.name for field in CHANGES]
    by = frame[frame["measure"] == "paragraphs"].set_index("band")
    assert by.loc["good", "direction"] == "rising"
    assert by.loc["good", "points_low"] < 10 < by.loc["good", "points_high"]
    assert by.loc["inadequate", "direction"] == "no clear trend"
    assert 3 < by.loc["all", "points_a_year"] < 7
    assert (by.loc["all", "first_year"], by.loc["all", "last_year"], by.loc["all", "reports"]) == ("2014", "2018", 80)
    until = changes(Corpus.read(connection, BAND_OF), themes=[CAMHS], last_year=2015)
    assert (until["last_year"] == "2015").all()

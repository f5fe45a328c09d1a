"""Kappa and alpha against textbooks and other programs; disagreements settled, and what came before kept."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.config import SHIPPED, Config
from pipeline.errors import UsageError
from pipeline.labelling import layout
from pipeline.labelling.agreement import ALL, _alpha_cells, agreement, alpha, kappa, light, readings_of
from pipeline.labelling.batch import BatchFormat
from pipeline.labelling.commands import write_batch
from pipeline.labelling.importing import import_labels
from pipeline.labelling.settling import disagreements, followed, unsettled
from pipeline.store import Store
from pipeline.themes.labels import COLUMNS, read_labels
from pipeline.themes.taxonomy import Taxonomy, load_taxonomy
from tests.labelling.building import TODAY, export, fill

NAN = np.nan
# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section C: 4 observers, 12 units, missing data.
KRIPPENDORFF_C = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
)
# The same, section A: two observers, ten units, two values.
KRIPPENDORFF_A = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]], float)


def alpha_of(data: np.ndarray) -> float:
    values = np.unique(data[~np.isnan(data)])
    counts = np.stack([(data == value).sum(axis=0) for value in values], axis=-1)[:, None, :]
    return float(alpha(_alpha_cells(counts).sum(axis=0))[0])


def test_alpha_is_the_textbooks() -> None:
    assert alpha_of(KRIPPENDORFF_A) == pytest.approx(0.095, abs=5e-4)
    assert alpha_of(KRIPPENDORFF_C) == pytest.approx(0.743, abs=5e-4)


def test_alpha_is_that_of_the_krippendorff_package() -> None:
    krippendorff = pytest.importorskip("krippendorff", reason="the krippendorff package is not installed")
    rng = np.random.default_rng(1)
    for _ in range(20):
        data = rng.integers(0, 3, size=(3, 40)).astype(float)
        data[rng.random(data.shape) < 0.3] = NAN
        theirs = krippendorff.alpha(reliability_data=data, level_of_measurement="nominal")
        assert alpha_of(data) == pytest.approx(theirs, abs=1e-12)


def test_kappa_is_the_textbooks_and_scikit_learns() -> None:
    from sklearn.metrics import cohen_kappa_score

    # Wikipedia's "Cohen's kappa", grant proposals: 20 yes by both, 5 by A alone, 10 by B alone, 15 no by both.
    assert float(kappa(np.array([20, 5, 10, 15]))) == pytest.approx(0.4)
    # Cohen's own paradox of prevalence: 45 15 25 15 and 25 35 5 35 (the same article): 0.1304 and 0.2593.
    assert kappa(np.array([[45, 15, 25, 15], [25, 35, 5, 35]])).tolist() == pytest.approx([0.1304, 0.2593], abs=5e-5)
    rng = np.random.default_rng(1)
    for _ in range(20):
        one, other = rng.integers(0, 2, size=(2, 30))
        cells = [sum((one == a) & (other == b)) for a, b in ((1, 1), (1, 0), (0, 1), (0, 0))]
        assert float(kappa(np.array(cells))) == pytest.approx(cohen_kappa_score(one, other))


def test_measures_that_chance_settles_are_missing() -> None:
    assert math.isnan(float(kappa(np.array([0, 0, 0, 50]))))
    assert math.isnan(float(kappa(np.array([0, 0, 0, 0]))))
    assert math.isnan(alpha_of(np.ones((2, 5))))
    assert light(np.array([0.5, NAN, 0.7])) == pytest.approx(0.6)


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load_taxonomy(SHIPPED / "corpus" / "taxonomy.yaml")


def readings(rows: list[tuple[str, str, str, str]], day: str = "2026-01-01") -> pd.DataFrame:
    """Label rows from (paragraph, annotator, theme, valence)."""
    return pd.DataFrame(
        [
            {**dict.fromkeys(COLUMNS, ""), "fingerprint": key.rjust(12, "0"), "annotator": who, "theme": theme}
            | {"valence": valence, "date": day, "report": "a/b.pdf", "page": "1", "drawn": "random"}
            for key, who, theme, valence in rows
        ]
    )


def test_agreement_of_three_who_have_not_all_read_everything(taxonomy: Taxonomy) -> None:
    labels = readings(
        [
            ("1", "A", "camhs", "+"), ("1", "B", "camhs", "-"), ("1", "C", "camhs", "-"),
            ("2", "A", "camhs", "+"), ("2", "B", "", ""),
            ("3", "A", "", ""), ("3", "C", "", ""),
            ("4", "A", "legal", "0"),
        ]
    )  # fmt: skip
    frame = agreement(readings_of(labels, taxonomy), taxonomy, draws=50).set_index("theme")
    camhs = frame.loc["camhs"]
    assert (camhs["paragraphs"], camhs["all_give"], camhs["some_give"], camhs["valence_paragraphs"]) == (3, 1, 1, 1)
    data = np.array([[1, 1, 0], [1, 0, NAN], [1, NAN, 0]])
    assert camhs["alpha"] == pytest.approx(alpha_of(data))
    # Of the pairs, A and B read 1 and 2, A and C 1 and 3, B and C 1 alone, which has no kappa.
    assert camhs["kappa"] == pytest.approx((0.0 + 1.0) / 2)
    assert math.isnan(frame.loc["legal", "kappa"])
    pair = agreement(readings_of(labels, taxonomy, ("A", "C")), taxonomy, draws=0).set_index("theme")
    assert pair.loc["camhs", "kappa"] == pytest.approx(1.0)
    assert math.isnan(pair.loc["camhs", "kappa_low"])


def test_the_latest_reading_of_each_counts_and_settlements_do_not(taxonomy: Taxonomy) -> None:
    labels = pd.concat(
        [
            readings([("1", "A", "camhs", "+"), ("1", "B", "camhs", "-"), ("2", "A", "", ""), ("2", "B", "", "")]),
            readings([("1", "B", "camhs", "+"), ("1", "settled by C", "legal", "+")], day="2026-02-01"),
        ]
    )
    found = readings_of(labels, taxonomy)
    assert found.annotators == ("A", "B")
    frame = agreement(found, taxonomy, draws=0).set_index("theme")
    assert frame.loc["camhs", "kappa"] == 1.0
    assert frame.loc[ALL, "some_give"] == 0


def test_the_interval_covers(taxonomy: Taxonomy) -> None:
    """Of 60 samples of 150 paragraphs from a population of known kappa, about 95 % of the intervals hold it."""
    chances = np.array([0.2, 0.05, 0.05, 0.7])
    true = float(kappa(chances * 10**6))
    rng = np.random.default_rng(5)
    held = 0
    for sample in range(60):
        rows = []
        for number, cell in enumerate(rng.choice(4, size=150, p=chances)):
            for who, gives in (("A", cell in (0, 1)), ("B", cell in (0, 2))):
                rows.append((str(number), who, "camhs" if gives else "", "+" if gives else ""))
        frame = agreement(readings_of(readings(rows), taxonomy), taxonomy, draws=200, seed=sample).set_index("theme")
        held += frame.loc["camhs", "kappa_low"] <= true <= frame.loc["camhs", "kappa_high"]
    assert 51 <= held <= 60


def test_the_two_readings_that_ship_agree_as_the_libraries_count(taxonomy: Taxonomy) -> None:
    from sklearn.metrics import cohen_kappa_score

    labels = read_labels(SHIPPED / "corpus" / "labels.csv", taxonomy)
    found = readings_of(labels, taxonomy)
    frame = agreement(found, taxonomy, draws=20).set_index("theme")
    assert frame["paragraphs"].iloc[0] == 2180
    for code in ("camhs", "risk_response", "resourcing"):
        one, other = found.given[:, :, found.codes.index(code)]
        assert frame.loc[code, "kappa"] == pytest.approx(cohen_kappa_score(one, other))
        assert frame.loc[code, "kappa_low"] < frame.loc[code, "kappa"] < frame.loc[code, "kappa_high"]


def test_nobody_to_compare_with(taxonomy: Taxonomy) -> None:
    with pytest.raises(UsageError, match="No paragraph has been read by two"):
        readings_of(readings([("1", "A", "camhs", "+"), ("2", "B", "", "")]), taxonomy)
    with pytest.raises(UsageError, match="Nobody called 'Z'"):
        readings_of(readings([("1", "A", "camhs", "+")]), taxonomy, ("A", "Z"))


# --- settling

CAMHS, LEGAL, ADOPTION = "CAMHS and emotional well-being", "Courts and legal work", "Adoption"


@pytest.fixture
def disputed(store: Store, config: Config, tmp_path: Path) -> Path:
    """Jo and Kim read three paragraphs: they differ on the first (two themes) and the second (the sign)."""
    signs: dict[str, list[dict[str, str]]] = {
        "Jo": [{CAMHS: "-", LEGAL: "+", ADOPTION: "0"}, {CAMHS: "+"}, {LEGAL: "-"}],
        "Kim": [{ADOPTION: "0"}, {CAMHS: "-"}, {LEGAL: "-"}],
    }
    for who, rows in signs.items():
        path = export(store, config, tmp_path / f"{who}.xlsx", BatchFormat.XLSX, annotator=who, count=3)

        def change(sheet: Any, at: dict[str, int], rows: list[dict[str, str]] = rows) -> None:
            for row, said in enumerate(rows, start=2):
                for heading, sign in said.items():
                    sheet.cell(row, at[heading]).value = sign

        import_labels(store, config, fill(path, change, who), None, TODAY)
    taxonomy = load_taxonomy(config.taxonomy)
    batch, _ = disagreements(store, config, read_labels(config.labels, taxonomy), taxonomy, TODAY)
    write_batch(batch, tmp_path / "settle.xlsx", BatchFormat.XLSX)
    return tmp_path / "settle.xlsx"


def test_disagreements_come_out_with_what_is_agreed_filled_in(disputed: Path) -> None:
    cells: list[dict[str, Any]] = []
    fill(
        disputed, lambda sheet, at: cells.extend({h: sheet.cell(r, c).value for h, c in at.items()} for r in (2, 3, 4))
    )
    first, second, end = cells
    assert (first[CAMHS], first[LEGAL], first[ADOPTION]) == ("?", "?", "0")
    assert f"{LEGAL}: Jo +, Kim no" in first[layout.SAID].split("\n")
    assert second[CAMHS] == "?"
    assert end[layout.KEY] is None


def settle_both(sheet: Any, at: dict[str, int]) -> None:
    sheet.cell(2, at[CAMHS]).value = "no"
    sheet.cell(2, at[LEGAL]).value = "+"
    sheet.cell(3, at[CAMHS]).value = "0"


def test_settled_labels_stand_beside_the_readings_before_them(store: Store, config: Config, disputed: Path) -> None:
    taxonomy = load_taxonomy(config.taxonomy)
    before = config.labels.read_bytes()
    fill(disputed, settle_both, "Lee")
    imported = import_labels(store, config, disputed, None, TODAY, settle=True)
    assert imported.faults == ()
    assert config.labels.read_bytes().startswith(before)
    labels = read_labels(config.labels, taxonomy)
    settled = labels[labels["annotator"] == "settled by Lee"]
    assert sorted(zip(settled["theme"], settled["valence"], strict=True)) == [
        ("adoption", "0"), ("camhs", "0"), ("legal", "+"),
    ]  # fmt: skip
    assert set(settled["drawn"]) == {"random"}
    assert unsettled(labels, taxonomy.codes) == {}
    entered = imported.entered
    assert entered is not None
    counts, total = followed(store, labels, entered.new, taxonomy.codes)
    assert (dict(counts), total) == ({"Jo": 1, "Kim": 1}, 3)
    with pytest.raises(UsageError, match="no disagreement left"):
        disagreements(store, config, labels, taxonomy, TODAY)


def test_what_is_not_settled_yet_waits(store: Store, config: Config, disputed: Path) -> None:
    fill(disputed, lambda sheet, at: sheet.cell(3, at[CAMHS], "no"), "Lee")
    imported = import_labels(store, config, disputed, None, TODAY, settle=True)
    assert (imported.open, imported.faults) == (1, ())
    labels = read_labels(config.labels, load_taxonomy(config.taxonomy))
    settled = labels[labels["annotator"] == "settled by Lee"]
    assert settled["theme"].tolist() == [""]  # settled: it carries none


def test_each_batch_by_its_own_command(store: Store, config: Config, disputed: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pipeline label settle"):
        import_labels(store, config, disputed, "Lee", TODAY)
    with pytest.raises(UsageError, match="pipeline label import"):
        import_labels(store, config, tmp_path / "Jo.xlsx", None, TODAY, settle=True)


def test_a_mark_of_dispute_in_another_batch_is_no_sign(store: Store, config: Config, tmp_path: Path) -> None:
    path = export(store, config, tmp_path / "own.xlsx", BatchFormat.XLSX)
    fill(path, lambda sheet, at: sheet.cell(2, at[CAMHS], "?"))
    assert "'?' is not one of + - 0" in import_labels(store, config, path, None, TODAY).faults[0]

"""What is gathered: rounded once, corrected where there are labels to correct by, one quotation an authority."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.analysis import theme_infos
from pipeline.correcting import Basis, Corrected
from pipeline.domain import Valence
from pipeline.publish import catalogue, site, workbook
from pipeline.publish.gathering import gather
from pipeline.publish.publication import rounded
from pipeline.tables.columns import Field
from pipeline.tables.corpus import Corpus
from pipeline.tables.correction import corrected
from pipeline.themes.taxonomy import load_taxonomy
from tests.publish.building import Report, Written, many
from tests.publish.conftest import Opened


def test_percentages_have_two_decimals_and_other_measures_six_digits() -> None:
    fields = (Field("share", "percent", "", ""), Field("p", "number", "", ""), Field("n", "count", "", ""))
    frame = pd.DataFrame({"share": [100 / 3, np.nan], "p": [1.23456789e-9, -1234567.89], "n": [7, 8]})
    result = rounded(frame, fields)
    assert result["share"].tolist()[0] == 33.33
    assert result["p"].tolist() == [1.23457e-9, -1234570.0]
    assert np.isnan(result["share"][1])
    assert frame["share"][0] == 100 / 3


def test_corrected_shares_are_published_where_there_are_labels(opened: Opened) -> None:
    context = opened(many(24))
    taxonomy = load_taxonomy(context.config.taxonomy)

    def by_labels(corpus: Corpus) -> Corrected:
        # Every paragraph labelled as it was tagged: the correction has nothing to correct.
        tags = pd.DataFrame(
            {
                "paragraph_id": corpus.paragraph_ids(corpus.tags["paragraph"].to_numpy()),
                "theme": [corpus.themes[number] for number in corpus.tags["theme"]],
                "valence": "+",
            }
        )
        every = corpus.paragraph_ids(np.arange(len(corpus.paragraphs)))
        untagged = sorted(set(every) - set(tags["paragraph_id"]))
        none = pd.DataFrame({"paragraph_id": untagged, "theme": "", "valence": ""})
        labels = pd.concat([tags, none], ignore_index=True).assign(drawn="random")
        shares = corrected(corpus, labels, labels, themes=theme_infos(taxonomy))
        return Corrected(shares, Basis(random=len(every), tested=len(every), labelled=len(every)))

    plain = gather(context.store, context.config, taxonomy, 1)
    assert catalogue.CORRECTED_TABLE not in plain.tables
    publication = gather(context.store, context.config, taxonomy, 1, by_labels)
    frame = publication.frame(catalogue.CORRECTED_TABLE)
    found = frame[frame["theme"] == "camhs"].set_index("band")
    assert found.loc["good", "labels_carrying"] == found.loc["good", "paragraphs"] > 0
    site.write(publication, context.config.output)
    page = (context.config.output / "site" / "themes" / "camhs.html").read_text(encoding="utf-8")
    assert "as found and as corrected" in page
    assert f"{found.loc['good', 'labels_carrying']} of {found.loc['good', 'labels']}" in page
    assert workbook.write(publication, context.config.output)


def test_an_authority_is_quoted_once_for_a_theme_and_valence(opened: Opened) -> None:
    said = [
        Written(
            f"Paragraph {number} of the report says something about early help at length.", {"early_help": ("+", sure)}
        )
        for number, sure in enumerate((0.7, 0.99, 0.8))
    ]
    context = opened(
        [
            Report("a" * 16, authority="Ambridge", urn="1", paragraphs=said),
            Report("b" * 16, authority="Ambridge", urn="1", paragraphs=said[:1]),
            Report("c" * 16, authority="Borchester", urn="2", paragraphs=said[:1]),
        ]
    )
    publication = gather(context.store, context.config, load_taxonomy(context.config.taxonomy), 1)
    quoted = publication.quotations["early_help", Valence.STRENGTH.value]
    assert [(item.authority, item.probability) for item in quoted] == [("Ambridge", 0.99), ("Borchester", 0.7)]
    assert ("early_help", Valence.WEAKNESS.value) not in publication.quotations


@pytest.mark.parametrize("table", [catalogue.JUDGED, catalogue.REPORTS])
def test_every_report_is_listed_and_counted_by_its_judgement(opened: Opened, table: str) -> None:
    context = opened(many(9))
    frame = gather(context.store, context.config, load_taxonomy(context.config.taxonomy), 1).frame(table)
    if table == catalogue.REPORTS:
        assert len(frame) == 9
        assert frame["overall_effectiveness"].value_counts().to_dict() == {
            "good": 3,
            "requires improvement": 3,
            "inadequate": 2,
            "not judged": 1,
        }
    else:
        overall = frame[(frame["domain"] == "overall_effectiveness") & (frame["year"] == "all")].set_index("band")
        assert overall["reports"].to_dict() == {
            "outstanding": 0,
            "good": 3,
            "requires improvement": 3,
            "inadequate": 2,
            "not judged": 1,
        }
        assert set(overall["of_reports"]) == {9}

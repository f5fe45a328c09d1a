"""Pictures: whole files that say in digits what they say in colour."""

from __future__ import annotations

import re
from pathlib import Path

from lxml import etree

from pipeline.config import Config
from pipeline.publish.gathering import gather
from pipeline.publish.pictures import draw_heat_map
from pipeline.publish.stage import publish
from pipeline.stage import Context
from pipeline.themes.taxonomy import load_taxonomy
from tests.publish.building import many
from tests.publish.conftest import Opened


def test_every_picture_is_there_as_svg_and_png(published: Path) -> None:
    names = sorted(path.name for path in (published / "pictures").iterdir())
    assert names == sorted(
        f"{name}.{form}"
        for name in (
            "themes-by-overall-judgement",
            "reports-with-themes-by-overall-judgement",
            "themes-over-the-years",
            "judgements-over-the-years",
        )
        for form in ("svg", "png")
    )  # nine authorities are too few for the tests, so there are no risk ratios to draw
    for name in names:
        content = (published / "pictures" / name).read_bytes()
        if name.endswith(".png"):
            assert content.startswith(b"\x89PNG\r\n\x1a\n")
        else:
            assert etree.fromstring(content).tag == "{http://www.w3.org/2000/svg}svg"
            assert b"<script" not in content
            assert not re.search(rb'(href|src)="http', content)


def test_enough_authorities_give_a_forest_plot(opened: Opened) -> None:
    context = opened(many(60))
    publish(context)
    drawn = (context.config.output / "pictures" / "what-sets-the-bands-apart.svg").read_text(encoding="utf-8")
    assert "CAMHS" in drawn
    assert re.search(r"\d\.\d\d \(\d\.\d\d to \d+\.\d\d\)", drawn)


def test_the_heat_map_holds_the_digits_of_the_table(opened: Opened, tmp_path: Path) -> None:
    context: Context = opened(many(24))
    config: Config = context.config
    publication = gather(context.store, config, load_taxonomy(config.taxonomy), context.run_id)
    draw_heat_map(publication, tmp_path / "heat.svg")
    root = etree.fromstring((tmp_path / "heat.svg").read_bytes())
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text") if node.text]
    frame = publication.frame("theme-frequencies")
    frame = frame[frame["of_reports"] > 0]
    for row in frame.itertuples():
        assert f"{row.paragraphs}/{row.of_paragraphs}" in texts
        assert f"{row.paragraphs_percent:.1f}%" in texts

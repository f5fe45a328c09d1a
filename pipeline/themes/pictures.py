"""Pictures of an evaluation: each theme's F1, how far probabilities can be believed, how much labels help."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.files import written_whole

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

_INK = "#1d4f7c"
_QUIET = "#8a8f94"


def themes_picture(themes: pd.DataFrame) -> alt.LayerChart:
    """F1 and its interval a theme, best first, from :attr:`pipeline.themes.scores.Scores.themes`."""
    import altair as alt

    known = themes.dropna(subset=["f1"]).sort_values("f1", ascending=False)
    order = known["theme"].tolist()
    base = alt.Chart(known).encode(y=alt.Y("theme:N", sort=order, title=None))
    bars = base.mark_rule(color=_QUIET, strokeWidth=2).encode(
        x=alt.X("f1_low:Q", title="F1, with its 95 % interval over authorities", scale=alt.Scale(domain=[0.4, 1])),
        x2="f1_high:Q",
    )
    points = base.mark_circle(color=_INK, size=60, opacity=1).encode(x="f1:Q")
    title = f"F1 of {len(known)} themes on {int(known['of'].max()):,} labelled paragraphs"
    picture: alt.LayerChart = (bars + points).properties(width=460, height=18 * len(known), title=title)
    return picture


def reliability_picture(reliability: pd.DataFrame) -> alt.LayerChart:
    """Share labelled against probability said, all themes together, from :attr:`~pipeline.themes.scores.Scores`."""
    import altair as alt
    import pandas as pd

    weighted = reliability.assign(
        said=reliability["mean_probability"] * reliability["paragraphs"],
        seen=reliability["labelled_share"] * reliability["paragraphs"],
    )
    bins = weighted.groupby("bin", as_index=False)[["paragraphs", "said", "seen"]].sum()
    bins = bins.assign(said=bins["said"] / bins["paragraphs"], seen=bins["seen"] / bins["paragraphs"])
    line = alt.Chart(pd.DataFrame({"x": [0, 1]})).mark_line(color=_QUIET, strokeDash=[4, 4]).encode(x="x:Q", y="x:Q")
    curve = (
        alt.Chart(bins)
        .mark_line(point=alt.OverlayMarkDef(color=_INK, size=60), color=_INK)
        .encode(
            x=alt.X("said:Q", title="probability said (mean of a bin)", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("seen:Q", title="share of paragraphs labelled", scale=alt.Scale(domain=[0, 1])),
        )
    )
    picture: alt.LayerChart = (line + curve).properties(width=360, height=360, title="Reliability, all themes together")
    return picture


def curve_picture(curve: pd.DataFrame) -> alt.LayerChart:
    """Macro F1 against labelled paragraphs, from :func:`pipeline.themes.evaluation.learning_curve`."""
    import altair as alt

    base = alt.Chart(curve).encode(
        x=alt.X("paragraphs:Q", title="labelled paragraphs trained on", scale=alt.Scale(type="log"))
    )
    band = base.mark_area(color=_QUIET, opacity=0.3).encode(
        y=alt.Y("low:Q", title="macro F1, with its 95 % interval", scale=alt.Scale(zero=False)), y2="high:Q"
    )
    line = base.mark_line(point=alt.OverlayMarkDef(color=_INK, size=60), color=_INK).encode(y="macro_f1:Q")
    picture: alt.LayerChart = (band + line).properties(
        width=420, height=300, title="Learning curve, without the encoder"
    )
    return picture


def save_picture(picture: alt.LayerChart, stem: Path) -> list[Path]:
    """Write a picture as SVG and as PNG; gives both paths."""
    written = []
    for kind in ("svg", "png"):
        path = stem.with_name(f"{stem.name}.{kind}")
        with written_whole(path) as temporary:
            picture.save(str(temporary), format=kind, scale_factor=2)
        written.append(path)
    return written

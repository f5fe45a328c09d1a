"""Pictures for reports and slides, as SVG and PNG: colours that the colour-blind can tell apart, no network needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pipeline.domain import Band, Domain
from pipeline.files import written_whole
from pipeline.publish import catalogue, words
from pipeline.publish.catalogue import by_name
from pipeline.publish.folders import folder_written_whole
from pipeline.publish.publication import Publication
from pipeline.publish.views import cells_of, scale_of

if TYPE_CHECKING:
    import altair as alt

FOLDER = "pictures"
_FORMATS = ("svg", "png")
_PIXELS_A_POINT = 2.0  # sharp on paper and on fine screens

_BAND_COLOURS = {
    Band.OUTSTANDING.value: "#1a4f8a",
    Band.GOOD.value: "#6baed6",
    Band.REQUIRES_IMPROVEMENT.value: "#f2b06b",
    Band.INADEQUATE.value: "#b8480b",
    Band.NOT_JUDGED.value: "#b1b4b6",
}
_INK, _QUIET, _LINE = "#0b0c0c", "#505a5f", "#1d70b8"


def write(publication: Publication, output: Path) -> list[Path]:
    """Write every picture that there is something to draw for, as SVG and PNG."""
    folder = output / FOLDER
    names = []
    with folder_written_whole(folder) as building:
        for name, chart in _charts(publication).items():
            for form in _FORMATS:
                names.append(f"{name}.{form}")
                _save(chart, building / names[-1])
    return [folder / name for name in names]


def draw_heat_map(publication: Publication, path: Path) -> None:
    """Draw the heat map of themes by overall judgement into ``path``; its suffix, .svg or .png, says how.

    Raises
    ------
    ValueError
        There is no report with an overall judgement.
    """
    chart = _heat_map(publication)
    if chart is None:
        raise ValueError("there is no report with an overall judgement to draw")
    with written_whole(path) as temporary:
        _save(chart, temporary)


def _charts(publication: Publication) -> dict[str, alt.Chart]:
    drawn = {
        "themes-by-overall-judgement": _heat_map(publication),
        "reports-with-themes-by-overall-judgement": _heat_map(publication, "reports"),
        "what-sets-the-bands-apart": _forest(publication),
        "themes-over-the-years": _trends(publication),
        "judgements-over-the-years": _judgements(publication),
    }
    return {name: chart for name, chart in drawn.items() if chart is not None}


def _save(chart: alt.Chart, path: Path) -> None:
    import vl_convert

    specification = chart.to_dict()
    if path.suffix == ".svg":
        drawing = _numbered_anew(vl_convert.vegalite_to_svg(specification))
        path.write_text(drawing, encoding="utf-8", newline="\n")
    else:
        path.write_bytes(vl_convert.vegalite_to_png(specification, scale=_PIXELS_A_POINT))


def _numbered_anew(drawing: str) -> str:
    """Vega counts gradients over all drawings of a process; counted within each, the same drawing is the same file."""
    names = dict.fromkeys(re.findall(r"gradient_\d+", drawing))
    places = {name: f"gradient_{place}" for place, name in enumerate(names)}
    return re.sub(r"gradient_\d+", lambda match: places[match.group()], drawing)


def _titled(publication: Publication, title: str, *lines: str) -> Any:
    import altair as alt

    about = publication.about
    base = f"{about.reports:,} reports of {about.authorities:,} authorities"
    when = f", {about.first.year} to {about.last.year}" if about.first and about.last else ""
    return alt.TitleParams(
        title, subtitle=[*lines, f"{base}{when}"], anchor="start", fontSize=16, subtitleColor=_QUIET, offset=12
    )


def _plain(chart: Any) -> Any:
    return (
        chart.configure(font="Arial, Helvetica, Liberation Sans, sans-serif", background="white")
        .configure_view(stroke=None)
        .configure_axis(labelColor=_INK, titleColor=_QUIET, titleFontWeight="normal", domain=False, tickColor="#d9dcde")
        .configure_legend(labelColor=_INK, titleColor=_QUIET)
    )


def _heat_map(publication: Publication, unit: Literal["paragraphs", "reports"] = "paragraphs") -> alt.Chart | None:
    import altair as alt

    frame = publication.frame(catalogue.THEMES)
    frame = frame[frame[f"of_{unit}"] > 0]
    if not len(frame):
        return None
    share, part, whole = frame[f"{unit}_percent"], frame[unit], frame[f"of_{unit}"]
    top = 100 if unit == "reports" else scale_of(cells_of(frame))
    shown = frame[["name", "band"]].assign(
        share=share,
        column=[f"{words.capital(band)}|{base:,} {unit}" for band, base in zip(frame["band"], whole, strict=True)],
        label=[words.percent(value, 0 if unit == "reports" else 1) for value in share],
        base=[f"{some}/{all_}" for some, all_ in zip(part, whole, strict=True)],
    )
    names, columns = list(dict.fromkeys(shown["name"])), list(dict.fromkeys(shown["column"]))
    x = alt.X(
        "column:N",
        sort=columns,
        title=None,
        axis=alt.Axis(
            orient="top",
            labelAngle=0,
            labelExpr="split(datum.label, '|')",
            labelFontSize=12,
            labelPadding=20,
            ticks=False,
        ),
    )
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=300, labelFontSize=12, ticks=False))
    base = alt.Chart(shown).encode(x=x, y=y)
    ink = alt.condition(f"datum.share >= {0.65 * top}", alt.value("white"), alt.value(_INK))
    cells = base.mark_rect(stroke="white", strokeWidth=1.5).encode(
        color=alt.Color(
            "share:Q",
            scale=alt.Scale(domain=[0, top], range=["#f7fbff", "#bbd6eb", "#7ab5da", "#2b74b0", "#083a75"]),
            legend=alt.Legend(title=f"% of {unit}", orient="bottom", gradientLength=200),
        )
    )
    shares = base.mark_text(fontSize=12, fontWeight="bold", align="right", dx=-4).encode(text="label:N", color=ink)
    bases = base.mark_text(fontSize=10, align="left", dx=2).encode(text="base:N", color=ink)
    title = _titled(
        publication,
        f"{words.capital(unit)} that carry each theme, by overall judgement",
        f"Share of the band's {unit}, and n/N",
    )
    return _plain((cells + shares + bases).properties(width=118 * len(columns), height=22 * len(names), title=title))


def _forest(publication: Publication) -> alt.Chart | None:
    import altair as alt

    frame = publication.frame(catalogue.APART)
    frame = frame[(frame["measure"] == "paragraphs") & frame["risk_ratio"].notna() & frame["ratio_low"].notna()]
    frame = frame[frame["ratio_low"] > 0].sort_values("risk_ratio", ascending=False)
    if not len(frame):
        return None
    shown = frame[["name", "risk_ratio", "ratio_low", "ratio_high", "q_value"]].assign(
        clear=["clear trend across bands (q < 0.05)" if q < 0.05 else "no clear trend" for q in frame["q_value"]],
        label=[
            f"{words.number(ratio)} ({words.interval(low, high, 2)})"
            for ratio, low, high in zip(frame["risk_ratio"], frame["ratio_low"], frame["ratio_high"], strict=True)
        ],
    )
    names = shown["name"].tolist()
    low, high = min(0.25, float(shown["ratio_low"].min())), max(4.0, float(shown["ratio_high"].max()))
    y = alt.Y("name:N", sort=names, title=None, axis=alt.Axis(labelLimit=300, labelFontSize=12, ticks=False))
    scale = alt.Scale(type="log", base=2, domain=[low, high], nice=False)
    axis = alt.Axis(values=[0.125, 0.25, 0.5, 1, 2, 4, 8], format="~g", gridColor="#e6e8ea")
    color = alt.Color(
        "clear:N",
        scale=alt.Scale(domain=["clear trend across bands (q < 0.05)", "no clear trend"], range=[_LINE, "#8f9599"]),
        legend=alt.Legend(title=None, orient="bottom"),
    )
    base = alt.Chart(shown).encode(y=y)
    one = alt.Chart().mark_rule(color=_QUIET).encode(x=alt.datum(1))
    ranges = base.mark_rule(strokeWidth=4, opacity=0.55).encode(
        x=alt.X(
            "ratio_low:Q",
            scale=scale,
            axis=axis,
            title="commoner in good   ←   risk ratio   →   commoner in inadequate",
        ),
        x2="ratio_high:Q",
        color=color,
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=alt.X("risk_ratio:Q", scale=scale), color=color, shape=alt.Shape("clear:N", legend=None)
    )
    labels = base.mark_text(align="left", fontSize=11).encode(x=alt.value(548), text="label:N")
    title = _titled(
        publication,
        "What sets the bands apart",
        "Share of paragraphs in inadequate over that in good, within frameworks, with 95 % intervals",
    )
    return _plain(
        alt.layer(ranges, one, points, labels, data=shown).properties(width=540, height=22 * len(names), title=title)
    )


def _trends(publication: Publication) -> alt.Chart | None:
    import altair as alt

    frame = publication.frame(by_name("year"))
    frame = frame[(frame["band"] != "unknown") & (frame["of_paragraphs"] > 0)]
    if frame["band"].nunique() < 2:
        return None
    wanted = ["name", "band", "paragraphs_percent", "paragraphs_low", "paragraphs_high"]
    shown = frame[wanted].rename(columns={"band": "year"})
    names = list(dict.fromkeys(shown["name"]))
    x = alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0, labelExpr="slice(datum.label, 2)", labelOverlap=True))
    base = alt.Chart().encode(x=x)
    axis = alt.Axis(tickCount=3, gridColor="#e6e8ea")
    spread = base.mark_area(color="#6baed6", opacity=0.4).encode(
        y=alt.Y("paragraphs_low:Q", title=None, axis=axis), y2="paragraphs_high:Q"
    )
    line = base.mark_line(color="#1a4f8a", strokeWidth=2, point=alt.OverlayMarkDef(size=18)).encode(
        y=alt.Y("paragraphs_percent:Q", title=None, axis=axis, scale=alt.Scale(zero=True))
    )
    header = alt.Header(title=None, labelFontSize=11, labelLimit=210, labelAnchor="start")
    # Layers of a facet share one frame.
    chart = alt.layer(spread, line, data=shown).properties(width=190, height=70)
    title = _titled(
        publication,
        "How much of the text each theme takes, by year of publication",
        "% of the year's paragraphs, with 95 % intervals; each theme on a scale of its own, from 0",
    )
    facets = chart.facet(facet=alt.Facet("name:N", sort=names, header=header), columns=4, spacing=14)
    return _plain(facets.resolve_scale(y="independent").properties(title=title))


def _judgements(publication: Publication) -> alt.Chart | None:
    import altair as alt

    frame = publication.frame(catalogue.JUDGED)
    chosen = (
        (frame["domain"] == Domain.OVERALL.value) & ~frame["year"].isin(["all", "unknown"]) & (frame["of_reports"] > 0)
    )
    shown = frame[chosen][["year", "band", "reports"]]
    if not len(shown):
        return None
    bands = list(_BAND_COLOURS)
    shown = shown.assign(order=[bands.index(band) for band in shown["band"]])
    chart = (
        alt.Chart(shown)
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("year:O", title=None, axis=alt.Axis(labelAngle=0, ticks=False)),
            y=alt.Y("reports:Q", title="reports", axis=alt.Axis(gridColor="#e6e8ea", tickMinStep=1)),
            color=alt.Color(
                "band:N",
                scale=alt.Scale(domain=bands, range=list(_BAND_COLOURS.values())),
                legend=alt.Legend(title=None, orient="bottom"),
            ),
            order=alt.Order("order:Q"),
        )
        .properties(
            width=640, height=260, title=_titled(publication, "Reports by year of publication and overall judgement")
        )
    )
    return _plain(chart)

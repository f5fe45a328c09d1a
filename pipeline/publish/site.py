"""The static site: a folder of pages that needs no server, no network and no script."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.publish import pictures, words
from pipeline.publish.folders import folder_written_whole
from pipeline.publish.frames import write_frame
from pipeline.publish.pages import Page, Pages
from pipeline.publish.publication import About, Publication
from pipeline.publish.views import scale_of

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = "site"


def write(publication: Publication, output: Path) -> list[Path]:
    """Write the whole site anew and put it in the place of the old one; it shows the pictures of ``output``."""
    site = output / FOLDER
    drawn = sorted((output / pictures.FOLDER).glob("*.svg"))
    with folder_written_whole(site) as building:
        environment = _environment()
        for page in Pages(publication, site, [path.name for path in drawn]):
            _render(environment, page, publication.about, building)
        style = (_templates() / "site.css").read_text(encoding="utf-8")
        (building / "site.css").write_text(style, encoding="utf-8", newline="\n")
        for table in publication.tables.values():
            write_frame(table.frame, "csv", building / "data" / f"{table.name}.csv")
        for picture in drawn:
            (building / "pictures").mkdir(exist_ok=True)
            shutil.copyfile(picture, building / "pictures" / picture.name)
        names = sorted(path.relative_to(building) for path in building.rglob("*") if path.is_file())
    return [site / name for name in names]


def _render(environment: Environment, page: Page, about: About, folder: Path) -> None:
    path = folder / page.name
    path.parent.mkdir(exist_ok=True)
    # The part of the site that the page belongs to: its folder's own page.
    here = f"{page.name.split('/')[0]}.html" if "/" in page.name else page.name
    root = "../" * page.name.count("/")
    text = environment.get_template(page.template).render(root=root, here=here, about=about, **page.content)
    path.write_text(text, encoding="utf-8", newline="\n")


def _environment() -> Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_templates()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["interval"] = words.interval
    environment.filters |= {
        "percent": words.percent,
        "number": words.number,
        "count": words.count,
        "level": words.level,
        "day": words.day,
        "spoken": words.spoken,
        "capital": words.capital,
        "slug": words.slug,
        "p_value": words.p_value,
        "signed": words.signed,
        "on_log": _on_log,
        "place": _place,
        "known": words.known,
        "scale": scale_of,
        "file_name": words.file_name,
    }
    environment.tests["known"] = words.known
    return environment


def _place(percent: float) -> str:
    """Place on an axis from 0 to 100, for an SVG's attribute."""
    return f"{min(max(percent, 0.0), 100.0):.4g}"


def _on_log(ratio: float) -> str:
    """Place of a ratio on an axis from 1/8 to 8, in percent of its width."""
    return _place(50 + 50 * math.log2(ratio) / 3)


def _templates() -> Path:
    return Path(__file__).resolve().parent / "templates"

"""A small corpus of made-up paragraphs, and workbooks filled in as a person would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from sqlalchemy import delete, insert, update

from pipeline import schema
from pipeline.config import SHIPPED, Config, load_config
from pipeline.domain import fingerprint
from pipeline.labelling import layout
from pipeline.labelling.batch import BatchFormat
from pipeline.labelling.commands import write_batch
from pipeline.labelling.drawing import Wanted, draw_batch
from pipeline.store import Store

TODAY = date(2026, 11, 24)
AUTHORITIES = ("Ambridge", "Borchester", '=HYPERLINK("http://example.org") Vale')
TOPICS = (
    "Children wait too long for help from mental health services and CAMHS in the area",
    "Social workers visit often, know their families well and record what they see",
    "Leaders look at performance information every month and act on what it tells them",
    "=SUM(1,2) Care leavers have personal advisers who stay in touch with each of them",
    "Too few adopters come forward, and those who do wait for months before a panel hears them",
    "A CAMHS nurse now sits beside the fostering team, so that carers get advice the same day",
    "Proceedings are issued promptly, and judges speak well of the evidence that is put to them",
    "Nobody knows how many pupils are missing their lessons, because the registers are not compared",
)


def make_config(folder: Path) -> Config:
    """A configuration of its own, with the shipped taxonomy and no labels yet."""
    taxonomy = (SHIPPED / "corpus" / "taxonomy.yaml").as_posix()
    (folder / "config.yaml").write_text(
        f"corpus: data\nlabels: labels.csv\ntaxonomy: {taxonomy}\n"
        "sources: [{name: none, type: folder, path: none}]\n",
        encoding="utf-8",
    )
    return load_config(folder / "config.yaml")


def make_store(config: Config) -> Store:
    """Three reports of eight substantive paragraphs each, a heading in every one, and one sentence in all three."""
    store = Store(config.store)
    with store.writing() as connection:
        for number, authority in enumerate(AUTHORITIES, start=1):
            report_id = f"{number:016d}"
            connection.execute(
                insert(schema.reports),
                {
                    "report_id": report_id,
                    "source": "made up",
                    "source_path": f"reports/{number}_made up/report {number}.pdf",
                    "file": f"reports/{number}.pdf",
                    "sha256": report_id.rjust(64, "0"),
                    "bytes": 1,
                    "mtime_ns": 1,
                    "url": None if number == 1 else f"https://example.org/{number}",
                    "status": schema.Status.EXTRACTED,
                    "first_run": 1,
                    "authority": authority,
                    "published": date(2020, number, 1),
                    "tagged_with": "made up",
                },
            )
            texts = [f"{TOPICS[i]} in ward {number * 100 + i}." for i in range(len(TOPICS))]
            texts.append("Inspectors found that this sentence of eight words is in all reports.")
            texts.append("A heading")
            for ordinal, text in enumerate(texts, start=1):
                connection.execute(
                    insert(schema.paragraphs),
                    {
                        "paragraph_id": f"{report_id}-{ordinal:04d}",
                        "report_id": report_id,
                        "ordinal": ordinal,
                        "page": 1 + ordinal // 4,
                        "page_end": 1 + ordinal // 4,
                        "x0": 72.0,
                        "top": 100.0,
                        "section": "leadership",
                        "kind": "numbered",
                        "text": text,
                        "words": len(text.split()),
                        "substantive": len(text.split()) >= 8,
                        "fingerprint": fingerprint(text),
                    },
                )
        connection.execute(
            insert(schema.tags),
            {
                "paragraph_id": "0000000000000001-0001",
                "theme": "camhs",
                "probability": 0.9,
                "valence": "-",
                "model_id": "made up",
            },
        )
    return store


def recut(store: Store, paragraph_text: str, new_text: str) -> None:
    """A later reading of the report cuts a paragraph otherwise."""
    with store.writing() as connection:
        connection.execute(
            update(schema.paragraphs)
            .where(schema.paragraphs.c.text == paragraph_text)
            .values(text=new_text, fingerprint=fingerprint(new_text))
        )


def remove(store: Store, paragraph_text: str) -> None:
    """A later reading of the report no longer has a paragraph."""
    with store.writing() as connection:
        connection.execute(delete(schema.paragraphs).where(schema.paragraphs.c.text == paragraph_text))


def export(store: Store, config: Config, path: Path, kind: BatchFormat, **wanted: Any) -> Path:
    """Draw a batch and write it."""
    batch, _ = draw_batch(store, config, Wanted(**{"seed": 1, "count": 6, **wanted}), TODAY)
    write_batch(batch, path, kind)
    return path


def fill(path: Path, change: Callable[[Any, dict[str, int]], None], name: str | None = "Jo Smith") -> Path:
    """Fill a workbook in with openpyxl: ``change`` gets the sheet and ``{heading: column from 1}``."""
    book = load_workbook(path)
    if name is not None:
        book[layout.START_SHEET]["B3"] = name
    sheet = book[layout.ROWS_SHEET]
    change(sheet, {cell.value: cell.column for cell in sheet[1]})
    book.save(path)
    return path

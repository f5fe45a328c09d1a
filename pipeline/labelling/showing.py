"""What the terminal shows of batches, imports and agreement."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pipeline.publish.terminal import console

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.labelling.batch import Batch
    from pipeline.labelling.importing import Imported


def show_batch(batch: Batch, written: Sequence[Path], notes: Sequence[str]) -> None:
    """Show what was drawn, where it is, and what to do with it."""
    out = console()
    out.print(Text(f"Batch {batch.batch_id}: {batch.description}.", style="bold"), soft_wrap=True)
    for path in written:
        out.print(Text(f"  {path}"), soft_wrap=True)
    for note in notes:
        out.print(Text(note), soft_wrap=True)
    command = "settle" if batch.to_settle else "import"
    out.print(Text(f"Filled in, it comes back with: pipeline label {command} {written[0]}"), soft_wrap=True)


def show_import(imported: Imported, skipping: bool) -> None:
    """Show what was entered, sentence by sentence what was not, and what was found odd."""
    out = console()
    for fault in imported.faults:
        out.print(Text(f"{fault}."), soft_wrap=True)
    for note in imported.notes:
        out.print(Text(note), soft_wrap=True)
    entered = imported.entered
    if entered is None:
        out.print(
            Text(
                f"Nothing was imported: {_count(len(imported.faults), 'thing is', 'things are')} wrong in "
                f"{imported.path.name}; mend them, or leave those paragraphs out with --skip-bad.",
                style="bold",
            ),
            soft_wrap=True,
        )
        return
    parts = [
        f"{len(entered.new)} new",
        f"{len(entered.held)} held already",
        *([f"{len(entered.replaced)} corrected"] if entered.replaced else []),
        *([f"{len(entered.superseded)} changed since, the earlier reading kept"] if entered.superseded else []),
        *([f"{imported.unread} not read yet"] if imported.unread else []),
        *([f"{imported.open} not settled yet"] if imported.open else []),
    ]
    left = f" {_count(len(imported.faults), 'fault', 'faults')} left out." if skipping and imported.faults else ""
    out.print(
        Text(
            f"{imported.annotator}: of {_count(imported.rows, 'paragraph', 'paragraphs')}, {', '.join(parts)}.{left}",
            style="bold",
        ),
        soft_wrap=True,
    )
    changed = "Written to" if entered.changed else "Nothing to change in"
    out.print(Text(f"{changed} {imported.labels_path}"), soft_wrap=True)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def show_followed(counts: Counter[str], total: int) -> None:
    """Show whom the settlement followed."""
    if total:
        parts = ", ".join(f"{who} {count} of {total}" for who, count in counts.most_common())
        console().print(Text(f"Disputed themes settled as read by: {parts or 'nobody'}."), soft_wrap=True)


def show_agreement(frame: pd.DataFrame, annotators: Sequence[str]) -> None:
    """Show agreement a theme, with bases and intervals."""
    out = console()
    paragraphs = int(frame["paragraphs"].iloc[0])
    out.print(Text(f"Agreement of {' and '.join(annotators)}: {paragraphs:,} paragraphs read by two or more"))
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Theme", max_width=23, no_wrap=True, overflow="ellipsis")
    for heading in ("All", "Some", "Kappa", "95 %", "Alpha", "95 %", "Sign", "95 %", "of"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in frame.to_dict("records"):
        table.add_row(
            Text(str(row["name"])),
            f"{row['all_give']:,}",
            f"{row['some_give']:,}",
            *_measure(row, "kappa"),
            *_measure(row, "alpha"),
            *_measure(row, "valence_alpha"),
            f"{row['valence_paragraphs']:,}",
            style="bold" if row["theme"] == "all" else "",
        )
    out.print(table)
    out.print(
        Text(
            "All, Some: paragraphs to which all or some of their readers give the theme. Kappa: Cohen's (mean over "
            "pairs where more than two have read). Alpha: Krippendorff's, nominal. Sign: alpha of the valence, of so "
            "many paragraphs that two or more give the theme. Intervals: paragraphs redrawn."
        )
    )


def _measure(row: dict[Any, Any], name: str) -> tuple[str, str]:
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    if math.isnan(value):
        return "-", ""
    return f"{value:.2f}", "" if math.isnan(low) else f"{low:.2f}-{high:.2f}"

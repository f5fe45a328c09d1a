"""A small invented corpus to train on in seconds: three themes, told also in words that are no terms."""

from __future__ import annotations

import random

import pandas as pd

from pipeline.domain import fingerprint
from pipeline.themes.labels import sketch

TAXONOMY = """\
name: invented
themes:
  - code: housing
    name: Housing
    definition: Where families live.
    terms: [temporary flat, tenancy]
  - code: money
    name: Money
    definition: What families live on.
    terms: [allowance]
    acronyms: [UC]
  - code: travel
    name: Travel
    definition: How children get to school.
    terms: [minibus]
sections:
  - {code: "1", title: Homes, themes: [housing, money]}
"""

# Each theme is told in words that are not all terms, so that the classifier has something to learn beyond them.
_CLAUSES = {
    "housing": [
        "the {q} tenancy of the household",
        "the {q} temporary flat by the canal",
        "the landlord and the {q} rooms",
    ],
    "money": ["a {q} allowance for the household", "UC paid {q}", "the purse and its {q} pennies"],
    "travel": ["a {q} minibus each morning", "the {q} pavement to the school gate", "the timetable and its {q} stops"],
}
_QUALITIES = {"+": ["excellent", "splendid"], "-": ["dreadful", "inadequate"], "0": ["ordinary", "unremarkable"]}
_FILLERS = [
    "Inspectors read about",
    "Visitors heard of",
    "Staff talked of",
    "Neighbours wrote about",
    "Teachers noticed",
]


def invented(themes: tuple[str, ...], authorities: int, each: int, seed: int) -> pd.DataFrame:
    """Label rows with text, as :func:`pipeline.themes.labels.place_labels` gives them."""
    drawn = random.Random(seed)
    rows: list[dict[str, str]] = []
    for authority in range(authorities):
        for number in range(each):
            carried = drawn.sample(themes, k=drawn.choice([0, 1, 1, 2]) if len(themes) > 1 else drawn.choice([0, 1]))
            valences = {theme: drawn.choice("+-0") for theme in carried}
            clauses = [
                drawn.choice(_FILLERS) + " " + drawn.choice(_CLAUSES[theme]).format(q=drawn.choice(_QUALITIES[valence]))
                for theme, valence in valences.items()
            ]
            text = ". ".join([*clauses, f"Building {authority} room {seed * 1000 + number} was quiet that day."])
            common = {
                "fingerprint": fingerprint(text),
                "report": f"9000{authority:02d}_town {authority}/inspection.pdf",
                "page": str(number),
                "annotator": "test",
                "date": "",
                "batch": "",
                "drawn": "random",
                "sketch": sketch(text),
                "text": text,
            }
            rows += [{**common, "theme": theme, "valence": valences[theme]} for theme in carried] or [
                {**common, "theme": "", "valence": ""}
            ]
    return pd.DataFrame(rows)

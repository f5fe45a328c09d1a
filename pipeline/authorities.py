"""Local authorities with children's services: which one a report's printed name, or a URN, stands for.

The table is ``corpus/authorities.csv``: today's 153 authorities and those abolished since 2013, with the
authorities that took their place.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipeline.errors import PipelineError

COLUMNS = (
    "urn",
    "la_code",
    "name",
    "former_names",
    "other_names",
    "region",
    "ons_code",
    "type",
    "abolished",
    "successor_urns",
)
"""Columns of ``corpus/authorities.csv``; lists within a cell are parted by semicolons, dates are ISO 8601."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A local authority that has, or had, children's services.

    Attributes
    ----------
    urn : str or None
        Ofsted's number of the provider. ``None`` for two abolished authorities whose number is not published any more.
    name : str
        Short name, as in official statistics; the county that Dorset's unitary authority replaced is ``Dorset County``.
    region : str
        English region, as in official statistics.
    ons_code, la_code : str
        The Office for National Statistics' code and the education department's three digits.
    type : str
        ``County``, ``London Borough``, ``Metropolitan District`` or ``Unitary Authority``.
    former_names, other_names : tuple of str
        Names of the same authority (the same URN) that earlier reports carry, or that are in use beside its own.
    abolished : date or None
        The first day on which it no longer existed.
    successor_urns : tuple of str
        The authorities that took over its area. Its reports are about its own services, never counted as theirs.
    """

    urn: str | None
    name: str
    region: str
    ons_code: str
    la_code: str
    type: str
    former_names: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()
    abolished: date | None = None
    successor_urns: tuple[str, ...] = ()

    def existed(self, on: date) -> bool:
        """Whether the authority had not been abolished on that day."""
        return self.abolished is None or on < self.abolished


# What stands around the bare name in print.
_BEFORE = (
    "london borough of",
    "royal borough of",
    "metropolitan borough of",
    "metropolitan district of",
    "royal county of",
    "county borough of",
    "council of the",
    "council of",
    "corporation of",
    "borough of",
    "county of",
    "city of",
    "city and county of",
    "the",
    "royal",
    "lb",
    "rb",
)
_AFTER = (
    "city metropolitan district council",
    "metropolitan district council",
    "metropolitan borough council",
    "london borough council",
    "city council",
    "county council",
    "borough council",
    "district council",
    "unitary authority",
    "local authority",
    "london borough of",
    "royal borough of",
    "borough of",
    "county of",
    "city of",
    "children s services",
    "childrens services",
    "children s social care",
    "children s social care services",
    "london borough",
    "metropolitan borough",
    "metropolitan district",
    "council",
    "corporation",
    "borough",
    "county",
    "city",
    "mbc",
    "mdc",
    "the",
    "cc",
    "la",
)
_TYPED = str.maketrans("\u2018\u2019\u2010\u2011\u2013\u2014", "''----")  # quotes and dashes that ASCII would drop
_NAMES_OF_LONDON = frozenset({"london", "london corporation"})


def _plain(name: str) -> str:
    """Lower case, accents off, "&" and "saint" written one way, everything else that is no letter or digit a space."""
    typed = name.strip().translate(_TYPED)
    letters = unicodedata.normalize("NFKD", typed).encode("ascii", "ignore").decode().lower()
    letters = re.sub(r"'s?$", "", letters).replace("&", " and ")
    words = re.sub(r"[^a-z0-9]+", " ", letters).split()
    return " ".join("st" if word == "saint" else word for word in words)


def _forms(name: str) -> Iterator[str]:
    """The plain name, then what is left as one phrase after another is taken off either end; longest first."""
    waiting = {_plain(name)} - {""}
    while waiting:
        form = max(waiting, key=lambda each: (len(each), each))
        waiting.remove(form)
        yield form
        waiting.update(form[len(phrase) + 1 :] for phrase in _BEFORE if form.startswith(phrase + " "))
        waiting.update(form[: -len(phrase) - 1] for phrase in _AFTER if form.endswith(" " + phrase))


def place_name(printed: str) -> str:
    """The place in the name of an authority that no table has: ``London Borough of Oxlade`` is ``Oxlade``."""
    prefixes = "|".join(re.escape(phrase) for phrase in _BEFORE if phrase.endswith(" of"))
    return re.sub(rf"(?i)^(?:the\s+)?(?:{prefixes})\s+", "", printed.strip())


class Authorities:
    """Look-up of authorities by URN or by any name they go under. Built once, never changed."""

    def __init__(self, authorities: Iterable[Authority]) -> None:
        self._all = tuple(authorities)
        self._by_urn = {authority.urn: authority for authority in self._all if authority.urn}
        self._by_name: dict[str, Authority] = {}
        self._by_letters: dict[str, Authority] = {}
        # A whole name wins over what another authority's longer name leaves when reduced ("Dorset County", "Dorset").
        whole: list[tuple[str, Authority]] = []
        reduced: list[tuple[str, Authority]] = []
        for authority in self._all:
            for name in (authority.name, *authority.former_names, *authority.other_names):
                first, *rest = _forms(name)
                whole.append((first, authority))
                reduced.extend((form, authority) for form in rest)
        for form, authority in (*whole, *reduced):
            # "London" alone is a city of 33 authorities, not one of them.
            if form not in _NAMES_OF_LONDON or form == "london corporation":
                self._by_name.setdefault(form, authority)
                self._by_letters.setdefault(form.replace(" ", ""), authority)

    @classmethod
    def load(cls, path: Path) -> Authorities:
        """Read the table.

        Raises
        ------
        PipelineError
            The file or a column is missing, a URN or name stands twice, a date cannot be read, a successor is unknown.
        """
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.DictReader(file)
                missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
                if missing:
                    raise PipelineError(
                        f"{path} has no column {', '.join(missing)}: restore the file from the repository."
                    )
                authorities = [_authority(row, path, reader.line_num) for row in reader]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise PipelineError(f"{path} cannot be read as the table of authorities: {error}.") from error
        _check(authorities, path)
        return cls(authorities)

    def __iter__(self) -> Iterator[Authority]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def find(self, name_or_urn: str, *, on: date | None = None) -> Authority | None:
        """The authority that a printed name, a folder's name or a URN stands for; ``None`` where it stands for none.

        Parameters
        ----------
        name_or_urn : str
            "Kent County Council", "London Borough of Barnet", "Bristol, City of", "windsor & maidenhead", "URN: 80476".
        on : date, optional
            The day that the name was written. Where an abolished authority bore the name ("Dorset" until 2019), it
            is the one meant before its abolition.
        """
        text = name_or_urn.strip()
        number = re.fullmatch(r"(?:urn\W*)?(\d{5,7})", text, re.IGNORECASE)
        if number:
            return self._by_urn.get(number[1])
        found = self._named(text)
        if found is not None and on is not None:
            return self._then(found, on)
        return found

    def predecessors(self, authority: Authority) -> tuple[Authority, ...]:
        """The abolished authorities whose area, or part of it, is now this one's."""
        if authority.urn is None:
            return ()
        return tuple(other for other in self._all if authority.urn in other.successor_urns)

    def successors(self, authority: Authority) -> tuple[Authority, ...]:
        """The authorities that took over an abolished one's area; empty for one that exists."""
        return tuple(self._by_urn[urn] for urn in authority.successor_urns)

    def _named(self, text: str) -> Authority | None:
        forms = list(_forms(text))
        for form in forms:
            if form in self._by_name:
                return self._by_name[form]
        # Print loses spaces and hyphens at line ends: "Stoke-onTrent", "Barking andDagenham".
        for form in forms:
            letters = form.replace(" ", "")
            if letters in self._by_letters:
                return self._by_letters[letters]
        return None

    def _then(self, found: Authority, on: date) -> Authority:
        names = set(_forms(found.name))
        for earlier in self.predecessors(found):
            if earlier.existed(on) and names & set(_forms(earlier.name)):
                return earlier
        return found


def _authority(row: dict[str, str], path: Path, line: int) -> Authority:
    try:
        abolished = date.fromisoformat(row["abolished"]) if row["abolished"] else None
    except ValueError as error:
        raise PipelineError(
            f"{path}, line {line}: abolished is {row['abolished']!r}, not a date like 2019-04-01."
        ) from error
    if not row["name"]:
        raise PipelineError(f"{path}, line {line}: the authority has no name.")
    return Authority(
        urn=row["urn"] or None,
        name=row["name"],
        region=row["region"],
        ons_code=row["ons_code"],
        la_code=row["la_code"],
        type=row["type"],
        former_names=_list(row["former_names"]),
        other_names=_list(row["other_names"]),
        abolished=abolished,
        successor_urns=_list(row["successor_urns"]),
    )


def _list(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def _check(authorities: list[Authority], path: Path) -> None:
    for what, values in (
        ("URN", [authority.urn for authority in authorities if authority.urn]),
        ("name", [_plain(authority.name) for authority in authorities]),
    ):
        doubled = sorted({value for value in values if values.count(value) > 1})
        if doubled:
            raise PipelineError(f"{path}: the {what} {doubled[0]} stands twice; keep one row.")
    urns = {authority.urn for authority in authorities}
    for authority in authorities:
        for urn in authority.successor_urns:
            if urn not in urns:
                raise PipelineError(f"{path}: {authority.name}'s successor {urn} is not in the table.")

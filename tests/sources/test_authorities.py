"""The table of authorities: every way in which a report, a folder or the site writes a name leads to one row."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from pipeline.authorities import Authorities
from pipeline.errors import PipelineError


@pytest.fixture(scope="module")
def authorities(repository: Path) -> Authorities:
    return Authorities.load(repository / "corpus" / "authorities.csv")


def test_todays_153_and_those_abolished_since_2013(authorities: Authorities) -> None:
    abolished = {authority.name: authority.abolished for authority in authorities if authority.abolished}
    assert abolished == {
        "Bournemouth": date(2019, 4, 1),
        "Dorset County": date(2019, 4, 1),
        "Poole": date(2019, 4, 1),
        "Northamptonshire": date(2021, 4, 1),
        "Cumbria": date(2023, 4, 1),
    }
    today = [authority for authority in authorities if not authority.abolished]
    assert len(today) == 153
    assert len({authority.ons_code for authority in today}) == 153
    assert len({authority.region for authority in today}) == 9
    of_type = {kind: sum(authority.type == kind for authority in today) for kind in {item.type for item in today}}
    assert of_type == {"County": 21, "London Borough": 33, "Metropolitan District": 36, "Unitary Authority": 63}


@pytest.mark.parametrize(
    ("printed", "name"),
    [
        ("80429", "Birmingham"),
        ("URN: 80429", "Birmingham"),
        ("London Borough of Barnet", "Barnet"),
        ("Barnet London Borough", "Barnet"),
        ("Royal Borough of Greenwich", "Greenwich"),
        ("Royal Borough of Kensington & Chelsea", "Kensington and Chelsea"),
        ("ROYAL BOROUGH OF WINDSOR AND MAIDENHEAD", "Windsor and Maidenhead"),
        ("windsor & maidenhead", "Windsor and Maidenhead"),
        ("London Borough of Richmond-upon-Thames", "Richmond upon Thames"),
        ("City of Bradford Metropolitan District Council", "Bradford"),
        ("The City of York Council", "York"),
        ("Bristol City Council", "Bristol, City of"),
        ("Bristol, City of", "Bristol, City of"),
        ("Hull City Council", "Kingston Upon Hull, City of"),
        ("kingston upon hull", "Kingston Upon Hull, City of"),
        ("london corporation", "City of London"),
        ("City of London Corporation", "City of London"),
        ("City of London Council", "City of London"),
        ("City of Westminster", "Westminster"),
        ("St Helens Metropolitan Borough Council", "St. Helens"),
        ("St. Helens", "St. Helens"),
        ("Saint Helens", "St. Helens"),
        ("bedford", "Bedford Borough"),
        ("Bedford Borough Council", "Bedford Borough"),
        ("Derby City", "Derby"),
        ("Derbyshire County Council", "Derbyshire"),
        ("Leicester City Council\u2019s", "Leicester"),
        ("Durham County Council", "Durham"),
        ("County Durham", "Durham"),
        ("Stoke-onTrent", "Stoke-on-Trent"),
        ("Southend\u2011on\u2011Sea Borough Council", "Southend-on-Sea"),
        ("Council of the Isles of Scilly", "Isles of Scilly"),
        ("bournemouth, christchurch & poole", "Bournemouth, Christchurch and Poole"),
        ("Borough of Poole", "Poole"),
        ("Bournemouth Borough Council", "Bournemouth"),
        ("Cumbria County Council", "Cumbria"),
        ("Northamptonshire County Council", "Northamptonshire"),
        ("Dorset County Council", "Dorset County"),
        ("Dorset Council", "Dorset"),
        ("dorset", "Dorset"),
        ("Buckinghamshire County Council", "Buckinghamshire"),
        ("North East Lincolnshire Council", "North East Lincolnshire"),
        ("  Kent  ", "Kent"),
    ],
)
def test_names_as_printed(authorities: Authorities, printed: str, name: str) -> None:
    found = authorities.find(printed)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "printed", ["", "London", "Council", "City of", "Atlantis", "99999", "the", "Yorkshire", "Berkshire"]
)
def test_what_names_no_authority_finds_none(authorities: Authorities, printed: str) -> None:
    assert authorities.find(printed) is None


def test_every_name_in_the_table_finds_its_own_row(authorities: Authorities) -> None:
    for authority in authorities:
        for name in (authority.name, *authority.former_names, *authority.other_names):
            for written in (
                name,
                name.upper(),
                name.lower(),
                f"{name} Council",
                f"The {name}",
                name.replace(" and ", " & "),
            ):
                assert authorities.find(written) is authority, written


def test_a_name_means_the_authority_that_bore_it_on_that_day(authorities: Authorities) -> None:
    county, unitary = authorities.find("Dorset County"), authorities.find("2532283")
    assert county is not None
    assert unitary is not None
    assert authorities.find("Dorset", on=date(2016, 5, 4)) is county
    assert authorities.find("Dorset", on=date(2019, 4, 1)) is unitary
    bournemouth = authorities.find("Bournemouth", on=date(2014, 6, 1))
    assert bournemouth is not None
    assert bournemouth.urn is None


def test_predecessors_are_not_their_successors(authorities: Authorities) -> None:
    def named(urn: str) -> set[str]:
        authority = authorities.find(urn)
        assert authority is not None
        return {item.name for item in authorities.predecessors(authority)}

    assert named("2532287") == {"Bournemouth", "Poole", "Dorset County"}
    assert named("2532283") == {"Dorset County"}
    assert named("2637539") == named("2637548") == {"Northamptonshire"}
    assert named("2733690") == named("2733698") == {"Cumbria"}
    assert named("80476") == set()
    cumbria = authorities.find("Cumbria")
    assert cumbria is not None
    assert [item.name for item in authorities.successors(cumbria)] == ["Cumberland", "Westmorland and Furness"]


def test_a_broken_table_is_one_sentence(tmp_path: Path, repository: Path) -> None:
    good = (repository / "corpus" / "authorities.csv").read_text(encoding="utf-8")
    header, first, *rest = good.splitlines()
    for name, text, words in (
        ("column", good.replace("region", "area", 1), "no column region"),
        ("doubled", "\n".join([header, first, first, *rest]), "stands twice"),
        ("date", good.replace("2019-04-01", "1 April 2019", 1), "not a date"),
        ("successor", good.replace("2637539;2637548", "2637539;1234567"), "1234567"),
        ("bytes", "\x00", "no column"),
    ):
        path = tmp_path / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(PipelineError, match=words) as error:
            Authorities.load(path)
        assert str(path) in str(error.value)
    with pytest.raises(PipelineError, match="cannot be read"):
        Authorities.load(tmp_path / "missing.csv")


@pytest.mark.corpus
def test_every_folder_and_urn_of_the_real_corpus_is_known(authorities: Authorities, shared: Path) -> None:
    with (shared / "corpus" / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 375
    for row in rows:
        by_urn, by_name = authorities.find(row["urn"]), authorities.find(row["authority"])
        assert by_urn is not None
        assert by_urn is by_name, row["authority"]
        assert by_urn.region == row["region"]

"""The publisher's site over real HTTP: found, fetched once, compared with before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain import InspectionType
from pipeline.errors import UsageError
from pipeline.sources import make_source
from pipeline.sources.base import Fetched, Outcome
from pipeline.sources.folder import read_name
from pipeline.sources.options import PUBLISHER_HOSTS, Kind, OfstedSource
from tests.sources.replica import Authority, Document, Replica, invented, pdf
from tests.sources.visiting import Visitor


def outcomes(fetched: list[Fetched]) -> list[str]:
    return [each.outcome.value for each in fetched]


def test_first_run_fetches_everything_newest_first_and_names_it(visitor: Visitor, replica: Replica) -> None:
    discovery, fetched = visitor.run()
    assert discovery.doubts == ()
    assert outcomes(fetched) == ["ready"] * 15
    days = [each.listing.published for each in fetched]
    assert days == sorted(days, reverse=True)  # type: ignore[type-var]
    first = fetched[0].listing
    assert first.source_path == "ofsted/60000402"
    assert (first.urn, first.authority, first.published) == ("90005", "Invented Borough 5", date(2017, 5, 5))
    assert first.title == "Children's services inspection"
    assert first.kind is InspectionType.INSPECTION
    assert first.url == f"{replica.base}/v1/file/60000402"
    assert first.file is not None
    assert first.file.read_bytes() == pdf("4 2")
    assert first.size == first.file.stat().st_size
    # The name is one that a folder source would understand.
    relative = first.file.relative_to(visitor.folder / "ofsted").as_posix()
    assert read_name(relative) == ("90005", "Invented Borough 5", first.title, first.published)
    assert (replica.count("/robots.txt"), replica.count("/search"), replica.count("/provider")) == (1, 1, 5)
    assert replica.count("/v1/file") == 15


def test_second_run_asks_for_pages_only_and_gets_no_byte(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    replica.seen.clear()
    discovery, fetched = visitor.run()
    assert (len(discovery.new), len(discovery.unchanged), fetched) == (0, 15, [])
    assert (discovery.doubts, discovery.notes, discovery.gone) == ((), (), ())
    assert [seen.status for seen in replica.seen] == [304] * 6
    assert replica.sent() == 0


def test_one_added_is_fetched_alone(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    replica.authorities[2].documents.append(
        Document("60009999", "Children's services inspection", date(2020, 1, 2), pdf("new"))
    )
    replica.seen.clear()
    discovery, fetched = visitor.run()
    assert [each.source_path for each in discovery.new] == ["ofsted/60009999"]
    assert outcomes(fetched) == ["ready"]
    assert (replica.count("/provider"), replica.count("/v1/file")) == (5, 1)


def test_a_page_that_claims_to_be_fresh_is_asked_for_all_the_same(visitor: Visitor, replica: Replica) -> None:
    replica.page_headers = {"Cache-Control": "max-age=864000", "Last-Modified": "Tue, 01 Jul 2014 10:00:00 GMT"}
    visitor.run()
    replica.authorities[2].documents.append(
        Document("60009999", "Children's services inspection", date(2020, 1, 2), pdf("new"))
    )
    assert [each.source_path for each in visitor.discover().new] == ["ofsted/60009999"]


def test_one_taken_off_its_page_is_gone_and_its_file_stays(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    before = visitor.files()
    del replica.authorities[0].documents[0]
    discovery, fetched = visitor.run()
    assert discovery.gone == ("ofsted/60000000",)
    assert (discovery.doubts, fetched) == ((), [])
    assert visitor.files() == before


def test_one_withdrawn_is_recorded_and_asked_for_again_later(visitor: Visitor, replica: Replica) -> None:
    document = replica.authorities[1].documents[1]
    body, document.body = document.body, None
    _, fetched = visitor.run()
    withdrawn = [each for each in fetched if each.outcome is Outcome.WITHDRAWN]
    assert len(withdrawn) == 1
    assert "'Report not found' page; it is asked for again after" in (withdrawn[0].reason or "")
    assert len(visitor.files()) == 14

    replica.seen.clear()
    discovery, fetched = visitor.run()
    assert (discovery.new, fetched, replica.count("/v1/file")) == ((), [], 0)
    assert discovery.notes[0].startswith("1 of 15 publications asked for are withdrawn")

    visitor.time.ahead = timedelta(days=1)
    _, fetched = visitor.run()
    assert outcomes(fetched) == ["withdrawn"]
    visitor.time.ahead = timedelta(days=2)  # it waits twice as long now
    assert visitor.run()[1] == []

    document.body = body
    visitor.time.ahead = timedelta(days=4)
    _, fetched = visitor.run()
    assert outcomes(fetched) == ["ready"]
    assert len(visitor.files()) == 15


def test_one_held_that_is_withdrawn_later_is_gone_and_its_file_stays(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    before = visitor.files()
    replica.authorities[1].documents[1].body = None
    visitor.time.ahead = timedelta(days=100)
    discovery, fetched = visitor.run()
    assert sorted(outcomes(fetched)) == ["unchanged"] * 14 + ["withdrawn"]
    assert "what is held stays" in next(each.reason or "" for each in fetched if each.outcome is Outcome.WITHDRAWN)
    discovery, fetched = visitor.run()
    assert discovery.gone == ("ofsted/60000101",)
    assert visitor.files() == before


def test_one_changed_on_its_page_is_fetched_again_and_the_old_version_stays(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    before = visitor.files()
    document = replica.authorities[3].documents[0]
    document.body, document.published = pdf("corrected"), date(2015, 4, 28)
    replica.seen.clear()
    _, fetched = visitor.run()
    assert outcomes(fetched) == ["ready"]
    assert fetched[0].listing.published == date(2015, 4, 28)
    assert replica.count("/v1/file") == 1
    after = visitor.files()
    assert before.items() < after.items()
    assert pdf("corrected") in after.values()
    assert visitor.run()[1] == []


def test_a_date_corrected_without_a_new_file_costs_a_question_and_no_byte(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    replica.authorities[3].documents[0].published = date(2015, 4, 28)
    replica.seen.clear()
    _, fetched = visitor.run()
    assert outcomes(fetched) == ["unchanged"]
    assert replica.sent("/v1/file") == 0
    assert visitor.run()[1] == []


def test_one_replaced_at_the_same_address_is_found_when_its_time_comes(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    replica.authorities[3].documents[0].body = pdf("replaced silently")
    assert visitor.run()[1] == []
    visitor.time.ahead = timedelta(days=91)
    replica.seen.clear()
    _, fetched = visitor.run()
    assert sorted(outcomes(fetched)) == ["ready"] + ["unchanged"] * 14
    assert sorted(seen.status for seen in replica.seen if seen.path.startswith("/v1")) == [200] + [304] * 14
    assert pdf("replaced silently") in visitor.files().values()


def test_files_are_confirmed_a_few_a_run_not_all_at_once(visit: Callable[[Replica], Visitor]) -> None:
    with Replica(invented(20, 3)) as replica:
        visitor = visit(replica)
        visitor.run()
        visitor.time.ahead = timedelta(days=200)
        assert [len(visitor.run()[1]) for _ in range(4)] == [25, 25, 10, 0]


def test_a_file_lost_from_disk_is_fetched_again(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    lost = visitor.folder / "ofsted" / next(iter(visitor.files()))
    lost.unlink()
    damaged = visitor.folder / "ofsted" / next(iter(visitor.files()))
    damaged.write_bytes(b"")
    replica.seen.clear()
    _, fetched = visitor.run()
    assert outcomes(fetched) == ["ready"] * 2
    assert replica.count("/v1/file") == 2
    assert len(visitor.files()) == 15
    assert b"" not in visitor.files().values()


def test_a_file_stored_but_not_remembered_is_taken_from_disk(visitor: Visitor, replica: Replica) -> None:
    """Killed between the two, or the store was thrown away."""
    visitor.run()
    fresh = Visitor(visitor.folder / "again", visitor._authorities, replica.base, visitor.time)
    fresh.folder = visitor.folder  # another store, the same files
    replica.seen.clear()
    _, fetched = fresh.run()
    assert outcomes(fetched) == ["ready"] * 15
    assert replica.count("/v1/file") == 0
    fresh.close()


def test_a_file_remembered_but_not_registered_is_given_again_without_asking(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    del visitor.known["ofsted/60000402"]
    replica.seen.clear()
    discovery, fetched = visitor.run()
    assert [each.source_path for each in discovery.new] == ["ofsted/60000402"]
    assert outcomes(fetched) == ["ready"]
    assert replica.count("/v1/file") == 0


def test_dry_run_lists_and_remembers_nothing(visitor: Visitor, replica: Replica) -> None:
    discovery = visitor.discover(dry_run=True)
    assert next(each.url for each in discovery.new) == f"{replica.base}/v1/file/60000402"
    assert replica.count("/v1/file") == 0
    replica.authorities[0].documents.clear()
    # Had the dry run been remembered, a page that lost its publications would be an alarm now.
    assert visitor.discover().doubts == ()


def test_search_pages_are_followed_to_their_end(visit: Callable[[Replica], Visitor]) -> None:
    with Replica(invented(153, 1)) as replica:
        discovery = visit(replica).discover()
        assert len(discovery.new) == 153
        assert (replica.count("/search"), replica.count("/provider")) == (2, 153)


def test_a_site_that_gives_fewer_rows_than_asked_for_is_read_to_its_end(
    visit: Callable[[Replica], Visitor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.sources.replica.SEARCH_LIMIT", 4)
    with Replica(invented(10, 1)) as replica:
        assert len(visit(replica).discover().new) == 10
        assert replica.count("/search") == 3


def mixed() -> list[Authority]:
    """Real authorities' names and URNs, invented documents."""
    titles = (
        "Children's services inspection",
        "Focused visit",
        "Monitoring visit of children's services",
        "Joint targeted area inspection",
        "Area SEND inspection",
        "Something quite new",
    )
    return [
        Authority(
            urn,
            name,
            [
                Document(str(70000000 + at * 10 + kind), title, date(2016 + kind, 3, 1), pdf(f"{urn} {title}"))
                for kind, title in enumerate(titles)
            ],
        )
        for at, (urn, name) in enumerate(
            [("80476", "Kent County Council"), ("80429", "Birmingham City Council"), ("2532287", "BCP Council")]
        )
    ]


@pytest.mark.parametrize(
    ("options", "numbers", "pages"),
    [
        ({}, {"70000000", "70000010", "70000020"}, 3),
        ({"kinds": ["focused visit"]}, {"70000001", "70000011", "70000021"}, 3),
        ({"kinds": [kind.value for kind in Kind], "authorities": ["kent"]}, {f"7000000{n}" for n in range(4)}, 1),
        ({"authorities": ["80429", "London Borough of Barnet"]}, {"70000010"}, 1),
        ({"regions": ["South East"]}, {"70000000"}, 1),
        ({"regions": ["South East", "West Midlands"], "authorities": ["Birmingham"]}, {"70000010"}, 1),
        ({"kinds": ["focused visit", "monitoring visit"], "since": "2018-03-01"},
         {"70000002", "70000012", "70000022"}, 3),
    ],
)  # fmt: skip
def test_only_what_is_asked_for_is_listed(
    visit: Callable[[Replica], Visitor], options: dict[str, Any], numbers: set[str], pages: int
) -> None:
    with Replica(mixed()) as replica:
        discovery = visit(replica).discover(**options)
        assert {each.source_path for each in discovery.new} == {f"ofsted/{number}" for number in numbers}
        assert replica.count("/provider") == pages
        assert discovery.doubts == ()
        assert f'{pages} publications are called "Something quite new"' in discovery.notes[0]


def test_names_are_the_tables_and_what_was_narrowed_is_not_gone(visit: Callable[[Replica], Visitor]) -> None:
    with Replica(mixed()) as replica:
        visitor = visit(replica)
        _, fetched = visitor.run()
        assert {each.listing.authority for each in fetched} == {
            "Kent",
            "Birmingham",
            "Bournemouth, Christchurch and Poole",
        }
        discovery, _ = visitor.run(authorities=["Kent"])
        assert (discovery.gone, len(discovery.unchanged), discovery.doubts) == ((), 1, ())


# Alarms.


def test_a_search_without_results_is_an_alarm_and_the_known_are_read(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    for authority in replica.authorities:
        authority.in_search = False
    replica.authorities[0].documents.append(
        Document("60009999", "Children's services inspection", date(2020, 1, 2), pdf("new"))
    )
    discovery, fetched = visitor.run()
    assert discovery.doubts == (
        "Search page 1 lists no authority at all; the authorities known from earlier runs are read.",
    )
    assert (len(discovery.unchanged), outcomes(fetched)) == (15, ["ready"])


def test_a_search_that_shrinks_is_an_alarm(visit: Callable[[Replica], Visitor]) -> None:
    with Replica(invented(20, 1)) as replica:
        visitor = visit(replica)
        visitor.run()
        for authority in replica.authorities[:8]:
            authority.in_search = False
        for _ in range(2):  # until it is mended or accepted
            discovery = visitor.discover()
            assert discovery.doubts[0].startswith("The search lists 12 authorities, 20 before")
            assert len(discovery.unchanged) == 20
        assert visitor.discover(accept_fewer=True).doubts == ()
        assert visitor.discover().doubts == ()


def test_one_authority_leaving_the_search_is_a_note_and_its_page_is_still_read(
    visitor: Visitor, replica: Replica
) -> None:
    visitor.run()
    replica.authorities[0].in_search = False
    discovery = visitor.discover()
    assert (len(discovery.unchanged), discovery.doubts) == (15, ())
    assert discovery.notes == ("Invented Borough 1 (90001) is no longer in the search; its page is read all the same.",)
    del replica.authorities[0]
    discovery = visitor.discover()
    assert (len(discovery.unchanged), discovery.doubts, discovery.gone) == (15, (), ())
    assert "answered 404" in discovery.notes[0]


def test_a_page_that_lost_its_publications_is_an_alarm_until_accepted(visitor: Visitor, replica: Replica) -> None:
    visitor.run()
    before = visitor.files()
    replica.authorities[0].documents.clear()
    for _ in range(2):
        discovery = visitor.discover()
        assert discovery.doubts == (
            "The page of Invented Borough 1 (90001) listed 3 publications before and lists none now; "
            "what is held stays. If the site is right, run once with accept_fewer: true.",
        )
        assert (discovery.gone, len(discovery.unchanged)) == ((), 15)
    discovery = visitor.discover(accept_fewer=True)
    assert (len(discovery.gone), discovery.doubts) == (3, ())
    assert visitor.discover().doubts == ()
    assert visitor.files() == before


def test_a_drop_over_all_pages_is_an_alarm(visit: Callable[[Replica], Visitor]) -> None:
    with Replica(invented(10, 4)) as replica:
        visitor = visit(replica)
        visitor.run()
        for authority in replica.authorities:
            del authority.documents[0]
        discovery = visitor.discover()
        assert discovery.doubts[0].startswith("The providers' pages listed 40 publications before and list 30 now")
        assert discovery.gone == ()


def test_changed_class_names_are_an_alarm_and_nothing_is_gone(
    visitor: Visitor, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.run()
    from tests.sources import replica as module

    page = module.provider_page
    monkeypatch.setattr(module, "provider_page", lambda *of: page(*of).replace("publication-link", "document"))
    discovery = visitor.discover()
    assert len(discovery.doubts) == 11  # each page, twice; and the sum
    assert any("has 3 links to files, where none used to be; what is held stays." in each for each in discovery.doubts)
    assert (len(discovery.unchanged), discovery.gone) == (15, ())
    search = module.search_page
    monkeypatch.setattr(module, "search_page", lambda *of: search(*of).replace("results-list", "cards"))
    discovery = visitor.discover()
    assert "Search page 1 has 5 links to providers, but none where results used to be" in discovery.doubts[0]
    assert len(discovery.unchanged) == 15


def test_an_entry_that_cannot_be_read_is_an_alarm_and_its_report_is_not_gone(
    visitor: Visitor, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.run()
    from tests.sources import replica as module

    page = module.provider_page
    monkeypatch.setattr(module, "provider_page", lambda *of: page(*of).replace(", PDF - 5 January 2016", ""))
    discovery = visitor.discover()
    assert discovery.doubts == (
        "The page of Invented Borough 1 (90001) lists file 60000001 without a kind, file type and date "
        "that can be read; what is held stays.",
    )
    assert (len(discovery.unchanged), discovery.gone) == (15, ())


def test_a_page_of_another_authority_is_not_used(
    visitor: Visitor, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.run()
    from tests.sources import replica as module

    page = module.provider_page
    monkeypatch.setattr(
        module, "provider_page", lambda site, each: page(site, site.authorities[1] if each.urn == "90001" else each)
    )
    discovery = visitor.discover()
    assert discovery.doubts == (
        "The page of Invented Borough 1 (90001) says it is that of URN 90002; it was not used.",
    )
    assert (len(discovery.unchanged), discovery.gone, discovery.notes) == (15, (), ())
    assert {each.urn for each in discovery.unchanged if each.source_path.startswith("ofsted/600000")} == {"90001"}


# Duplicates and hostile names.


def test_a_file_of_two_authorities_is_fetched_once(visitor: Visitor, replica: Replica) -> None:
    replica.authorities[1].documents.append(replica.authorities[0].documents[0])
    discovery, fetched = visitor.run()
    assert discovery.doubts == ()
    assert discovery.notes == (
        "File 60000000 is listed by Invented Borough 1 and Invented Borough 2; "
        "it is fetched once, for Invented Borough 1.",
    )
    assert len({each.listing.source_path for each in fetched}) == len(fetched) == 15
    assert replica.count("/v1/file") == 15
    assert visitor.run()[1] == []


def test_two_publications_with_one_file_number_are_an_alarm(visitor: Visitor, replica: Replica) -> None:
    document = replica.authorities[0].documents[0]
    replica.authorities[0].documents.append(Document(document.number, document.title, date(2014, 1, 1), document.body))
    discovery, fetched = visitor.run()
    assert "lists two different publications as file 60000000" in discovery.doubts[0]
    assert outcomes(fetched) == ["ready"] * 15


def test_names_from_the_site_cannot_leave_the_folder(visitor: Visitor, replica: Replica) -> None:
    authority = replica.authorities[0]
    authority.name = '../../Invented "City" \\ <b>Port</b>'
    authority.documents[0].title = '../../../etc/"children\'s services" inspection: CON|<x>?*\x01\u202e' + "x" * 300
    _, fetched = visitor.run()
    assert outcomes(fetched) == ["ready"] * 15
    for name in visitor.files():
        folder, file = name.split("/")
        assert not set(name) & set('\\:*?"<>|\x01\u202e')
        assert ".." not in name
        assert len(folder) <= 80
        assert len(file) <= 110
    outside = [path for path in visitor.folder.iterdir() if path.name not in ("ofsted", "pipeline.db")]
    assert [path for path in outside if not path.name.startswith("pipeline.db")] == []
    assert not (visitor.folder.parent / "etc").exists()


# The configuration.


def test_the_default_knows_the_publishers_hosts_only(tmp_path: Path) -> None:
    options = OfstedSource(name="ofsted", type="ofsted", contact="a@b.example")
    assert set(options.hosts) == set(PUBLISHER_HOSTS)
    assert {host.partition(".")[2] for host in PUBLISHER_HOSTS} == {"ofsted.gov.uk", "api.ofsted.gov.uk"}
    assert options.site == "https://reports.ofsted.gov.uk"
    assert options.requests_per_second == 1
    assert options.kinds == {Kind.INSPECTION}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"contact": "nobody"}, "e-mail address or a web page"),
        ({"contact": "a@b.example\r\nX: y"}, "pattern"),
        ({"site": "https://elsewhere.example"}, "not among the hosts"),
        ({"site": "http://reports.ofsted.gov.uk"}, "must begin with https"),
        ({"kinds": []}, "at least 1"),
        ({"kinds": ["gossip"]}, "focused visit"),
        ({"since": "yesterday"}, "date"),
        ({"requests_per_second": -1}, "greater than or equal to 0"),
        ({"rate": 1}, "Extra inputs"),
        ({"name": "../up"}, "pattern"),
    ],
)
def test_wrong_options_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        OfstedSource(**{"name": "ofsted", "type": "ofsted", "contact": "a@b.example", **options})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"authorities": ["Birmingam"]}, "did you mean 'Birmingham'"),
        ({"regions": ["Wales"]}, "the regions are East Midlands"),
    ],
)
def test_unknown_authorities_and_regions_are_usage_errors(
    visitor: Visitor, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        visitor.source(**options)


def test_nothing_is_asked_without_a_contact(
    visitor: Visitor, replica: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIPELINE_CONTACT", raising=False)
    with pytest.raises(UsageError, match="has no contact"):
        visitor.discover(contact=None)
    assert replica.seen == []
    monkeypatch.setenv("PIPELINE_CONTACT", "env@council.example")
    visitor.discover(contact=None)
    assert {seen.headers["User-Agent"] for seen in replica.seen} == {"inspection-themes/0.1.0 (env@council.example)"}


def test_a_source_is_made_from_its_options(tmp_path: Path, repository: Path) -> None:
    from pipeline.config import load_config
    from pipeline.store import Store

    (tmp_path / "config.yaml").write_text(
        "corpus: data\nsources:\n- {name: site, type: ofsted, contact: a@b.example}\n"
        "- {name: mine, type: folder, path: reports}\n- {name: sample, type: sample}\n",
        encoding="utf-8",
    )
    config = load_config(tmp_path / "config.yaml")
    store = Store(config.store)
    assert [make_source(options, config, store).name for options in config.sources] == ["site", "mine", "sample"]
    store.close()

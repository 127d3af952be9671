"""The list of times on other sites: which ones may show it, and that nothing else of ours is ever shown in a frame."""

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.store.models import CallType, Owner
from tests.desk.deskwork import Desk
from tests.web.visitors import Page, Visitor, dump

SITES = "https://www.example.org https://shop.example.com:8443"


@pytest.fixture
def framed(desk: Desk) -> Desk:
    """Anna lets two sites show her times."""
    assert desk.send("/desk/embed", embed_sites=SITES.replace(" ", "\r\n")).status_code == 303
    return desk


def ancestors(answer: object) -> str:
    policy = answer.headers["Content-Security-Policy"]  # type: ignore[attr-defined]
    (found,) = re.findall(r"frame-ancestors ([^;]*)", policy)
    return str(found).strip()


def sites(desk: Desk) -> str:
    with desk.services.database.reading() as db:
        return db.scalars(sa.select(Owner.embed_sites).where(Owner.slug == "anna")).one()


# The room


def test_sites_are_saved_as_headers_name_them(desk: Desk) -> None:
    typed = "HTTPS://www.Example.org/\n\n https://münchen.example \nhttps://www.example.org\nhttp://localhost:3000"
    assert desk.send("/desk/embed", embed_sites=typed).status_code == 303
    assert sites(desk) == "https://www.example.org\nhttps://xn--mnchen-3ya.example\nhttp://localhost:3000"
    assert desk.form("/desk/embed").fields["embed_sites"].splitlines() == sites(desk).splitlines()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("http://example.org", "be used. Write a site"),
        ("example.org", "be used. Write a site"),
        ("https://*.example.org", "be used. Write a site"),
        ("*", "be used. Write a site"),
        ("'self'", "be used. Write a site"),
        ("https://example.org;script-src", "be used. Write a site"),
        ("https://example.org,https://b.example", "be used. Write a site"),
        ("https://anna@example.org", "be used. Write a site"),
        ("https://example.org:0", "be used. Write a site"),
        ("https://[::1]", "be used. Write a site"),
        ("javascript:alert(1)", "be used. Write a site"),
        ("https://example.org/contact", "Write its site: https://example.org"),
        ("https://example.org?x=1", "Write its site: https://example.org"),
        ("\n".join(f"https://{number}.example.org" for number in range(21)), "At most 20 sites."),
    ],
)
def test_what_is_no_site_is_named_and_kept(desk: Desk, line: str, words: str) -> None:
    typed = f"https://good.example\n{line}"
    answer = desk.send("/desk/embed", embed_sites=typed)
    assert answer.status_code == 422
    assert words in answer.text
    assert Page(answer.text).post_form.fields["embed_sites"] == typed
    assert sites(desk) == ""


def test_what_to_paste_names_page_and_purpose(desk: Desk) -> None:
    with desk.services.database.writing() as db:
        db.execute(sa.update(Owner).values(locale="de"))
        db.execute(sa.update(CallType).where(CallType.slug == "only-anna").values(visibility="hidden"))
    page = desk.read("/desk/embed?lang=en")
    assert "&lt;iframe src=&#34;https://calls.example.org/anna?embed=1&#34; title=&#34;Termin für ein" in page
    assert "https://calls.example.org/anna/call?embed=1" in page
    assert "only-anna?embed=1" not in page
    assert "none can show your times" in page


def test_a_change_in_another_window_is_not_overwritten(desk: Desk) -> None:
    form = desk.form("/desk/embed")
    desk.send("/desk/embed", embed_sites="https://one.example")
    late = desk.post("/desk/embed", data={**form.fields, "embed_sites": "https://two.example"})
    assert late.status_code == 409
    assert sites(desk) == "https://one.example"
    assert desk.post("/desk/embed", data=Page(late.text).post_form.fields).status_code == 303
    assert sites(desk) == "https://two.example"


def test_only_the_list_is_changed_and_only_by_its_owner(desk: Desk, berts_desk: Desk) -> None:
    berts_desk.send("/desk/embed", embed_sites="https://bert.example", slug="anna", owner_id="1", name="Eve")
    assert sites(desk) == ""
    assert "bert.example" not in desk.read("/desk/embed")
    with desk.services.database.reading() as db:
        assert set(db.scalars(sa.select(Owner.name))) == {"Anna Beispiel", "Bert Beispiel"}


# Frames


def test_the_list_of_times_can_be_framed_by_exactly_the_sites_that_are_listed(framed: Desk, app: Flask) -> None:
    visitor = Visitor(app)
    for path in ("/anna?embed=1", "/anna/call?embed=1", "/anna/call?embed=1&day=2026-11-24&tz=Asia/Tokyo"):
        answer = visitor.get(path)
        assert answer.status_code == 200
        assert ancestors(answer) == SITES
        assert "X-Frame-Options" not in answer.headers
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert not answer.headers.getlist("Set-Cookie")


def every_path(app: Flask, token: str) -> Iterator[str]:
    """Yield the path of every route that can be read, with Anna's things in its places."""
    things = {"owner_slug": "anna", "type_slug": "call", "token": token, "filename": "style.css", "code": "de"}
    for rule in app.url_map.iter_rules():
        if "GET" in (rule.methods or ()):
            yield re.sub(r"<(?:\w+:)?(\w+)>", lambda place: things.get(place[1], "1"), rule.rule)


@pytest.mark.parametrize("query", ["", "?embed=1", "?embed=yes"])
def test_no_other_page_can_be_framed_by_another_site(framed: Desk, app: Flask, query: str) -> None:
    paths = list(every_path(app, Visitor(app).token()))
    assert len(paths) > 30
    for path in paths:
        for reader in (framed, Visitor(app)):
            answer = reader.get(f"{path}{query}")
            is_list = query == "?embed=1" and path in ("/anna", "/anna/call")
            if is_list:
                continue
            own_frame = path == "/desk/mails/preview/letter" and reader is framed
            assert ancestors(answer) == ("'self'" if own_frame else "'none'"), path
            assert answer.headers["X-Frame-Options"] == ("SAMEORIGIN" if own_frame else "DENY"), path


@pytest.mark.parametrize("path", ["/bert?embed=1", "/bert/call?embed=1", "/anna/nothing?embed=1", "/nobody?embed=1"])
def test_owners_without_sites_are_framed_by_nobody(framed: Desk, app: Flask, path: str) -> None:
    answer = Visitor(app).get(path)
    assert ancestors(answer) == "'none'"
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_a_page_that_has_not_changed_still_says_who_may_frame_it(framed: Desk, app: Flask) -> None:
    visitor = Visitor(app)
    for path in ("/anna?embed=1", "/anna/call?embed=1"):
        tag = visitor.get(path).headers["ETag"]
        again = visitor.get(path, headers={"If-None-Match": tag})
        assert again.status_code == 304
        assert ancestors(again) == SITES


def test_another_list_of_sites_is_another_page_to_caches(framed: Desk, app: Flask) -> None:
    visitor = Visitor(app)
    tags = {path: visitor.get(path).headers["ETag"] for path in ("/anna?embed=1", "/anna/call?embed=1", "/anna/call")}
    framed.send("/desk/embed", embed_sites="https://other.example")
    for path, tag in tags.items():
        answer = visitor.get(path, headers={"If-None-Match": tag})
        assert answer.status_code == (200 if "embed" in path else 304), path


def test_the_framed_page_is_the_list_alone(framed: Desk, app: Flask) -> None:
    visitor = Visitor(app)
    for path in ("/anna", "/anna/call"):
        whole, part = visitor.get(path), visitor.get(f"{path}?embed=1")
        assert 'class="foot"' in whole.text
        assert 'class="foot"' not in part.text
        assert 'class="head"' not in part.text
        assert 'class="embedded"' in part.text
    assert 'class="embedded"' not in visitor.get("/anna/call").text


def test_what_leads_to_the_details_leaves_the_frame_and_all_else_stays_in_it(framed: Desk, app: Flask) -> None:
    page = Visitor(app).page("/anna/call?embed=1&day=2026-11-24")
    links = [values for tag, values in page.tags if tag == "a"]
    leaving = [values for values in links if values.get("target") == "_top"]
    staying = [values["href"] for values in links if "target" not in values]
    assert len(leaving) > 5
    assert len(links) == len(leaving) + len(staying)
    assert all(values["href"].startswith("/anna/call/book?") for values in leaving)
    assert not [values for values in leaving if "embed" in values["href"]]
    assert len(staying) > 5
    assert all("embed=1" in href for href in staying), staying
    assert not [href for href in staying if "/book" in href]


def test_a_length_is_chosen_within_the_frame_and_goes_along_to_the_details(framed: Desk, app: Flask) -> None:
    with framed.services.database.writing() as db:
        db.execute(sa.update(CallType).where(CallType.slug == "call").values(lengths="30 60"))
    page = Visitor(app).page("/anna/call?embed=1&minutes=60&day=2026-11-24")
    links = [values for tag, values in page.tags if tag == "a"]
    assert all(("target" in values) != ("embed=1" in values["href"]) for values in links)
    leaving = [values["href"] for values in links if values.get("target") == "_top"]
    assert leaving
    assert all("minutes=60" in href for href in leaving)


def test_another_zone_is_chosen_within_the_frame(framed: Desk, app: Flask) -> None:
    (form,) = Visitor(app).page("/anna/call?embed=1&choose=zone").forms
    assert form.fields["embed"] == "1"


def test_the_call_types_in_a_frame_lead_to_times_in_it(framed: Desk, app: Flask) -> None:
    links = [each for each in Visitor(app).page("/anna?embed=1").links if each.startswith("/anna/")]
    assert sorted(link for link in links if "accent" not in link) == ["/anna/call?embed=1", "/anna/only-anna?embed=1"]


def test_with_one_call_type_the_frame_shows_its_times(framed: Desk, app: Flask) -> None:
    with framed.services.database.writing() as db:
        db.execute(sa.update(CallType).where(CallType.slug == "only-anna").values(visibility="hidden"))
    answer = Visitor(app).get("/anna?embed=1")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/anna/call?embed=1"


def test_looking_changes_nothing(framed: Desk) -> None:
    before = dump(framed.services)
    assert framed.get("/desk/embed").status_code == 200
    assert framed.get("/anna/call?embed=1").status_code == 200
    assert dump(framed.services) == before

"""The client's link: it shows one call, and lets it be cancelled or corrected, by POST only."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from icalendar import Calendar as Ics
from werkzeug.test import TestResponse

from booking.app import create_app
from booking.rules.lifecycle import Actor
from booking.services import Services
from booking.signing import LINK_FROM_MAIL
from booking.store.models import Call, Owner
from booking.usecases import calls
from booking.web.reserving import house
from tests.web.test_public_booking import Locked
from tests.web.visitors import Page, Visitor, dump, person

DAY = timedelta(days=1)


@pytest.fixture
def token(anna: Visitor) -> str:
    """The link of Kim's call on Tuesday at 9:00, as the page shows it after booking."""
    return anna.token()


def the_call(services: Services) -> Call:
    with services.database.reading() as db:
        call = db.scalars(sa.select(Call)).one()
        len(call.changes)
        return call


def act(visitor: Visitor, path: str, **typed: str) -> TestResponse:
    """Open the page of an action and send its form."""
    form = visitor.page(path).post_form
    return visitor.post(form.action, data={**form.fields, **typed})


def mailed(services: Services) -> str:
    """Return the link that only the mail holds."""
    call = the_call(services)
    return services.signing.link_token(call.id, call.link_version, LINK_FROM_MAIL)


def change_owner(services: Services, **values: object) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Owner).values(**values))


# Shown


def test_the_page_states_all_that_was_agreed(anna: Visitor, token: str) -> None:
    text = anna.get(f"/c/{token}").text
    for words in (
        "Our call on Tuesday, 24 November, 9:00",
        "I will call you on Tuesday, 24 November 2026, at 9:00 (Berlin time). Number: +49 170 1200001.",
        "We have 30 minutes.",
        "I ring from +49 30 901820.",
        "If the line drops, I&#39;ll call back.",
        "kim1@example.com",
        "The confirmation goes to this address.",
        "This call is arranged.",
        "You booked the call.",
    ):
        assert words in text


def test_where_the_client_calls_the_owners_number_is_named(anna: Visitor) -> None:
    token = anna.token(call_type="short", email="kim@example.com")
    text = anna.get(f"/c/{token}").text
    assert "You call me on Tuesday, 24 November 2026, at 9:00 (Berlin time)." in text
    assert "My number: +49 30 901820" in text
    assert "please call me again." in text
    assert "How you recognise my call" not in text
    assert "Correct the mail address" in text


def test_a_landline_gets_a_hint(anna: Visitor) -> None:
    assert "This is a landline: somebody else may answer." in anna.get(f"/c/{anna.token(phone='030 901821')}").text


def test_a_mobile_gets_none(anna: Visitor, token: str) -> None:
    assert "landline" not in anna.get(f"/c/{token}").text


def test_a_number_that_is_no_longer_known_to_anybody_is_still_shown(anna: Visitor, annas: Services, token: str) -> None:
    with annas.database.writing() as db:
        db.execute(sa.update(Call).values(phone="+490000"))
    assert anna.get(f"/c/{token}").status_code == 200


def test_the_call_is_shown_in_its_own_language_and_zone_unless_the_address_says_otherwise(anna: Visitor) -> None:
    token = anna.token(timezone="Asia/Tokyo", locale="de")
    own = anna.get(f"/c/{token}", headers={"Accept-Language": "en"}).text
    assert '<html lang="de"' in own
    assert "17:00 Uhr (Ortszeit Tokio)" in own
    assert "9:00 Uhr (Ortszeit Berlin)" in own
    other = anna.get(f"/c/{token}?lang=en&tz=Europe/London").text
    assert "at 8:00 (London time)" in other


def test_personal_pages_are_kept_by_nobody(anna: Visitor, token: str) -> None:
    for path in ("", "/cancel", "/correct", "/call.ics"):
        assert anna.get(f"/c/{token}{path}").headers["Cache-Control"] == "no-store"
    assert '<meta name="robots" content="noindex">' in anna.get(f"/c/{token}").text


def test_a_neutral_owner_gets_a_title_that_says_nothing(anna: Visitor, annas: Services, token: str) -> None:
    change_owner(annas, discretion="neutral")
    assert "<title>Your appointment</title>" in anna.get(f"/c/{token}").text


def test_after_a_day_the_page_no_longer_speaks_of_the_mail(anna: Visitor, annas: Services) -> None:
    token = anna.token(anna.apart(30)[-1])
    annas.now.advance(DAY * 2)  # type: ignore[attr-defined]
    assert "The confirmation goes to this address." not in anna.get(f"/c/{token}").text


@pytest.mark.parametrize(
    ("later", "words"),
    [(DAY + timedelta(minutes=10), "It is time for this call."), (DAY * 2, "The time of this call has passed.")],
)
def test_a_call_that_has_begun_can_only_be_read(
    anna: Visitor, annas: Services, token: str, later: timedelta, words: str
) -> None:
    form = anna.page(f"/c/{token}/cancel").post_form
    annas.now.advance(later)  # type: ignore[attr-defined]
    text = anna.get(f"/c/{token}").text
    assert words in text
    assert "Cancel the call" not in text
    for path in ("cancel", "correct"):
        assert anna.get(f"/c/{token}/{path}").location == f"/c/{token}"
    before = dump(annas)
    for path in ("cancel", "correct"):
        answer = anna.post(f"/c/{token}/{path}", data={**form.fields, **person(2)})
        assert (answer.status_code, answer.location) == (303, f"/c/{token}")
    assert dump(annas) == before


# Links


def test_a_forged_link_is_404_everywhere(anna: Visitor, token: str) -> None:
    for forged in (token[:-1], token + "x", token.upper(), "x", the_other_way_round(token)):
        for path in ("", "/cancel", "/correct", "/call.ics"):
            assert anna.get(f"/c/{forged}{path}").status_code == 404
        for path in ("/cancel", "/correct"):
            assert anna.post(f"/c/{forged}{path}").status_code == 404


def the_other_way_round(token: str) -> str:
    said, _, signature = token.rpartition(".")
    return f"{signature}.{said}"


def test_reading_changes_nothing_whoever_opens_the_link(anna: Visitor, annas: Services, token: str) -> None:
    before = dump(annas)
    for link in (token, mailed(annas)):
        for path in ("", "/cancel", "/correct", "/call.ics"):
            for method in ("GET", "HEAD") * 5:
                assert anna.open(f"/c/{link}{path}", method).status_code == 200
    assert dump(annas) == before


# Cancelled


def test_cancelling_asks_once_and_then_frees_the_time(anna: Visitor, annas: Services, token: str) -> None:
    assert "Cancel this call?" in anna.get(f"/c/{token}/cancel").text
    answer = act(anna, f"/c/{token}/cancel")
    assert (answer.status_code, answer.location) == (303, f"/c/{token}")
    text = anna.get(f"/c/{token}").text
    assert "This call is cancelled." in text
    assert "You cancelled the call." in text
    assert '/anna/call"' in text
    assert "start=2026-11-24T08:00:00Z" in anna.get("/anna/call?day=2026-11-24").text


def test_cancelling_twice_is_cancelling_once(anna: Visitor, annas: Services, token: str) -> None:
    form = anna.page(f"/c/{token}/cancel").post_form
    first = anna.post(form.action, data=form.fields)
    before = dump(annas)
    second = anna.post(form.action, data=form.fields)
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert dump(annas) == before
    assert anna.get(f"/c/{token}/cancel").location == f"/c/{token}"


@pytest.mark.parametrize("path", ["cancel", "correct"])
def test_without_the_proof_of_its_own_page_nothing_is_changed(
    anna: Visitor, annas: Services, token: str, path: str
) -> None:
    before = dump(annas)
    answer = anna.post(f"/c/{token}/{path}", data=person(2))
    assert answer.status_code == 400
    assert "press the button once more" in answer.text
    assert dump(annas) == before
    form = Page(answer.text).post_form
    assert anna.post(form.action, data={**form.fields, **person(2)}).status_code == 303


def test_what_the_owner_cancelled_is_told_as_such(anna: Visitor, annas: Services, token: str) -> None:
    with annas.database.writing() as db:
        calls.cancel(db, the_call(annas).id, Actor.OWNER, annas.now(), house(annas))
    assert "I cancelled the call." in anna.get(f"/c/{token}").text


# Corrected


def test_a_corrected_number_keeps_the_link(anna: Visitor, annas: Services, token: str) -> None:
    assert anna.page(f"/c/{token}/correct").post_form.fields["phone"] == "+49 170 1200001"
    answer = act(anna, f"/c/{token}/correct", phone="0151 23456789")
    assert (answer.status_code, answer.location) == (303, f"/c/{token}")
    assert the_call(annas).phone == "+4915123456789"
    assert "Number or mail address was corrected." in anna.get(f"/c/{token}").text


def test_a_corrected_address_ends_the_old_links_and_leads_to_the_new_one(
    anna: Visitor, annas: Services, token: str
) -> None:
    old = mailed(annas)
    answer = act(anna, f"/c/{old}/correct?lang=de", email="kim@example.net")
    assert answer.status_code == 303
    assert the_call(annas).email == "kim@example.net"
    assert anna.get(answer.location).status_code == 200
    assert answer.location.endswith("?lang=de")
    for ended in (token, old):
        assert anna.get(f"/c/{ended}").status_code == 404
    assert mailed(annas) not in answer.location


def test_a_wrong_correction_changes_nothing_and_keeps_what_was_typed(
    anna: Visitor, annas: Services, token: str
) -> None:
    before = dump(annas)
    answer = act(anna, f"/c/{token}/correct", phone="12", email="kim@")
    assert answer.status_code == 422
    fields = Page(answer.text).post_form.fields
    assert (fields["phone"], fields["email"]) == ("12", "kim@")
    assert re.search(r'<a href="#phone">.*<a href="#email">', answer.text, re.DOTALL)
    assert dump(annas) == before


def test_a_correction_changes_number_and_address_only(anna: Visitor, annas: Services, token: str) -> None:
    act(anna, f"/c/{token}/correct", phone="0151 23456789", name="Eve", note="x", who_calls="client", state="cancelled")
    call = the_call(annas)
    assert (call.name, call.note, call.who_calls, call.state.value) == ("Kim 1", "", "owner", "confirmed")


def test_where_the_client_calls_no_number_can_be_left(anna: Visitor, annas: Services) -> None:
    token = anna.token(call_type="short")
    assert 'name="phone"' not in anna.get(f"/c/{token}/correct").text
    act(anna, f"/c/{token}/correct", phone="0151 23456789", email="kim@example.net")
    assert (the_call(annas).phone, the_call(annas).email) == ("", "kim@example.net")


def test_strangers_are_not_mailed_through_corrections(anna: Visitor, annas: Services, token: str) -> None:
    for number in range(3):
        assert act(anna, f"/c/{token}/correct", phone=f"0151 2345678{number}").status_code in (303, 429)
    answer = act(anna, f"/c/{token}/correct", phone="0151 23456789")
    assert answer.status_code == 429
    assert "Several mails have gone to this address today." in answer.text
    assert Page(answer.text).post_form.fields["phone"] == "0151 23456789"


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("correct", {"phone": "0151 23456789", "email": "kim@example.net"}),
        ("cancel", {}),
        ("move?start=2026-11-24T10:00:00Z", {"start": "2026-11-24T10:00:00Z"}),
    ],
)
@pytest.mark.parametrize("link", ["shown", "mailed"])
def test_a_locked_database_changes_nothing_and_keeps_what_was_typed(
    anna: Visitor, annas: Services, token: str, path: str, typed: dict[str, str], link: str
) -> None:
    before = dump(annas)
    locked = replace(annas, database=Locked(annas.settings.database_url))
    at_locked = Visitor(create_app(locked.settings, locked))
    answer = act(at_locked, f"/c/{token if link == 'shown' else mailed(annas)}/{path}", **typed)
    locked.database.dispose()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Nothing has been changed. Wait a moment, then try again." in answer.text
    assert Page(answer.text).post_form.fields.items() >= typed.items()
    assert dump(annas) == before


def test_a_call_is_not_changed_for_ever(anna: Visitor, annas: Services, token: str) -> None:
    with annas.database.writing() as db:
        db.execute(sa.update(Call).values(sequence=99))
    answer = act(anna, f"/c/{token}/correct", phone="0151 23456789")
    assert answer.status_code == 429
    assert "This call has been changed many times." in answer.text


def test_acting_through_the_mails_link_proves_the_address_and_the_pages_link_does_not(
    anna: Visitor, annas: Services, token: str
) -> None:
    act(anna, f"/c/{token}/correct", phone="0151 23456789")
    assert the_call(annas).address_proved_at is None
    act(anna, f"/c/{mailed(annas)}/correct", phone="0151 23456780")
    assert the_call(annas).address_proved_at == annas.now()


# For the calendar


def test_the_file_for_the_calendar_holds_the_call_and_the_way_back(anna: Visitor, annas: Services, token: str) -> None:
    answer = anna.get(f"/c/{token}/call.ics")
    assert answer.mimetype == "text/calendar"
    assert 'filename="call.ics"' in answer.headers["Content-Disposition"]
    calendar = Ics.from_ical(answer.get_data())
    (event,) = calendar.walk("VEVENT")
    call = the_call(annas)
    assert calendar["METHOD"] == "PUBLISH"
    assert (event["UID"], event.decoded("DTSTART"), event.decoded("DTEND")) == (
        call.ics_uid,
        call.starts_at,
        call.ends_at,
    )
    assert event["SUMMARY"] == "Call with Anna Beispiel"
    assert event["DESCRIPTION"] == f"I will call you.\nhttps://calls.example.org/c/{token}"
    assert "ATTENDEE" not in event


def test_the_file_of_a_neutral_owner_says_nothing(anna: Visitor, annas: Services, token: str) -> None:
    change_owner(annas, discretion="neutral")
    answer = anna.get(f"/c/{token}/call.ics")
    assert 'filename="appointment.ics"' in answer.headers["Content-Disposition"]
    (event,) = Ics.from_ical(answer.get_data()).walk("VEVENT")
    assert event["SUMMARY"] == "Appointment"
    assert event["DESCRIPTION"] == f"https://calls.example.org/c/{token}"
    assert "Anna" not in answer.text


def test_a_cancelled_call_has_no_file(anna: Visitor, token: str) -> None:
    act(anna, f"/c/{token}/cancel")
    assert anna.get(f"/c/{token}/call.ics").status_code == 404

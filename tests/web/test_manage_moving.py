"""Moving a call by its link: the times of booking, one question, one POST."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from booking.calendars.port import Unreachable
from booking.services import Services
from booking.store.models import Calendar, CallType, Job
from tests.fakes import Server
from tests.web.test_manage import act, change_owner, mailed, the_call
from tests.web.visitors import TUESDAY, Page, Visitor, dump, person

HOUR = timedelta(hours=1)
LATER = TUESDAY + 2 * HOUR
"""Tuesday, 11:00 in Berlin."""


@pytest.fixture
def token(anna: Visitor) -> str:
    """The link of Kim's call on Tuesday at 9:00."""
    return anna.token()


def ask(token: str, start: object = "2026-11-24T10:00:00Z") -> str:
    return f"/c/{token}/move?start={start}"


def messages(services: Services) -> list[str]:
    with services.database.reading() as db:
        jobs = db.scalars(sa.select(Job).where(Job.kind == "mail"))
        return sorted(f"{job.payload['message']} {job.payload['to']}" for job in jobs)


def moved(anna: Visitor, token: str) -> TestResponse:
    return act(anna, ask(token))


# Choosing


def test_the_call_s_page_leads_to_the_times_it_can_be_moved_to(anna: Visitor, token: str) -> None:
    assert f"/c/{token}/move" in anna.page(f"/c/{token}").links
    text = anna.get(f"/c/{token}/move?day=2026-11-24").text
    assert "Planned so far: Tuesday, 24 November 2026, 9:00." in text
    assert f'/c/{token}/move?start=2026-11-24T10:00:00Z" aria-label="Move to Tuesday, 24 November, 11:00"' in text
    assert "/book?" not in text


def test_the_call_s_own_time_is_no_new_one_but_what_overlaps_it_is(anna: Visitor, token: str) -> None:
    text = anna.get(f"/c/{token}/move?day=2026-11-24").text
    assert "start=2026-11-24T08:00:00Z" not in text
    assert "start=2026-11-24T08:15:00Z" in text
    assert "start=2026-11-24T08:15:00Z" not in anna.get("/anna/call?day=2026-11-24").text


def test_days_and_arrows_stay_with_the_call_and_keep_language_and_zone(anna: Visitor, token: str) -> None:
    links = anna.page(f"/c/{token}/move?lang=de&tz=Asia/Tokyo").links
    days = [link for link in links if "day=" in link or "from=" in link]
    assert len(days) > 7
    assert all(link.startswith((f"/c/{token}/move?lang=de", "?lang=de")) for link in days)
    assert all("tz=Asia" in link for link in days if "choose" not in link)


def test_a_chosen_time_is_asked_about_once(anna: Visitor, token: str) -> None:
    text = anna.get(ask(token)).text
    assert "Move this call?" in text
    assert "Tuesday, 24 November 2026, 9:00" in text
    assert "Tuesday, 24 November 2026, 11:00" in text
    form = Page(text).post_form
    assert form.action == f"/c/{token}/move"
    assert form.fields["start"] == "2026-11-24T10:00:00Z"


@pytest.mark.parametrize(
    ("start", "status"),
    [("2026-11-24T03:00:00Z", 409), ("2026-11-24T10:07:00Z", 409), ("2020-01-06T09:00:00Z", 409), ("tomorrow", 400)],
)
def test_a_time_that_is_not_offered_shows_the_nearest_that_are(
    anna: Visitor, token: str, start: str, status: int
) -> None:
    answer = anna.get(ask(token, start))
    assert answer.status_code == status
    assert answer.text.count(f"/c/{token}/move?start=") == 6
    assert "Your call stays where it is: Tuesday, 24 November 2026, 9:00." in answer.text


def test_its_own_time_needs_no_question(anna: Visitor, token: str) -> None:
    assert anna.get(ask(token, "2026-11-24T08:00:00Z")).location == f"/c/{token}"


def test_choosing_changes_nothing_and_is_kept_by_nobody(anna: Visitor, annas: Services, token: str) -> None:
    before = dump(annas)
    for link in (token, mailed(annas)):
        for path in (f"/c/{link}/move", ask(link), ask(link, "x")):
            for method in ("GET", "HEAD") * 3:
                answer = anna.open(path, method)
                assert answer.headers["Cache-Control"] == "no-store"
    assert dump(annas) == before


def test_a_forged_link_moves_nothing(anna: Visitor, annas: Services, token: str) -> None:
    before = dump(annas)
    for forged in (token[:-1], token + "x", "x"):
        assert anna.get(f"/c/{forged}/move").status_code == 404
        assert anna.post(f"/c/{forged}/move", data={"start": "2026-11-24T10:00:00Z"}).status_code == 404
    assert dump(annas) == before


# Moving


def test_moving_frees_the_old_time_and_tells_both_once(anna: Visitor, annas: Services, token: str) -> None:
    answer = moved(anna, token)
    assert (answer.status_code, answer.location) == (303, f"/c/{token}")
    assert the_call(annas).starts_at == LATER
    text = anna.get(f"/c/{token}").text
    assert "Our call on Tuesday, 24 November, 11:00" in text
    assert "You moved the call." in text
    times = anna.get("/anna/call?day=2026-11-24").text
    assert "start=2026-11-24T08:00:00Z" in times
    assert "start=2026-11-24T10:00:00Z" not in times
    assert [each for each in messages(annas) if "moved" in each] == ["moved client", "moved owner"]


def test_a_form_that_is_sent_twice_moves_once(anna: Visitor, annas: Services, token: str, server: Server) -> None:
    form = anna.page(ask(token)).post_form
    first = anna.post(form.action, data=form.fields)
    before = dump(annas)
    server["/anna/calls/"].failing = Unreachable("away")
    second = anna.post(form.action, data=form.fields)
    assert (first.status_code, first.location) == (second.status_code, second.location) == (303, f"/c/{token}")
    assert dump(annas) == before


def test_the_answer_leads_back_in_the_reader_s_language(anna: Visitor, token: str) -> None:
    answer = act(anna, ask(token) + "&lang=de&tz=Asia/Tokyo")
    assert answer.location == f"/c/{token}?lang=de&tz=Asia/Tokyo"


def test_without_the_proof_of_its_own_page_nothing_is_moved(anna: Visitor, annas: Services, token: str) -> None:
    before = dump(annas)
    answer = anna.post(f"/c/{token}/move", data={"start": "2026-11-24T10:00:00Z"})
    assert answer.status_code == 400
    assert "press the button once more" in answer.text
    assert dump(annas) == before
    form = Page(answer.text).post_form
    assert anna.post(form.action, data=form.fields).location == f"/c/{token}"
    assert the_call(annas).starts_at == LATER


@pytest.mark.parametrize("start", ["", "tomorrow", "2026-11-24T10:00:00"])
def test_a_start_that_can_t_be_read_moves_nothing(anna: Visitor, annas: Services, token: str, start: str) -> None:
    answer = act(anna, ask(token), start=start)
    assert answer.status_code == 400
    assert f"/c/{token}/move?start=" in answer.text
    assert the_call(annas).starts_at == TUESDAY


def test_a_time_taken_meanwhile_shows_the_nearest_and_leaves_the_call(
    anna: Visitor, annas: Services, token: str
) -> None:
    form = anna.page(ask(token)).post_form
    anna.token(LATER, **person(2))
    answer = anna.post(form.action, data=form.fields)
    assert answer.status_code == 409
    assert answer.text.count(f"/c/{token}/move?start=") == 6
    for link in Page(answer.text).links:
        assert "start=" not in link or anna.get(link).status_code == 200
    assert f"/c/{token}" in Page(answer.text).links


def test_while_the_calendar_is_silent_the_call_stays_and_the_page_says_when_to_come_back(
    anna: Visitor, annas: Services, token: str, server: Server
) -> None:
    form = anna.page(ask(token)).post_form
    before = dump(annas)
    server["/anna/calls/"].failing = Unreachable("away")
    answer = anna.post(form.action, data=form.fields)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "so the call stays where it is" in answer.text
    assert dump(annas) == before
    server["/anna/calls/"].failing = None
    again = Page(answer.text).post_form
    assert anna.post(again.action, data=again.fields).status_code == 303
    assert the_call(annas).starts_at == LATER


def test_a_calendar_that_was_silent_for_long_is_spoken_of_before_anything_is_chosen(
    anna: Visitor, annas: Services, token: str
) -> None:
    with annas.database.writing() as db:
        db.execute(sa.update(Calendar).values(read_at=annas.now() - HOUR))
    text = anna.get(f"/c/{token}/move").text
    assert "see my calendar at the moment." in text
    assert "the call stays where it is." in text
    assert "note it for you" not in text


# Not any more


def test_what_is_too_near_is_not_moved_and_the_page_says_what_can_be_done(
    anna: Visitor, annas: Services, token: str
) -> None:
    form = anna.page(ask(token)).post_form
    with annas.database.writing() as db:
        db.execute(sa.update(CallType).values(notice_minutes=60 * 24))
    before = dump(annas)
    for answer, status in ((anna.get(f"/c/{token}/move"), 200), (anna.post(form.action, data=form.fields), 409)):
        assert answer.status_code == status
        assert "The call is too near to be moved." in answer.text
        assert {f"/c/{token}", f"/c/{token}/cancel"} <= {*Page(answer.text).links}
    assert dump(annas) == before


def test_a_call_is_moved_as_often_as_the_owner_allows(anna: Visitor, annas: Services, token: str) -> None:
    change_owner(annas, most_moves=1)
    form = anna.page(ask(token, "2026-11-25T10:00:00Z")).post_form
    moved(anna, token)
    before = dump(annas)
    for answer, status in ((anna.get(f"/c/{token}/move"), 200), (anna.post(form.action, data=form.fields), 409)):
        assert answer.status_code == status
        assert "moved as often as it can be" in answer.text
        assert f"/c/{token}/cancel" in Page(answer.text).links
    assert dump(annas) == before


def test_what_is_cancelled_or_has_begun_leads_back_to_the_call(anna: Visitor, annas: Services, token: str) -> None:
    form = anna.page(ask(token)).post_form
    act(anna, f"/c/{token}/cancel")
    before = dump(annas)
    for answer in (anna.get(f"/c/{token}/move"), anna.post(form.action, data=form.fields)):
        assert answer.location == f"/c/{token}"
    assert dump(annas) == before


def test_strangers_are_not_mailed_through_moves(anna: Visitor, annas: Services, token: str) -> None:
    change_owner(annas, most_moves=9)
    starts = [f"2026-11-2{day}T1{hour}:00:00Z" for day in (5, 6) for hour in (2, 3, 4)]
    answers = [act(anna, ask(token, start)) for start in starts]
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {303, 429}
    assert "Several mails have gone to this address today." in answers[-1].text
    assert messages(annas).count("moved client") + messages(annas).count("booked client") == 3


def test_moving_through_the_mail_s_link_proves_the_address_and_the_page_s_link_does_not(
    anna: Visitor, annas: Services, token: str
) -> None:
    moved(anna, token)
    assert the_call(annas).address_proved_at is None
    act(anna, ask(mailed(annas), "2026-11-25T10:00:00Z"))
    assert the_call(annas).address_proved_at == annas.now()


# Reminders


def test_the_page_says_when_reminders_come_and_never_of_one_that_is_past(anna: Visitor, annas: Services) -> None:
    token = anna.token(TUESDAY + timedelta(days=1))
    text = anna.get(f"/c/{token}").text
    assert "remind you by mail" in text
    assert ("Tuesday, 24 November, 9:00" in text, "Wednesday, 25 November, 8:00" in text) == (True, True)
    annas.now.advance(timedelta(days=1, hours=1))  # type: ignore[attr-defined]
    text = anna.get(f"/c/{token}").text
    assert ("Tuesday, 24 November, 9:00" in text, "Wednesday, 25 November, 8:00" in text) == (False, True)


def test_after_moving_the_page_names_the_new_reminders(anna: Visitor, token: str) -> None:
    act(anna, ask(token, "2026-11-26T10:00:00Z"))
    text = anna.get(f"/c/{token}").text
    assert "Wednesday, 25 November, 11:00" in text
    assert "Tuesday, 24 November, 8:00" not in text


def test_what_the_page_says_of_reminders_is_what_will_be_sent(anna: Visitor, annas: Services, token: str) -> None:
    act(anna, ask(token, "2026-11-26T10:00:00Z"))
    annas.now.advance(timedelta(minutes=5))  # type: ignore[attr-defined]
    act(anna, f"/c/{token}/correct", phone="0151 23456789")
    call = the_call(annas)
    with annas.database.reading() as db:
        jobs = [job for job in db.scalars(sa.select(Job)) if job.payload.get("message") == "reminder"]
    valid = [job for job in jobs if job.payload["sequence"] == call.sequence]
    text = anna.get(f"/c/{token}?tz=UTC").text
    assert len(valid) == 2
    for job in valid:
        assert f"{job.not_before:%A, %-d %B, %-H:%M}" in text


def test_where_nobody_is_reminded_the_page_speaks_of_no_reminder(anna: Visitor, annas: Services) -> None:
    with annas.database.writing() as db:
        db.execute(sa.update(CallType).values(reminders=""))
    assert "remind you" not in anna.get(f"/c/{anna.token()}").text

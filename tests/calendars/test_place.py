"""Our event is placed once and removed once, whatever the server does in between."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from booking.calendars.caldav import CalDavCalendar, same_place
from booking.calendars.place import Placed, UidTaken, is_ours, place, remove
from booking.calendars.port import CalendarGone, Conflict, Refused, Unreachable
from tests.calendars.conftest import DavServer, Exchange, Scripted
from tests.fakes import MemoryCalendar

UID, CALL = "0af3-1@example.org", "0af3"


def event(*, call: str = CALL, uid: str = UID, hour: int = 10, sequence: int = 0) -> str:
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261101T000000Z\r\nSEQUENCE:{sequence}\r\nSUMMARY:Call\\, with Anna\r\n"
        f"DTSTART:20261201T{hour:02}0000Z\r\nDTEND:20261201T{hour:02}3000Z\r\nX-SPRECHZEIT-CALL:{call}\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def put(calendar: MemoryCalendar | CalDavCalendar, ics: str, placed: Placed | None = None) -> Placed:
    href, etag = (placed.href, placed.etag) if placed else ("", "")
    return place(calendar, uid=UID, call_id=CALL, ics=ics, href=href, etag=etag)


@pytest.fixture
def memory() -> MemoryCalendar:
    return MemoryCalendar()


@pytest.fixture
def real(dav_server: DavServer, request: pytest.FixtureRequest) -> Iterator[CalDavCalendar]:
    name = f"place-{abs(hash(request.node.name))}"
    calendar = CalDavCalendar(
        dav_server.calendar_url(name), username=dav_server.username, password=dav_server.password, deadline=30
    )
    with contextlib.closing(calendar):
        calendar.make(name)
        yield calendar


class TestOnRealServers:
    def test_an_event_is_placed_moved_and_removed(self, real: CalDavCalendar) -> None:
        first = put(real, event())
        second = put(real, event(hour=15, sequence=1), first)
        assert second.href == first.href
        assert second.etag != first.etag
        ((href, etag),) = real.changes({}).listing.items()
        assert same_place(href, second.href)
        assert etag == second.etag
        remove(real, href=second.href, uid=UID, call_id=CALL)
        remove(real, href=second.href, uid=UID, call_id=CALL)
        assert dict(real.changes({}).listing) == {}

    def test_placing_twice_is_placing_once(self, real: CalDavCalendar) -> None:
        assert put(real, event()) == put(real, event())
        assert len(real.changes({}).listing) == 1

    def test_an_edit_of_the_owners_is_overwritten_knowingly(self, real: CalDavCalendar) -> None:
        placed = put(real, event())
        real.put(placed.href, event(hour=20), replaces=placed.etag)
        put(real, event(hour=15, sequence=1), placed)
        found = real.find(placed.href)
        assert found is not None
        assert "DTSTART:20261201T150000Z" in found.ics

    def test_an_event_the_owner_deleted_is_put_anew(self, real: CalDavCalendar) -> None:
        placed = put(real, event())
        real.delete(placed.href, etag=placed.etag)
        put(real, event(sequence=1), placed)
        assert len(real.changes({}).listing) == 1

    def test_a_foreign_event_in_our_place_is_left_alone(self, real: CalDavCalendar) -> None:
        href = real.href_for(UID)
        real.put(href, event(call="other"), replaces=None)
        with pytest.raises(UidTaken):
            put(real, event())
        remove(real, href=href, uid=UID, call_id=CALL)
        found = real.find(href)
        assert found is not None
        assert "X-SPRECHZEIT-CALL:other" in found.ics

    def test_a_uid_that_stands_elsewhere_is_taken(self, real: CalDavCalendar) -> None:
        real.put(real.href_for("elsewhere"), event(call="other"), replaces=None)
        with pytest.raises(UidTaken):
            put(real, event())

    def test_a_calendar_that_is_gone_is_no_reason_for_another_uid(self, dav_server: DavServer) -> None:
        calendar = CalDavCalendar(
            dav_server.calendar_url("nowhere"), username=dav_server.username, password=dav_server.password, deadline=30
        )
        with contextlib.closing(calendar), pytest.raises(CalendarGone):
            put(calendar, event())


class Faulty:
    """A CalDAV server over a calendar in memory that answers a PUT wrongly, as often as it is told to."""

    def __init__(self, scripted: Scripted) -> None:
        self.memory = MemoryCalendar("/c/")
        self.faults: list[Callable[[Exchange], bool]] = []
        self.server = scripted
        scripted.script = self.answer

    def answer(self, exchange: Exchange) -> None:
        if exchange.method == "PUT" and self.faults and not self.faults.pop(0)(exchange):
            return
        getattr(self, f"_{exchange.method.lower()}")(exchange)

    def store(self, exchange: Exchange) -> None:
        self.memory.put(exchange.path, exchange.body, replaces=exchange.headers.get("If-Match"))

    def _put(self, exchange: Exchange) -> None:
        try:
            self.store(exchange)
        except Conflict:
            exchange.answer(412)
        else:
            exchange.answer(201)

    def _get(self, exchange: Exchange) -> None:
        found = self.memory.objects.get(exchange.path)
        if found is None:
            exchange.answer(404)
        else:
            exchange.answer(200, found.ics, type="text/calendar", ETag=found.etag)

    # Faults: True goes on as if nothing had happened, False has answered.

    def lose_the_answer(self, exchange: Exchange) -> bool:
        self.store(exchange)
        exchange.hang_up()
        return False

    def lose_the_request(self, exchange: Exchange) -> bool:
        exchange.hang_up()
        return False

    def commit_and_fail(self, exchange: Exchange) -> bool:
        self.store(exchange)
        exchange.answer(500)
        return False

    def fail(self, exchange: Exchange) -> bool:
        exchange.answer(500)
        return False

    def be_locked(self, exchange: Exchange) -> bool:
        exchange.answer(423)
        return False

    def sign_in(self, exchange: Exchange) -> bool:
        exchange.answer(200, "<html>Sign in</html>", type="text/html")
        return False

    def let_a_stranger_win(self, exchange: Exchange) -> bool:
        self.memory.put(exchange.path, event(call="stranger"), replaces=None)
        return True

    def let_our_other_worker_win(self, exchange: Exchange) -> bool:
        self.memory.put(exchange.path, event(), replaces=None)
        return True

    def let_the_owner_delete(self, exchange: Exchange) -> bool:
        self.memory.objects.clear()
        return True


@pytest.fixture
def faulty(scripted: Scripted) -> Faulty:
    return Faulty(scripted)


@pytest.fixture
def calendar(faulty: Faulty) -> Iterator[CalDavCalendar]:
    url = f"{faulty.server.url}/c/"
    with contextlib.closing(CalDavCalendar(url, username="", password="", deadline=30)) as opened:
        yield opened


class TestOnAFaultyServer:
    @pytest.mark.parametrize("fault", ["lose_the_answer", "commit_and_fail", "let_our_other_worker_win"])
    def test_what_was_written_after_all_is_not_written_again(
        self, fault: str, faulty: Faulty, calendar: CalDavCalendar
    ) -> None:
        faulty.faults = [getattr(faulty, fault)]
        placed = put(calendar, event())
        assert faulty.server.methods() == ["PUT", "GET"]
        assert faulty.memory.objects[placed.href].etag == placed.etag

    @pytest.mark.parametrize("fault", ["lose_the_request", "fail", "be_locked"])
    def test_what_was_not_written_is_written_again_under_the_same_uid(
        self, fault: str, faulty: Faulty, calendar: CalDavCalendar
    ) -> None:
        faulty.faults = [getattr(faulty, fault)]
        placed = put(calendar, event())
        assert list(faulty.memory.objects) == [placed.href]
        assert faulty.server.methods() == ["PUT", "GET", "PUT", "GET"]

    def test_a_server_that_keeps_failing_is_left_for_later(self, faulty: Faulty, calendar: CalDavCalendar) -> None:
        faulty.faults = [faulty.fail] * 9
        with pytest.raises(Unreachable):
            put(calendar, event())
        assert faulty.server.methods().count("PUT") == 2

    def test_a_yes_without_an_event_is_no_yes(self, faulty: Faulty, calendar: CalDavCalendar) -> None:
        faulty.faults = [faulty.sign_in] * 9
        with pytest.raises(Unreachable, match="does not keep"):
            put(calendar, event())
        assert faulty.memory.objects == {}

    def test_a_stranger_who_wins_the_race_keeps_the_place(self, faulty: Faulty, calendar: CalDavCalendar) -> None:
        faulty.faults = [faulty.let_a_stranger_win]
        with pytest.raises(UidTaken):
            put(calendar, event())
        (kept,) = faulty.memory.objects.values()
        assert "X-SPRECHZEIT-CALL:stranger" in kept.ics

    def test_an_event_deleted_while_it_is_moved_is_put_anew(self, faulty: Faulty, calendar: CalDavCalendar) -> None:
        placed = put(calendar, event())
        faulty.faults = [faulty.let_the_owner_delete]
        again = put(calendar, event(hour=15, sequence=1), placed)
        assert list(faulty.memory.objects) == [again.href]

    def test_an_older_state_of_ours_is_not_taken_for_the_new_one(
        self, faulty: Faulty, calendar: CalDavCalendar
    ) -> None:
        placed = put(calendar, event())
        faulty.faults = [faulty.fail]
        put(calendar, event(sequence=1), placed)
        (kept,) = faulty.memory.objects.values()
        assert "SEQUENCE:1" in kept.ics


class Refusing(MemoryCalendar):
    """A calendar in memory whose writes all fail in one way."""

    def __init__(self, failure: Exception) -> None:
        super().__init__()
        self.failure = failure

    def put(self, href: str, ics: str, *, replaces: str | None) -> None:
        raise self.failure

    def delete(self, href: str, *, etag: str) -> None:
        raise self.failure


def test_an_event_the_server_will_never_take_is_refused_at_once() -> None:
    with pytest.raises(Refused):
        put(Refusing(Refused("no")), event())


def test_a_uid_the_server_remembers_as_deleted_is_taken() -> None:
    with pytest.raises(UidTaken):
        put(Refusing(Conflict("in the bin")), event())


def test_our_event_that_never_takes_the_change_is_left_for_later() -> None:
    calendar = Refusing(Conflict("odd"))
    calendar.store(calendar.href_for(UID).removeprefix(calendar.path), event())
    with pytest.raises(Unreachable):
        put(calendar, event(hour=15, sequence=1))


def test_our_event_that_keeps_changing_is_removed_later() -> None:
    calendar = Refusing(Conflict("changed"))
    stored = calendar.store("a.ics", event())
    with pytest.raises(Unreachable):
        remove(calendar, href=stored.href, uid=UID, call_id=CALL)
    assert calendar.objects


@pytest.mark.parametrize(
    ("ics", "expected"),
    [
        (event(), True),
        (event().replace("\r\n", "\n"), True),
        (event().replace("UID:0af3", "UID:0a\r\n f3"), True),
        (event().replace("X-SPRECHZEIT-CALL:", 'x-sprechzeit-call;VALUE=TEXT;X="a:b;c":'), True),
        (event(call="0af"), False),
        (event(uid="other"), False),
        (event().replace("X-SPRECHZEIT-CALL:", "X-OTHER:"), False),
        (event().replace("X-SPRECHZEIT-CALL:0af3\r\n", "DESCRIPTION:X-SPRECHZEIT-CALL:0af3\r\n"), False),
        ("", False),
    ],
)
def test_an_event_is_ours_by_its_uid_and_our_own_mark(ics: str, expected: bool) -> None:
    assert is_ours(ics, UID, CALL) is expected


def test_nothing_is_removed_where_nothing_stands(memory: MemoryCalendar) -> None:
    remove(memory, href="/anna/calls/a.ics", uid=UID, call_id=CALL)
    assert memory.asked == 1

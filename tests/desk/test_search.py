"""The list of calls, and what a search finds."""

from datetime import date, timedelta

import pytest

from booking.usecases.search import read_date
from tests.desk.deskwork import Desk
from tests.fakes import MONDAY
from tests.web.visitors import TUESDAY, Visitor


@pytest.fixture
def client(desk: Desk) -> Visitor:
    """Somebody who has booked calls with Anna and with Bert."""
    client = Visitor(desk.app, "192.0.2.99")
    client.token(TUESDAY, name="Ирина Öz", email="Irina@example.com", phone="+491701234567")
    client.token(TUESDAY + timedelta(days=1), name="Bob_Bauer", email="bob@example.org", phone="+493012345678")
    client.token(TUESDAY, "bert", name="Berts Gast", email="gast@example.org", phone="+493099999999")
    return client


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize(
    "text",
    ["ирина", "ИРИНА", "öz", "irina@EXAMPLE", "0170 1234", "+49 170 1234567", "2026-11-24", "24.11."],
)
def test_a_call_is_found_by_name_number_address_and_day(desk: Desk, text: str) -> None:
    page = desk.get("/desk/calls", query_string={"q": text}).text
    assert "Ирина" in page
    assert "Bob_Bauer" not in page


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("text", ["Gast", "99999999", "gast@example.org"])
def test_nobody_finds_another_owner_s_calls(desk: Desk, text: str) -> None:
    page = desk.get("/desk/calls", query_string={"q": text}).text
    assert "Berts Gast" not in page
    assert "Nothing was found." in page


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("text", ["%", "_ob", "'; DROP TABLE call", "\\"])
def test_what_means_something_to_a_database_is_only_text(desk: Desk, text: str) -> None:
    assert "Nothing was found." in desk.get("/desk/calls", query_string={"q": text}).text


@pytest.mark.parametrize("text", ["9999-12-31", "0001-01-01", "31.12.9999"])
def test_a_day_at_the_end_of_time_is_only_text(desk: Desk, text: str) -> None:
    assert "Nothing was found." in desk.read(f"/desk/calls?q={text}")


@pytest.mark.usefixtures("client")
def test_without_a_search_what_is_planned_is_listed_earliest_first(desk: Desk) -> None:
    page = desk.read("/desk/calls")
    assert page.index("Ирина") < page.index("Bob_Bauer")
    assert "Berts Gast" not in page


def test_a_page_far_away_is_empty(desk: Desk) -> None:
    assert desk.get("/desk/calls?page=99999999999999999999").status_code == 200
    assert desk.get("/desk/calls?page=-5").status_code == 200


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-24", date(2026, 11, 24)),
        ("24.11.2026", date(2026, 11, 24)),
        ("24.11.26", date(2026, 11, 24)),
        ("5. 1.", date(2027, 1, 5)),
        ("31.2.", None),
        ("0000-00-00", None),
        ("Kim", None),
        ("", None),
    ],
)
def test_days_are_read_as_people_write_them(text: str, day: date | None) -> None:
    assert read_date(text, MONDAY.date()) == day

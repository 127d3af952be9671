"""Handing out the link: on the page, as a QR code, on a card, in ready-made texts."""

import re
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
import segno
import sqlalchemy as sa

from booking.language import LANGUAGES
from booking.services import Services
from booking.store.models import CallType, Owner
from tests.desk.deskwork import Desk
from tests.web.visitors import Visitor, dump

LINK = "https://calls.example.org/anna"
PAGES = ("/desk/share", "/desk/setup/done", "/desk/share/card", "/desk/share/card?large=yes")


def change_owner(services: Services, **values: object) -> None:
    with services.database.writing() as db:
        db.execute(sa.update(Owner).where(Owner.slug == "anna").values(**values))


def values_of(html: str) -> dict[str, str]:
    """Return what the fields to copy from hold, by their ids."""
    lines = re.findall(r'<input id="([\w-]+)" value="([^"]*)" readonly', html)
    texts = re.findall(r'<textarea id="([\w-]+)"[^>]* readonly>([^<]*)</textarea>', html)
    return dict([*lines, *texts])


def modules_of(svg: bytes) -> list[list[int]]:
    """Return which modules of a drawn QR code are black, row by row, with the quiet zone.

    The picture is one stroked path: ``M`` and ``m`` move, ``h`` draws a run of black modules.
    """
    tree = ET.fromstring(svg)  # noqa: S314 - our own picture
    paper, strokes = tree.iter("{http://www.w3.org/2000/svg}path")
    assert paper.get("fill") == "#fff"
    assert strokes.get("stroke") == "#000"
    side = int(float(tree.get("width", "0"))) // 10
    rows = [[0] * side for _ in range(side)]
    x, y = 0.0, 0.0
    for command, first, second in re.findall(r"([Mmh])(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?", strokes.get("d", "")):
        if command == "h":
            for column in range(int(x), int(x) + int(first)):
                rows[int(y)][column] = 1
            x += float(first)
        else:
            x, y = (float(first), float(second)) if command == "M" else (x + float(first), y + float(second))
    return rows


def test_the_link_and_one_for_each_call_type_can_be_copied(desk: Desk) -> None:
    values = values_of(desk.read("/desk/share"))
    assert values["address"] == LINK
    assert {f"{LINK}/call", f"{LINK}/only-anna"} <= set(values.values())


def test_every_link_on_the_page_can_be_opened_by_clients(desk: Desk) -> None:
    text = " ".join(values_of(desk.read("/desk/share")).values())
    links = set(re.findall(r"https://calls\.example\.org(\S+)", text))
    assert len(links) == len(LANGUAGES) + 3
    client = Visitor(desk.app, "192.0.2.99")
    assert [path for path in links if client.get(path).status_code != 200] == []


def test_a_call_type_that_nobody_can_book_has_no_link(desk: Desk) -> None:
    with desk.services.database.writing() as db:
        db.execute(sa.update(CallType).where(CallType.slug == "call").values(visibility="hidden"))
    assert f"{LINK}/call" not in values_of(desk.read("/desk/share")).values()


def test_the_qr_code_is_the_link_in_black_on_white_with_its_quiet_zone(desk: Desk) -> None:
    answer = desk.get("/desk/share/qr.svg")
    assert answer.mimetype == "image/svg+xml"
    assert b"style" not in answer.data
    expected = segno.make(LINK, error="m")
    rows = modules_of(answer.data)
    assert rows == [list(row) for row in expected.matrix_iter(border=4)]
    assert segno.make(f"{LINK}x", error="m").matrix != expected.matrix


def test_the_qr_code_follows_the_address(desk: Desk) -> None:
    before = desk.get("/desk/share/qr.svg").data
    change_owner(desk.services, slug="anna-beispiel")
    now = desk.get("/desk/share/qr.svg").data
    picture = BytesIO()
    segno.make(f"{LINK}-beispiel", error="m").save(picture, kind="svg", scale=10, border=4, light="#fff")
    assert now == picture.getvalue() != before


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_texts_are_there_in_every_language_with_name_and_link(desk: Desk, code: str) -> None:
    values = values_of(desk.read(f"/desk/share?lang={code}"))
    for language in LANGUAGES:
        assert f"{LINK}?lang={language}" in values[f"message-{language}"]
        assert values[f"message-{language}"].endswith("\nAnna Beispiel")
        assert "Anna Beispiel" in values[f"voicemail-{language}"]
        assert "calls.example.org/anna" in values[f"voicemail-{language}"]
        assert "https" not in values[f"voicemail-{language}"]
    greetings = {values[f"voicemail-{language}"] for language in LANGUAGES}
    assert len(greetings) == len(LANGUAGES)


def test_the_owner_s_own_language_stands_first(desk: Desk) -> None:
    change_owner(desk.services, locale="ru")
    values = values_of(desk.read("/desk/share"))
    assert next(name for name in values if name.startswith("message-")) == "message-ru"


def test_a_link_in_a_language_opens_the_page_in_it(desk: Desk) -> None:
    text = values_of(desk.read("/desk/share"))["message-de"]
    path = text[text.index("/anna") :].split()[0]
    assert '<html lang="de"' in Visitor(desk.app, "192.0.2.99").get(path).text


@pytest.mark.parametrize(("path", "count"), [("/desk/share/card", 10), ("/desk/share/card?large=yes", 1)])
def test_a_card_shows_name_line_address_and_code(desk: Desk, path: str, count: int) -> None:
    change_owner(desk.services, line="Texts that are read")
    text = desk.read(path)
    for piece in ("Anna Beispiel", "Texts that are read", ">calls.example.org/anna<", 'src="/desk/share/qr.svg"'):
        assert text.count(piece) == count, piece


def test_an_address_of_this_machine_alone_is_said_to_be_one(desk: Desk) -> None:
    assert "works on this machine only" not in desk.read("/desk/share")
    object.__setattr__(desk.services.settings, "base_url", "http://127.0.0.1:8000")
    here = Desk(desk.app, "anna")
    assert "works on this machine only" in here.read("/desk/share")


@pytest.mark.parametrize("path", PAGES)
def test_what_an_owner_typed_is_shown_as_text(desk: Desk, path: str) -> None:
    change_owner(desk.services, name='<b>"Anna"</b>', line="<script>alert(1)</script>")
    text = desk.read(path)
    assert "<b>" not in text
    assert "<script>alert" not in text


@pytest.mark.parametrize("path", [*PAGES, "/desk/share/qr.svg"])
def test_everybody_hands_out_a_link_of_their_own(desk: Desk, berts_desk: Desk, path: str) -> None:
    anna, bert = desk.read(path), berts_desk.read(path)
    assert anna != bert
    assert "anna" not in bert.lower()


@pytest.mark.parametrize("path", [*PAGES, "/desk/share/qr.svg"])
def test_looking_changes_nothing(desk: Desk, path: str) -> None:
    before = dump(desk.services)
    desk.read(path)
    desk.open(path, "HEAD")
    assert dump(desk.services) == before


@pytest.mark.parametrize("path", [*PAGES, "/desk/share/qr.svg"])
def test_a_stranger_sees_none_of_it(desk: Desk, path: str) -> None:
    answer = Visitor(desk.app).get(path)
    assert answer.status_code == 401
    assert "Anna" not in answer.text

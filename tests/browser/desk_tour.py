"""Every page and state of the desk, and how to get there; found by what does not depend on the language."""

from playwright.sync_api import Page, expect

from tests.browser.desk_site import EVENING, NEW, UNPROVED
from tests.browser.visits import Visit, stay


def enter_nothing(page: Page) -> None:
    """Send the form of a new call empty."""
    page.locator("form[data-once] .actions button").click()
    page.locator(".summary").wait_for()


def enter_out_of_hours(page: Page) -> None:
    """Enter a call in the evening, and read what speaks against it."""
    page.locator("#name").fill("Kim")
    page.locator("#phone").fill("0170 1234567")
    _choose_evening(page)


def move_out_of_hours(page: Page) -> None:
    """Move a call to an evening, and read what speaks against it."""
    _choose_evening(page)


def look_at_a_day(page: Page) -> None:
    """Ask for the free times of one day."""
    page.locator("#day").fill("2026-11-24")
    page.locator("[name=look]").click()
    page.locator(".of-day").wait_for()


def _choose_evening(page: Page) -> None:
    page.locator("#day").fill("2026-11-24")
    page.locator("#clock").fill("19:00")
    page.locator("form[data-once] .actions button").click()
    page.locator(".warning").wait_for()


def end_before_beginning(page: Page) -> None:
    """Let Monday's hours end before they begin."""
    page.locator("#mon-0-to").fill("08:00")
    page.locator("form.hours .actions .button").first.click()
    page.locator(".summary").wait_for()


def copy_monday(page: Page) -> None:
    """Copy Monday's hours to the weekend."""
    for day in ("sat", "sun"):
        page.locator(f"[name=copy_to][value={day}]").check()
    page.locator(".copy button").click()
    page.locator("#sat-1-to[value='17:00']").wait_for()


def preview(page: Page) -> None:
    """Look at what clients would see, in this window."""
    button = page.locator("button[formaction*=preview]")
    button.evaluate("each => each.removeAttribute('formtarget')")
    button.click()
    page.locator("#preview").wait_for()


def tell_clients(page: Page) -> None:
    """Send the mails that tell of an absence."""
    page.locator("form .actions .button").first.click()
    page.locator("#tell").wait_for()


def plan_nothing(page: Page) -> None:
    """Plan an absence without days."""
    page.locator("form .actions .button").first.click()
    page.locator(".summary").wait_for()


def save_nothing(page: Page) -> None:
    """Empty what is needed, and save it."""
    page.locator("#name, #retention_days").first.fill("")
    page.locator("form .button:not(.quiet)").first.click()
    page.locator(".summary").wait_for()


def name_no_site(page: Page) -> None:
    """Let a page, which is no site, show the times."""
    page.locator("#embed_sites").fill("https://www.example.org/kontakt")
    page.locator("form .button").first.click()
    page.locator(".summary").wait_for()


def look_at_page(page: Page) -> None:
    """Look at the public page with words and a colour that are not saved, in this window."""
    page.locator("#title").fill("Texte, die gelesen werden")
    page.locator("#text").fill("Rufen wir uns an.\n\nEin Gespräch dauert eine halbe Stunde.")
    page.locator("#accent").fill("#7a4a2b")
    button = page.locator("button[formaction*=preview]")
    button.evaluate("each => each.removeAttribute('formtarget')")
    button.click()
    page.locator(".cards").wait_for()


def ask_to_erase(page: Page) -> None:
    """Ask to erase the data of a client who has a call."""
    page.locator("#email").fill("kim@example.com")
    page.locator("[formaction]").click()
    page.locator("h1").wait_for()


def open_message(page: Page) -> None:
    """Open the first message of the list."""
    page.locator(".messages a").first.click()
    page.locator(".letter-text").wait_for()


def examine(page: Page) -> None:
    """Examine everything, and read what came of it."""
    page.locator("main form .button").click()
    page.locator("main form .meta").wait_for()


def open_call_type(page: Page) -> None:
    """Open the first call type of the list, with everything that is folded away."""
    page.locator(".types h2 a").first.click()
    page.locator("#lengths").wait_for()
    page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")


def preview_call_type(page: Page) -> None:
    """Look at the page of the first call type, in this window."""
    open_call_type(page)
    preview(page)


def save_nameless_call_type(page: Page) -> None:
    """Save a call type without a name, with a length that is none."""
    page.locator("#minutes").fill("0")
    page.locator("main form .actions button").first.click()
    page.locator(".summary").wait_for()


def hide_call_type(page: Page) -> None:
    """Hide the first call type."""
    page.locator("[formaction*='/hide']").first.click()
    page.locator(".said").wait_for()


def take_easy_password(page: Page) -> None:
    """Take a password that everybody would try first."""
    page.locator("#password").fill("password123")
    page.locator("main form .button").click()
    expect(page.get_by_role("alert")).to_be_visible()


def set_up_wrongly(page: Page) -> None:
    """Go on in the set-up with a password that is too short, without a day, or without the number clients ring."""
    for field in page.locator("#password").all():
        field.fill("kurz")
    for box in page.locator("[name=days]").all():
        box.uncheck()
    for choice in page.locator("[name=who_calls][value=client]").all():
        choice.check()
        page.locator("#own_number").fill("")
    page.locator("main form .actions .button").first.click()
    page.locator(".summary").wait_for()


def unfold(page: Page) -> None:
    """Look at what is folded away, too."""
    page.locator("main details").evaluate_all("all => all.forEach(each => { each.open = true; })")


def become(session: str, then: Visit = stay, path: str = "") -> Visit:
    """Be somebody else, who is logged in, too, and go on here, or at another path."""

    def visit(page: Page) -> None:
        root, _, query = page.url.partition("/desk")
        page.context.add_cookies([{"name": "desk", "value": session, "url": root}])
        page.goto(f"{root}{path}?{query.partition('?')[2]}" if path else page.url)
        then(page)

    return visit


def forget(page: Page) -> None:
    """Come without a session."""
    page.context.clear_cookies()
    page.reload()
    page.locator("#email").wait_for()


def forget_while_typing(page: Page) -> None:
    """Type into a form, and send it when the session is over."""
    page.locator("#name").fill("Kim")
    page.context.clear_cookies()
    page.locator("form[data-once] .actions button").click()
    page.locator("[name=email]").wait_for()


def log_out(page: Page) -> None:
    """Go out by the button in the head."""
    page.locator("button[form=logout]").click()
    page.locator(".said").wait_for()


def log_in_wrongly(page: Page) -> None:
    """Log in with a password that is not the right one."""
    forget(page)
    page.locator("#email").fill("greta@example.org")
    page.locator("#password").fill("not the right one")
    page.locator("main form .button").click()
    page.locator(".summary").wait_for()


def prove_wrongly(page: Page) -> None:
    """Type a wrong password where the password is asked for once more."""
    page.locator("#password").fill("not the right one")
    page.locator("main form .button").click()
    page.locator(".summary").wait_for()


def show_waiting(page: Page) -> None:
    """Look at what waits all the same."""
    page.locator("main form .button").click()
    page.locator(".timeline").wait_for()


def renew_codes(page: Page) -> None:
    """Make new recovery codes."""
    page.locator("main form .button").first.click()
    page.locator(".recovery").wait_for()


TOUR: dict[str, tuple[str, Visit]] = {
    "desk": ("/desk", stay),
    "desk, nothing yet": ("/desk", become(NEW)),
    "desk, quiet time": ("/desk", become(EVENING)),
    "desk, quiet time, shown all the same": ("/desk", become(EVENING, show_waiting)),
    "desk, no calls yet": ("/desk/calls", become(NEW)),
    "desk, no messages yet": ("/desk/messages", become(NEW)),
    "desk, no call types yet": ("/desk/call-types", become(NEW)),
    "desk, no calendars yet": ("/desk/calendars", become(NEW)),
    "desk, health of a new desk": ("/desk/health", become(NEW)),
    "desk, locked": ("/desk/settings", forget),
    "desk, locked while typing": ("/desk/calls/new", forget_while_typing),
    "desk, logged out": ("/desk", log_out),
    "desk, logging in wrongly": ("/desk", log_in_wrongly),
    "desk, one-time link": ("{way_in}", stay),
    "desk, one-time link that is over": ("/desk/in/nothing", stay),
    "desk, new password by mail": ("{way_back}", stay),
    "desk, asked for the password": ("/desk/account/password", become(UNPROVED)),
    "desk, asked for the password, wrongly": ("/desk/account/password", become(UNPROVED, prove_wrongly)),
    "desk, codes on": ("/desk", become(EVENING, path="/desk/account/codes")),
    "desk, recovery codes": ("/desk", become(EVENING, renew_codes, "/desk/account/codes")),
    "desk, calls": ("/desk/calls", stay),
    "desk, calls found": ("/desk/calls?q=kim", stay),
    "desk, nothing found": ("/desk/calls?q=niemand", stay),
    "desk, settings": ("/desk/settings", stay),
    "desk, log-in": ("/desk/account", stay),
    "desk, address": ("/desk/account/address", stay),
    "desk, password": ("/desk/account/password", stay),
    "desk, a password that is easy to guess": ("/desk/account/password", take_easy_password),
    "desk, lost password": ("/desk/reset", stay),
    "desk, call types": ("/desk/call-types", stay),
    "desk, one call type": ("/desk/call-types", open_call_type),
    "desk, a call type previewed": ("/desk/call-types", preview_call_type),
    "desk, a new call type": ("/desk/call-types/new", stay),
    "desk, a new call type with mistakes": ("/desk/call-types/new", save_nameless_call_type),
    "desk, a call type hidden": ("/desk/call-types", hide_call_type),
    "desk, calendars": ("/desk/calendars", stay),
    "desk, connecting a calendar": ("/desk/calendars/connect", stay),
    "desk, one calendar": ("/desk/calendars/{calendar}", stay),
    "desk, a calendar on the phone": ("/desk/calendars/{calendar}/access", stay),
    "desk, another calendar": ("/desk/calendars/{other_calendar}", stay),
    "desk, another calendar takes the calls": ("/desk/calendars/{other_calendar}/take-calls", stay),
    "desk, removing a calendar": ("/desk/calendars/{calendar}/remove", stay),
    "desk, one call": ("/desk/calls/{call}", stay),
    "desk, cancelling a call": ("/desk/calls/{call}/cancel", stay),
    "desk, moving a call": ("/desk/calls/{call}/move", stay),
    "desk, moving a call to any time": ("/desk/calls/{call}/move/to", stay),
    "desk, moving a call out of hours": ("/desk/calls/{call}/move/to", move_out_of_hours),
    "desk, a client": ("/desk/calls/{call}/client", stay),
    "desk, entering a call": ("/desk/calls/new", stay),
    "desk, entering a call on a day": ("/desk/calls/new", look_at_a_day),
    "desk, entering nothing": ("/desk/calls/new", enter_nothing),
    "desk, entering a call out of hours": ("/desk/calls/new", enter_out_of_hours),
    "desk, hours": ("/desk/hours", stay),
    "desk, week": ("/desk/hours/week", stay),
    "desk, week with a mistake": ("/desk/hours/week", end_before_beginning),
    "desk, week copied": ("/desk/hours/week", copy_monday),
    "desk, week previewed": ("/desk/hours/week", preview),
    "desk, rules": ("/desk/hours/rules", stay),
    "desk, month": ("/desk/hours/days?month=2026-12", stay),
    "desk, one day": ("/desk/hours/days/2026-11-26", stay),
    "desk, one day previewed": ("/desk/hours/days/2026-11-26", preview),
    "desk, holiday": ("/desk/hours/days/2026-12-25", stay),
    "desk, absences": ("/desk/absences", stay),
    "desk, one absence": ("/desk/absences/2026-12-23", stay),
    "desk, new absence": ("/desk/absences/new", stay),
    "desk, new absence without days": ("/desk/absences/new", plan_nothing),
    "desk, absence previewed": ("/desk/absences/2026-12-23", preview),
    "desk, absence with its texts": ("/desk/absences/2026-12-23", unfold),
    "desk, absence by mail": ("/desk/absences/2026-12-23/tell", unfold),
    "desk, absence told": ("/desk/absences/2026-12-23/tell", tell_clients),
    "desk, holidays": ("/desk/holidays", stay),
    "desk, holidays of another country": ("/desk/holidays?country=AT", stay),
    "desk, why": ("/desk/why", stay),
    "desk, why: busy": ("/desk/why?type=erstgespraech&day=2026-11-23&time=11:00", stay),
    "desk, why: offered": ("/desk/why?type=erstgespraech&day=2026-11-25&time=10:00", stay),
    "desk, public page": ("/desk/page", stay),
    "desk, public page with a mistake": ("/desk/page", save_nothing),
    "desk, public page previewed": ("/desk/page", look_at_page),
    "desk, mails and numbers": ("/desk/mails", stay),
    "desk, every mail": ("/desk/mails/preview", stay),
    "desk, a mail to the owner": ("/desk/mails/preview?message=calendar_silent&to=owner&in=ru", stay),
    "desk, other sites": ("/desk/embed", stay),
    "desk, other sites with a mistake": ("/desk/embed", name_no_site),
    "desk, messages": ("/desk/messages", stay),
    "desk, messages that are stuck": ("/desk/messages?which=stuck", stay),
    "desk, a message that is stuck": ("/desk/messages?which=stuck", open_message),
    "desk, health": ("/desk/health", stay),
    "desk, health examined": ("/desk/health", examine),
    "desk, data protection": ("/desk/privacy", stay),
    "desk, data protection with a mistake": ("/desk/privacy", save_nothing),
    "desk, erasing": ("/desk/privacy", ask_to_erase),
    "set-up, you": ("/desk/setup/you", stay),
    "set-up, you, mistakes": ("/desk/setup/you", set_up_wrongly),
    "set-up, hours": ("/desk/setup/hours", stay),
    "set-up, hours, mistakes": ("/desk/setup/hours", set_up_wrongly),
    "set-up, call": ("/desk/setup/call", stay),
    "set-up, call, mistakes": ("/desk/setup/call", set_up_wrongly),
    "set-up, calendar": ("/desk/setup/calendar", stay),
    "set-up, done": ("/desk/setup/done", stay),
    "desk, link": ("/desk/share", unfold),
    "desk, cards": ("/desk/share/card", stay),
    "desk, large card": ("/desk/share/card?large=yes", stay),
}
"""Name → path (with the places of Greta's desk) and what to do there."""

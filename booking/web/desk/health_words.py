"""What the doctor finds, in the owner's words: what it is about, how it is, and what to do, or whom to ask.

The doctor's own words are for the operator: folders, servers and other owners stand in them, and none of them here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from booking.calendars.probe import Trial
from booking.doctor import Finding
from booking.store.models import Calendar, Owner
from booking.usecases.availability import FRESH_FOR
from booking.web.context import LANGUAGE_NAMES, gettext, ngettext, now
from booking.web.desk import calendar_words
from booking.web.story import moment

NO_MAIL_SERVER: Final = "mail.files"


@dataclass(frozen=True)
class Item:
    """One thing that was looked at. ``endpoint`` leads to where the owner can do something about it."""

    kind: str
    title: str
    is_well: bool
    words: str
    advice: str = ""
    endpoint: str = ""


def worded(finding: Finding) -> Item:
    """Say a finding of the doctor in the owner's words."""
    area, _, case = finding.kind.partition(".")
    say = _AREAS[area]
    words, advice, endpoint = say(case, finding.facts)
    is_well = finding.is_well and finding.kind != NO_MAIL_SERVER
    return Item(finding.kind, _title(area, finding.facts), is_well, words, advice, endpoint)


def no_mail_item() -> Item:
    """Say that mails are written to files, which is well for the operator only."""
    return worded(Finding("mail", True, "", NO_MAIL_SERVER))


def calendar_item(row: Calendar, owner: Owner) -> Item:
    """Say how a calendar stands, as its last reading left it."""
    title = _title("calendar", {"calendar": row})
    if row.last_error:
        why = calendar_words.trouble(row.error_kind)
        return Item("calendar.wrong", title, False, why.what, why.advice, "desk.calendar_list")
    is_old = row.is_busy and row.paused_at is None and row.read_at is not None and now() - row.read_at > FRESH_FOR
    words = calendar_words.state(row, 0, owner)[0]
    too_old = gettext("That is too long ago: until it is read again, times are only noted.")
    if is_old:
        return Item("calendar.known", title, False, f"{words} {too_old}", _ask(), "desk.calendar_list")
    return Item("calendar.known", title, True, words)


def messages_item(stuck: int) -> Item:
    """Say whether messages are stuck."""
    title = gettext("Messages")
    if not stuck:
        return Item("messages.well", title, True, gettext("Nothing is stuck."))
    words = ngettext("%(num)s message could not be sent.", "%(num)s messages could not be sent.", stuck)
    return Item("messages.stuck", title, False, words, gettext("Try it again, or drop it."), "desk.messages")


def late_item(name: str, owner: Owner) -> Item:
    """Say that a look found nothing out in time."""
    area, _, number = name.partition(" ")
    row = next((row for row in owner.calendars if str(row.id) == number), None)
    words = gettext("There was no answer in time.")
    return Item(f"{area}.late", _title(area, {"calendar": row}), False, words, gettext("Look again later."))


def _title(area: str, facts: Mapping[str, Any]) -> str:
    if area in ("calendar", "event"):
        return gettext("Calendar: %(name)s.", name=calendar_words.name_of(facts["calendar"])).rstrip(".")
    titles = {
        "database": gettext("Database"),
        "disk": gettext("Room on the disk"),
        "language": gettext("Translations"),
        "translations": gettext("Translations"),
        "key": gettext("Secret key"),
        "secrets": gettext("Secret key"),
        "owner": gettext("Your page"),
        "worker": gettext("Work in the background"),
        "backup": gettext("Backup"),
        "mail": gettext("Mail server"),
        "clock": gettext("Clock"),
        "address": gettext("Address of your page"),
    }
    return titles[area]


Said = tuple[str, str, str]
"""What is the case, what to do about it, and where."""


def _ask() -> str:
    return gettext("Ask whoever runs this service to look after it.")


def _disk(case: str, _facts: Mapping[str, Any]) -> Said:
    words = {
        "full": gettext("The disk is full: nothing can be saved."),
        "shut": gettext("Nothing can be written to the disk."),
        "low": gettext("The disk is nearly full."),
        "well": gettext("There is enough room."),
    }
    return words[case], "" if case == "well" else _ask(), ""


def _database(case: str, _facts: Mapping[str, Any]) -> Said:
    words = {
        "silent": gettext("The database does not answer."),
        "other": gettext("The database is of another version than the program."),
        "well": gettext("The database answers."),
    }
    return words[case], "" if case == "well" else _ask(), ""


def _key(case: str, _facts: Mapping[str, Any]) -> Said:
    if case == "well":
        return gettext("It fits what is stored."), "", ""
    return gettext("It is another one than before: stored passwords of calendars can't be used."), _ask(), ""


def _owner(case: str, _facts: Mapping[str, Any]) -> Said:
    words: dict[str, Said] = {
        "no_call_types": (gettext("Nothing can be booked yet."), gettext("Add a call type."), "desk.settings"),
        "no_hours": (
            gettext("There are no business hours, so that no time is offered."),
            gettext("Enter your business hours."),
            "desk.availability",
        ),
        "no_calendar": (
            gettext("No calendar takes the calls."),
            gettext("Choose one that does."),
            "desk.calendar_list",
        ),
        "no_address": (
            gettext("Mails to you reach nobody: your mail address leads nowhere."),
            gettext("Enter another one."),
            "desk.account",
        ),
        "well": (gettext("Calls can be booked."), "", ""),
    }
    return words[case]


def _worker(case: str, facts: Mapping[str, Any]) -> Said:
    if case == "never":
        words = gettext("It has never run: no mail leaves, and no calendar is read.")
    elif case == "gone":
        words = gettext(
            "It has stood still since %(moment)s: no mail leaves, and no calendar is read.",
            moment=moment(facts["seen_at"]),
        )
    elif case == "behind":
        words = ngettext(
            "It is %(num)s minute behind: mails leave late.",
            "It is %(num)s minutes behind: mails leave late.",
            facts["minutes"],
        )
    else:
        return gettext("Mails leave and calendars are read on time."), "", ""
    return words, _ask(), ""


def _backup(case: str, facts: Mapping[str, Any]) -> Said:
    made_at = facts["made_at"]
    if made_at is None:
        words = gettext("There has never been one.") if case == "old" else gettext("There is none yet.")
    else:
        words = gettext("The last one was made on %(moment)s.", moment=moment(made_at))
    return words, gettext("Ask whoever runs this service for one.") if case == "old" else "", ""


def _mail(case: str, _facts: Mapping[str, Any]) -> Said:
    if case == "stuck":
        return gettext("Mails can't leave at the moment. They wait and are tried again."), _ask(), ""
    if case == "files":
        words = gettext("No mail server is set up: mails reach nobody. What they say stands under Messages.")
        return words, gettext("Ask whoever runs this service to set one up."), "desk.messages"
    return gettext("The mail server takes mails."), "", ""


def _clock(case: str, _facts: Mapping[str, Any]) -> Said:
    if case == "well":
        return gettext("It agrees with the clocks of others."), "", ""
    words = gettext("It is off by more than two minutes: reminders come at the wrong time.")
    return words, _ask(), ""


def _address(case: str, _facts: Mapping[str, Any]) -> Said:
    if case == "well":
        return gettext("Clients reach your page by its address."), "", ""
    return gettext("It is not certain that clients reach your page by its address."), _ask(), ""


def _language(case: str, facts: Mapping[str, Any]) -> Said:
    name = LANGUAGE_NAMES[facts["language"]]
    if case == "well":
        return gettext("%(language)s is complete.", language=name), "", ""
    return gettext("%(language)s is not complete: some sentences are in English.", language=name), _ask(), ""


def _calendar(case: str, facts: Mapping[str, Any]) -> Said:
    row: Calendar = facts["calendar"]
    trial: Trial | None = facts.get("trial")
    if case == "paused":
        return gettext("Paused: it is not read, and nothing that stands in it blocks."), "", "desk.calendar_list"
    if trial is not None:
        return calendar_words.trial(trial, writes=row.takes_calls), "", "desk.calendar_list"
    words = gettext("Its stored password can't be used any more.")
    return words, gettext("Enter the password again."), "desk.calendar_list"


def _event(_case: str, _facts: Mapping[str, Any]) -> Said:
    words = gettext("An entry can't be understood, so that its time is kept free of calls.")
    return words, gettext("Open it in your calendar program and save it again."), "desk.calendar_list"


_AREAS = {
    "disk": _disk,
    "database": _database,
    "key": _key,
    "owner": _owner,
    "worker": _worker,
    "backup": _backup,
    "mail": _mail,
    "clock": _clock,
    "address": _address,
    "language": _language,
    "calendar": _calendar,
    "event": _event,
}

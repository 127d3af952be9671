"""What the desk says of calendars: how they stand, what is wrong and what to do, what providers ask for.

The calendars' own messages are for the operator, in English; here every case is said to the owner, in any language.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from booking.calendars.probe import Step, Trial
from booking.store.models import Calendar, Owner
from booking.web.context import gettext, ngettext, now, reader


@dataclass(frozen=True)
class Trouble:
    """What is wrong, and what the owner can do."""

    what: str
    advice: str


def trouble(error_kind: str) -> Trouble:
    """Say what an error of a calendar means, by the name of its class."""
    words = {
        "AuthRefused": Trouble(
            gettext("Its server refuses the name or the password."),
            gettext("Check whether the password was changed or withdrawn."),
        ),
        "CalendarGone": Trouble(
            gettext("There is no calendar at its address."),
            gettext("Check whether the calendar was deleted or has another address now."),
        ),
        "Refused": Trouble(
            gettext("Its address must not be asked from here."),
            gettext(
                "Only addresses on the public internet that begin with https:// are asked. A server in your own network"
                " has to be allowed by whoever runs this service (CALDAV_ALLOW)."
            ),
        ),
        "Busy": Trouble(
            gettext("Other calendars are being asked at the moment."),
            gettext("Press the button again in a few seconds."),
        ),
    }
    usual = Trouble(
        gettext("Its server does not answer as it should."),
        gettext("Check whether its server runs and can be reached."),
    )
    return words.get(error_kind, usual)


def hint(provider: str) -> str:
    """Say what a provider asks for besides the usual; empty where nothing is known."""
    words = {
        "icloud": gettext(
            "iCloud takes no Apple Account password here. Make an app-specific password at account.apple.com,"
            " under Sign-In and Security."
        ),
        "fastmail": gettext(
            "Fastmail needs an app password: Settings, Privacy & Security, Manage app passwords, access to calendars."
        ),
        "nextcloud": gettext(
            "With Nextcloud, make an app password: Personal settings, Security, Devices & sessions."
            " With a code besides the password nothing else works. The name is your user name there."
        ),
        "mailbox": gettext(
            "With mailbox.org, the name is your mail address. With a code besides the password,"
            " make an app password for calendars in the settings."
        ),
        "posteo": gettext(
            "With Posteo, name and password are those of your mailbox. With additional mailbox protection,"
            " make an app password in the settings."
        ),
        "gmx": gettext(
            "With GMX, name and password are those of your mailbox. With a code besides the password,"
            " make an app password in your account under Security."
        ),
        "webde": gettext(
            "With WEB.DE, name and password are those of your mailbox. With a code besides the password,"
            " make an app password in your account under Security."
        ),
        "google": gettext(
            "Google does not let calendars be read by address and password. Use a calendar of this service"
            " or of another provider for the calls."
        ),
        "microsoft": gettext(
            "Microsoft does not let calendars be read by address and password. Use a calendar of this service"
            " or of another provider for the calls."
        ),
    }
    return words.get(provider, "")


def where(calendar: Calendar) -> str:
    """Say where a calendar is, and whose."""
    if calendar.kind == "embedded":
        return gettext("kept by this service")
    host = urlsplit(calendar.url).hostname or calendar.url
    return gettext("on %(host)s, as %(name)s", host=host, name=calendar.username) if calendar.username else host


def uses(calendar: Calendar) -> str:
    """Say what a calendar is for; of a paused one, :func:`state` says enough."""
    if calendar.paused_at is not None:
        return ""
    if calendar.takes_calls:
        if calendar.is_busy:
            return gettext("Takes the calls; what stands in it blocks.")
        return gettext("Takes the calls; what stands in it does not block.")
    return gettext("What stands in it blocks.") if calendar.is_busy else gettext("Not used for anything.")


def state(calendar: Calendar, count: int, owner: Owner) -> list[str]:
    """Say how a calendar stands, in whole sentences."""
    if calendar.paused_at is not None:
        said = [gettext("Paused: it is not read, and nothing that stands in it blocks.")]
        if calendar.takes_calls:
            said.append(gettext("Calls are still entered there."))
        return said
    if not calendar.is_busy:
        return [gettext("It is not read, since nothing in it blocks.")]
    if calendar.read_at is None:
        said = [] if calendar.last_error else [gettext("It is being read for the first time; that takes a minute.")]
        return [*said, gettext("Until then, clients' times are noted, and confirmed afterwards.")]
    counted = ngettext("%(num)s entry.", "%(num)s entries.", count)
    return [_read(calendar.read_at, owner), counted, _next(calendar.next_read_at, owner)]


def summary(owner: Owner) -> str:
    """Say in a line how the owner's calendars stand."""
    if not owner.calendars:
        return gettext("No calendar yet: nothing blocks, and calls are entered nowhere.")
    if any(calendar.last_error for calendar in owner.calendars):
        return gettext("A calendar can't be read.")
    taking = next((calendar for calendar in owner.calendars if calendar.takes_calls), None)
    if taking is None:
        return gettext("No calendar takes the calls.")
    name = name_of(taking)
    count = len(owner.calendars)
    return ngettext(
        "%(num)s calendar; %(name)s takes the calls.", "%(num)s calendars; %(name)s takes the calls.", count, name=name
    )


def name_of(calendar: Calendar) -> str:
    """Return what to call a calendar."""
    return calendar.name or where(calendar)


def trial(result: Trial, *, writes: bool) -> str:
    """Say what came of trying a calendar out."""
    if result.failed is None:
        if writes:
            return gettext("All is well: the calendar was read, a test entry was written, read back and removed.")
        return ngettext(
            "All is well: %(num)s entry was read.", "All is well: %(num)s entries were read.", result.objects
        )
    words = {
        Step.READ: gettext("The calendar can't be read."),
        Step.WRITE: gettext("The calendar can be read, but nothing can be written there: calls would not be entered."),
        Step.READ_BACK: gettext("A test entry was written, but it can't be read back as it was written."),
        Step.REMOVE: gettext("A test entry was written and read back, but it can't be removed."),
    }
    said = [words[result.failed]]
    if result.failed is Step.READ:
        why = trouble(type(result.error).__name__)
        said += [why.what, why.advice]
    elif result.failed is Step.WRITE:
        said.append(gettext("Give this name the right to write, or let another calendar take the calls."))
    if result.left:
        said.append(gettext("If an entry of 1 January 2000 stands there, remove it yourself."))
    return " ".join(said)


def _read(moment: datetime, owner: Owner) -> str:
    zone = ZoneInfo(owner.timezone)
    time = reader().time(moment, zone)
    if moment.astimezone(zone).date() == now().astimezone(zone).date():
        return gettext("Last read at %(time)s.", time=time)
    return gettext("Last read on %(day)s, at %(time)s.", day=reader().short_day(moment, zone), time=time)


def _next(moment: datetime | None, owner: Owner) -> str:
    if moment is None or moment <= now():
        return gettext("It is read again right now.")
    return gettext("Next reading at %(time)s.", time=reader().time(moment, ZoneInfo(owner.timezone)))

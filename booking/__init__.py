"""Sprechzeit: phone calls that are planned, not sprung on people who work alone.

The house, top floor first; a file imports only from floors below its own:

    start.py      ./start: makes an installation ready and runs its processes; demo.py is its lively example
    app.py        the only wiring: settings and services become a Flask app
    cli/          the operator's commands; backup.py is one that is long
    web/          HTTP: the public pages, the client's link, the JSON API; web/desk/ is the owner's private area
    embedded.py   the CalDAV server that comes along; children.py and machine.py help ./start too
    doctor/       looks at everything, for the operator and for the desk
    worker.py     the clock: does what waits in the outbox (jobs.py says how), reads the calendars
    services.py   everything that comes from outside, as one frozen value
    usecases/     decisions: what can be booked, booking, moving, cancelling, who hears what, who comes in
    mail/         facts become messages; messages leave
    calendars/    CalDAV: reading busy periods, placing our events
    store/        the database and the outbox
    rules/        pure: periods, hours, slots, phone numbers, states
    language.py   sentences and dates for one reader; signing.py: links that nobody can forge
    settings.py   the environment, checked
    errors.py     what can go wrong, named
"""

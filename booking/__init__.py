"""Sprechzeit: phone calls that are planned, not sprung on people who work alone.

The house, top floor first; a file imports only from floors below its own:

    app.py        the only wiring: settings and services become a Flask app
    cli.py        the operator's commands
    web/          HTTP: the public pages, the client's link, the JSON API
    worker.py     the clock: sends what waits in the outbox, reads the calendars
    services.py   everything that comes from outside, as one frozen value
    usecases/     decisions: what can be booked, booking, cancelling, who hears what
    mail/         facts become messages; messages leave
    calendars/    CalDAV: reading busy periods, placing our events
    store/        the database and the outbox
    rules/        pure: periods, hours, slots, phone numbers, states
    settings.py   the environment, checked
    errors.py     what can go wrong, named
"""

"""The owner's calendars: reading what is busy, placing our own events. Nothing here knows the database or the web."""

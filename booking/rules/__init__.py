"""Pure rules: no clock, no chance, no I/O. Everything they need comes in as values."""

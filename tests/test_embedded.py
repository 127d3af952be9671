"""The embedded calendar's files; that it runs is seen in test_start.py."""

import socket
from dataclasses import replace

import pytest
from passlib.hash import sha256_crypt

from booking import embedded
from booking.errors import SettingsError
from booking.settings import Settings


def test_the_neighbour_of_the_web_servers_port_is_chosen_and_kept(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
    assert embedded.settle_port(replace(settings, port=free - 1)) == free
    assert (settings.radicale_dir / "port").read_text() == f"{free}\n"
    assert embedded.settle_port(replace(settings, port=9, embedded_calendar_port=free)) == free


def test_another_port_is_chosen_where_the_neighbour_is_taken(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        assert embedded.settle_port(replace(settings, port=taken - 1)) != taken


def test_the_last_port_of_all_has_no_neighbour(settings: Settings) -> None:
    assert 0 < embedded.settle_port(replace(settings, port=65535)) < 65536


def test_the_users_file_holds_hashes_that_only_we_can_read(settings: Settings) -> None:
    embedded.write_users(settings, [("anna", "a password"), ("ben", "another")])
    file = settings.radicale_dir / "users"
    name, _, hashed = file.read_text().splitlines()[0].partition(":")
    assert name == "anna"
    assert sha256_crypt.verify("a password", hashed)
    assert file.stat().st_mode & 0o777 == 0o600


def test_without_a_port_there_is_no_configuration(settings: Settings) -> None:
    with pytest.raises(SettingsError):
        embedded.write_config(settings)

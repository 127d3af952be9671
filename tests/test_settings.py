"""The environment is checked at start; every bad variable is named at once."""

import stat
from pathlib import Path

import pytest

from booking.errors import SettingsError
from booking.settings import Settings
from tests.conftest import KEY


def read(tmp_path: Path, **env: str) -> Settings:
    return Settings.from_env({"DATA_DIR": str(tmp_path / "data"), **env})


def test_everything_has_a_default(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.database_url == f"sqlite:///{tmp_path}/data/sprechzeit.db"
    assert (settings.embedded_calendar_port, settings.embedded_calendar_url) == (None, None)
    assert not settings.is_https


def test_the_secret_key_is_made_once_and_only_the_owner_can_read_it(tmp_path: Path) -> None:
    first = read(tmp_path)
    path = tmp_path / "data" / "secret_key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]
    assert read(tmp_path).secret_keys == first.secret_keys


def test_keys_never_show_in_a_log(tmp_path: Path) -> None:
    settings = read(tmp_path, SECRET_KEY=KEY, SMTP_URL="smtp://u:hush@mail.example.org:587")
    assert KEY not in repr(settings)
    assert "hush" not in repr(settings)


def test_several_keys_rotate(tmp_path: Path) -> None:
    other = KEY[::-1]
    assert read(tmp_path, SECRET_KEY=f"{other}, {KEY}").secret_keys == (other, KEY)


def test_every_bad_variable_is_named_at_once(tmp_path: Path) -> None:
    bad = {
        "PORT": "99999",
        "BASE_URL": "calls.example.org",
        "SECRET_KEY": "short",
        "SMTP_URL": "mail.example.org",
        "MAIL_FROM": "Anna <anna@example.org>",
        "TRUSTED_PROXIES": "-1",
        "CALDAV_ALLOW": "10.0.0.0/99",
        "EMBEDDED_CALENDAR": "maybe",
        "RATE_LIMIT_STORAGE": "file:///tmp/x",
        "RATE_LIMITS": "some",
        "LOG_LEVEL": "LOUD",
        "DATABASE_URL": "mysql://x/y",
    }
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, **bad)
    assert [line.partition(":")[0] for line in sorted(str(refused.value).splitlines())] == sorted(bad)


@pytest.mark.parametrize("key", ["changeme" * 5, "a" * 64, "x" * 31, "0123456789abcdef0123456789abcdef"])
def test_short_and_sample_keys_are_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        read(tmp_path, SECRET_KEY=key)


def test_a_database_of_its_own_needs_a_key_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="must be given where DATABASE_URL is"):
        read(tmp_path, DATABASE_URL="postgresql://u:p@db/x")
    settings = read(tmp_path, DATABASE_URL="postgres://u:p@db/x", SECRET_KEY=KEY)
    assert settings.database_url == "postgresql+psycopg://u:p@db/x"
    assert read(tmp_path, DATABASE_URL="sqlite:////tmp/x.db", SECRET_KEY=KEY).database_url == "sqlite:////tmp/x.db"


def test_a_data_folder_that_can_t_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    with pytest.raises(SettingsError, match="DATA_DIR"):
        read(tmp_path)


def test_a_key_file_that_can_t_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "data" / "secret_key").mkdir(parents=True)
    with pytest.raises(SettingsError, match="can't be read"):
        read(tmp_path)


def test_an_smtp_port_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SMTP_URL"):
        read(tmp_path, SMTP_URL="smtp://mail.example.org:many")


def test_the_embedded_calendar_is_where_its_port_was_noted(tmp_path: Path) -> None:
    (tmp_path / "data" / "radicale").mkdir(parents=True)
    (tmp_path / "data" / "radicale" / "port").write_text("8123\n")
    assert read(tmp_path).embedded_calendar_url == "http://127.0.0.1:8123"
    assert read(tmp_path, EMBEDDED_CALENDAR="off").embedded_calendar_url is None


def test_names_and_networks_may_be_allowed(tmp_path: Path) -> None:
    assert read(tmp_path, CALDAV_ALLOW="nas.lan, 192.168.1.0/24").caldav_allow == ("nas.lan", "192.168.1.0/24")

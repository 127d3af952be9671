"""The shell part of ``./start``, with interpreters that pretend: what is missing is one clear sentence."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOLS = ("sh", "dirname", "cat", "cksum")

FAKE_PYTHON = """#!/bin/sh
# Pretends to be Python {version}; writes down what it is asked for.
echo "$*" >>"{log}"
case "$*" in
    *version_info*"<"*) exit {is_old} ;;
    *"%d.%d"*) echo {version} ;;
    *"import ensurepip"*) exit {lacks_venv} ;;
    *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
    *"-m pip"*) exit {pip_fails} ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A folder with ``start`` in it, and a PATH with nothing but what we put there."""

    folder: Path

    def has_python(self, name: str, version: str, *, lacks_venv: bool = False, pip_fails: bool = False) -> None:
        script = FAKE_PYTHON.format(
            version=version,
            log=self.folder / "asked",
            is_old=int(tuple(map(int, version.split("."))) < (3, 11)),
            lacks_venv=int(lacks_venv),
            pip_fails=int(pip_fails),
        )
        path = self.folder / "bin" / name
        path.write_text(script)
        path.chmod(0o755)

    def start(self, *arguments: str, user: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "project" / "start"), *arguments],
            env={"PATH": str(self.folder / "bin")},
            user=user,
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )

    @property
    def asked(self) -> str:
        return (self.folder / "asked").read_text()


@pytest.fixture
def machine() -> Iterator[Machine]:
    """A machine without Python, in a folder that other users can enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bin").mkdir()
        (folder / "project").mkdir()
        for tool in (*TOOLS, "mkdir", "cp"):
            (folder / "bin" / tool).symlink_to(str(shutil.which(tool)))
        shutil.copy(ROOT / "start", folder / "project" / "start")
        (folder / "project" / "requirements.txt").write_text("flask==3\n")
        for path in (folder, folder / "bin", folder / "project"):
            path.chmod(0o755)
        yield Machine(folder)


def sentence(ran: subprocess.CompletedProcess[str]) -> str:
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1, ran.stderr
    return ran.stderr


def test_without_python_it_says_which_one_to_install(machine: Machine) -> None:
    assert sentence(machine.start()) == "Python is missing: install Python 3.11 or newer.\n"


def test_an_old_python_is_named(machine: Machine) -> None:
    machine.has_python("python3", "3.9")
    assert "Python 3.11 or newer is needed, but python3 here is 3.9" in sentence(machine.start())


def test_a_newer_python_beside_an_old_one_is_found(machine: Machine) -> None:
    machine.has_python("python3", "3.9")
    machine.has_python("python3.12", "3.12")
    assert machine.start().returncode == 0
    assert "-m booking.start" in machine.asked


def test_a_missing_venv_module_is_named_with_its_cure(machine: Machine) -> None:
    machine.has_python("python3", "3.11", lacks_venv=True)
    assert "Python's venv module is missing" in sentence(machine.start())


def test_a_read_only_folder_is_named(machine: Machine) -> None:
    machine.has_python("python3", "3.11")
    (machine.folder / "asked").touch()
    (machine.folder / "asked").chmod(0o666)
    (machine.folder / "project").chmod(0o555)
    is_root = os.getuid() == 0  # root may write everywhere, so somebody else has to try
    said = sentence(machine.start(user=pwd.getpwnam("nobody").pw_name if is_root else None))
    assert f"The folder {machine.folder / 'project'} is read-only" in said


def test_packages_that_can_not_be_installed_are_tried_again_next_time(machine: Machine) -> None:
    machine.has_python("python3", "3.11", pip_fails=True)
    assert "The packages could not be installed" in machine.start().stderr
    machine.start()
    assert machine.asked.count("-m pip") == 2
    assert "booking.start" not in machine.asked


def test_packages_are_installed_only_when_the_list_has_changed(machine: Machine) -> None:
    machine.has_python("python3", "3.11")
    machine.start()
    machine.start()
    assert machine.asked.count("-m pip") == 1
    (machine.folder / "project" / "requirements.txt").write_text("flask==4\n")
    machine.start()
    assert machine.asked.count("-m pip") == 2


def test_a_virtual_environment_whose_python_is_gone_is_made_again(machine: Machine) -> None:
    machine.has_python("python3", "3.11")
    machine.start()
    python = machine.folder / "project" / ".venv" / "bin" / "python"
    python.unlink()
    machine.start()
    assert machine.asked.count("-m venv") == 2
    assert machine.asked.count("-m booking.start") == 2


def test_arguments_reach_the_supervisor(machine: Machine) -> None:
    machine.has_python("python3", "3.11")
    machine.start("--demo")
    assert "-m booking.start --demo" in machine.asked


def test_install_stops_before_anything_runs(machine: Machine) -> None:
    machine.has_python("python3", "3.11")
    assert machine.start("--install").returncode == 0
    assert "booking.start" not in machine.asked

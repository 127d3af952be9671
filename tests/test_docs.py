"""What is documented exists, and what exists is documented."""

import ast
import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import click
import pytest
from flask import Flask

from booking import cli, settings
from booking.usecases import keyvalue

ROOT = Path(__file__).parents[1]
README, OPERATING = ROOT / "README.md", ROOT / "docs" / "operating.md"
READERS = {"_text", "_number", "_choice"}
"""The methods by which settings.py reads a variable; its name comes first."""
EVERYWHERE = {"--json", "--help"}
"""Options of every command, documented once."""


def section(title: str) -> str:
    """Return what stands under a heading of docs/operating.md, without what stands under further ones."""
    _, *after = re.split(rf"^##+ {re.escape(title)}\n", OPERATING.read_text(), maxsplit=1, flags=re.MULTILINE)
    assert after, f"there is no section {title}"
    return re.split(r"^##", after[0], maxsplit=1, flags=re.MULTILINE)[0]


def rows(title: str) -> list[list[str]]:
    """Return the cells of a section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]


def quoted(text: str) -> list[str]:
    return [word.replace("\\|", "|") for word in re.findall(r"`([^`]+)`", text)]


def test_every_variable_that_is_read_is_documented_and_no_other() -> None:
    read = {
        node.args[0].value
        for node in ast.walk(ast.parse(Path(settings.__file__).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in READERS
        and isinstance(node.args[0], ast.Constant)
    }
    assert len(read) >= 10
    assert {name for row in rows("Environment") for name in quoted(row[0])} == read


@pytest.mark.parametrize(
    ("title", "keys"),
    [
        ("Settings of owners", set(keyvalue.owner_keys("DE"))),
        ("Settings of call types", set(keyvalue.call_type_keys())),
    ],
)
def test_every_key_that_can_be_set_is_documented_and_no_other(title: str, keys: set[str]) -> None:
    assert {key for row in rows(title) for key in quoted(row[0])} == keys


@cache
def commands() -> dict[str, click.Command]:
    """Return Sprechzeit's own commands by the words that call them."""
    app = Flask("booking")
    before = set(app.cli.commands)
    cli.init_app(app)
    own = {name: command for name, command in app.cli.commands.items() if name not in before}
    return dict(_leaves(own, ()))


def _leaves(found: Mapping[str, click.Command], above: tuple[str, ...]) -> Iterator[tuple[str, click.Command]]:
    for name, command in found.items():
        if isinstance(command, click.Group):
            yield from _leaves(command.commands, (*above, name))
        else:
            yield " ".join((*above, name)), command


def options(command: click.Command) -> set[str]:
    params = [param for param in command.params if isinstance(param, click.Option)]
    return {name for param in params for name in (*param.opts, *param.secondary_opts)} - EVERYWHERE


def documented() -> dict[str, list[str]]:
    """Return the rows of the table of commands by the command's words: ``name ARGUMENT``, options, what it does."""
    found = {}
    for row in rows("Commands"):
        (usage,) = quoted(row[0])
        words = [word for word in usage.split() if re.fullmatch(r"[a-z][a-z-]*", word)]
        found[" ".join(words)] = row
    return found


def test_every_command_is_documented_and_no_other() -> None:
    assert set(documented()) == set(commands())
    assert all(len(row) == 3 and row[2] for row in documented().values())


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_of_a_command_is_documented_and_no_other(name: str) -> None:
    words = {word for text in quoted(documented()[name][1]) for word in re.findall(r"--[a-z-]+", text)}
    assert words == options(commands()[name])


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_argument_of_a_command_is_documented(name: str) -> None:
    (usage,) = quoted(documented()[name][0])
    params = [param for param in commands()[name].params if isinstance(param, click.Argument)]
    said = usage.removeprefix(name).replace("[", "").replace("]", "").split()
    assert said == [param.make_metavar(click.Context(commands()[name])).strip("[]") for param in params]


@cache
def examples() -> list[tuple[str, str]]:
    """Return every command line that the documents or our own messages tell somebody to run: where, and what."""
    found = []
    for path in (README, OPERATING, *sorted((ROOT / "docs").glob("*.md"))):
        for line in path.read_text().replace("\\\n", " ").splitlines():
            match = re.search(r"(?:^sz|flask --app wsgi) ([a-z][^`\n]*)", line)
            if match:
                found.append((path.name, match.group(1).split("  ")[0].strip()))
    for path in sorted((ROOT / "booking").rglob("*.py")):
        for text in re.findall(r"flask --app wsgi ([a-z][a-z -]*)", path.read_text()):
            found.append((path.name, text.strip()))
    return sorted(set(found))


def test_there_are_examples() -> None:
    assert len(examples()) > 15


@pytest.mark.parametrize(("where", "line"), examples())
def test_a_command_that_is_shown_exists_with_its_options(where: str, line: str) -> None:
    words = shlex.split(line.replace("$(date +%F)", "today").replace("'", ""), comments=True)
    name = next((" ".join(words[:size]) for size in (2, 1) if " ".join(words[:size]) in commands()), "")
    assert name, f"{where}: there is no command {line!r}"
    shown = {word for word in words if re.fullmatch(r"--[a-z-]+", word)} - EVERYWHERE
    assert shown <= options(commands()[name])


@pytest.mark.parametrize("document", [README, *sorted((ROOT / "docs").glob("*.md"))], ids=lambda path: path.name)
def test_every_link_inside_leads_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (document.parent / path) if path else document
        assert there.is_file(), f"{target} is not there"
        assert not anchor or anchor in anchors(there), f"{target} has no such heading"


def anchors(document: Path) -> set[str]:
    """Return how the headings of a document are linked to."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", [README, OPERATING], ids=lambda path: path.name)
def test_every_file_of_ours_that_is_named_exists(document: Path) -> None:
    tops = "booking|docs|templates|static|tests|benchmarks"
    named = re.findall(rf"`((?:\./)?(?:{tops})/[\w./-]+|[\w-]+\.(?:md|txt|toml|py))`", document.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []

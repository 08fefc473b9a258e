"""docs/security.md names tests that exist, and an item of ASVS has a test or a written exception."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
#: the items of ASVS 5.0 that fit a server of capability links
ITEMS = [
    "1.2.10",
    "1.3.6",
    "1.3.7",
    "2.3.3",
    "2.3.4",
    "2.4.1",
    "3.3.1",
    "3.4.1",
    "3.4.3",
    "3.4.5",
    "3.5.1",
    "3.5.4",
    "4.1.1",
    "6.1.1",
    "6.3.1",
    "6.5.2",
    "6.6.3",
    "7.2.3",
    "7.4.1",
    "8.2.2",
    "9.1.1",
    "9.1.2",
    "9.2.1",
    "9.2.2",
    "11.2.2",
    "11.2.4",
    "11.4.2",
    "11.5.1",
    "13.3.1",
    "13.4.5",
    "14.2.1",
    "14.2.2",
    "14.2.5",
    "14.3.2",
    "15.3.2",
    "15.3.4",
    "16.2.5",
    "16.3.2",
    "16.4.1",
    "16.5.1",
]


def rows() -> list[list[str]]:
    table = PAGE.partition("## ASVS 5.0")[2]
    lines = [line for line in table.splitlines() if re.match(r"\| \d", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_item_has_its_row_and_every_row_a_test_or_an_exception() -> None:
    found = [item for row in rows() for item in row[0].split(", ")]
    assert sorted(set(ITEMS) - set(found)) == []
    assert len(found) == len(set(found))
    bare = [row[0] for row in rows() if "::test_" not in row[2] and "exception" not in row[2]]
    assert bare == []


def test_the_table_is_read_at_all() -> None:
    assert len(rows()) > 30
    assert len(NAMED) > 40

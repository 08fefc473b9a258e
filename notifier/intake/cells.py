"""Cells that a spreadsheet would run as a formula, on their way in and out (OWASP, "CSV Injection"; ASVS 5.0 1.2.10).

What goes out bears an apostrophe before its sign, which every spreadsheet takes for "this is text". What comes in with
one is read without it, so that a file of ours says the same when it comes back.
"""

from __future__ import annotations

from notifier.core.csv_cells import SIGNS

_MARK = "'"
_ENDS = ("\0", *SIGNS)  # a NUL hides what follows it


def begins_formula(cell: str) -> bool:
    """Whether a spreadsheet would run the cell."""
    return cell.lstrip(" ").startswith(SIGNS)


def harmless(cell: str) -> str:
    """The cell as it may be put into a file for a spreadsheet. A number +62812... stays readable: '+62812..."""
    return _MARK + cell if cell.lstrip(" ").startswith(_ENDS) else cell


def without_mark(cell: str) -> str:
    """The cell without the apostrophe that makes text of it; one before a letter belongs to a name ('Aisyah)."""
    rest = cell[1:]
    if cell.startswith(_MARK) and (begins_formula(rest) or rest[:1].isdigit()):
        return rest
    return cell

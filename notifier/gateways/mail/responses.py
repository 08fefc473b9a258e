"""An IMAP server's FETCH answers: as trees of bytes, and BODYSTRUCTURE as a flat list of parts (RFC 9051, 7.5.2).

Whoever writes a letter decides what its structure looks like, so everything here has an end: so many words, so deep,
so many parts. What goes beyond is Unreadable, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from notifier.gateways.mail import Part

_MOST_WORDS, _DEEPEST, _MOST_PARTS = 20_000, 60, 200
#: a quoted string, a bracket, or an atom; what stands in square brackets is part of its atom
_WORD = re.compile(
    rb'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<mark>[()])|(?P<atom>(?:[^\s()"\[]|\[[^\]]*\])+))', re.DOTALL
)
_LITERAL = re.compile(rb"~?\{\d+\+?\}$")
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
Tree = list[Any]

# where the fields of a part that is no multipart stand
_PARAMETERS, _ENCODING, _SIZE = 2, 5, 6
_FIELDS, _MORE_OF_TEXT, _MORE_OF_LETTERS = 7, 1, 3


class Unreadable(Exception):
    """The server's words cannot be read, or there are too many of them."""


def read_tree(pieces: Iterable[bytes | tuple[bytes, bytes]]) -> Tree:
    """imaplib's pieces of an answer as one tree: lists of bytes, None for NIL. Raises Unreadable."""
    stack: list[Tree] = [[]]
    for number, (is_mark, word) in enumerate(_words(pieces)):
        if number > _MOST_WORDS or len(stack) > _DEEPEST:
            raise Unreadable("too many words, or too deep")
        if not is_mark:
            stack[-1].append(word)
        elif word == b"(":
            stack.append([])
        elif len(stack) == 1:
            raise Unreadable("closed too often")
        else:
            done = stack.pop()
            stack[-1].append(done)
    if len(stack) != 1:
        raise Unreadable("not closed")
    return stack[0]


def _words(pieces: Iterable[bytes | tuple[bytes, bytes]]) -> Iterator[tuple[bool, bytes | None]]:
    """(whether it is a bracket, the word); a literal is a word, whatever it holds."""
    for piece in pieces:
        line, literal = piece if isinstance(piece, tuple) else (piece, None)
        yield from _line_words(_LITERAL.sub(b"", line) if literal is not None else line)
        if literal is not None:
            yield False, literal


def _line_words(line: bytes) -> Iterator[tuple[bool, bytes | None]]:
    place, end = 0, len(line.rstrip())
    while place < end:
        found = _WORD.match(line, place)
        if found is None:
            raise Unreadable("no word")
        place = found.end()
        if (quoted := found["quoted"]) is not None:
            yield False, _ESCAPED.sub(rb"\1", quoted[1:-1])
        elif (atom := found["atom"]) is not None:
            yield False, None if atom.upper() == b"NIL" else atom
        else:
            yield True, found["mark"]


def answers(tree: Tree, uid: int) -> dict[str, Any]:
    """The items that an answer tells of one letter, by their upper-case names. {} where it tells of others alone."""
    found: dict[str, Any] = {}
    for items in tree:
        if not isinstance(items, list):
            continue
        pairs = {_name(name): value for name, value in zip(items[::2], items[1::2], strict=False)}
        if pairs.get("UID") == str(uid).encode():
            found |= pairs
    return found


def _name(word: Any) -> str:
    """`BODY[1.1]<0>` is `BODY[1.1]`."""
    return word.decode("ascii", "replace").upper().partition("<")[0] if isinstance(word, bytes) else ""


def parts_of(structure: Any) -> list[Part]:
    """The parts that hold something themselves, in their order; what a forwarded letter holds is not gone into.

    Raises Unreadable.
    """
    found: list[Part] = []
    try:
        _collect(structure, "", found)
    except (IndexError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable("no structure") from error
    return found


def _collect(body: Any, section: str, found: list[Part]) -> None:
    if len(found) >= _MOST_PARTS:
        raise Unreadable("too many parts")
    if not isinstance(body, list) or not body:
        raise Unreadable("no structure")
    if isinstance(body[0], list):
        for number, child in enumerate((one for one in body if isinstance(one, list)), start=1):
            if not _is_body(child):
                break  # what follows are parameters of the multipart
            _collect(child, f"{section}.{number}" if section else str(number), found)
        return
    found.append(_part(body, section or "1"))


def _is_body(child: Any) -> bool:
    """A multipart's own parameters are flat; a body begins with a list, or has the seven fields of one."""
    return isinstance(child, list) and bool(child) and (isinstance(child[0], list) or len(child) >= _FIELDS)


def _part(body: Tree, section: str) -> Part:
    main, sub = _plain(body[0]), _plain(body[1])
    kind = f"{main}/{sub}"
    parameters = _parameters(body[_PARAMETERS])
    more = _MORE_OF_TEXT if main == "text" else _MORE_OF_LETTERS if kind == "message/rfc822" else 0
    after = body[_FIELDS + more :]  # MD5, disposition, language, location
    disposition = after[1] if len(after) > 1 and isinstance(after[1], list) else []
    named = _parameters(disposition[1]) if len(disposition) > 1 else {}
    return Part(
        section=section,
        kind=kind,
        charset=parameters.get("charset"),
        encoding=_plain(body[_ENCODING]),
        size=int(_plain(body[_SIZE]) or 0),
        is_attached=bool(disposition and _plain(disposition[0]) == "attachment")
        or any(name.startswith(("filename", "name")) for name in parameters.keys() | named.keys()),
    )


def _parameters(words: Any) -> dict[str, str]:
    if not isinstance(words, list):
        return {}
    return {_plain(name): _plain(value) for name, value in zip(words[::2], words[1::2], strict=False)}


def _plain(word: Any) -> str:
    return word.decode("ascii", "replace").strip().lower()[:200] if isinstance(word, bytes) else ""

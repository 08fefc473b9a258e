"""JSON as RFC 8259 means it: UTF-8, each key once, no NaN, not endlessly deep, not endlessly long."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from notifier.core.errors import BadInput, Problem

#: the field of a problem with the text itself
BODY = "body"
#: far deeper than any FHIR resource, far shallower than the interpreter's own limit
MAX_DEPTH = 100


class _Refusal(Exception):
    def __init__(self, rule: str, detail: str) -> None:
        self.problem = Problem(BODY, rule, detail)
        super().__init__(rule)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Refusal("duplicate-key", "write each key of an object once")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise _Refusal("json-constant", "NaN and Infinity are not JSON; write null")


def _too_deep(value: object) -> bool:
    layer = [value]
    for _ in range(MAX_DEPTH):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not layer:
            return False
    return True


def _parse(body: bytes) -> tuple[Any, Problem | None]:
    # The library's own errors hold the whole text, so none of them may become the cause of ours.
    try:
        text = body.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_no_twins, parse_constant=_no_constant), None
    except UnicodeDecodeError as error:
        return None, Problem(BODY, "encoding", f"write UTF-8; byte {error.start + 1} is not")
    except json.JSONDecodeError as error:
        return None, Problem(BODY, "json", f"this is not JSON from line {error.lineno}, column {error.colno} on")
    except RecursionError:
        return None, Problem(BODY, "too-deep", f"nest at most {MAX_DEPTH} levels")
    except _Refusal as error:
        return None, error.problem
    except ValueError:
        return None, Problem(BODY, "json-number", "a number has too many digits")


def read_json(body: bytes, *, limit: int) -> Any:
    """The value of a JSON text of at most `limit` bytes. Raises BadInput with one Problem on `body`:
    `too-large`, `encoding`, `json`, `too-deep`, `duplicate-key`, `json-constant` or `json-number`."""
    if len(body) > limit:
        raise BadInput.of(BODY, "too-large", f"send at most {limit} bytes")
    value, problem = _parse(body)
    # a quick look first: whoever opens fewer brackets than that cannot nest as deep
    if problem is None and body.count(b"[") + body.count(b"{") > MAX_DEPTH and _too_deep(value):
        problem = Problem(BODY, "too-deep", f"nest at most {MAX_DEPTH} levels")
    if problem is not None:
        raise BadInput([problem])
    return value

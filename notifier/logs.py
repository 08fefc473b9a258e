"""Logging: one JSON line an event to standard output, from every library through the one root logger, redacted.

Nothing here can see what a message means, so the rule stands at each call: no personal data in a log call, ever. The
redaction is the last net: libraries like to quote what they got.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import Processor

from notifier.core.redaction import redacted

#: these log whole requests, statements or message bodies at INFO or DEBUG
_CHATTY = ("twilio.http_client", "urllib3", "kombu", "amqp", "sqlalchemy.engine", "aiohttp", "fontTools", "alembic")
#: our own words and the request's id, which is made of the same letters as a token
_PLAIN = frozenset({"time", "level", "logger", "request_id"})


def json_lines(*processors: Processor) -> logging.Formatter:
    """Formats a record as a JSON line: time (UTC), level, logger, message, `extra`, traceback. `processors` may add to
    it; the redaction comes after them."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.EventRenamer("message"),
            _finished_traceback,
            *processors,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _redact,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ],
    )


def _finished_traceback(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A traceback that another handler formatted, or that a filter redacted, already."""
    record = line.get("_record")
    if record is not None and record.exc_text and not record.exc_info:
        line["exception"] = record.exc_text
    return line


def _redact(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in line.items():
        if key not in _PLAIN and not isinstance(value, int | float | bool | None):
            line[key] = redacted(value if isinstance(value, str) else repr(value))
    return line


def configure_logging(level: int = logging.INFO, *processors: Processor) -> None:
    """Sets up the root logger of this process; safe to call twice."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(json_lines(*processors))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)

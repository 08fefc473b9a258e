"""Log lines of the web processes: one JSON object a line to standard output, redacted whoever wrote them."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

from flask import g, has_app_context
from gunicorn.glogging import Logger as GunicornLogger

from notifier.core.redaction import redacted
from notifier.logs import configure_logging, json_lines


def _with_request(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Adds the id that the person sees on an error page."""
    if has_app_context() and "request_id" in g:
        line.setdefault("request_id", g.request_id)
    return line


class Redaction(logging.Filter):
    """For a handler of somebody else's (a test's, a collector's): what it is handed is redacted already."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redacted(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = redacted(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None  # a later handler would format it anew
        return True


def set_up(level: int = logging.INFO) -> None:
    """Sends every logger of this process through our lines, and the development server's through the redaction."""
    configure_logging(level, _with_request)
    guard("werkzeug")


def guard(logger_name: str) -> None:
    """Redacts at the logger itself, before any handler sees the line."""
    logger = logging.getLogger(logger_name)
    if not any(isinstance(present, Redaction) for present in logger.filters):
        logger.addFilter(Redaction())


class AccessLogger(GunicornLogger):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's logger with our lines. Its own access format holds the path, the query and the referrer: the token."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(json_lines(_with_request))
        set_up(self.loglevel)

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """One line a request: no address, no agent, no query, no referrer; the path redacted."""
        fields = {
            "method": redacted(str(environ.get("REQUEST_METHOD", "-")))[:10],
            "path": redacted(str(environ.get("PATH_INFO", "-")))[:200],
            "status": int(str(resp.status).split(None, 1)[0]),
            "bytes": getattr(resp, "sent", None),
            "ms": round(request_time.total_seconds() * 1000, 1),
            "request_id": dict(resp.headers).get("X-Request-Id"),
        }
        self.access_log.info("request", extra=fields)

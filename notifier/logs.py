"""Logging: one JSON line an event to standard output, from every library through the one root logger.

Nothing here can see what a message means, so the rule stands at each call: no personal data in a log call, ever. What
this module does add: tracebacks without the values of variables, and exceptions of drivers without their parameters.
"""

from __future__ import annotations

import logging
import sys

import structlog

#: these log whole requests, statements or message bodies at INFO or DEBUG
_CHATTY = ("twilio.http_client", "urllib3", "kombu", "amqp", "sqlalchemy.engine", "aiohttp", "fontTools")


def configure_logging(level: int = logging.INFO) -> None:
    """Sets up the root logger; safe to call twice."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)

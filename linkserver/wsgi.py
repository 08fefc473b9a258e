"""What gunicorn calls: `gunicorn -c python:linkserver.gunicorn_conf 'linkserver.wsgi:public()'` (or `staff()`).

Runs inside the worker process, after the fork: connections, threads and typst must not be older than that.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from linkserver import create_public_app, create_staff_app
from notifier.safety import refuse_unsafe
from notifier.services import Services, build
from notifier.settings import Role, load_settings

if TYPE_CHECKING:
    from flask import Flask


def public() -> Flask:
    """The public face from the environment. Raises BadSettings."""
    return create_public_app(_services(Role.WEB))


def staff() -> Flask:
    """The staff face from the environment. Raises BadSettings."""
    return create_staff_app(_services(Role.STAFF))


def _services(role: Role) -> Services:
    settings = load_settings(os.environ, role)
    refuse_unsafe(settings, os.environ)
    return build(settings)

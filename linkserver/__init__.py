"""The link server: two Flask faces over one core, each its own process, host name, secrets and cookies.

    public/        the public face: link pages, certificates, verify page, provider webhooks; under 1,500 lines
    staff/         the staff face: dose entry, operator console, API, FHIR
    security.py    headers, proxies, host names, body limits, request ids: the same rules for both
    words.py       the catalogue of words: Indonesian in templates and code, other languages in templates/locale
    logs.py gunicorn_conf.py    how it is served, and what a log line may say
    ahead.py       the two pages that nearly everybody asks for, answered before the framework wakes
    certificate_page.py    what is written on the second of them, whichever way it is asked for
    blanks.py      a piece of a page, written by its template once and then filled in
    assets.py      static files under a name that changes with their content
    wsgi.py        builds services from the environment for gunicorn

May live here: HTTP in, HTTP out. May not: rules, SQL, the environment. The faces never import each other; what both
need stands in this folder itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from notifier.services import Services


def create_public_app(services: Services) -> Flask:
    """The public face. Only the doors that `DOORS` opens have routes; the others are not even imported."""
    from linkserver.public.app import create_app  # the other face's code stays out of this process

    return create_app(services)


def create_staff_app(services: Services) -> Flask:
    """The staff face."""
    from linkserver.staff.app import create_app  # the other face's code stays out of this process

    return create_app(services)

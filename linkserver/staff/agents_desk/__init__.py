"""The agents' desk: `/desk` and what is below it.

queue.py     the queue, the next case, a call that becomes a case
case.py      one case and what is done with it
callers.py   three facts before anything is said
blocks.py    ready-made texts
causes.py    what cases are about, by facility
"""

from __future__ import annotations

from flask import Blueprint

from linkserver.staff.agents_desk import blocks, callers, case, causes, queue
from notifier.services import Services


def blueprint(services: Services) -> Blueprint:
    """The whole desk."""
    part = Blueprint("desk", __name__)
    for each in (queue, callers, blocks, causes, case):
        each.add_routes(part, services)
    return part

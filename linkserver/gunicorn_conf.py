"""gunicorn's settings for both faces: `gunicorn -c python:linkserver.gunicorn_conf -b ... 'linkserver.wsgi:public()'`.

Threads, so that a slow phone does not keep a process; never `preload_app`: the database, typst and the circuit of a
gateway must not be older than the fork.
"""

from __future__ import annotations

import os

from linkserver.logs import AccessLogger

worker_class = "gthread"
workers = max(2, min(4, os.cpu_count() or 2))
threads = 4
timeout = 30
graceful_timeout = 20
keepalive = 5
backlog = 512

# the longest address of ours (a search in the staff face) stays well below
limit_request_line = 2048
limit_request_fields = 60
limit_request_field_size = 4096

# who is the client and which scheme it used is decided by PROXY_HOPS (linkserver.security) alone
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}

logger_class = AccessLogger
accesslog = "-"
errorlog = "-"
proc_name = "sertilink"
control_socket_disable = True

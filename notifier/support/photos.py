"""Photos that people send us, of a card for example: refused where they are something else besides, and drawn anew.

The file that was sent is never kept and never shown: what comes out is a JPEG of our own making, kept by the caller,
sealed. Words are looked for in the file as it lies there; nothing of it is decoded in this process.
"""

from __future__ import annotations

import re

from notifier.certificates.pictures import LARGEST, redraw_picture
from notifier.core.errors import Refused

#: what makes a second file of a picture, beside or behind what is drawn; long enough that no photo has it by chance
_SECOND_FILES = re.compile(rb"%pdf-|<script|<html|<!doctype|<\?php|<svg[ >]")
_END_OF_ZIP, _ITS_LONGEST = b"PK\x05\x06", 65_557  # an archive is found by its end (APPNOTE 4.3.16)
_JPEG, _SCAN, _END = b"\xff\xd8\xff", b"\xff\xda", b"\xff\xd9"


def redrawn(data: bytes) -> bytes:
    """The photo as a JPEG of our own. Raises Refused: `picture-second-file` (it is something else besides), and as
    certificates.pictures.redraw_picture does."""
    if len(data) <= LARGEST and data.startswith((_JPEG, b"\x89PNG", b"RIFF")) and _is_more(data):
        raise Refused("picture-second-file")
    return redraw_picture(data)


def _is_more(data: bytes) -> bool:
    return _SECOND_FILES.search(_beside(data).lower()) is not None or _END_OF_ZIP in data[-_ITS_LONGEST:]


def _beside(data: bytes) -> bytes:
    """Where words can stand in a file: of a JPEG before its scans and behind its end, where phones put previews and
    films; of the others anywhere."""
    scan = data.find(_SCAN) if data.startswith(_JPEG) else -1
    end = data.find(_END, scan) if scan >= 0 else -1
    return data if end < 0 else data[:scan] + data[end:]

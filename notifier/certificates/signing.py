"""The signer of a process that shows certificates. It loads pyHanko with the first PDF that is fetched: that takes a
second and 26 MB, which a process that hands out none never pays. A wrong key fails at start all the same."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from notifier.core.errors import BadSettings
from notifier.core.pdf_keys import PdfKey
from notifier.safety import pdf_key
from notifier.services import Services

if TYPE_CHECKING:
    from notifier.certificates.signature import PdfSigner

#: bytes of a signature besides what depends on its key; measured, and held to the real signer's word by a test
_AROUND = 3_125


class LateSigner:
    """Signs as `signature.PdfSigner` does; threads may share it."""

    def __init__(self, key: PdfKey, issuer: str) -> None:
        self._key, self._issuer = key, issuer
        self._lock = threading.Lock()
        self._signer: PdfSigner | None = None

    @property
    def weight(self) -> int:
        """About how many bytes a signature adds to a PDF: the certificates, and their issuer's name twice, in
        hexadecimal digits."""
        inside = [self._key.certificate, *(one for one in self._key.above if one.subject != one.issuer)]
        certificates = sum(len(one.public_bytes(Encoding.DER)) for one in inside)
        return 2 * certificates + 4 * len(self._key.certificate.issuer.public_bytes()) + _AROUND

    def sign(self, pdf: bytes, at: datetime) -> bytes:
        """`pdf` with its signature; `at` is the time that it states."""
        return self._loaded().sign(pdf, at)

    def _loaded(self) -> PdfSigner:
        with self._lock:
            if self._signer is None:
                from notifier.certificates.signature import PdfSigner

                self._signer = PdfSigner(self._key, self._issuer)
            return self._signer


def pdf_signer(services: Services) -> LateSigner:
    """The signer of this process. Raises BadSettings where it holds no key for PDFs."""
    key = pdf_key(services.settings)
    if key is None:
        raise BadSettings(["SERTILINK_PDF_SIGNING_KEY: not loaded in this process"])
    return LateSigner(key, services.settings.issuer_name)

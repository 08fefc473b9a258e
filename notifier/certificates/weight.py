"""How heavy a PDF will be, without drawing it: said beside the button that fetches it.

A sheet's weight is that of the letters which it embeds, of its code and of its table, so a sum tells it within 3 kB.
The factors were measured over some hundred sheets; the tests draw some again and compare.
"""

from __future__ import annotations

from collections import Counter

from notifier.certificates.facts import CertificateFacts
from notifier.certificates.qr import QrMatrix

_KILOBYTE = 1000
_SHEET = 28_690  # bytes: tags, colour profile, metadata, the letters that every sheet has
_DOSE = 1_465
_LETTER = 165
_MODULE = 2.47
#: the fallback fonts by the first byte of their letters' numbers: what the font weighs, and each letter in it
_FONTS = {0x06: (4_250, 245), 0x1B: (2_150, 155), 0xA9: (2_150, 155)}  # Arabic, Balinese, Javanese


def pdf_weight(facts: CertificateFacts, qr: QrMatrix, signature: int) -> int:
    """Kilobytes of the A4 sheet with a signature of so many bytes, true within 3."""
    texts = [facts.name, facts.issuer, facts.verify_host]
    for dose in facts.doses:
        texts += (dose.product, dose.vaccine_code or "", dose.lot or "", dose.facility or "")
    text = "".join(texts)
    letters = set(text)
    size = _SHEET + _DOSE * len(facts.doses) + _MODULE * qr.size**2 + _LETTER * len(letters)
    if not text.isascii():
        for block, count in Counter(ord(letter) >> 8 for letter in letters).items():
            font, each = _FONTS.get(block, (0, _LETTER))
            size += font + (each - _LETTER) * count
    return round((size + signature) / _KILOBYTE)

"""Letters as people and programs write them."""

from __future__ import annotations

from email.message import EmailMessage

from notifier.gateways.mail import Envelope, Part
from notifier.gateways.mail.responses import parts_of, read_tree
from notifier.services import Services
from notifier.support.mail.take import take_one
from tests.mail_server import section_of, structure_of

SENDER = "warga@surat.example"
PUBLISHED = """Selamat pagi admin,

Nama lengkap : Siti Aminah
NIK KTP: 3174 0310 0289 0009
Tempat, tanggal lahir: Jakarta, 10 Februari 1989
No. HP: 0812-3456-7890
Keluhan: Sertifikat vaksin dosis 1 belum muncul.

Terima kasih
"""
FREE_WORDS = "Halo, saya sudah vaksin dua minggu lalu tetapi belum ada SMS apa pun. Mohon bantuannya."


def a_letter(
    text: str = PUBLISHED,
    *,
    sender: str = SENDER,
    message_id: str | None = "<1@surat.example>",
    subject: str = "Sertifikat belum keluar",
    photos: int = 0,
    **headers: str,
) -> bytes:
    """A letter; `photos`: bytes of a photo that comes before the text, as some telephones send it; `headers`: with
    underscores."""
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = f"Siti Aminah <{sender}>", "bantuan@contoh.example", subject
    letter["Date"] = "Mon, 23 Nov 2026 09:00:00 +0700"
    if message_id:
        letter["Message-ID"] = message_id
    for name, value in headers.items():
        letter[name.replace("_", "-")] = value
    letter.set_content(text)
    if photos:
        letter.add_attachment(b"\xff\xd8\xff" + b"K" * photos, maintype="image", subtype="jpeg", filename="ktp.jpg")
        parts = letter.get_payload()
        letter.set_payload(parts[::-1])  # type: ignore[index]
    return letter.as_bytes()


class Pile:
    """A mailbox of letters in memory (gateways.mail.Mailbox), for whoever looks at what became of them."""

    uid_validity = 1

    def __init__(self, *letters: bytes) -> None:
        self._letters = dict(enumerate(letters, start=1))

    def waiting(self) -> list[int]:
        return sorted(self._letters)

    def look(self, uid: int) -> Envelope:
        raw = self._letters[uid]
        tree = read_tree([structure_of(raw)])
        return Envelope(uid, len(raw), raw.partition(b"\n\n")[0], parts_of(tree[0]))

    def text(self, uid: int, part: Part, most: int) -> bytes:
        return section_of(self._letters[uid], part.section)[:most]

    def put_away(self, uid: int, *, delete: bool) -> None:
        pass


def taken(services: Services, *letters: bytes) -> None:
    """The letters come in."""
    pile = Pile(*letters)
    pile.uid_validity = id(pile)
    for uid in pile.waiting():
        take_one(services, pile, uid)

"""Letters as people and programs write them."""

from __future__ import annotations

from email.message import EmailMessage

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

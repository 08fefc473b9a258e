"""What each verdict of a check says: what it means and what to do. One table for the page with and without network."""

from __future__ import annotations

from dataclasses import dataclass

from linkserver.words import N_
from notifier.certificates.check import Verdict


@dataclass(frozen=True, slots=True)
class Words:
    """The texts are keys of the catalogue. `tone` is a class of the style sheet: good, bad or none."""

    title: str
    meaning: str
    now: str
    tone: str = "bad"
    status: int = 200


_COMPARE = N_("Cocokkan nama dan tanggal lahir dengan KTP atau kartu identitas pemegangnya.")
_REFUSE = N_("Pindai lagi kode QR yang asli, bukan salinannya. Jika hasilnya sama, jangan terima sertifikat ini.")

VERDICTS: dict[Verdict, Words] = {
    Verdict.VALID: Words(
        N_("Sertifikat ini sah"), N_("Sertifikat ini kami terbitkan dan masih berlaku."), _COMPARE, "good"
    ),
    Verdict.REPLACED: Words(
        N_("Sertifikat ini sudah diganti"),
        N_("Data di sertifikat ini sudah diperbaiki, jadi yang ini tidak berlaku lagi."),
        N_("Mintalah pemegangnya menunjukkan sertifikat yang baru, dari SMS kami yang terbaru."),
        "",
    ),
    Verdict.REVOKED: Words(
        N_("Sertifikat ini dicabut"),
        N_("Sertifikat ini tidak berlaku lagi."),
        N_("Jangan terima sertifikat ini. Mintalah pemegangnya menghubungi fasilitas tempat vaksin."),
    ),
    Verdict.FORGED: Words(
        N_("Kode ini palsu atau rusak"),
        N_("Isinya tidak cocok dengan tanda tangan kami: diubah, dipalsukan, atau rusak saat disalin."),
        _REFUSE,
    ),
    Verdict.EXPIRED: Words(
        N_("Kode ini sudah lewat masa berlakunya"),
        N_("Kode ini kami tanda tangani, tetapi masa berlakunya sudah habis. Sertifikatnya sendiri mungkin masih sah."),
        N_("Mintalah pemegangnya membuka lagi sertifikatnya: kode yang baru ada di sana."),
        "",
    ),
    Verdict.OTHER_ISSUER: Words(
        N_("Kode ini bukan dari kami"),
        N_("Kode ini ditandatangani penerbit lain. Mungkin dari negara lain, mungkin palsu: kami tidak tahu."),
        N_("Periksa di halaman resmi penerbit itu. Jangan terima sebagai sertifikat dari kami."),
    ),
    Verdict.UNKNOWN: Words(
        N_("Nomor ini tidak kami kenali"),
        N_("Tidak ada sertifikat kami dengan nomor ini."),
        N_("Periksa lagi setiap huruf dan angkanya. Jika sama dengan yang tercetak, sertifikat itu bukan dari kami."),
        status=404,
    ),
    Verdict.UNREADABLE: Words(
        N_("Tidak ada yang dapat diperiksa"),
        N_("Di dalamnya tidak ada nomor, kode, atau tautan sertifikat yang kami kenal."),
        N_("Salin seluruh teksnya, atau tulis nomor yang tercetak di bagian bawah sertifikat."),
        "",
        422,
    ),
    Verdict.PERSONAL_LINK: Words(
        N_("Ini tautan pribadi"),
        N_("Tautan ini hanya untuk pemegang sertifikat. Kami tidak membuka dan tidak memeriksanya di sini."),
        N_("Jangan bagikan tautan ini. Mintalah pemegangnya menunjukkan sertifikat atau kode QR-nya."),
        "",
    ),
    Verdict.OTHER_ADDRESS: Words(
        N_("Alamat ini bukan alamat kami"),
        N_("Kode QR atau tautan ini menuju tempat lain. Kami tidak membukanya."),
        N_("Jangan buka alamat itu dan jangan isi data apa pun di sana."),
    ),
}

#: what the page without network says besides
OFFLINE: dict[str, Words] = {
    "ended": Words(
        N_("Sertifikat ini tidak berlaku lagi"),
        N_("Kode ini ada di daftar pencabutan: sertifikatnya sudah diganti atau dicabut."),
        N_("Mintalah pemegangnya menunjukkan sertifikat yang baru, dari SMS kami yang terbaru."),
    ),
    "needs-network": Words(
        N_("Nomor hanya dapat diperiksa dengan internet"),
        N_("Tanpa internet, halaman ini hanya memeriksa kode bertanda tangan, yang dimulai dengan HC1: atau shc:/"),
        N_("Sambungkan internet, lalu ketuk Periksa dengan internet di bawah ini."),
        "",
    ),
    "no-list": Words(
        N_("Kode ini belum dapat diperiksa"),
        N_("Kunci dan daftar pencabutan belum tersimpan di perangkat ini."),
        N_("Sambungkan internet sekali, lalu buka lagi halaman ini."),
        "",
    ),
}

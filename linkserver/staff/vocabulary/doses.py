"""Doses, their facility's list, and how they are corrected."""

from __future__ import annotations

from linkserver.staff.vocabulary.rules import RULES
from linkserver.words import N_
from notifier.support.corrections import CheckedHow, Consequence
from notifier.support.dose_checks import Warn
from notifier.support.facility_day import Stage

#: what can be corrected
FIELDS: dict[str, str] = {
    "name": N_("Nama lengkap"),
    "nik": N_("NIK"),
    "birth_date": N_("Tanggal lahir"),
    "phone": N_("Nomor ponsel"),
    "product": N_("Vaksin"),
    "vaccine_code": N_("Kode vaksin"),
    "lot": N_("Nomor batch"),
    "number": N_("Dosis ke"),
    "series_total": N_("dari berapa dosis"),
    "given_on": N_("Tanggal suntikan"),
}

CHECKED: dict[CheckedHow, str] = {
    CheckedHow.ID_CARD: N_("Bertemu langsung, dengan KTP atau kartu keluarga"),
    CheckedHow.CALLED: N_("Ditelepon di nomor yang tercatat"),
    CheckedHow.OTHER: N_("Cara lain"),
}

CONSEQUENCES: dict[Consequence, str] = {
    Consequence.WAITING: N_("SMS-nya belum dikirim. Yang dikirim nanti sudah yang benar."),
    Consequence.HELD: N_("SMS-nya ditahan. Setelah diperbaiki, tetap menunggu keputusan petugas."),
    Consequence.CORRECTION: N_(
        "SMS-nya sudah dikirim. Sertifikat baru dibuat, tautan lama langsung mati, dan SMS perbaikan dikirim."
    ),
    Consequence.NEW_LINK: N_("Satu SMS dengan tautan baru dikirim. Tautan yang sudah ada di nomor lama langsung mati."),
    Consequence.NO_SMS: N_("Sertifikatnya diperbaiki. SMS tidak dikirim."),
}

STAGES: dict[Stage, str] = {
    Stage.ALL: N_("Semua"),
    Stage.WAITING: N_("Menunggu atau di jalan"),
    Stage.ARRIVED: N_("Sampai"),
    Stage.HELP: N_("Perlu dibantu"),
}

#: what is checked with the person before a dose is recorded
WARNINGS: dict[Warn, str] = {
    Warn.NOT_CHECKED: N_(
        "Terlalu banyak pencarian dalam satu jam, jadi NIK ini tidak dapat dibandingkan. Dosis tetap dapat dicatat."
    ),
    Warn.NIK_BIRTH_DATE: RULES["nik-birth-date"],
    Warn.NIK_OTHER_BIRTH_DATE: N_("NIK ini sudah tercatat dengan tanggal lahir lain. Periksa keduanya di kartu"),
    Warn.NIK_NEAR: N_("NIK ini mirip NIK orang lain yang sudah tercatat. Cocokkan setiap angkanya dengan kartu"),
    Warn.DOSE_TODAY: N_(
        "Orang ini sudah punya dosis pada tanggal suntikan itu: dicatat %(time)s di %(facility)s. Tanyakan apakah ini"
        " suntikan yang sama"
    ),
    Warn.NAME_DIFFERS: N_("Orang ini tercatat dengan nama lain. Nama yang Anda tulis akan dipakai di sertifikatnya"),
    Warn.NUMBER_SHARED: N_("Nomor ini dipakai %(count)s orang lain. Tanyakan apakah ini benar nomor keluarganya"),
    Warn.NUMBER_CHANGES: N_(
        "Nomor yang tercatat, %(old)s, diganti dengan nomor ini. Tautan yang dikirim ke nomor lama tidak berlaku lagi"
    ),
    Warn.NUMBER_STOPPED: N_(
        "Nomor ini meminta tidak dikirimi SMS, jadi SMS tidak akan sampai. Minta nomor lain, atau cetak lembarnya"
    ),
    Warn.NUMBER_REPORTED: N_(
        "Pemilik nomor ini pernah memberi tahu bahwa SMS-nya bukan untuk orang ini. Minta nomor lain, atau cetak"
        " lembarnya"
    ),
}

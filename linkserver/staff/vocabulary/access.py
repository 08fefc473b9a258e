"""Staff, their devices, and the keys of machines."""

from __future__ import annotations

from linkserver.staff.vocabulary.states import StateWords
from linkserver.words import N_
from notifier.access.api_keys import KeyState, Scope
from notifier.access.roles import Role

ROLES: dict[Role, str] = {
    Role.HEALTH_WORKER: N_("Petugas kesehatan"),
    Role.FACILITY_LEAD: N_("Kepala fasilitas"),
    Role.OPERATOR: N_("Operator"),
    Role.SUPERVISOR: N_("Penyelia"),
    Role.AUDITOR: N_("Pemeriksa"),
    Role.ADMINISTRATOR: N_("Administrator"),
}

DEVICES: dict[str, str] = {
    "phone": N_("Ponsel"),
    "tablet": N_("Tablet"),
    "computer": N_("Komputer"),
    "robot": N_("Program otomatis"),
    "other": N_("Perangkat lain"),
}

KEY_STATES: dict[KeyState, StateWords] = {
    KeyState.LIVE: StateWords(N_("Berlaku"), "good"),
    KeyState.ENDING: StateWords(N_("Segera berakhir"), "move"),
    KeyState.EXPIRED: StateWords(N_("Berakhir"), "off"),
    KeyState.REVOKED: StateWords(N_("Dicabut"), "off"),
}

SCOPES: dict[Scope, str] = {
    Scope.VACCINATIONS_WRITE: N_("Mencatat dosis"),
    Scope.NOTIFICATIONS_READ: N_("Melihat nasib SMS"),
    Scope.NOTIFICATIONS_ACT: N_("Mengirim ulang dan membatalkan SMS"),
    Scope.CORRECTIONS_READ: N_("Membaca data yang diperbaiki di sini (untuk registri)"),
}

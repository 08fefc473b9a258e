"""What the registry is told, and why it could not be told."""

from __future__ import annotations

from linkserver.words import N_
from notifier.core.states import RegistryEvent

REGISTRY: dict[str, str] = {
    RegistryEvent.PERSON_CORRECTED: N_("Data orangnya diperbaiki"),
    RegistryEvent.DOSE_CORRECTED: N_("Data dosisnya diperbaiki"),
    RegistryEvent.DOSE_WITHDRAWN: N_("Dosis ditarik"),
}

#: of the last try; whatever else it is, the registry said no
REGISTRY_PROBLEMS: dict[str, str] = {
    "timeout": N_("Registri tidak menjawab"),
    "no-connection": N_("Registri tidak dapat dihubungi"),
    "tls": N_("Sambungan aman ke registri gagal: periksa sertifikat servernya"),
    "broker": N_("Antrean pesan tidak dapat dihubungi"),
    **{f"http-{status}": N_("Server registri sedang bermasalah") for status in (500, 502, 503, 504)},
    **{f"http-{status}": N_("Registri meminta menunggu") for status in (408, 425, 429)},
    **{f"http-{status}": N_("Registri menolak tanda tangan kami") for status in (401, 403)},
}
REFUSED = N_("Registri menolak")

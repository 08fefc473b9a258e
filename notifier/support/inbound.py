"""What somebody wrote to our sender, whatever it is: STOP and its kin are obeyed, the rest of WhatsApp is a chat."""

from __future__ import annotations

from notifier.catalogue import N_, Catalogue
from notifier.core.opt_out_words import Meaning, meaning_of
from notifier.gateways import Inbound
from notifier.services import Services
from notifier.settings import Settings
from notifier.store.chat_inbox import Kept
from notifier.support import opt_out
from notifier.support.chat import receive as chat
from notifier.support.chat import texts

_ANSWER_LANGUAGES = ("id", "en")  # nobody can say which one who writes STOP reads

#: one GSM-7 segment in both languages together
ANSWERS = {
    Meaning.STOP: N_("Pesan ke nomor ini dihentikan. Balas MULAI untuk menerima lagi."),
    Meaning.START: N_("Nomor ini menerima pesan lagi. Balas BERHENTI untuk menghentikan."),
    Meaning.HELP: N_("Bantuan: %(phone)s. Balas BERHENTI agar tidak dikirimi lagi."),
}


def take(services: Services, message: Inbound, catalogue: Catalogue) -> str | None:
    """Does what a message whose signature was checked asks for; what is answered at once, in the webhook's own answer.
    None: nothing, or a worker will answer. Safe to repeat."""
    meaning = message.provider_meaning or meaning_of(message.text)
    if chat.is_chat(services, message, meaning):
        stopped = chat.receive(services, message) is Kept.STOPPED
        return _in_each(catalogue, services.settings, texts.STOPPED) if stopped else None
    received = opt_out.receive(services, message)
    return answer_text(catalogue, services.settings, received.meaning) if received.wants_answer else None


def answer_text(catalogue: Catalogue, settings: Settings, meaning: Meaning) -> str:
    """What is sent back, in both languages."""
    return _in_each(catalogue, settings, ANSWERS[meaning], phone=settings.help_phone or settings.help_whatsapp)


def _in_each(catalogue: Catalogue, settings: Settings, text: str, **values: str) -> str:
    said = [catalogue.say(language, text) for language in _ANSWER_LANGUAGES]
    return f"{settings.sender_name}: {' / '.join(one % values if values else one for one in said)}"

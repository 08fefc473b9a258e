"""The programme's own SMS texts: shown, checked, saved, given back; every version is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

from notifier.core.errors import BadInput, Conflict, NotFound, Refused
from notifier.core.link_tokens import TOKEN_LENGTH
from notifier.core.states import KIND_RULES, Kind
from notifier.messages import own_text
from notifier.messages.own_text import DOSE, INITIAL, LINK, SENDER, Checked
from notifier.messages.text import SmsTexts, key_of, told_dose
from notifier.services import TEMPLATES, Services
from notifier.store import audit, programme
from notifier.support.resend import read_reason

_EDITED = (Kind.CERTIFICATE, Kind.CORRECTION, Kind.RENEWAL, Kind.LOCK, Kind.REMINDER)


@dataclass(frozen=True, slots=True)
class SmsText:
    """One text as it is in force. `own`: the programme's own words, None where the ones of the file are used;
    `draft`: what to begin with when it is changed; `sample`: as a person would get it."""

    language: str
    kind: Kind
    own: str | None
    draft: str
    sample: str
    revision: int

    @property
    def key(self) -> str:
        return key_of(self.language, self.kind)


def listed(services: Services) -> list[SmsText]:
    """Every text, by kind and language."""
    texts = _texts(services.settings.sender_name)
    with services.db.read() as conn:
        stored = programme.in_force(conn)
    found = [_one(services, texts, language, kind, stored) for language, kind in texts.kinds() if kind in _EDITED]
    return sorted(found, key=lambda one: (_EDITED.index(one.kind), one.language != "id", one.language))


def find(services: Services, language: str, kind: str) -> SmsText:
    """One text. Raises NotFound."""
    for one in listed(services):
        if (one.language, one.kind.value) == (language, kind):
            return one
    raise NotFound("there is no such text")


def check(services: Services, one: SmsText, typed: str) -> Checked:
    """What is wrong with a text, how long it gets, how it reads."""
    return own_text.check(
        typed,
        language=one.language,
        sender=services.settings.sender_name,
        link=longest_link(services),
        bears_link=KIND_RULES[one.kind].link,
    )


def save(services: Services, one: SmsText, typed: str, *, base: int, reason: str, actor: str) -> None:
    """Uses a text from now on. Raises BadInput where it breaks a rule or no reason is given; Refused (`unchanged`);
    Conflict where somebody else has saved meanwhile."""
    checked = check(services, one, typed)
    if checked.faults:
        raise BadInput.of("text", checked.faults[0].rule, "see the list of what is wrong")
    _save(services, one, {"text": checked.text}, base=base, reason=reason, actor=actor)


def reset(services: Services, one: SmsText, *, base: int, reason: str, actor: str) -> None:
    """Goes back to the text that came with the programme. Raises as `save` does."""
    _save(services, one, {}, base=base, reason=reason, actor=actor)


def longest_link(services: Services) -> str:
    """As long as a real one; opens nothing."""
    return f"{services.settings.public_url}/c/{'x' * TOKEN_LENGTH}"


def _save(services: Services, one: SmsText, value: dict[str, str], *, base: int, reason: str, actor: str) -> None:
    reason = read_reason(reason)
    if base == one.revision and value.get("text") == one.own:
        raise Refused("unchanged")
    at, name = services.clock.now(), programme.SMS + one.key
    with services.db.write() as conn:
        if not programme.save(conn, name, value, base=base, by=actor, reason=reason, at=at):
            raise Conflict("somebody else has changed the text meanwhile")
        audit.write(
            conn,
            at=at,
            actor=actor,
            action="sms-text.changed" if value else "sms-text.reset",
            subject="setting",
            subject_id=name,
            reason=reason,
            revision=base + 1,
            sha256=hashlib.sha256(value["text"].encode()).hexdigest() if value else None,
        )
    services.reader.read_now()


@cache  # a page shows every text, and reading the files takes longer than all the rest of it
def _texts(sender: str) -> SmsTexts:
    return SmsTexts(TEMPLATES / "sms", sender)


def _one(services: Services, texts: SmsTexts, language: str, kind: Kind, stored: dict[str, programme.Row]) -> SmsText:
    row = stored.get(programme.SMS + key_of(language, kind))
    own = row.value.get("text") if row else None
    link = longest_link(services) if KIND_RULES[kind].link else None
    sample = texts.render(
        kind,
        language=language,
        name="S",
        dose_number=told_dose(kind, 1),
        link=link,
        own={key_of(language, kind): own} if own else {},
    )
    return SmsText(language, kind, own, own or _draft(kind, language), sample, row.revision if row else 0)


def _draft(kind: Kind, language: str) -> str:
    """The file's text, with placeholders where the file has conditions."""
    text = _texts(f"(({SENDER}))").render(kind, language=language, name="S", dose_number=1, link=f"(({LINK}))")
    for said in ("(dose 1)", "dose 1", "dosis 1"):
        text = text.replace(said, f"(({DOSE}))")
    return text.replace("S.", f"(({INITIAL}))")

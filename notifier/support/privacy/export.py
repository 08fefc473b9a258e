"""Everything that is held about one person, as they may have it: plain words, and where each part came from.

Of a number that several people share only what is about this person is told, and what the number itself did.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy.engine import Connection

from notifier.core.errors import NotFound, Refused, SealBroken
from notifier.core.reasons import read_reason
from notifier.core.states import KIND_RULES, Kind
from notifier.messages.text import SmsTexts, told_dose
from notifier.services import TEMPLATES, Services
from notifier.store import audit, dead_letters, personal_data, persons, privacy
from notifier.store.personal_data import Row
from notifier.store.persons import Person
from notifier.support.chat.dialogue import Dialogue, Step
from notifier.support.chat.speech import Spoken
from notifier.support.privacy.letters import traces
from notifier.support.privacy.parts import PARTS, Part

FORMAT = 1
_UNREADABLE = "(tersegel, tidak dapat dibuka / sealed, cannot be opened)"


def export(services: Services, person_id: str, *, reason: str, actor: str) -> dict[str, Any]:
    """What is held about a person, ready for JSON; the audit says that it was taken out. Raises NotFound; BadInput;
    Refused (`already-erased`)."""
    reason = read_reason(reason)
    with services.db.write() as conn:
        row = privacy.find(conn, person_id)
        if row is None:
            raise NotFound("there is no such person")
        if row.erased_at is not None:
            raise Refused("already-erased")
        audit.write(
            conn,
            at=services.clock.now(),
            actor=actor,
            action="person.exported",
            subject="person",
            subject_id=person_id,
            reason=reason,
        )
    with services.db.read() as conn:
        return _Export(conn, services, row).whole()


class _Export:
    def __init__(self, conn: Connection, services: Services, row: Row) -> None:
        self._conn = conn
        self._services = services
        self._row = row
        self._person = self._opened()
        self._rows = personal_data.of_person(conn, row.id, row.phone_index)
        self._texts = SmsTexts(TEMPLATES / "sms", services.settings.sender_name)
        self._more: dict[str, Callable[[Row], dict[str, Any]]] = {
            "notification": self._message,
            "code": self._code,
            "person_call": self._call,
            "link": self._link,
            "correction_request": self._request,
            "support_case": self._case,
            "chat_message": self._chat_message,
            "chat_reply": self._chat_reply,
        }

    def whole(self) -> dict[str, Any]:
        parts = [self._who(), *(self._part(part) for part in PARTS)]
        if self._person is not None:
            parts.append(self._not_recorded(self._person))
        return {
            "format": FORMAT,
            "made_at": _plain(self._services.clock.now()),
            "controller": self._services.settings.issuer_name,
            "law": "UU 27/2022 tentang Pelindungan Data Pribadi, Pasal 5 sampai 8",
            "parts": parts,
        }

    def _who(self) -> dict[str, Any]:
        row, person = self._row, self._person
        values = {
            "name": person.name if person else self._one("name"),
            "nik": person.nik if person else self._one("nik"),
            "birth_date": _plain(person.birth_date) if person else self._one("birth_date"),
            "phone": person.phone if person else self._one("phone"),
        }
        kept = ("phone_problem", "language", "own_language", "time_zone", "wrong_tries", "locked_at", "deceased_at",
                "recorded_at", "created_at", "updated_at")  # fmt: skip
        what = ("Data diri", "Who you are")
        source = ("catatan vaksinasi (registri atau fasilitas)", "the vaccination registry, or the facility")
        return _told("person", what, source, [values | {name: _plain(row._mapping[name]) for name in kept}])

    def _part(self, part: Part) -> dict[str, Any]:
        more, rows = self._more.get(part.table), []
        for row in self._rows[part.table]:
            told = {name: _plain(row._mapping[name]) for name in part.columns}
            rows.append(told | more(row) if more else told)
        return _told(part.table, part.what, part.source, rows)

    def _message(self, row: Row) -> dict[str, Any]:
        """With its text: as it was caught where a catcher has it, else written anew from what was in force then."""
        tries = {one.reference for one in self._rows["attempt"] if one.notification_id == row.id}
        caught = next((one for one in self._rows["caught_sms"] if one.attempt_reference in tries), None)
        if caught is not None:
            to = self._readable("caught_sms:to", caught.id, caught.to_sealed)
            text = self._readable("caught_sms:text", caught.id, caught.text_sealed)
            return {"to": to, "text": text, "text_is": "as it was sent"}
        if self._person is None or row.left_at is None:
            return {"text": None}
        return {"text": self._written(row, self._person), "text_is": "written anew from the text of that day"}

    def _written(self, row: Row, person: Person) -> str:
        shot = next((one for one in self._rows["dose"] if one.id == row.dose_id), None)
        link = next((one for one in self._rows["link"] if one.id == row.link_id), None)
        kind = Kind(row.kind)
        bears = KIND_RULES[kind].link and link is not None
        return self._texts.render(
            kind,
            language=person.language,
            name=person.name,
            dose_number=told_dose(kind, shot.number) if shot else None,
            link=self._services.link_url(link.public_id) if bears and link is not None else None,
            own=personal_data.texts_at(self._conn, row.left_at),
        )

    def _code(self, row: Row) -> dict[str, Any]:
        if row.text_sealed is None:
            return {"text": None}
        return {"text": self._readable("code:text", row.id, row.text_sealed)}

    def _call(self, row: Row) -> dict[str, Any]:
        if row.note_sealed is None:
            return {"note": None}
        return {"note": self._readable("person_call:note", row.id, row.note_sealed)}

    def _request(self, row: Row) -> dict[str, Any]:
        """What was there and what was wished, as long as it is kept."""
        kept = {"old": row.old_sealed, "value": row.value_sealed}
        return {
            name: None if sealed is None else self._readable(f"correction_request:{name}", row.id, sealed)
            for name, sealed in kept.items()
        }

    def _case(self, row: Row) -> dict[str, Any]:
        """With what was reported about the person, less the number and the words of whoever reported it."""
        if row.facts_sealed is None:
            return {"reported": None}
        text = self._readable("support_case:facts", row.id, row.facts_sealed)
        if text == _UNREADABLE:
            return {"reported": text}
        return {"reported": {name: said for name, said in json.loads(text).items() if name not in {"phone", "words"}}}

    def _chat_message(self, row: Row) -> dict[str, Any]:
        if row.text_sealed is None or not self._is_own_chat:
            return {"text": None}
        return {"text": self._readable("chat_message:text", row.id, row.text_sealed)}

    def _chat_reply(self, row: Row) -> dict[str, Any]:
        if row.body_sealed is None or not self._is_own_chat:
            return {"text": None}
        body = self._readable("chat_reply:body", row.id, row.body_sealed)
        return {"text": body if body == _UNREADABLE else Spoken.of_text(body).text}

    @cached_property
    def _is_own_chat(self) -> bool:
        """Whether what is said in the chat can be nobody's but this person's: nobody else has the number, and the chat
        speaks of no other number and no other person."""
        mobile = self._person.mobile if self._person is not None else None
        if mobile is None:
            return False
        number = persons.phone_index(self._services.sealer, mobile)
        if persons.ids_with_phone(self._conn, number) != [self._row.id]:
            return False
        return all(self._speaks_of_them(talk, mobile) for talk in self._rows["conversation"])

    def _speaks_of_them(self, talk: Row, mobile: str) -> bool:
        if talk.state_sealed is None:
            return True
        try:
            text = self._services.sealer.open("conversation:state", talk.id, talk.state_sealed)
        except SealBroken:
            return False
        state = Dialogue.of_text(text)
        named = {state.person_id, state.named_id} - {"", self._row.id}
        numbers = {state.phone, state.asked_phone} - {"", mobile}
        return not (named or numbers or state.whose or state.of_others or state.step is Step.WHOSE)

    def _link(self, row: Row) -> dict[str, Any]:
        return {"address": self._services.link_url(row.public_id)}

    def _not_recorded(self, person: Person) -> dict[str, Any]:
        """What was sent about the person and could not be recorded."""
        rows = []
        for row_id in traces(self._services, person).dead_letters:
            letter = dead_letters.find(self._conn, row_id)
            if letter is not None:
                body = dead_letters.body(self._conn, self._services.sealer, row_id).decode("utf-8", "replace")
                rows.append({"received_at": _plain(letter.received_at), "door": letter.door, "body": body})
        what = ("Kabar tentang Anda yang belum dapat dicatat", "What came about you and could not be recorded")
        return _told("dead_letter", what, ("pengirimnya", "whoever sent it"), rows)

    def _opened(self) -> Person | None:
        try:
            return persons.opened(self._services.sealer, dict(self._row._mapping))
        except SealBroken:
            return None

    def _one(self, name: str) -> str | None:
        sealed = self._row._mapping[f"{name}_sealed"]
        if sealed is None:
            return None
        return self._readable(f"person:{name}", self._row.id, sealed)

    def _readable(self, place: str, row_id: str, sealed: bytes) -> str:
        try:
            return self._services.sealer.open(place, row_id, sealed)
        except SealBroken:
            return _UNREADABLE


def _told(part: str, what: tuple[str, str], source: tuple[str, str], rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "part": part,
        "what": {"id": what[0], "en": what[1]},
        "source": {"id": source[0], "en": source[1]},
        "rows": rows,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return value

"""What stands in an installation while its staff pages are looked at: some days' work of one place, and a whole
country's. Invented people only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from notifier.access import api_keys
from notifier.access.api_keys import Scope
from notifier.core.bulks import BulkState
from notifier.core.errors import BadInput
from notifier.core.ids import new_id
from notifier.core.own_corrections import Field, Proof
from notifier.core.resend_filter import ResendFilter, Span, Wanted
from notifier.core.states import CaseKind, Channel, Reason, RegistryEvent, State
from notifier.intake import readers
from notifier.intake.record import Door, dead_letter
from notifier.intake.uploads.receive import Uploader
from notifier.messages import audit_watch, circuit, tallies
from notifier.services import Services
from notifier.store import audit, bulks, cases, certificates, notifications, persons, registry_outbox, staff
from notifier.store.circuits import CircuitMode
from notifier.store.suppressions import Source
from notifier.store.tables import correction_request, facility, mail_out, notification, support_case, tally, tally_run
from notifier.support import bulk_schedules, opt_out, resend
from notifier.support.not_me import say_not_me
from notifier.support.own_corrections import asking, review
from tests import uploads
from tests.builders import NIK, event_json
from tests.desk import Desk
from tests.letters import FREE_WORDS, a_letter, taken
from tests.support.missing.reporting import FACTS, at_facility
from tests.support.test_photos import a_photo

FACILITY, PLACE = "pkm-1", "Puskesmas Menteng"
LONG_PLACE = "Puskesmas Pembantu Kecamatan Kepulauan Seribu Selatan Rawat Inap Dan Persalinan Terpadu"
LONG_SYSTEM = "Sistem Informasi Manajemen Puskesmas Kecamatan Menteng dan Sekitarnya yang Namanya Sangat Panjang"
#: as long as each may be
LONGEST_NAME = ("Raden Ajeng Kusumaningrum Wirawan Pradnyaparamitha " * 4)[:199] + "i"
LONGEST_PRODUCT = ("Vaksin influenza trivalen inaktif untuk dewasa dan lanjut usia " * 5)[:299] + "a"
LONGEST_ID = "fasilitas-" + "9" * 180
LONG_REASON = ("alasan yang panjang sekali " * 11)[:295].strip()
MANY = 60

_NAMES = (
    "Siti Aminah", "Budi Hartono", "Wayan Sudarma", "Maria Goreti Bao", "Sulastri", "Agus Salim", "Ni Luh Putu Ayu",
    "Yohanes Kambu", "Fatimah Zahra", "Rahmat Hidayat", "Dewi Sartika", "Togar Sitompul", "Asep Saepudin", "Lina",
)  # fmt: skip
_ENDS: tuple[tuple[State, Reason | None], ...] = (
    (State.DELIVERED, None), (State.ACCEPTED, None), (State.DELIVERED, None), (State.FAILED, Reason.REFUSED),
    (State.HELD, Reason.PAST_DUE), (State.UNKNOWN, Reason.OUTCOME_UNKNOWN), (State.UNDELIVERED, Reason.REFUSED),
    (State.DELIVERED, None), (State.SCHEDULED, None), (State.HELD, Reason.PAST_DUE),
)  # fmt: skip


def doses(services: Services, count: int, *, start: int = 0, **changes: Any) -> list[str]:
    """So many different people's doses of FACILITY, one in seven without a number; the messages' references."""
    person, dose = changes.get("person", {}), changes.get("dose", {})
    found = []
    for place in range(start, start + count):
        who = {"id": f"p{place}", "nik": None, "name": _NAMES[place % len(_NAMES)]}
        phone = None if place % 7 == 6 else f"0812-3456-{place:04}"
        made = Desk(services).record(
            event_id=f"e{place}",
            person=who | {"phone": phone} | person,
            dose={"id": f"d{place}", "facility_id": FACILITY, "facility": PLACE, "given_on": "2026-11-23"} | dose,
        )
        assert made.reference is not None
        found.append(made.reference)
    return found


def ended(services: Services, references: Sequence[str]) -> None:
    """Each message in another state, one after another. What has no number stays as it is."""
    with services.db.write() as conn:
        for place, reference in enumerate(references):
            state, reason = _ENDS[place % len(_ENDS)]
            row = notification.update().where(notification.c.reference == reference)
            row = row.where(notification.c.status == State.SCHEDULED.value)
            more = {"alarmed_at": services.clock.now()} if place % len(_ENDS) == 8 else {}
            conn.execute(row.values(status=state.value, reason=reason, look_up_at=None, **more))


def not_me(services: Services, reference: str) -> str:
    """The reference of a case that the holder of a message's number opened."""
    with services.db.read() as conn:
        row = notifications.find(conn, reference)
        assert row is not None
        link = certificates.load_links(conn, [row.link_id])[row.link_id]
    say_not_me(services, services.links.sign(link.public_id), address="198.51.100.7")
    with services.db.read() as conn:
        return str(conn.execute(support_case.select()).one().reference)


def a_report(services: Services) -> str:
    """The reference of a report of a missing certificate that the facility has to answer."""
    facts = replace(
        FACTS, name=LONGEST_NAME, nik=NIK, vaccine=LONGEST_PRODUCT[:80], words="Saya sudah dua kali ke sana"
    )
    return at_facility(services, FACILITY, facts, picture=b"jpeg")


def letters(services: Services) -> str:
    """The reference of a case that letters came about, one of them by somebody else, with an answer in doubt."""
    long = f"{FREE_WORDS} " * 12 + "x" * 200
    taken(
        services,
        a_letter(photos=30_000),
        a_letter(sender="adik@surat.example", message_id="<2@surat.example>", subject="lagi " * 50),
        a_letter(long, sender=f"{'panjang' * 8}@surat.example", message_id="<3@surat.example>"),
        a_letter(FREE_WORDS, message_id="<4@surat.example>"),
        a_letter(long, message_id="<5@surat.example>", Precedence="bulk"),
    )
    with services.db.write() as conn:
        first = conn.execute(mail_out.select().order_by(mail_out.c.created_at, mail_out.c.id)).first()
        assert first is not None
        conn.execute(mail_out.update().where(mail_out.c.id == first.id).values(status="unknown"))
        case = conn.execute(support_case.select().where(support_case.c.id == first.case_id)).one()
    return str(case.reference)


def a_case(services: Services, reference: str, kind: CaseKind) -> str:
    """The reference of a case about a message's person, as if it had been reported."""
    at = services.clock.now()
    with services.db.write() as conn:
        row = notifications.find(conn, reference)
        assert row is not None
        made = cases.insert_new(
            conn,
            kind=kind,
            opened_at=at,
            due_at=at,
            person_id=row.person_id,
            link_id=row.link_id,
            facility_id=FACILITY,
            phone_index=row.phone_index,
        )
        if kind is CaseKind.BIRTH_DATE_REJECTED:
            for _ in range(5):
                persons.count_wrong_try(conn, row.person_id, at)
    assert made is not None
    return str(made.reference)


def requests(services: Services, reference: str) -> dict[str, str]:
    """A correction that the person of a message asked for, at some steps; the references."""
    with services.db.read() as conn:
        row = notifications.find(conn, reference)
    assert row is not None
    wish = partial(asking.ask, services, row.person_id, door="me", proved_by=Proof.OTP)
    name = wish(Field.NAME, "Sulastri Wulandari").reference
    born = wish(Field.BIRTH_DATE, "1989-02-11").reference
    review.ask_evidence(services, born, only_facility=None, reason="akta lahir", actor="test")
    asking.send_evidence(services, row.person_id, born, a_photo(), door="me")
    claim = asking.Claim("Orang Asing", "3174031002890009", date(1989, 2, 10))
    lost = asking.ask_unproven(services, claim, "0812-9999-0001", door="me", language="id", address="198.51.100.7")
    with services.db.write() as conn:
        mine = sa.update(correction_request).where(correction_request.c.reference == lost.reference)
        conn.execute(mine.values(claimed_id=row.person_id, facility_id=FACILITY))
    return {"name": name, "born": born, "lost": lost.reference}


def stop(services: Services, phone: str) -> None:
    """Somebody asks for no more SMS."""
    index = persons.phone_index(services.sealer, phone)
    opt_out.stop(services, index, channel=Channel.SMS, source=Source.INBOUND, actor=opt_out.INBOUND_DOOR)


def a_bad_event(services: Services, **changes: Any) -> None:
    """Something that a stream brought and nobody could take."""
    body = json.dumps(event_json(**changes)).encode()
    with pytest.raises(BadInput) as bad:
        readers.from_json(services, body)
    dead_letter(services, door=Door.STREAM, body=body, problems=bad.value.problems)


def not_told(services: Services, reference: str, problem: str = "http-410") -> None:
    """A correction of a message's dose that the registry refused."""
    at = services.clock.now()
    with services.db.write() as conn:
        row = notifications.find(conn, reference)
        assert row is not None
        registry_outbox.add(conn, RegistryEvent.PERSON_CORRECTED, row.person_id, at, fields=["name", "birth_date"])
        for taken in registry_outbox.take(conn, at, 100):
            registry_outbox.stuck(conn, taken.id, at=at, problem=problem)
            registry_outbox.alarmed(conn, taken.id, at)


def lists(services: Services, by: Uploader, *, name: str = "daftar.csv") -> dict[str, str]:
    """An uploaded list at each step; the references."""
    header = uploads.HEADER
    rows = [uploads.row(1), uploads.row(2), uploads.row(3, nik="12", given_on="31/02/2026"), uploads.row(4, phone="")]
    return {
        "columns": uploads.received(services, by, uploads.a_list(rows, header.replace("nama", "siapa dia")), name),
        "checked": uploads.checked(services, by, uploads.a_list(rows)),
        "recorded": uploads.recorded(services, by, uploads.a_list([uploads.row(11), uploads.row(12, nik="1")])),
    }


def bulk(services: Services, state: BulkState, *, by: str, wanted: ResendFilter | None = None, count: int = 120) -> str:
    """The reference of a bulk resend in a state."""
    at = services.clock.now()
    with services.db.write() as conn:
        row = bulks.add(
            conn,
            state=state,
            at=at,
            filter=(wanted or ResendFilter(Wanted.PROBLEM)).as_words(),
            expected=count,
            reason="rute penyedia salah kemarin sore",
            made_by=by,
            starts_at=at + timedelta(hours=1),
            look_at=at,
        )
    assert row is not None
    return str(row.reference)


def schedule(services: Services, *, by: str) -> str:
    """The reference of a schedule that waits for a second person."""
    wanted = ResendFilter(Wanted.PROBLEM, span=Span.YESTERDAY)
    made = bulk_schedules.create(
        services, wanted, time_of_day="09:00", most_per_person="2", reason="tiap pagi", actor=by
    )
    return str(made.reference)


def keys(services: Services, count: int) -> None:
    """API keys of each kind, some revoked, some with long names."""
    for number in range(count):
        made = api_keys.add(
            services,
            name=LONG_SYSTEM if number % 3 == 2 else f"SIMPUS {number + 1}",
            scopes=list(Scope)[: 1 + number % len(Scope)],
            facility_id=LONGEST_ID if number % 4 == 3 else None,
            actor="test",
        )
        if number % 5 == 1:
            api_keys.revoke(services, made.prefix, reason="kunci ini tersebar di surel", actor="test")


def audited(services: Services, count: int) -> None:
    """Rows of the audit by each kind of actor, sealed and checked."""
    who = ("door:api", "system", "key:abcd1234", "command:root")
    what = ("event.accepted", "notification.resend", "database.restored", "new.deed-without-words")
    with services.db.write() as conn:
        for number in range(count):
            audit.write(
                conn,
                at=services.clock.now(),
                actor=who[number % 4],
                action=what[number % 4],
                subject="dose",
                subject_id="0190a1b2-0000-7000-8000-000000000000",
                reason=LONG_REASON if number % 3 == 0 else None,
                reference="7K2M9QX4TB" if number % 2 else None,
                outcome="planned",
            )
        audit.seal(conn)
    audit_watch.watch(services)


def colleagues(services: Services, count: int) -> None:
    """Accounts, each as long as it may be."""
    with services.db.write() as conn:
        for number in range(count):
            staff.insert(
                conn,
                id=new_id(),
                username=f"w{number:03}." + "panjang" * 12,
                display_name=LONGEST_NAME,
                password_hash="x",
                role="facility_lead",
                facility_id=LONGEST_ID,
                active=number % 2 == 0,
                language="id",
                created_at=services.clock.now(),
            )


def days_of_work(services: Services) -> None:
    """Some messages of each kind, over some days."""
    desk = Desk(services)
    for place in range(24):
        names = {"id": f"person-{place}", "nik": None}
        desk.record(
            event_id=f"event-{place}",
            person=names,
            dose={"id": f"dose-{place}", "facility_id": f"pkm-{place % 3}", "facility": f"Puskesmas {place % 3}"},
        )
    ends = [State.DELIVERED] * 4 + [State.FAILED, State.UNDELIVERED, State.HELD, State.UNKNOWN, State.ACCEPTED]
    at = services.clock.now()
    with services.db.write() as conn:
        rows = conn.execute(sa.select(notification)).all()
        for place, row in enumerate(rows):
            end = [*ends, State.SCHEDULED][place % 10]
            reason = {State.FAILED: Reason.REFUSED, State.HELD: Reason.PAST_DUE, State.UNKNOWN: Reason.OUTCOME_UNKNOWN}
            moment = at - timedelta(days=place % 9)
            said = reason.get(end)
            values = {"status": end.value, "reason": said.value if said else None, "created_at": moment}
            if end is State.SCHEDULED:
                values |= {"alarmed_at": at}
            conn.execute(notification.update().where(notification.c.id == row.id).values(**values))
    tallies.refresh(services)


def counts_of_a_country(services: Services) -> None:
    """Millions, everything held, and the provider not asked."""
    days = tallies.days_shown(services, services.clock.now())
    whats = {
        "made": 250_000, "delivered": 171_234, "accepted": 20_111, "scheduled": 33_000, "failed": 12_345,
        "undelivered": 9_876, "suppressed": 3_434, "opened": 98_765, "downloaded": 54_321,
    }  # fmt: skip
    places = ["", *(f"pkm-{place}" for place in range(100, 114))]
    rows = [
        {"facility_id": place, "day": day.day, "what": what, "reason": reason, "number": number}
        for place in places
        for day in days
        for what, number in whats.items()
        for reason in (["refused", "bad-phone", "opted-out"] if what in {"failed", "suppressed"} else [""])
    ]
    with services.db.write() as conn:
        conn.execute(tally.delete())
        conn.execute(tally.insert(), rows)
        conn.execute(facility.insert(), [{"id": f"pkm-{n}", "name": f"{LONG_PLACE} {n}"} for n in range(100, 114)])
        conn.execute(tally_run.update().values(due=1_234_567, left_5_minutes=14_321, left_hour=171_234))
    resend.hold(services, reason="penyedia SMS sedang diperbaiki sampai malam", actor="test")
    circuit.pin(services, CircuitMode.OPEN, reason="the provider asked us to", actor="door:command")


def millions(services: Services) -> None:
    """Some days' work, and counts as of a whole country."""
    days_of_work(services)
    counts_of_a_country(services)


def a_country(services: Services, *, by: str) -> None:
    """As much and as long of everything as may be."""
    long = {"person": {"name": LONGEST_NAME}, "dose": {"product": LONGEST_PRODUCT, "lot": "L" * 100}}
    references = doses(services, MANY, start=1000, **long)
    ended(services, references)
    for reference in references[:8]:
        a_case(services, reference, CaseKind.NOT_ME)
    for place in range(8):
        stop(services, f"+6281234560{place:03}")
        a_bad_event(services, event_id=f"huge-{place}", dose={"number": 0}, person={"birth_date": "10 Feb 89"})
    wanted = ResendFilter(
        Wanted.UNDELIVERED,
        code="30005",
        facility=LONGEST_ID,
        product=LONGEST_PRODUCT,
        since=date(2026, 11, 1),
        until=date(2026, 11, 23),
    )
    for state in (BulkState.ASKED, BulkState.PAUSED, BulkState.DONE):
        bulk(services, state, by=by, wanted=wanted, count=1_234_567)
    keys(services, 9)
    audited(services, 120)
    colleagues(services, MANY)
    tallies.refresh(services)
    counts_of_a_country(services)

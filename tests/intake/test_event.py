"""The event model: what is accepted, what is refused, and that no refusal repeats a value."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.core.errors import BadInput, Problem
from notifier.intake.event import (
    MAX_EVENT_BYTES,
    Event,
    EventType,
    content_bytes,
    read_event,
    read_event_json,
    warnings_for,
)
from tests.builders import NIK, TODAY, an_event, event_json, without

CANARY = "K4n4ry-7391"


def refusals(data: object, **options: Any) -> list[Problem]:
    with pytest.raises(BadInput) as caught:
        read_event(data, today=TODAY, **options)
    return list(caught.value.problems)


def rules(data: object, **options: Any) -> set[tuple[str, str]]:
    return {(problem.field, problem.rule) for problem in refusals(data, **options)}


def test_an_event_is_read_whole() -> None:
    event = an_event()
    assert event.event_type is EventType.RECORDED
    assert event.recorded_at == datetime(2026, 11, 23, 3, tzinfo=UTC)
    assert event.person is not None
    assert (event.person.name, event.person.birth_date) == ("Siti Aminah", date(1989, 2, 10))
    assert (event.dose.number, event.dose.given_on) == (1, date(2026, 11, 22))
    assert event.notify.delay_hours == 0
    assert (event.person_ref, event.historical) == (None, False)


def test_what_may_be_null_may_also_be_absent_or_blank() -> None:
    optional_person = ("id", "nik", "phone", "language", "time_zone")
    optional_dose = ("number", "series_total", "vaccine_code", "vaccine_system", "lot", "facility", "facility_id")
    absent = event_json()
    absent = {
        **without(absent, "recorded_at", "notify"),
        "person": without(absent["person"], *optional_person),
        "dose": without(absent["dose"], *optional_dose),
    }
    nulls = event_json(
        recorded_at=None, notify=None, person=dict.fromkeys(optional_person), dose=dict.fromkeys(optional_dose)
    )
    blanks = event_json(recorded_at=None, notify=None, person=dict.fromkeys(optional_person, " "))
    blanks["dose"] = nulls["dose"]
    events = [read_event(data, today=TODAY) for data in (absent, nulls, blanks)]
    assert events[0] == events[1] == events[2]


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"event_id": None}, "event_id", "required"),
        ({"event_id": "  "}, "event_id", "required"),
        ({"event_id": 7}, "event_id", "text"),
        ({"event_id": "a\nb"}, "event_id", "bad-character"),
        ({"event_id": "x" * 301}, "event_id", "too-long"),
        ({"event_type": "deleted"}, "event_type", "event-type"),
        ({"event_type": ["recorded"]}, "event_type", "event-type"),
        ({"recorded_at": "2026-11-23T03:00:00"}, "recorded_at", "time-zone-missing"),
        ({"recorded_at": "yesterday"}, "recorded_at", "moment"),
        ({"recorded_at": "2026-11-23T25:00:00Z"}, "recorded_at", "moment"),
        ({"recorded_at": "2026-12-23T03:00:00Z"}, "recorded_at", "in-future"),
        ({"recorded_at": 1_795_000_000}, "recorded_at", "text"),
        ({"person": None}, "person", "required"),
        ({"person": []}, "person", "object"),
        ({"person": {"name": None}}, "person.name", "required"),
        ({"person": {"name": "\u200b \u202e"}}, "person.name", "required"),
        ({"person": {"name": 5}}, "person.name", "text"),
        ({"person": {"name": "x" * 201}}, "person.name", "too-long"),
        ({"person": {"name": "A\0B"}}, "person.name", "bad-character"),
        ({"person": {"name": "A\ud800"}}, "person.name", "bad-character"),
        ({"person": {"nik": "317403100289000"}}, "person.nik", "nik-length"),
        ({"person": {"nik": "31740310028900O9"}}, "person.nik", "nik-digits"),
        ({"person": {"nik": "0" * 16}}, "person.nik", "nik-placeholder"),
        ({"person": {"nik": 3174031002890009}}, "person.nik", "text"),
        ({"person": {"birth_date": None}}, "person.birth_date", "required"),
        ({"person": {"birth_date": "1989-02-30"}}, "person.birth_date", "date"),
        ({"person": {"birth_date": "10/02/1989"}}, "person.birth_date", "date"),
        ({"person": {"birth_date": "1899-12-31"}}, "person.birth_date", "too-early"),
        ({"person": {"phone": 6281234567890}}, "person.phone", "text"),
        ({"person": {"phone": "0" * 101}}, "person.phone", "too-long"),
        ({"person": {"language": "bahasa indonesia"}}, "person.language", "language"),
        ({"person": {"time_zone": "WIB"}}, "person.time_zone", "time-zone"),
        ({"person": {"time_zone": "../../etc/passwd"}}, "person.time_zone", "time-zone"),
        ({"person": {"adress": "x"}}, "person.adress", "unknown-field"),
        ({"dose": None}, "dose", "object"),
        ({"dose": {"id": None}}, "dose.id", "required"),
        ({"dose": {"number": 0}}, "dose.number", "dose-range"),
        ({"dose": {"number": -1}}, "dose.number", "dose-range"),
        ({"dose": {"number": 100}}, "dose.number", "dose-range"),
        ({"dose": {"number": "1"}}, "dose.number", "number"),
        ({"dose": {"number": 1.0}}, "dose.number", "number"),
        ({"dose": {"number": True}}, "dose.number", "number"),
        ({"dose": {"number": 3, "series_total": 2}}, "dose.series_total", "series-range"),
        ({"dose": {"vaccine_code": None, "product": " "}}, "dose.product", "required"),
        ({"dose": {"vaccine_code": 140}}, "dose.vaccine_code", "text"),
        ({"dose": {"lot": "x" * 101}}, "dose.lot", "too-long"),
        ({"dose": {"given_on": None}}, "dose.given_on", "required"),
        ({"dose": {"given_on": "2026-11-25"}}, "dose.given_on", "in-future"),
        ({"dose": {"given_on": "1989-02-09"}}, "dose.given_on", "before-birth"),
        ({"dose": {"given_on": 20261122}}, "dose.given_on", "text"),
        ({"notify": {"delay_hours": 49}}, "notify.delay_hours", "delay-range"),
        ({"notify": {"delay_hours": -0.1}}, "notify.delay_hours", "delay-range"),
        ({"notify": {"delay_hours": float("nan")}}, "notify.delay_hours", "delay-range"),
        ({"notify": {"delay_hours": "24"}}, "notify.delay_hours", "number"),
        ({"notify": {"delay_hours": False}}, "notify.delay_hours", "number"),
        ({"historical": True}, "historical", "unknown-field"),
        ({"person_ref": "person-2"}, "person_ref", "unknown-field"),
    ],
)
def test_a_bad_field_is_refused_by_name_and_rule(changes: dict[str, Any], field: str, rule: str) -> None:
    assert rules(event_json(**changes)) == {(field, rule)}


def test_tomorrow_is_accepted_since_it_is_tomorrow_somewhere() -> None:
    assert an_event(dose={"given_on": "2026-11-24"}).dose.given_on == date(2026, 11, 24)


def test_a_birth_date_in_the_future_is_refused() -> None:
    data = event_json(person={"birth_date": "2026-11-25"}, dose={"given_on": "2026-11-25"})
    assert rules(data) == {("person.birth_date", "in-future"), ("dose.given_on", "in-future")}


def test_every_fault_of_an_event_is_named_at_once() -> None:
    data = event_json(event_id=None, person={"nik": "12", "name": None}, dose={"number": 0}, notify={"delay_hours": 49})
    assert rules(data) == {
        ("event_id", "required"),
        ("person.nik", "nik-length"),
        ("person.name", "required"),
        ("dose.number", "dose-range"),
        ("notify.delay_hours", "delay-range"),
    }


@pytest.mark.parametrize("data", [None, [], "event", 7, [event_json()]])
def test_only_an_object_is_an_event(data: object) -> None:
    assert rules(data) == {("body", "object")}


def test_a_withdrawal_needs_only_ids_and_type() -> None:
    data = {"event_id": "e", "event_type": "entered_in_error", "dose": {"id": "d"}}
    event = read_event(data, today=TODAY)
    assert (event.person, event.dose.given_on) == (None, None)
    nameless = data | {"person": {"id": "p", "name": None}}
    assert read_event(nameless, today=TODAY).person is None


def test_a_birth_date_may_be_missing_only_where_links_do_not_ask_for_it() -> None:
    data = event_json(person={"birth_date": None})
    assert read_event(data, today=TODAY, require_birth_date=False).person is not None
    assert rules(data) == {("person.birth_date", "required")}


@pytest.mark.parametrize("phone", ["", "  ", None])
def test_an_empty_phone_is_no_phone(phone: str | None) -> None:
    person = an_event(person={"phone": phone}).person
    assert person is not None
    assert person.phone is None


@pytest.mark.parametrize("phone", ["021-5550123", "0812/0813", "tidak ada", "+1 555 0100", "12"])
def test_an_undialable_phone_is_left_to_the_recorder(phone: str) -> None:
    person = an_event(person={"phone": phone}).person
    assert person is not None
    assert person.phone == phone


def test_names_are_cleaned_but_never_recased() -> None:
    person = an_event(person={"name": " siti\tAMINAH\u202e \u200bbinti  X"}).person
    assert person is not None
    assert person.name == "siti AMINAH binti X"


def test_a_one_word_name_is_a_name() -> None:
    person = an_event(person={"name": "Suharti"}).person
    assert person is not None
    assert person.name == "Suharti"


def test_an_offset_is_turned_to_utc() -> None:
    assert an_event(recorded_at="2026-11-23T10:00:00.5+07:00").recorded_at == datetime(
        2026, 11, 23, 3, 0, 0, 500_000, tzinfo=UTC
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"event_id": f"x-{NIK}"},
        {"dose": {"id": f"{NIK}-1"}},
        {"dose": {"facility_id": "62-81234567890"}},
        {"event_id": "081234567890/1"},
    ],
)
def test_an_id_made_of_a_nik_or_phone_is_refused(changes: dict[str, Any]) -> None:
    (problem,) = refusals(event_json(**changes))
    assert problem.rule == "personal-data"


def test_a_nik_of_another_birth_date_is_a_warning_only() -> None:
    assert warnings_for(an_event()) == []
    (warning,) = warnings_for(an_event(person={"birth_date": "1945-11-17"}))
    assert (warning.field, warning.rule) == ("person.nik", "nik-birth-date")
    assert warnings_for(an_event(person={"nik": None, "birth_date": "1945-11-17"})) == []


def test_content_does_not_depend_on_the_order_of_keys_or_on_stamps() -> None:
    data = event_json()
    turned = dict(reversed(data.items())) | {"person": dict(reversed(data["person"].items()))}
    stamped = event_json(recorded_at="2026-11-23T04:00:00Z", event_id="event-2")
    assert content_bytes(an_event()) == content_bytes(read_event(turned, today=TODAY))
    assert content_bytes(an_event()) == content_bytes(read_event(stamped, today=TODAY))


def test_content_is_spelled_as_ever() -> None:
    """Hashes of this text are in databases: another spelling would refuse events that came before."""
    event = an_event(person={"nik": None, "language": None, "name": "Ábc"}, dose={"lot": None, "facility": None})
    assert content_bytes(event).decode() == (
        '{"dose":{"facility_id":"facility-1","given_on":"2026-11-22","id":"dose-1","number":1,"product":"Influenza",'
        '"series_total":2,"vaccine_code":"140","vaccine_system":"http://hl7.org/fhir/sid/cvx"},'
        '"event_type":"recorded","notify":{"delay_hours":0.0},'
        '"person":{"birth_date":"1989-02-10","id":"person-1","name":"Ábc","phone":"0812-3456-7890"}}'
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"event_type": "corrected"},
        {"person": {"phone": None}},
        {"person": {"name": "Siti Aminahh"}},
        {"dose": {"number": 2}},
        {"notify": {"delay_hours": None}},
        {"notify": {"delay_hours": 1}},
    ],
)
def test_other_content_is_spelled_otherwise(changes: dict[str, Any]) -> None:
    assert content_bytes(an_event()) != content_bytes(an_event(**changes))


def test_what_fhir_adds_is_content_too() -> None:
    event = an_event()
    assert content_bytes(event.model_copy(update={"historical": True})) != content_bytes(event)
    assert content_bytes(event.model_copy(update={"person_ref": "p"})) != content_bytes(event)


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b'{"event_id": "K4n4ry-7391"', "json"),
        (b"\xff\xfe{", "encoding"),
        ('{"event_id": "K4n4ry-7391é"}'.encode("latin-1"), "encoding"),
        (b'{"event_id": "a", "event_id": "b"}', "duplicate-key"),
        (b'{"notify": {"delay_hours": NaN}}', "json-constant"),
        (b'{"notify": {"delay_hours": -Infinity}}', "json-constant"),
        (b"[" * 101 + b"]" * 101, "too-deep"),
        (b"[" * 200_000, "too-deep"),
        (b'{"dose": ' + b"9" * 5000 + b"}", "json-number"),
        (b'"' + b"x" * MAX_EVENT_BYTES + b'"', "too-large"),
    ],
)
def test_a_text_that_is_not_proper_json_is_refused(body: bytes, rule: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_event_json(body, today=TODAY)
    (problem,) = caught.value.problems
    assert (problem.field, problem.rule) == ("body", rule)
    assert CANARY not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_byte_order_mark_is_no_fault() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(event_json()).encode()
    assert read_event_json(body, today=TODAY) == an_event()


def test_a_made_up_field_is_named_only_where_it_cannot_be_a_value() -> None:
    data = event_json() | {NIK: 1, "Siti Aminah": 2, "birthDate": 3}
    assert rules(data) == {("?", "unknown-field"), ("birthDate", "unknown-field")}


def test_no_exception_carries_the_input_along() -> None:
    with pytest.raises(BadInput) as caught:
        read_event(event_json(person={"nik": CANARY, "birth_date": CANARY}), today=TODAY)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def outcome_of(read: Callable[[], Event]) -> Event | BadInput:
    """What came of reading; any other exception fails the test."""
    try:
        return read()
    except BadInput as error:
        return error


_canaries = st.builds(lambda start, end: start + CANARY + end, st.text(max_size=3), st.text(max_size=3))
_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | _canaries
_json = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8) | _canaries, inner, max_size=3),
    max_leaves=8,
)
_PARTS = ("person", "dose", "notify")


@st.composite
def _near_events(draw: st.DrawFn) -> object:
    """A good event with anything at all in some of its places."""
    data = event_json()
    for _ in range(draw(st.integers(1, 3))):
        target = data
        part = draw(st.sampled_from(_PARTS))
        if draw(st.booleans()) and isinstance(data[part], dict):
            target = data[part]
        target[draw(st.sampled_from(sorted({*target, "id"})) | _canaries)] = draw(_json)
    return data


@settings(max_examples=400, deadline=None)
@given(_json | _near_events())
def test_any_value_is_an_event_or_a_refusal_that_repeats_nothing(data: object) -> None:
    outcome = outcome_of(lambda: read_event(data, today=TODAY))
    if isinstance(outcome, Event):
        assert content_bytes(outcome)
        return
    assert outcome.problems
    assert CANARY not in str(outcome)
    assert outcome.__context__ is None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | _near_events().map(lambda data: json.dumps(data).encode()))
def test_any_bytes_are_an_event_or_a_refusal(body: bytes) -> None:
    outcome = outcome_of(lambda: read_event_json(body, today=TODAY))
    assert isinstance(outcome, Event) or CANARY not in str(outcome)

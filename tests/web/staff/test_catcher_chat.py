"""The catcher's telephones: somebody plays a person, through the real code and the catcher's gateway."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from linkserver import create_public_app, create_staff_app
from notifier.access.roles import Role
from notifier.gateways.catcher import Catcher
from notifier.messages.send import Sender
from notifier.services import Services
from notifier.support import follow_ups
from notifier.support.chat import work
from notifier.support.chat.wishes import Rooms
from tests.builders import NIK, a_certificate
from tests.fakes import FakeClock
from tests.web.staff.conftest import Desk, add_staff

PAGE = "/catcher/chat"
HP = "0812-3456-7890"


@pytest.fixture
def caught(services: Services) -> Services:
    """With the real catcher."""
    return replace(services, gateway=Catcher(services.db, services.sealer, services.clock))


@pytest.fixture
def player(caught: Services) -> Desk:
    add_staff(caught, "oper", Role.OPERATOR, facility_id=None)
    desk = Desk(create_staff_app(caught).test_client())
    desk.sign_in("oper")
    desk.get(PAGE)
    return desk


def say(player: Desk, services: Services, clock: FakeClock, **sent: str) -> str:
    """Writes from the telephone, lets the workers work, and looks at the page again."""
    clock.tick(seconds=2)
    answer = player.post(PAGE, {"hp": HP} | sent)
    assert answer.status_code == 303
    assert 'http-equiv="refresh"' in player.get(answer.location).text
    clock.tick(seconds=1)
    work.run(services, Rooms())
    follow_ups.run(services)
    Sender(services).send_batch(10)
    page = player.get(answer.location).text
    assert 'http-equiv="refresh"' not in page
    return page


def test_a_person_is_played_from_hai_to_the_pdf(player: Desk, caught: Services, clock: FakeClock) -> None:
    a_certificate(caught)
    assert "Belum ada percakapan" in player.get(f"{PAGE}?hp={HP}").text
    assert "1. Unduh sertifikat</button>" in say(player, caught, clock, text="hai")
    say(player, caught, clock, choice="1")
    page = say(player, caught, clock, choice="1")
    code = re.search(r"\b\d{6}\b", page[page.index("SMS di ponsel ini") :])
    assert code
    say(player, caught, clock, text=code[0])
    say(player, caught, clock, text="Siti Aminah")
    say(player, caught, clock, text=NIK)
    page = say(player, caught, clock, choice="1")
    [pdf] = re.findall(r'href="[^"]+(/m/[0-9A-Za-z]{33})"', page)
    [link] = re.findall(r'href="[^"]+(/c/[0-9A-Za-z]{33})"', page)
    face = create_public_app(caught).test_client()
    assert face.get(pdf).data.startswith(b"%PDF")
    assert face.get(link).status_code == 200


def test_voice_notes_and_stickers_can_be_played(player: Desk, caught: Services, clock: FakeClock) -> None:
    assert "pesan suara" in say(player, caught, clock, said="voice")
    assert "stikernya" in say(player, caught, clock, said="sticker")


def test_a_stop_is_answered_on_the_telephone_at_once(player: Desk, caught: Services) -> None:
    player.post(PAGE, {"hp": HP, "text": "STOP"})
    assert "dihentikan" in player.get(f"{PAGE}?hp={HP}").text
    player.post(PAGE, {"hp": HP, "text": "hai"})
    assert "Balas MULAI" in player.get(f"{PAGE}?hp={HP}").text


def test_what_is_no_number_is_said_beside_the_field(player: Desk) -> None:
    for answer in (player.get(f"{PAGE}?hp=12"), player.post(PAGE, {"hp": "12", "text": "hai"})):
        assert answer.status_code == 422
        assert 'aria-describedby="hp-problem"' in answer.text


def test_what_is_typed_is_shown_as_text(player: Desk, caught: Services, clock: FakeClock) -> None:
    assert "&lt;b&gt;" in say(player, caught, clock, text="<b>hai</b> http://127.0.0.1:8000.jahat.example/c/x")
    assert 'href="http://127.0.0.1:8000.jahat' not in player.get(f"{PAGE}?hp={HP}").text

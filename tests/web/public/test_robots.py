"""Who is counted as a person: each agent string by its maker's own documentation."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from linkserver.devices import device_kind
from notifier.services import Services
from notifier.store.tables import link, opening
from tests.builders import MadeCertificate
from tests.web.public.conftest import RIGHT, Visitor, told
from tests.web.public.test_link import everything

ROBOTS = (
    "WhatsApp/2.24.1 A",
    "WhatsApp/2.23.20.76 i",
    "WhatsApp/2.2413.51 N",
    "TelegramBot (like TwitterBot)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "facebookexternalhit/1.1;line-poker/1.0",
    "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 "
    "Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",  # iMessage
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)",
    "Google-Read-Aloud",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15 (Applebot/0.1)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/534 (KHTML, like Gecko) BingPreview/1.0b",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Twitterbot/1.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0 Safari/537.36",
    "Dalvik/2.1.0 (Linux; U; Android 13; SM-A045F Build/TP1A)",
    "curl/8.5.0",
    "python-requests/2.32",
    "Go-http-client/2.0",
    "okhttp/4.12.0",
    "",
)

WEBKIT, GECKO = "AppleWebKit/537.36 (KHTML, like Gecko)", "Gecko/20100101"
PEOPLE = {
    f"Mozilla/5.0 (Linux; Android 13; SM-A045F) {WEBKIT} Chrome/120.0 Mobile Safari/537.36": "phone",
    f"Mozilla/5.0 (Linux; Android 9; CUBOT X19) {WEBKIT} Chrome/88.0 Mobile Safari/537.36": "phone",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) {WEBKIT} Version/17.4 Mobile/15E148 Safari/604.1": "phone",
    f"Mozilla/5.0 (Linux; Android 12; wv) {WEBKIT} Chrome/119.0 Mobile Safari/537 [FB_IAB/FB4A;FBAV/440.0;]": "phone",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80/191.0; U; id) Presto/2.12.423 Version/12.16": "phone",
    "UCWEB/2.0 (MIDP-2.0; U; id; nokia) U2/1.0.0 UCBrowser/9.5": "phone",
    f"Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) {GECKO} Firefox/48.0 KAIOS/2.5": "phone",
    f"Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) {WEBKIT} Version/16.6 Mobile/15E148 Safari/604.1": "tablet",
    f"Mozilla/5.0 (Android 12; Tablet; rv:121.0) {GECKO} Firefox/121.0": "tablet",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/120.0 Safari/537.36": "computer",
    "NokiaBrowser": "other",
}


@pytest.mark.parametrize("agent", ROBOTS)
def test_a_robot_is_a_robot(agent: str) -> None:
    assert device_kind(agent) == "robot"


def test_no_robot_changes_a_count_or_learns_anything(
    services: Services, visitor: Visitor, made: MadeCertificate
) -> None:
    before, landing = everything(services), visitor.get(f"/c/{made.token}")
    for agent in ROBOTS:
        for method in ("GET", "HEAD", "OPTIONS"):
            seen = visitor.client.open(f"/c/{made.token}", method=method, headers={"User-Agent": agent})
            assert seen.status_code == 200
            assert not seen.headers.getlist("Set-Cookie")
            assert seen.data == (landing.data if method == "GET" else b"")
    assert everything(services) == before


@pytest.mark.parametrize(("agent", "kind"), PEOPLE.items())
def test_a_persons_browser_is_a_person(agent: str, kind: str) -> None:
    assert device_kind(agent) == kind


def test_a_robot_that_knows_the_date_is_counted_as_a_robot_and_not_as_the_persons_opening(
    services: Services, visitor: Visitor, made: MadeCertificate
) -> None:
    def opened_by_a_person() -> bool:
        with services.db.read() as conn:
            return conn.scalar(sa.select(link.c.opened_at).where(link.c.id == made.link_id)) is not None

    assert visitor.post(f"/c/{made.token}", RIGHT, headers={"User-Agent": ROBOTS[0]}).status_code == 303
    assert not opened_by_a_person()
    assert visitor.post(f"/c/{made.token}", RIGHT, headers={"User-Agent": next(iter(PEOPLE))}).status_code == 303
    assert opened_by_a_person()
    with services.db.read() as conn:
        assert sorted(conn.scalars(sa.select(opening.c.device))) == ["phone", "robot"]


def test_the_landing_is_the_same_for_robots_and_people(visitor: Visitor, made: MadeCertificate) -> None:
    answers = [
        told(visitor.get(f"/c/{made.token}", headers={"User-Agent": agent})) for agent in (ROBOTS[0], *list(PEOPLE)[:1])
    ]
    assert answers[0] == answers[1]

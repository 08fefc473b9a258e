"""What the server gives the offline page: its headers, manifest, worker and modules. How it works: tests/browser."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from linkserver.assets import STATIC
from notifier.certificates.check import Verdict
from tests.web.public.conftest import NewVisitor, Visitor
from tests.web.public.test_face import HEADERS

MODULES = sorted((STATIC / "offline").glob("*.js"))
OWN = {"Content-Security-Policy", "Permissions-Policy"}


def told(text: str, name: str) -> Any:
    found = re.search(rf"^const {name} = (.+);$", text, re.MULTILINE)
    assert found is not None
    return json.loads(found[1])


def test_this_page_alone_may_run_our_scripts_and_use_the_camera(visitor: Visitor) -> None:
    headers = visitor.get("/verify/offline").headers
    assert headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"] + (
        "; script-src 'self'; worker-src 'self'; manifest-src 'self'; connect-src 'self'"
    )
    assert headers["Permissions-Policy"].startswith("camera=(self), geolocation=()")
    assert {name: headers[name] for name in HEADERS.keys() - OWN} == {
        name: HEADERS[name] for name in HEADERS.keys() - OWN
    }
    for path in ("/verify", "/verify/manifest.webmanifest", "/keys", "/nothing"):
        other = visitor.get(path).headers
        assert {name: other[name] for name in OWN} == {name: HEADERS[name] for name in OWN}


def test_the_page_holds_every_verdict_and_no_script_of_its_own(visitor: Visitor) -> None:
    page = visitor.get("/verify/offline").text
    assert {f'id="verdict-{verdict}"' for verdict in Verdict} <= set(re.findall(r'id="verdict-[a-z-]+"', page))
    assert re.findall("<script[^>]*>(.*?)</script>", page, re.DOTALL) == [""]
    assert not re.search(r"\son\w+=|javascript:|https://", page)


@pytest.mark.parametrize("language", ["id", "en"])
def test_it_can_be_installed_in_each_language(visitor: Visitor, language: str) -> None:
    answer = visitor.get(f"/verify/manifest.webmanifest?lang={language}")
    assert answer.content_type == "application/manifest+json"
    manifest = json.loads(answer.text)
    assert (manifest["lang"], manifest["start_url"]) == (language, f"/verify/offline?lang={language}")
    assert (manifest["scope"], manifest["display"]) == ("/verify", "standalone")
    assert [visitor.get(icon["src"]).status_code for icon in manifest["icons"]] == [200]


def test_the_worker_keeps_what_the_page_needs_and_each_of_it_exists(visitor: Visitor) -> None:
    worker, page = visitor.get("/verify/worker.js"), visitor.get("/verify/offline").text
    assert worker.content_type == "text/javascript; charset=utf-8"
    assert worker.headers["Service-Worker-Allowed"] == "/verify"
    assert worker.headers["Cache-Control"] == "no-cache"
    assert "connect-src 'self'" in worker.headers["Content-Security-Policy"]
    kept = [*told(worker.text, "FILES"), *told(worker.text, "PAGES"), *told(worker.text, "LISTS")]
    assert set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page)) <= set(kept)
    assert {visitor.get(path).status_code for path in kept} == {200}


def test_the_worker_changes_with_the_page_and_not_without(
    build_services: Any, new_visitor: NewVisitor, visitor: Visitor
) -> None:
    marks = [told(one.get("/verify/worker.js").text, "MARK") for one in (visitor, new_visitor())]
    other = new_visitor(build_services(issuer_name="Dinas Lain"))
    assert marks[0] == marks[1] != told(other.get("/verify/worker.js").text, "MARK")
    english = visitor.get("/verify/worker.js?lang=en")
    assert told(english.text, "MARK") == marks[0]


def test_modules_find_each_other_under_names_that_change_with_any_of_them(visitor: Visitor) -> None:
    address = re.search(r'src="(/static/offline\.[0-9a-f]{12}/)page\.js"', visitor.get("/verify/offline").text)
    assert address is not None
    source = visitor.get(address[1] + "page.js")
    assert source.content_type.startswith("text/javascript")
    imported = re.findall(r'from "\./([a-z]+\.js)"', source.text)
    assert {visitor.get(address[1] + name).status_code for name in imported} == {200}
    assert visitor.get(address[1] + "worker.js").status_code == 404
    assert visitor.get("/static/offline/page.js").status_code == 404


def test_the_modules_are_small_and_only_one_of_them_asks_for_anything() -> None:
    texts = {file.name: file.read_text() for file in MODULES}
    assert sum(map(len, texts.values())) < 30_000
    requests = re.compile(r"\bfetch\(|XMLHttpRequest|sendBeacon|WebSocket|EventSource|new Image|\.src\b|import\(")
    assert {name for name, text in texts.items() if requests.search(text)} == {"lists.js", "worker.js"}
    assert not [text for text in texts.values() if re.search(r"innerHTML|eval\(|document\.write|https?://\w", text)]


def test_a_closed_door_serves_none_of_it(build_services: Any, new_visitor: NewVisitor) -> None:
    closed = new_visitor(build_services(doors=("link",)))
    for path in ("/verify/offline", "/verify/worker.js", "/verify/manifest.webmanifest", "/verify/picture"):
        assert closed.get(path).status_code == 404

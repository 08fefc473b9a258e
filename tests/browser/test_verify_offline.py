"""/verify/offline in a real browser: kept by its worker, right without network, and silent about what it checks."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from base45 import b45encode
from flask import Flask, Response, request
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from linkserver import create_public_app
from notifier.certificates import issue
from notifier.certificates.check import check_text
from notifier.certificates.codes.shc import qr_text
from notifier.certificates.limits import CheckLimits, Limit
from notifier.core.states import Reason
from notifier.services import Services
from tests.browser.conftest import bound
from tests.browser.test_verify_pages import faults
from tests.certificates.pictures import qr_picture, saved
from tests.certificates.signed import STRANGER, Signed, changed, signed
from tests.conftest import Build
from tests.fakes import FakeClock

#: for how long the worker waits before it shows the kept list, which a slow machine's server may need and more
_PATIENCE, _MORE_PATIENCE = b"PATIENCE = 5_000;", b"PATIENCE = 60_000;"
NO_LIMIT = CheckLimits(address=Limit("x", 1_000, timedelta(minutes=1)))
CAMERA = """
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code"]; }
  async detect(source) { return window.seen ? [{ rawValue: window.seen }] : []; }
};
"""


@dataclass
class Check:
    """The page, opened once with network; what the server was asked for, but for a newer worker, which the browser asks
    for when it likes; and what went wrong."""

    services: Services
    context: BrowserContext
    page: Page
    address: str
    asked: list[str]
    faults: list[str] = field(default_factory=list)

    def open(self, query: str = "") -> None:
        self.page.goto(f"{self.address}/verify/offline{query}")
        self.page.wait_for_function("() => !document.getElementById('age').hidden")

    def keep(self) -> None:
        """Waits until the worker has everything."""
        self.open()
        self.page.evaluate("async () => { await navigator.serviceWorker.ready; }")

    def paste(self, text: str) -> str:
        self.page.fill("#code", text)
        self.page.locator("#result").evaluate("(result) => result.replaceChildren()")
        self.page.locator("#text button").first.click()
        heading = self.page.locator("#result h2").first
        expect(heading).to_be_visible()
        return heading.inner_text()


def patient(answer: Response) -> Response:
    """The worker waits for a server that stands still for seconds."""
    if request.path == "/verify/worker.js":
        source = answer.get_data()
        assert _PATIENCE in source
        answer.set_data(source.replace(_PATIENCE, _MORE_PATIENCE))
    return answer


def recorded(app: Flask, asked: list[str]) -> Callable[..., Any]:
    def answer(environ: dict[str, Any], start: Any) -> Any:
        if environ["PATH_INFO"] != "/verify/worker.js" or environ.get("QUERY_STRING"):
            asked.append(environ["PATH_INFO"])
        return app(environ, start)

    return answer


@pytest.fixture
def check(build_services: Build, browser: Browser, clock: FakeClock) -> Iterator[Check]:
    asked: list[str] = []
    clock.set(datetime.now(UTC))  # the browser judges by the time of the day, and codes live for two years
    with bound() as server:
        address = f"http://127.0.0.1:{server.server_port}"
        services = build_services(public_url=address)
        app = create_public_app(services)
        app.after_request(patient)
        server.app = recorded(app, asked)
        context = browser.new_context(viewport={"width": 360, "height": 740})
        page = context.new_page()
        made = Check(services, context, page, address, asked)
        page.on("console", lambda message: made.faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: made.faults.append(str(error)))
        yield made
        context.unroute_all(behavior="wait")  # what is under way would fail in the test after this
        context.close()


def revoke(services: Services, codes: Signed) -> None:
    with services.db.write() as conn:
        issue.revoke(conn, codes.made.dose_id, reason=Reason.WITHDRAWN, at=services.clock.now())


def test_without_network_the_kept_page_judges_as_the_server_does(check: Check) -> None:
    codes = signed(check.services)
    check.keep()
    before = list(check.asked)
    check.context.set_offline(True)
    check.page.reload()
    expect(check.page.locator("#age")).to_contain_text("Daftar pencabutan dari")

    for text in (codes.hc1, codes.jws, qr_text(codes.jws), f'{{"verifiableCredential": ["{codes.jws}"]}}'):
        assert check.paste(text) == "Sertifikat ini sah"
        expect(check.page.locator("#result")).to_contain_text("Siti Aminah")
        expect(check.page.locator("#result")).to_contain_text("10 Februari 1989")
    expect(check.page.locator("#result .dose")).to_have_count(2)
    assert check.paste(codes.hc1) == "Sertifikat ini sah"
    expect(check.page.locator("#result .dose")).to_contain_text("CoronaVac")
    expect(check.page.locator("#result .dose")).to_contain_text("Dosis 2 dari 2")

    tail = codes.jws.rindex(".") + 9
    for text in (changed(codes.hc1, 80), changed(codes.jws, tail), codes.hc1[:-6], codes.jws[:-6], "HC1:", "shc:/123"):
        assert check.paste(text) == "Kode ini palsu atau rusak"
        expect(check.page.locator("#result")).not_to_contain_text("Siti")
    assert check.asked == before
    assert check.faults == []


def replace(services: Services, codes: Signed) -> None:
    made, at = codes.made, services.clock.now()
    with services.db.write() as conn:
        issue.replace(conn, person_id=made.person_id, dose_id=made.dose_id, reason=Reason.CORRECTED, at=at)


def test_each_end_of_a_code_and_a_strangers_are_told_without_network(check: Check) -> None:
    revoked, replaced = signed(check.services), signed(check.services)
    foreign = signed(check.services, key=STRANGER)
    revoke(check.services, revoked)
    replace(check.services, replaced)
    check.keep()
    check.context.set_offline(True)
    check.page.reload()
    for text in (revoked.hc1, revoked.jws):
        assert check.paste(text) == "Sertifikat ini dicabut"
    for text in (replaced.hc1, replaced.jws):
        assert check.paste(text) == "Sertifikat ini sudah diganti"
    for text in (foreign.hc1, foreign.jws):
        assert check.paste(text) == "Kode ini bukan dari kami"
        expect(check.page.locator("#result")).not_to_contain_text("Siti")


def test_a_list_that_does_not_say_which_end_it_was_is_believed(check: Check) -> None:
    codes = signed(check.services)
    revoke(check.services, codes)

    def older(route: Route) -> None:
        answer = route.fetch()
        kept = {name: value for name, value in answer.json().items() if name != "replaced"}
        route.fulfill(response=answer, json=kept)

    check.context.route("**/revocations", older)
    check.open()
    assert check.paste(codes.hc1) == "Sertifikat ini tidak berlaku lagi"


def test_with_network_too_nothing_about_a_code_leaves_the_page(check: Check) -> None:
    codes = signed(check.services)
    check.keep()
    sent: list[str] = []
    check.page.on("request", lambda request: sent.append(request.url))
    before = list(check.asked)
    for text in (codes.hc1, codes.jws, "https://evil.example/x", "javascript:alert(1)", codes.made.number):
        check.paste(text)
    assert (sent, check.asked) == ([], before)
    assert check.page.locator("#result a").count() == 0


SORTED = {
    "{ours}/c/" + "A" * 33: "Ini tautan pribadi",
    "{ours}/verify?n=7K3M-9QXT-2B4D": "Nomor hanya dapat diperiksa dengan internet",
    "{ours}/cek?lang=en&n=7K3M-9QXT-2B4D": "Nomor hanya dapat diperiksa dengan internet",
    "{ours}/keys": "Tidak ada yang dapat diperiksa",
    "7k3m-9qxt-2b4d": "Nomor hanya dapat diperiksa dengan internet",
    "https://evil.example/verify?n=7K3M-9QXT-2B4D": "Alamat ini bukan alamat kami",
    "{ours}@evil.example/verify?n=7K3M-9QXT-2B4D": "Alamat ini bukan alamat kami",
    "javascript:alert(1)": "Alamat ini bukan alamat kami",
    "\0\0 selamat pagi": "Tidak ada yang dapat diperiksa",
    "<img src=x onerror=alert(1)>": "Tidak ada yang dapat diperiksa",
    "HC1:" + "Z" * 9000: "Kode ini palsu atau rusak",
    "HC1:" + b45encode(zlib.compress(bytes(4_000_000), 9)).decode(): "Kode ini palsu atau rusak",
    "HC1:" + b45encode(zlib.compress(b"\x81" * 5000, 9)).decode(): "Kode ini palsu atau rusak",
    '{"verifiableCredential": [' + "[" * 4000: "Tidak ada yang dapat diperiksa",
}


def test_what_is_no_code_of_ours_is_sorted_as_online(check: Check) -> None:
    check.open()
    found = {text: check.paste(text.replace("{ours}", check.address)) for text in SORTED}
    assert found == SORTED
    assert check.faults == []


JUDGE_ALL = """async (texts) => {
  const address = document.querySelector("script[type=module]").src;
  const { check } = await import(address.replace("page.js", "codes.js"));
  const { load } = await import(address.replace("page.js", "lists.js"));
  const told = document.getElementById("check").dataset;
  const lists = await load(JSON.parse(told.lists), JSON.parse(told.hc1), "id");
  const all = [];
  for (const text of texts) all.push((await check(text, { ours: told.ours, now: Date.now(), ...lists })).verdict);
  return all;
}"""


def test_both_readers_judge_mangled_codes_alike(check: Check) -> None:
    dice, codes = random.Random(11), signed(check.services)
    texts = []
    for whole in (codes.hc1, codes.jws, qr_text(codes.jws)):
        for _ in range(80):
            at, letter = dice.randrange(5, len(whole)), dice.choice("0123456789ABCXYZ") if dice.random() < 0.8 else ""
            texts.append(whole[:at] + letter + whole[at + dice.choice((0, 1, 1, 1, 9)) :])
    check.open()
    found = check.page.evaluate(JUDGE_ALL, texts)
    ours = [check_text(check.services, text, address="a", limits=NO_LIMIT).verdict.value for text in texts]
    apart = [(text, here, there) for text, here, there in zip(texts, found, ours, strict=True) if here != there]
    assert apart == []
    assert "forged" in found


def test_nothing_typed_asks_for_text_and_the_page_speaks_english(check: Check) -> None:
    codes = signed(check.services)
    check.open("?lang=en")
    check.page.locator("#text button").first.click()
    expect(check.page.get_by_text("Paste the code's text first")).to_be_visible()
    assert check.paste(codes.hc1) == "This certificate is valid"
    expect(check.page.locator("#result")).to_contain_text("February 10, 1989")
    expect(check.page.locator("#result")).to_contain_text("Revocation list from")


def test_an_old_list_is_told_beside_a_valid_result(check: Check) -> None:
    codes = signed(check.services)
    check.keep()
    check.context.set_offline(True)
    check.page.clock.set_system_time(datetime.now(UTC) + timedelta(days=3))
    check.page.reload()
    expect(check.page.locator("#age")).to_have_text("Daftar pencabutan dari 3 hari yang lalu.")
    assert check.paste(codes.hc1) == "Sertifikat ini sah"
    expect(check.page.locator("#result .band")).to_contain_text("mungkin sudah dicabut")
    check.page.clock.set_system_time(datetime.now(UTC) + timedelta(days=800))
    check.page.reload()
    assert check.paste(codes.hc1) == "Kode ini sudah lewat masa berlakunya"


def test_the_chosen_language_is_kept_without_network(check: Check) -> None:
    check.keep()
    check.context.set_offline(True)
    for query in ("?lang=en", ""):
        check.page.goto(f"{check.address}/verify/offline{query}")
        expect(check.page.locator("html")).to_have_attribute("lang", "en")
    check.page.goto(f"{check.address}/verify?n=7K3M-9QXT-2B4D")  # a scanned link: the kept page instead of an error
    expect(check.page.locator("#code")).to_be_visible()


def test_the_camera_and_pictures_are_offered_where_the_browser_reads_codes(check: Check) -> None:
    codes = signed(check.services)
    check.page.add_init_script(CAMERA + f"window.seen = {codes.hc1!r};")
    check.open()
    expect(check.page.locator("#no-scan")).to_be_hidden()
    expect(check.page.get_by_role("button", name="Pindai dengan kamera")).to_be_visible()
    picture = {"name": "foto.png", "mimeType": "image/png", "buffer": saved(qr_picture("x"))}
    check.page.set_input_files("#picture", files=[picture])  # type: ignore[list-item]
    expect(check.page.locator("#result h2").first).to_have_text("Sertifikat ini sah")
    check.page.set_input_files("#picture", files=[picture | {"buffer": b"no picture"}])  # type: ignore[list-item]
    expect(check.page.get_by_text("Gambar ini rusak atau terpotong")).to_be_visible()


VIEW = """
navigator.mediaDevices.getUserMedia = async () => {
  if (!window.allowed) throw new DOMException("no", "NotAllowedError");
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  setInterval(() => pen.fillRect(0, 0, 9, 9), 50);
  window.stream = canvas.captureStream();
  return window.stream;
};
"""


def test_the_camera_looks_until_it_sees_a_code_and_is_let_go(check: Check) -> None:
    codes = signed(check.services)
    check.page.add_init_script(CAMERA + VIEW)
    check.open()
    button = check.page.locator("#camera")
    button.click()
    expect(check.page.get_by_text("Kamera tidak dapat dipakai")).to_be_visible()
    check.page.evaluate("window.allowed = true")
    button.click()
    expect(check.page.locator("#video")).to_be_visible()
    expect(button).to_have_text("Matikan kamera")
    check.page.evaluate("(code) => { window.seen = code; }", codes.hc1)
    expect(check.page.locator("#result h2").first).to_have_text("Sertifikat ini sah")
    expect(check.page.locator("#video")).to_be_hidden()
    assert check.page.evaluate("window.stream.getTracks().every((track) => track.readyState === 'ended')")
    assert check.faults == []


def test_a_browser_that_cannot_read_codes_says_what_to_do(check: Check) -> None:
    check.page.add_init_script("delete window.BarcodeDetector;")
    check.open()
    expect(check.page.get_by_text("Peramban ini tidak dapat membaca kode QR sendiri")).to_be_visible()
    expect(check.page.locator("#camera-part")).to_be_hidden()


def test_every_state_fits_and_can_be_read_by_all_and_by_keyboard_alone(check: Check) -> None:
    codes = signed(check.services)
    check.page.add_init_script(CAMERA)
    for size, scheme in (((360, 740), "light"), ((1280, 800), "dark")):
        check.page.set_viewport_size({"width": size[0], "height": size[1]})
        check.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        check.open()
        assert faults(check.page) == []
        check.page.focus("#code")
        check.page.keyboard.press("Tab")
        check.page.keyboard.press("Enter")
        expect(check.page.get_by_text("Tempel teks kodenya dulu")).to_be_visible()
        assert faults(check.page) == []
        for text in (codes.jws, changed(codes.hc1, 80), "7K3M-9QXT-2B4D"):
            check.paste(text)
            assert faults(check.page) == []


def test_without_javascript_the_page_leads_to_the_other(check: Check, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{check.address}/verify/offline")
    page.locator("#without").get_by_role("link", name="Periksa dengan internet").click()
    expect(page.get_by_label("Nomor sertifikat, teks kode, atau tautan")).to_be_visible()
    context.close()

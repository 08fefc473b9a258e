"""The mailbox's settings: who gets the password, what production refuses, what `check` says, whom TLS trusts."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from notifier.commands.check import _mail
from notifier.core.errors import BadSettings
from notifier.gateways.mail import MailAway, PostOutcome
from notifier.gateways.mail.server import MailServer
from notifier.mail_settings import MailTls
from notifier.safety import unsafe_for_production
from notifier.settings import Role, Settings, load_settings
from tests.conftest import TEST_KEYS
from tests.mail_server import PASSWORD, a_mail_server
from tests.mail_server import MailServer as Server


def load(role: Role, tmp_path: Path, **values: str) -> Settings:
    environ = {f"SERTILINK_{name}": value for name, value in values.items()}
    return load_settings({"SERTILINK_DATA_FOLDER": str(tmp_path)} | environ, role)


def test_the_password_is_the_worker_s_alone_and_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("rahasia\n")
    values = {"MAIL_HOST": "mail.example", "MAIL_PASSWORD_FILE": str(tmp_path / "password")}
    assert load(Role.WORKER, tmp_path, **values).mail_password.get_secret_value() == "rahasia"  # type: ignore[union-attr]
    assert all(load(role, tmp_path, **values).mail_password is None for role in (Role.WEB, Role.STAFF, Role.STREAM))
    assert "rahasia" not in repr(load(Role.CLI, tmp_path, **values))


@pytest.mark.parametrize(
    "values", [{"MAIL_ADDRESS": "a@b.example\r\nBcc: x@y.example"}, {"MAIL_FOLDER": 'INBOX" X'}, {"MAIL_PORT": "0"}]
)
def test_settings_that_could_do_harm_are_refused(tmp_path: Path, values: dict[str, str]) -> None:
    with pytest.raises(BadSettings, match=next(iter(values))):
        load(Role.WORKER, tmp_path, **values)


def wrong(**values: object) -> set[str]:
    settings = Settings(**TEST_KEYS, **values)  # type: ignore[arg-type]
    environ = {f"SERTILINK_{name.upper()}": "x" for name in values}
    lines = unsafe_for_production(settings, environ)
    return {line.partition(":")[0].removeprefix("SERTILINK_") for line in lines if "MAIL_" in line.partition(":")[0]}


def test_production_wants_tls_and_a_whole_mailbox_where_the_door_was_opened() -> None:
    whole = {"mail_host": "m.example", "mail_user": "u", "mail_address": "a@b.example", "help_email": "a@b.example"}
    assert wrong(**whole) == set()
    assert wrong(**whole, mail_tls="off", mail_smtp_tls="off") == {"MAIL_TLS", "MAIL_SMTP_TLS"}
    assert wrong(mail_host="m.example", help_email="a@b.example") == {"MAIL_USER", "MAIL_ADDRESS"}
    assert wrong(doors=("email",), help_email="a@b.example") == {"MAIL_HOST"}
    assert wrong(help_email="a@b.example") == set()  # the door is open by default, and nothing comes in
    assert wrong(doors=("link",), mail_host="m.example", mail_tls="off", help_email="a@b.example") == set()


def test_check_says_how_the_mailbox_stands() -> None:
    assert _mail(Settings()).fit is None
    assert _mail(Settings(mail_host="127.0.0.1")).fit is False
    with a_mail_server() as server:
        server.put(b"Subject: x\n\nx")
        found = _mail(Settings(**server.settings))
        assert (found.fit, found.detail) == (True, "127.0.0.1 opens INBOX (1 waiting); 127.0.0.1 takes letters")
        away = _mail(Settings(**server.settings | {"mail_password": "wrong"}))
        assert (away.fit, away.detail) == (False, "does not answer (MailAway)")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A key with a certificate for 127.0.0.1 that it signed itself, in one file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (tmp_path / "mail.pem").write_bytes(pem + built.public_bytes(serialization.Encoding.PEM))
    return tmp_path / "mail.pem"


def test_tls_is_spoken_and_a_stranger_s_server_gets_no_password(certificate: Path) -> None:
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(certificate)
    with a_mail_server(theirs) as server:
        settings = Settings(**server.settings | {"mail_tls": MailTls.TLS, "mail_smtp_tls": MailTls.TLS})
        trusting = MailServer(settings, ssl.create_default_context(cafile=str(certificate)))
        with trusting.open_mailbox() as box:
            assert box.waiting() == []
        assert post(trusting) is PostOutcome.SENT
        strict = MailServer(settings)
        with pytest.raises(MailAway), strict.open_mailbox():
            pass
        assert post(strict) is PostOutcome.NOT_SENT
    assert len(server.posted) == 1


def post(mail: MailServer) -> PostOutcome:
    return mail.post(sender="a@b.example", to="c@d.example", letter=b"Subject: x\r\n\r\n.x\r\n").outcome


def test_a_server_that_offers_no_tls_is_not_spoken_to_in_clear() -> None:
    with a_mail_server() as server:
        mail = MailServer(Settings(**server.settings | {"mail_tls": "starttls", "mail_smtp_tls": "starttls"}))
        with pytest.raises(MailAway), mail.open_mailbox():
            pass
        assert post(mail) is PostOutcome.NOT_SENT
    assert (server.posted, isinstance(server, Server), PASSWORD != "") == ([], True, True)

"""/verify/offline: the same check without network, in the visitor's browser; the only pages of ours with JavaScript.

What is checked never leaves the page. A service worker keeps the page, the public keys and the revocation list.
"""

from __future__ import annotations

import hashlib
import json

from flask import Flask, Response, g, make_response, render_template

from linkserver.assets import STATIC, serve_folder
from linkserver.public.face import Face
from linkserver.security import widen
from linkserver.words import _, language
from notifier.certificates.codes.keys import keyring
from notifier.certificates.codes.packing import base64url
from notifier.certificates.codes.vaccines import names_of_codes
from notifier.services import Services

_PAGE = "/verify/offline"
_FOLDER, _MODULES = "offline", ("page.js", "codes.js", "lists.js", "icon.svg")
_LISTS = ("/.well-known/jwks.json", "/revocations")
_POLICY = {"script-src": "'self'", "worker-src": "'self'", "manifest-src": "'self'", "connect-src": "'self'"}


def add_routes(app: Flask, face: Face) -> None:
    """Part of the door `verify`."""
    serve_folder(app, _FOLDER, _MODULES)
    address = app.jinja_env.globals["asset"]
    files = [address(name) for name in ("public.css", "mark.svg", *(f"{_FOLDER}/{name}" for name in _MODULES))]  # type: ignore[operator]
    source = (STATIC / _FOLDER / "worker.js").read_text()
    languages = app.extensions["words"].languages

    def page() -> str:
        return render_template(
            "offline.html",
            lists=_LISTS,
            hc1_kids=_hc1_kids(face.services),
            vaccines=names_of_codes(),
        )

    @app.get(_PAGE)
    def offline() -> Response:
        return widen(make_response(page()), _POLICY, camera=True)

    @app.get("/verify/manifest.webmanifest")
    def manifest() -> Response:
        issuer = face.services.settings.issuer_name
        said = {
            "name": f"{_('Periksa sertifikat vaksin')} · {issuer}",
            "short_name": _("Periksa vaksin"),
            "lang": language(),
            "start_url": f"{_PAGE}?lang={language()}",
            "scope": "/verify",
            "display": "standalone",
            "background_color": "#ffffff",
            "theme_color": "#0b6b4f",
            "icons": [{"src": address("offline/icon.svg"), "sizes": "any", "type": "image/svg+xml"}],  # type: ignore[operator]
        }
        return Response(json.dumps(said), content_type="application/manifest+json")

    @app.get("/verify/worker.js")
    def worker() -> Response:
        """Differs whenever the page does, so that browsers notice."""
        chosen, texts = language(), []
        for g.language in languages:
            texts.append(page())
        g.language = chosen
        told = {
            "MARK": hashlib.sha256("".join([*texts, source]).encode()).hexdigest()[:12],
            "PAGE": _PAGE,
            "PAGES": [f"{_PAGE}?lang={code}" for code in languages],
            "FILES": files,
            "LISTS": _LISTS,
        }
        head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in told.items())
        response = Response(head + source, content_type="text/javascript; charset=utf-8")
        response.headers["Service-Worker-Allowed"] = "/verify"
        response.headers["Cache-Control"] = "no-cache"
        return widen(response, {"connect-src": "'self'"})


def _hc1_kids(services: Services) -> dict[str, str]:
    """The short name that HC1 codes have for each of our keys, by its `kid`."""
    return {key.kid: base64url(key.hc1_kid) for key in keyring(services).public.all}

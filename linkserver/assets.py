"""Static files under a name that changes with their content, so that a phone may keep them for a year."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, abort, request

STATIC = Path(__file__).parent / "static"
_KEEP = "public, max-age=31536000, immutable"
_SQUEEZED = frozenset({".css", ".svg", ".js"})


@dataclass(frozen=True, slots=True)
class _Asset:
    plain: bytes
    gzipped: bytes | None
    content_type: str


def serve_assets(app: Flask, names: tuple[str, ...]) -> None:
    """Serves the named files of `static/` at `/static/<stem>.<hash><suffix>` and gives templates `asset(name)`.

    Read once at start; gzip made once. Nothing else of the folder can be fetched.
    """
    addresses: dict[str, str] = {}
    assets: dict[str, _Asset] = {}
    app.extensions["assets"] = (assets, addresses)
    for name in names:
        asset = _read(STATIC / name)
        path = Path(name)
        hashed = f"{path.stem}.{_mark(asset)}{path.suffix}"
        assets[hashed] = asset
        addresses[name] = f"/static/{hashed}"

    @app.get("/static/<path:name>", endpoint="asset")
    def _serve(name: str) -> Response:
        asset = assets.get(name)
        if asset is None:
            abort(404)
        squeeze = asset.gzipped is not None and request.accept_encodings.quality("gzip") > 0
        body = asset.gzipped if squeeze and asset.gzipped is not None else asset.plain
        response = Response(body, content_type=asset.content_type)
        response.headers["Cache-Control"] = _KEEP
        if asset.gzipped is not None:
            response.headers["Vary"] = "Accept-Encoding"
        if squeeze:
            response.headers["Content-Encoding"] = "gzip"
        return response

    app.jinja_env.globals["asset"] = app.extensions["asset"] = addresses.__getitem__


def serve_folder(app: Flask, folder: str, names: tuple[str, ...]) -> str:
    """Serves files that name each other, such as modules of JavaScript: `/static/<folder>.<hash of all>/<name>`.

    Adds `<folder>/<name>` to what `asset(name)` knows. Returns the hash.
    """
    assets, addresses = app.extensions["assets"]
    read = {name: _read(STATIC / folder / name) for name in names}
    mark = _mark(*read.values())
    for name, asset in read.items():
        assets[f"{folder}.{mark}/{name}"] = asset
        addresses[f"{folder}/{name}"] = f"/static/{folder}.{mark}/{name}"
    return mark


def _mark(*assets: _Asset) -> str:
    return hashlib.sha256(b"".join(asset.plain for asset in assets)).hexdigest()[:12]


def _read(path: Path) -> _Asset:
    plain = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    gzipped = gzip.compress(plain, 9, mtime=0) if path.suffix in _SQUEEZED else None
    return _Asset(plain, gzipped, kind)

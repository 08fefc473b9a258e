"""The issuer's signature under a PDF: a certification signature (PAdES, ECDSA on P-256) that forbids later changes.

Nothing is fetched from anywhere. What is the same for every sheet is prepared once: pyHanko left to itself measures its
own signature, stamps the metadata and takes the certificates apart each time, which costs eight times as much.
"""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from asn1crypto import cms, x509
from asn1crypto.algos import SignedDigestAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.generic import DictionaryObject, NumberObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import InvisSigSettings, MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.general import as_signing_certificate_v2, simple_cms_attribute
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.sign.signers.pdf_cms import Signer
from pyhanko_certvalidator.registry import SimpleCertificateStore

from notifier.core.pdf_keys import PdfKey

_FIELD = "Sertilink"
_DIGEST = "sha256"
_LONGEST_RAW = 72  # bytes of an ECDSA signature on P-256, whose two numbers may each have a leading zero
_SHORTEST_RAW = 8
_AROUND = 2_280  # bytes of the field, its page and tag, the catalogue and the cross-references
_SPEC = SigFieldSpec(
    _FIELD,
    on_page=0,
    # PDF/A forbids hidden fields and wants an unseen one without size; PDF/UA wants it off the page
    invis_sig_settings=InvisSigSettings(set_hidden_flag=False, set_print_flag=True, box_out_of_bounds=True),
    readable_field_name="Tanda tangan elektronik penerbit / Issuer's electronic signature",
)
_MDP = SigMDPSetup(_DIGEST, certify=True, docmdp_perms=MDPPerm.NO_CHANGES)
_IO = SigIOSetup(_DIGEST)


class PdfSigner:
    """Signs drawn sheets in the issuer's name; threads may share it."""

    def __init__(self, key: PdfKey, issuer: str) -> None:
        self._key = _PreparedKey(key)
        self._issuer = issuer
        # as hexadecimal digits; measured with the certificates as they are
        self._reserved = 2 * (len(self._key.cms(bytes(32))) + _LONGEST_RAW - _SHORTEST_RAW)

    @property
    def weight(self) -> int:
        """About how many bytes a signature adds to a PDF."""
        return self._reserved + _AROUND

    def sign(self, pdf: bytes, at: datetime) -> bytes:
        """`pdf` with its signature behind its unchanged bytes; `at` is the time that the signature states."""
        writer = _Writer(BytesIO(pdf))
        embedding = PdfCMSEmbedder(_SPEC).write_cms(_FIELD, writer)
        _tag(writer, next(embedding))
        embedding.send(SigObjSetup(self._placeholder(at), _MDP))
        prepared, output = embedding.send(_IO)
        embedding.send(self._key.cms(prepared.document_digest))
        signed: bytes = output.getvalue()
        return signed

    def _placeholder(self, at: datetime) -> SignatureObject:
        return SignatureObject(
            timestamp=at.astimezone(UTC).replace(microsecond=0),
            subfilter=SigSeedSubFilter.PADES,
            location=self._issuer,
            reason=f"Diterbitkan oleh {self._issuer} / Issued by {self._issuer}",
            bytes_reserved=self._reserved,
        )


def _tag(writer: IncrementalPdfFileWriter, field: Any) -> None:
    """Gives the field its place at the end of the reading order: PDF/UA wants a Form element around each field."""
    tree = writer.root["/StructTreeRoot"]
    key, document, widget = tree["/ParentTreeNextKey"], tree["/K"][0], field.get_object()
    told = _dictionary(Type=pdf_name("/OBJR"), Obj=field, Pg=widget.raw_get("/P"))
    form = writer.add_object(
        _dictionary(
            Type=pdf_name("/StructElem"), S=pdf_name("/Form"), P=tree["/K"].raw_get(0), Alt=widget["/TU"], K=told
        )
    )
    widget[pdf_name("/StructParent")] = key
    tree["/ParentTree"]["/Nums"].extend([key, form])
    tree[pdf_name("/ParentTreeNextKey")] = NumberObject(key + 1)  # type: ignore[no-untyped-call]
    document["/K"].append(form)
    writer.update_container(tree)
    writer.update_container(document)


def _dictionary(**entries: Any) -> Any:
    return DictionaryObject({pdf_name(f"/{name}"): value for name, value in entries.items()})  # type: ignore[no-untyped-call]


class _Writer(IncrementalPdfFileWriter):
    """Leaves the metadata as they were drawn: the standards that the sheet declares stand there byte for byte, and no
    machine's clock gets in."""

    def _update_meta(self) -> None:
        pass


class _PreparedKey:
    """A key with what its signatures have in common, as bytes: parsed ASN.1 objects are slow to write, and fill
    themselves in while they are read, so that threads must not share them."""

    def __init__(self, key: PdfKey) -> None:
        self.private_key = key.private_key
        self.certificate = key.certificate.public_bytes(serialization.Encoding.DER)
        self.above = [
            one.public_bytes(serialization.Encoding.DER) for one in key.above if one.subject != one.issuer
        ]  # a root proves nothing inside the file
        which = as_signing_certificate_v2(x509.Certificate.load(self.certificate))
        self.attribute = simple_cms_attribute("signing_certificate_v2", which).dump()  # type: ignore[no-untyped-call]

    def cms(self, digest: bytes) -> bytes:
        """The signature over a document of this SHA-256, as DER."""
        return bytes(_finished(_Signature(self).async_sign(digest, _DIGEST)).dump())


class _Signature(Signer):
    """One signature; never used twice."""

    def __init__(self, prepared: _PreparedKey) -> None:
        above = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        above.register_multiple(x509.Certificate.load(der) for der in prepared.above)
        super().__init__(
            signing_cert=x509.Certificate.load(prepared.certificate),
            cert_registry=above,
            signature_mechanism=SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
        )
        self._attribute = prepared.attribute
        self._private_key = prepared.private_key

    async def signed_attrs(self, data_digest: bytes, *_: Any, **__: Any) -> Any:
        """What PAdES demands: the digest, and which certificate signed. The time stands in the PDF itself."""
        return cms.CMSAttributes(
            [
                simple_cms_attribute("content_type", "data"),  # type: ignore[no-untyped-call]
                simple_cms_attribute("message_digest", data_digest),  # type: ignore[no-untyped-call]
                cms.CMSAttribute.load(self._attribute),
            ]
        )

    async def unsigned_attrs(self, *_: Any, **__: Any) -> None:
        """None: they would come from a time-stamping server."""

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        return self._private_key.sign(data, ec.ECDSA(hashes.SHA256()))


def _finished(work: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine that never waits for anything comes to; no event loop, so any thread may ask."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise RuntimeError("signing waited for something")

"""Verifiable codes: what a phone at a border or a wallet can check without asking us (docs/codes.md).

    keys.py        the P-256 keys that sign, and what is published of them
    signature.py   ES256, as COSE and JOSE both want it
    hc1.py         EU Digital COVID Certificate: made and read      names.py, vaccines.py, uvci.py, cbor.py: its parts
    shc.py         SMART Health Card: made and read
    card.py        what a code says once it was read, and why one cannot be trusted
    made.py        the codes of a certificate: made once, kept sealed, made anew where they would say what is not so
    ahead.py       the same by upkeep, before anybody asks
    revoked.py     which codes no longer hold, in the words of both formats

May live here: formats, signatures, what may stand in a code. May not: NIK, address, phone; Flask; the environment.
"""

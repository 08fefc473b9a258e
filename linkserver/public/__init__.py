"""The public face: what a person taps, sees and keeps; the provider's webhooks.

    app.py          puts the face together; opens the doors that `DOORS` names, imports no others
    face.py         what every route is handed
    link.py         /c/<token>: the inert landing, the birth date
    buttons.py      /c/<token>/stop, not-me, renew, birth-date: what its buttons do
    opened.py       what the addresses below /certificate/<view> share, behind the cookie
    certificate.py  /certificate/<view>: page, PDFs, picture
    codes.py        /certificate/<view>/codes: HC1, SMART Health Card, its file
    history.py      /certificate/<view>/history and /replace: who looked, and a new link instead of the old ones
    asli.py         /asli: is this message ours? Asks no database
    views.py        the cookie that holds up to eight opened views
    verify.py       /verify, /cek: is this certificate genuine, by number, code, link or picture?
    offline.py      /verify/offline: the same in the browser without network; the only pages with JavaScript
    keys.py         /keys, /.well-known/jwks.json, /revocations: what others need to check our codes
    webhooks.py     the provider's delivery receipts, and what people write to our sender
    plain.py        health, robots.txt, security.txt, icon
    pages.py        the pages of each state and error: what happened, what it means, what to do now

Under 1,500 lines without optional doors (me/ and others). No JavaScript but in offline.py, no third party, nothing
personal before the birth date.
"""

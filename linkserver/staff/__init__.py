"""The staff face: dose entry, messages, catcher, API. Its own process, secrets, host name and cookie.

    app.py       puts it together
    gate.py      who may call a route: each says so, and one that says nothing is closed
    screen.py    what every page needs: language, zone, navigation
    vocabulary/  the words for states, reasons, rules and deeds: one table each
    the others   one subject each, a blueprint

May live here: forms, pages, HTTP. May not: SQL, rules about messages, personal data in an address or a log.
"""

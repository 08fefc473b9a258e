"""Own account: whoever has proved a phone sees whom it belongs to, and opens each by what only they know.

    session.py   a proved number's session: short, ended from our side at any time
    family.py    the persons on the number: who is named, open, locked, said to be a stranger
    deeds.py     what one does with an opened person: certificate, language, copy of the data; and with the number: SMS

A person is shown here for as long as the number is theirs: each request asks the database again.
"""

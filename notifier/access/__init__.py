"""Staff accounts, roles, sessions, API keys and sign-in rules.

    roles.py       what each role may do, as data
    passwords.py   which passwords are taken, and how they are kept (Argon2id)
    accounts.py    adding and changing staff
    sign_in.py     name and password in, session out; throttled, fails closed
    sessions.py    server-side sessions: a random token outside, its SHA-256 in the row
    api_keys.py    keys of other systems, with scopes, kinds, ends and successors
    api_limits.py  how often each of them may ask

May live here: who somebody is and what they may do. May not: Flask, forms, cookies.
"""

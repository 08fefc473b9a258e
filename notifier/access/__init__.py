"""Staff accounts, roles, sessions, API keys and sign-in rules.

    roles.py       what each role may do, as data
    passwords.py   which passwords are taken, and how they are kept (Argon2id)
    accounts.py    adding staff
    manage.py      what an administrator does to the accounts of others
    own_account.py    what somebody changes about the own one
    sign_in.py     name and password in, then the other steps; throttled, fails closed
    totp.py second_factor.py    codes of a phone and recovery codes
    tries.py       limits on guessing, counted in the database
    sessions.py    server-side sessions: a random token outside, its SHA-256 in the row
    api_keys.py    keys of other systems, with scopes, kinds, ends and successors
    api_limits.py  how often each of them may ask

May live here: who somebody is and what they may do. May not: Flask, forms, cookies.
"""

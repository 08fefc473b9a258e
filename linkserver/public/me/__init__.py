"""The optional door /me: own account on the web, behind a code by SMS.

    door.py      opens it; needs the door `link`, whose pages show the certificates
    desk.py      what its routes share: the cookies, who is signed in, its own forms, its pages
    sign_in.py   the number, the code, the full name, signing out
    home.py      the persons on the number; SMS to it stopped or allowed
    person.py    one person: opened by birth date or NIK, certificates, language, copy of the data, "not mine"
    install.py   the manifest, so that it can stand on the home screen; no service worker: nothing is kept offline

Every answer before the code is right is the same for every number.
"""

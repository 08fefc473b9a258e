"""\"My certificate has not come\": the cause is found from what we hold; what can be mended is mended by one tap; what
cannot becomes a case that somebody must answer, and that closes itself when the dose arrives.

    causes.py      why somebody has no certificate: one finding a dose (`causes_for`, `causes_of`)
    judge.py       the rules behind it; pure
    fixes.py       what one tap can do (`fix`)
    facts.py       what somebody reports: read, checked, sealed, and by what a dose is matched
    reports.py     a report becomes a case, or joins the open one (`report`)
    trackers.py    the page of a case: what its steps say, a word added, a number proven, withdrawn
    answers.py     what facilities and operators do about a case
    arrivals.py    the missing dose came by some door: the case closes itself
    waiting.py     reminders to the facility, and promises that are broken
    telling.py     the SMS at each step

Nobody learns here whether a number or a person is known: what is known of a person is shown to whoever proved that
person's number and birth date or NIK (support.proof_of_person), and a report is answered the same whatever we hold.
"""

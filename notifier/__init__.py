"""Sertilink's core and its Celery doors. Imports point down this list only.

    cli commands                doors: what `sertilink ...` does
    supervisor                  starts the Procfile's processes and stops them; imports nothing of ours
    stream worker tasks metrics doors: the event stream's consumer, the Celery app and ticker, thin tasks, numbers
    logs                        one way of logging, redacted, for every process
    embedded_broker             the Kombu transport on SQLite; imports nothing of ours
    proof                       starts processes and drives them from outside
    support                     after the SMS: resends, corrections, cases, privacy
    intake                      a dose comes in: event, FHIR, CSV, record
    messages                    the SMS: plan, text, claim, send, receipts, upkeep
    certificates                what the person holds: facts, PDF, links, opening
    access                      staff accounts, roles, API keys, sign-in rules
    services                    Services: settings, clock, database, gateway, signers; built once, handed in
    gateways                    Twilio, the local catcher
    catalogue                   what we say, in each language
    store                       the database: tables, migrations, sealed columns, audit, follow-ups
    safety                      keys of our own making, and what production refuses
    settings                    the only reader of the environment
    core                        words and pure rules

The way of one event: a door (form, API, FHIR, CSV, stream) calls `intake.record`, which writes event, dose,
certificate, link and the planned notification in one transaction. Each second one worker's tick finds what is due;
`messages.send` claims a batch, decides once more, renders, commits `sending`, posts, and records the outcomes.
A webhook reaches `messages.receipts`; the person opens the link through `certificates.opening`.
"""

"""The SMS: planning, text, claim, send, receipts, upkeep.

May live here: what happens to a notification between plan and end. May not: Celery, Flask, SQL, a provider's words.
"""

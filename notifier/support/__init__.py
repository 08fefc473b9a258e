"""After the SMS: resends and cancels, later corrections, cases, chat and privacy.

May live here: what people and operators ask for once a message exists. May not: Flask, Celery, a provider's words.
"""

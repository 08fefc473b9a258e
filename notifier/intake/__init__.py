"""A dose comes in: the event model, FHIR R4, CSV, and `record`, the one way into the database.

May live here: reading and checking what others send, and writing it whole. May not: sending, Flask, Celery.
"""

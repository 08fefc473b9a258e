"""The database: engine, tables, migrations, sealed columns, audit, follow-ups; one module a family of rows.

May live here: SQL, and the rows as values. May not: decisions about what should happen, the network, Flask, Celery.
Every function takes the open connection; who opens it decides what is one transaction.
"""

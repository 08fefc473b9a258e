"""Words and pure rules: errors, states, clock, phones, identity (NIK), schedule rules, segments, link tokens.

May live here: values in, values out. May not: input or output, the database, the environment, Flask, Celery.
"""

"""Corrections that people ask for of their own data. Here: asking, the rule, the review, what follows. Not here: pages,
and how somebody is recognised (support.otp, support.proof_of_person).

A request never changes a person. A decision does, by rule or by staff, as an event into intake like any correction
(decision 0026), in the transaction that ends the request: recorded once, or not at all.
"""

"""OpenID Connect, seen from our side: which providers there are, asking them, and checking what they say.

Knows no database and no pages; what a sign-in leads to, app/features/accounts decides.
"""

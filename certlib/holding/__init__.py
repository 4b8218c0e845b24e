"""What a holder may see and do: own licences, one-time codes, the ledger, requests for consent, delegations.

`sessions.holder_of` says whose rights a call uses and who really calls. What writes asks in its own transaction whether
session and delegation still stand (`sessions.require_standing`), and so does every answer to a delegate. Audit records
name a holder by a keyed hash; what is not the holder's own is answered as what nobody has. Nobody is identified here:
a counter or a log-in service does that, and says how.
"""

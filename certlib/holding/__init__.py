"""What a holder may see and do: own licences, one-time codes, the ledger, requests for consent, delegations.

`sessions.holder_of` says whose rights a call uses and who really calls. Each use case takes that `HolderCaller`, asks in
its own transaction whether session and delegation still stand (`sessions.require_standing`), and answers only after what
it did is written down. Audit records name a holder by a keyed hash; what is not the holder's own is answered as what
nobody has. It does not identify anybody: a counter or a log-in service does that, and says how.
"""

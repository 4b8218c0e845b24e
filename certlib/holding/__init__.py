"""What a holder may see and do: own licences, one-time codes, the ledger, requests for consent, delegations."""

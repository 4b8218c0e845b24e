"""HTTP only: it parses, calls one use case of `certlib`, and writes the answer.

What it is for: the verify page, look-ups, verification, and issuing by agencies' systems.
What it promises: every error is problem+json with a wire-stable `code`; a verify request that was understood is
answered 200 with its verdict; nothing personal is logged or stands in a URL.
What it does not do: it opens no session, knows no SQL, no key and no form.

    >>> from api.problems import STATUS
    >>> from certlib.errors import NotFoundError
    >>> int(STATUS[NotFoundError])
    404
"""

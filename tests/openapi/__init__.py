"""Whether what is sent to Microsoft Purview, and what comes back, fits the official OpenAPI.

`specs` has the specifications and the checks, `watch` judges what goes over the wire, `exceptions` are the tables of
what is allowed although no specification has it, `examples` and `recordings` what the checks themselves are checked by.
"""

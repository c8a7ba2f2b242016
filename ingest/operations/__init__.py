"""What operators and accounts can do: values in, dataclasses out.

Whatever is given a ledger or a service raises `ConnectionError` while the database is away.
"""

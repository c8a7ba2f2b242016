"""IMAP: letters out of a folder, and into the folder for their outcome."""

from ingest.transports.imap.mailbox import (
    FILED,
    HEADER_BYTES,
    Examined,
    ImapConfig,
    ImapMailbox,
)

__all__ = [
    "FILED",
    "HEADER_BYTES",
    "Examined",
    "ImapConfig",
    "ImapMailbox",
]

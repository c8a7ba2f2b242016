"""IMAP: letters out of a folder, and into the folder for their outcome."""

"""`python -m ingest`, and the console script `ingest`."""

from ingest.verbs.main import main

if __name__ == "__main__":
    main()

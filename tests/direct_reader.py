"""Reads letters in the tests' own process."""

from concurrent.futures import ThreadPoolExecutor

from ingest.letters.terms import Limits
from ingest.reading.documents import (
    mark_workbooks,
    read_bytes,
    read_file,
    read_too_large,
    read_words,
)
from ingest.reading.tables import first_sheet


class DirectReader:
    """As `SandboxReader`, in this very process, without limits of memory and time."""

    def __init__(self, layouts, limits=None):
        self._layouts = layouts
        self._limits = limits or Limits()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")

    def read(self, raw):
        if raw.header_only:
            return self._thread.submit(read_too_large, raw.content, raw.size, self._limits)
        if raw.file_name:
            return self.read_file(raw.file_name, raw.content)
        if raw.words_only:
            return self._thread.submit(read_words, raw.content, self._limits)
        return self._thread.submit(read_bytes, raw.content, self._limits, self._layouts)

    def read_together(self, letters):
        return [self.read(raw) for raw in letters]

    def read_file(self, name, content):
        return self._thread.submit(read_file, name, content, self._limits, self._layouts)

    def table(self, content):
        return first_sheet(content)

    def mark(self, raw, wanted):
        return mark_workbooks(raw.content, self._limits, wanted, raw.file_name)

    def close(self):
        self._thread.shutdown(cancel_futures=True)

"""Letters read by children, several at a time: a future for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from functools import partial

import structlog

from ingest.letters.terms import Line, Marked, Marks, RawLetter, Read
from ingest.reading import ReaderFailed
from ingest.reading.child import SandboxConfig
from ingest.reading.children import ForkServer, ReaderUnavailable
from ingest.reading.sandbox import Sandbox
from layouts.findings import Finding

__all__ = ["ReaderUnavailable", "SandboxConfig", "SandboxReader"]

log = structlog.get_logger()


class SandboxReader:
    """Reads in a `Sandbox`, several letters at a time."""

    def __init__(self, config: SandboxConfig) -> None:
        """Nothing starts before the first letter, or `start`."""
        self._config = config
        self.sandbox = Sandbox(config, ForkServer(config))
        # One thread waits for each child.
        self._threads = ThreadPoolExecutor(config.workers, thread_name_prefix="reader")

    def start(self) -> None:
        """Have a child ready, and say in the log what its confinement lacks.

        Raises:
            ReaderUnavailable: no child can be had, or not one as confined as is required.
        """
        missing = self.sandbox.missing()
        if missing:
            log.warning("reader.not_confined", missing=list(missing))
        else:
            log.info("reader.confined")
        if missing and self._config.require_confinement:
            raise ReaderUnavailable(f"the confinement lacks {', '.join(missing)}")

    def read_together(self, letters: Sequence[RawLetter]) -> list[Future[Read]]:
        """Begin to read letters in one child; see `reading.Reader`.

        A future raises `ReaderUnavailable` when no child can be had, and `ReaderFailed`
        when our own code failed in it. A letter that harms its child harms none of the
        others: they go on in another one.
        """
        futures: list[Future[Read]] = [Future() for _ in letters]
        work = self._threads.submit(self._read_in_order, letters, futures)
        work.add_done_callback(partial(_without_answer, futures=futures))
        return futures

    def mark(self, raw: RawLetter, wanted: Marks) -> Mapping[str, Marked]:
        """The letter's workbooks with the findings marked in them; see `reading.Reader`.

        Empty when no child can be had: the reply's text names the findings as well.
        """
        try:
            marked, why = self.sandbox.mark(raw, wanted)
        except ReaderUnavailable as error:
            marked, why = {}, str(error)
        if why:
            log.warning("workbook.not_marked", error=why)
        return marked

    def table(self, content: bytes) -> Sequence[Line] | Finding:
        """The first sheet of a workbook; see `Sandbox.table`."""
        return self.sandbox.table(content)

    def close(self) -> None:
        """End every child, and with it every letter that is being read."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.sandbox.close()

    def _read_in_order(self, letters: Sequence[RawLetter], futures: Sequence[Future[Read]]) -> None:
        with closing(self.sandbox.read(letters)) as results:
            for got, future in zip(results, futures, strict=True):
                if not future.set_running_or_notify_cancel():
                    if all(each.done() for each in futures):
                        return
                elif isinstance(got, ReaderFailed):
                    future.set_exception(got)
                else:
                    future.set_result(got)


def _without_answer(work: Future[None], futures: Sequence[Future[Read]]) -> None:
    """Fail the futures of letters that no thread will read any more."""
    fault = ReaderUnavailable("the readers were ended") if work.cancelled() else work.exception()
    for future in futures:
        if not future.done() and future.set_running_or_notify_cancel():
            future.set_exception(fault or RuntimeError("a letter was left out"))

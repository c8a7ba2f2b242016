"""The demo's own IMAP server, on which the small tests run as well."""

import gc

from imapclient import IMAPClient

from ingest.demo.servers import HOST


def test_connections_that_wait_outlive_the_garbage_collector(pymap_server):
    with IMAPClient(HOST, pymap_server.port, ssl=False, timeout=5) as waiting:
        waiting.login(pymap_server.user, pymap_server.password)
        with IMAPClient(HOST, pymap_server.port, ssl=False, timeout=5) as idling:
            idling.login(pymap_server.user, pymap_server.password)
            idling.select_folder("INBOX")
            idling.idle()
            for _ in range(3):
                gc.collect()
            idling.idle_done()
        assert waiting.noop()[0]

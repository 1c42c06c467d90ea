# SPDX-License-Identifier: MIT
"""Python's http.server, for where there is no nginx: PORT FOLDER DELAY_MS."""

import functools
import http.server
import sys
import time


class Slow(http.server.SimpleHTTPRequestHandler):
    delay = 0.0

    def do_GET(self):
        time.sleep(self.delay)
        super().do_GET()


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 1024  # its own 5 are too few for 200 who come at once


def main(port, folder, delay_ms):
    Slow.delay = delay_ms / 1000
    Server(("127.0.0.1", port), functools.partial(Slow, directory=folder)).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))

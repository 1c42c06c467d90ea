# SPDX-License-Identifier: MIT
"""200 pages, fetched one after another and then all at once by the same blocking code."""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

from server import example, free_port, running, serving

TITLE = "A page server, and a program that fetches 200 pages in plain blocking style"
COUNT = 200
DELAY_MS = 20
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ECHO_MODULES = ("/usr/lib/nginx/modules/ngx_http_echo_module.so",
                "/usr/share/nginx/modules/ngx_http_echo_module.so")


def write_pages(folder):
    """The pages are this project's own files."""
    files = sorted(path for ending in ("c", "h", "py", "md") for path in
                   glob.glob(f"{ROOT}/*/**/*.{ending}", recursive=True) if "/build/" not in path)
    for number in range(COUNT):
        shutil.copyfile(files[number % len(files)], f"{folder}/page-{number:03}.txt")


def fetch(build, address, folder):
    """Fetch all pages both ways; returns how many times faster all at once was."""
    done = subprocess.run([example(build, "fetch"), address, str(COUNT), folder],
                          stdout=subprocess.PIPE, text=True, timeout=120)
    for line in done.stdout.splitlines():
        print("   " + line)
    sys.stdout.flush()
    assert done.returncode == 0, f"pages of {address} are missing or differ from their files"
    return float(re.search(r"([\d.]+) times", done.stdout).group(1))


def nginx_config(folder, pages, port, module):
    """A configuration that keeps nginx within a folder of its own."""
    delay = f"echo_sleep {DELAY_MS / 1000}; echo_exec @page;" if module else ""
    return f"""
{f'load_module {module};' if module else ''}
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type text/plain;
    server {{
        listen 127.0.0.1:{port};
        root {pages};
        location / {{ {delay} }}
        location @page {{ }}
    }}
}}
"""


def use_nginx(folder, pages):
    """(name, command, port, whether it takes its time); None where there is no nginx."""
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not nginx:
        return None
    port, module = free_port(), next(filter(os.path.exists, ECHO_MODULES), None)
    with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
        file.write(nginx_config(folder, pages, port, module))
    return "nginx", [nginx, "-c", f"{folder}/nginx.conf"], port, bool(module)


def use_python(_, pages):
    port = free_port()
    command = [sys.executable, f"{ROOT}/demo/http_server.py", str(port), pages, str(DELAY_MS)]
    return "Python's http.server", command, port, True


def fetch_from(build, pages, server):
    """Fetch from somebody else's server; raises OSError when it does not start."""
    name, command, port, is_slow = server
    with running(command, port) as address:
        slow = f", which takes {DELAY_MS} ms over a page too" if is_slow else \
            ", which answers at once, so there is less to gain"
        print(f"   From {name}{slow}:", flush=True)
        return f"{fetch(build, address, pages):.0f} times from {name}"


def fetch_from_real(build, folder, pages):
    for choice in (use_nginx, use_python):
        server = choice(folder, pages)
        if server:
            try:
                return fetch_from(build, pages, server)
            except OSError as why:
                print(f"   {server[0]} is left out: {why}", flush=True)
    raise AssertionError("no web server starts here")


def show(build):
    with tempfile.TemporaryDirectory() as folder:
        pages = f"{folder}/pages"
        os.mkdir(pages)
        os.chmod(folder, 0o755)
        write_pages(pages)
        print(f"   From the page server made with fern, which takes {DELAY_MS} ms over a page:",
              flush=True)
        with serving(example(build, "page_server"), "127.0.0.1:0", pages,
                     str(DELAY_MS)) as (_, address):
            ours = fetch(build, address, pages)
        real = fetch_from_real(build, folder, pages)
    return f"{COUNT} pages fetched {ours:.0f} times as fast by one greenlet each ({real})"

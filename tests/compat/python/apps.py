"""Runs a WSGI or ASGI app as a real HTTP server on a free loopback port."""

import contextlib
import socket
import threading

import uvicorn
import werkzeug.serving
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler


@contextlib.contextmanager
def flask_server(app):
    """Serves a Flask app by werkzeug; gives its URL."""
    server = werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True)
    with _running(server):
        yield f"http://127.0.0.1:{server.server_port}"


@contextlib.contextmanager
def django_server(app):
    """Serves a Django WSGI app by Django's own server; gives its URL."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
    server.set_app(app)
    with _running(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"


@contextlib.contextmanager
def asgi_server(app):
    """Serves an ASGI app by uvicorn; gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))  # listens already, so the first request simply waits
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@contextlib.contextmanager
def _running(server):
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

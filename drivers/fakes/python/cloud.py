"""What the simulated providers share: an API port that can fail in every way, and a port for the hand of the test.

The hand speaks one JSON command a line and gets one JSON answer a line: {"do": "fault", "kind": "Silence"} and so on. The
commands are the methods of a Cloud whose names begin with do_.
"""

import argparse
import http.server
import inspect
import json
import os
import socket
import socketserver
import ssl
import sys
import threading


class Refused(Exception):
    """The provider does not do it."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class HangUp(Exception):
    """The connection breaks instead of an answer."""


class Cut(Exception):
    """Half of the answer comes, then the connection breaks."""

    def __init__(self, reply):
        super().__init__("cut")
        self.reply = reply


class Reply:
    """An answer."""

    def __init__(self, status, body, content_type, headers=()):
        self.status, self.content_type, self.headers = status, content_type, dict(headers)
        self.body = body if isinstance(body, bytes) else body.encode()


class Cloud:
    """A provider. Subclasses answer requests, and pass what changes something through change()."""

    #: The faults that are refusals, as the provider words them: status, code, message.
    REFUSALS = {}

    def __init__(self):
        self.lock = threading.RLock()
        self.released = threading.Event()
        self.fault = None
        self.received = 0
        self.accepted = 0
        self.log = []
        self.listener = None

    def answer(self, request):
        raise NotImplementedError

    def refusal(self, refused):
        raise NotImplementedError

    def respond(self, request):
        try:
            return self.answer(request)
        except Refused as refused:
            return self.refusal(refused)

    def change(self, what, execute):
        """Runs `execute`, which changes something, as the present fault lets it; `what` is for the log."""
        with self.lock:
            fault, released = self.fault, self.released
            self.received += 1
            entry = {**what, "accepted": False, "fault": fault}
            self.log.append(entry)
            if fault in self.REFUSALS:
                raise Refused(*self.REFUSALS[fault])
            reply = execute()
            self.accepted += 1
            entry["accepted"] = True
        if fault == "Silence":
            released.wait()
            raise HangUp
        if fault == "LostReply":
            raise HangUp
        if fault == "HalfReply":
            raise Cut(reply)
        if fault == "Nonsense":
            return Reply(200, "<html>It works!</html>", "text/html")
        return reply

    # === the hand ===

    def do_fault(self, kind):
        """Fails from now on; None is well again."""
        with self.lock:
            self.released.set()
            self.released = threading.Event()
            if self.fault == "Unreachable" and kind != "Unreachable":
                self.listener.open()
            if kind == "Unreachable" and self.fault != "Unreachable":
                self.listener.close()
            self.fault = kind

    def vanish(self):
        """If the fault is Vanishing, this is the last question that is answered."""
        if self.fault == "Vanishing":
            self.listener.refuse()
            self.fault = "Unreachable"

    def do_calls(self):
        """Which calls that change something came in."""
        with self.lock:
            return {"received": self.received, "accepted": self.accepted, "log": self.log}


class Handler(http.server.BaseHTTPRequestHandler):
    """Hands requests to the cloud and its replies back."""

    protocol_version = "HTTP/1.1"
    cloud = None

    def serve(self):
        self.body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            reply, cut = self.cloud.respond(self), False
        except HangUp:
            return self.hang_up()
        except Cut as half:
            reply, cut = half.reply, True
        self.send_response(reply.status)
        self.send_header("content-type", reply.content_type)
        self.send_header("content-length", str(len(reply.body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if cut else reply.body)
        if cut:
            self.hang_up()

    def hang_up(self):
        self.close_connection = True
        self.wfile.flush()
        # Not a TLS goodbye: the connection breaks.
        self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = serve

    def log_message(self, *args):
        sys.stderr.write(f"{self.address_string()} {args[0] % args[1:]}\n")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def finish_request(self, request, client_address):
        # The handshake is made here, in the connection's own thread.
        if self.tls is not None:
            request = self.tls.wrap_socket(request, server_side=True)
        self.open.add(request)
        try:
            super().finish_request(request, client_address)
        finally:
            self.open.discard(request)

    def handle_error(self, request, client_address):
        sys.stderr.write(f"{client_address}: {sys.exc_info()[1]!r}\n")


class Listener:
    """The API's port, which can be closed and opened again."""

    def __init__(self, cloud, tls):
        self.handler = type("Handler", (Handler,), {"cloud": cloud})
        self.tls, self.port, self.server = tls, 0, None
        self.open()

    def open(self):
        self.server = Server(("127.0.0.1", self.port), self.handler)
        self.server.tls, self.server.open = self.tls, set()
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def refuse(self):
        """Takes no new connections; those that are open go on."""
        self.server.shutdown()
        self.server.server_close()

    def close(self):
        self.refuse()
        for connection in list(self.server.open):
            connection.shutdown(socket.SHUT_RDWR)


class Hand(socketserver.StreamRequestHandler):
    cloud = None

    def handle(self):
        for line in self.rfile:
            command = json.loads(line)
            try:
                answer = {"ok": getattr(self.cloud, "do_" + command.pop("do"))(**command)}
            except Exception as error:  # The hand is told of its own mistakes.
                answer = {"error": repr(error)}
            self.wfile.write(json.dumps(answer).encode() + b"\n")


def run(make):
    """Runs the cloud that `make` makes of the arguments that it names, until it is killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", required=True, help="the file to write the two ports to")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    for name in inspect.signature(make).parameters:
        parser.add_argument("--" + name.replace("_", "-"), required=True)
    args = vars(parser.parse_args())
    ports, cert, key = (args.pop(name) for name in ("ports", "cert", "key"))
    tls = None
    if cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(cert, key)
    cloud = make(**args)
    cloud.listener = Listener(cloud, tls)
    socketserver.ThreadingTCPServer.daemon_threads = True
    hand = socketserver.ThreadingTCPServer(("127.0.0.1", 0), type("Hand", (Hand,), {"cloud": cloud}))
    with open(ports + ".new", "w", encoding="ascii") as file:
        json.dump({"api": cloud.listener.port, "hand": hand.server_address[1]}, file)
    os.rename(ports + ".new", ports)
    hand.serve_forever()

"""Starts a simulated provider and commands it, for the scripts that drive it with the provider's own SDK."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time


class Hand:
    def __init__(self, name, *args):
        folder = tempfile.TemporaryDirectory()
        ports = os.path.join(folder.name, "ports")
        script = os.path.join(os.path.dirname(__file__), name + ".py")
        self.process = subprocess.Popen([sys.executable, script, "--ports", ports, *args], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not os.path.exists(ports):
            assert self.process.poll() is None and time.monotonic() < deadline, "the provider did not start"
            time.sleep(0.02)
        with open(ports, encoding="ascii") as file:
            found = json.load(file)
        folder.cleanup()
        self.api = found["api"]
        self.lines = socket.create_connection(("127.0.0.1", found["hand"])).makefile("rw")

    def do(self, command, **arguments):
        self.lines.write(json.dumps({"do": command, **arguments}) + "\n")
        self.lines.flush()
        answer = json.loads(self.lines.readline())
        assert "ok" in answer, answer
        return answer["ok"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

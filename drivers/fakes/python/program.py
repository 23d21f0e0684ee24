"""A program for node-exec: its machine and its faults are files of a folder, so that a test can change them."""

import json
import os
import sys
import time

import machine

FOLDER = sys.argv[1]


def read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return file.read().strip()


def note(name):
    with open(os.path.join(FOLDER, name), "a", encoding="utf-8") as file:
        file.write("1\n")


def say(answer):
    json.dump(answer, sys.stdout)
    sys.stdout.flush()


def main():
    request = json.load(sys.stdin)
    with open(os.path.join(FOLDER, "seen"), "w", encoding="utf-8") as file:
        json.dump({"request": request, "environment": dict(os.environ)}, file)
    answer, state = machine.answer(request, read("state"))
    fault = read("fault") if request["call"] == "take" else ""
    if request["call"] == "take":
        note("received")
    if fault in ("Throttled", "Forbidden"):
        say({"refused": {"kind": fault, "message": "a fault of the test", "retryAfterSeconds": 7}})
        return 2
    if fault == "Broken":
        return 1
    if state is None:
        say(answer)
        return 2
    if request["call"] == "take":
        note("accepted")
    if fault == "LostReply":
        return 7
    if fault == "Silence":
        if os.fork() == 0:
            note("child")
        time.sleep(600)
    if fault == "Slow":
        while not os.path.exists(os.path.join(FOLDER, "go")):
            time.sleep(0.02)
        note("finished")
    if fault == "Nonsense":
        print("rebooting now...")
        return 0
    if fault == "Quiet":
        return 0
    if fault == "Long":
        print("x" * (4 << 20))
        return 0
    say(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())

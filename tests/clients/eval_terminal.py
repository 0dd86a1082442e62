"""`dayfly eval` as a person meets it, on a pseudo terminal: the command and its arguments are ours. Ends with 0 if all is as it should be."""

import os
import pty
import re
import select
import sys
import time

PATIENCE = 240
PROMPT = "shop> "
MORE = " \u2026 "


class Terminal:
    """What the command writes, and a keyboard."""

    def __init__(self, command):
        self.child, self.end = pty.fork()
        if self.child == 0:
            os.execvp(command[0], command)
        self.text = ""
        self.seen = 0

    def wait(self, wanted):
        """All that came until this did, without the terminal's own codes; what came later is for the next."""
        until = time.monotonic() + PATIENCE
        while True:
            text = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]|\r", "", self.text)
            at = text.find(wanted, self.seen)
            if at >= 0:
                came, self.seen = text[self.seen : at + len(wanted)], at + len(wanted)
                return came
            if not select.select([self.end], [], [], max(0, until - time.monotonic()))[0]:
                sys.exit(f"{wanted!r} did not come: {text[self.seen:]!r}")
            try:
                self.text += os.read(self.end, 65536).decode()
            except OSError:
                sys.exit(f"it ended before {wanted!r} came: {text[self.seen:]!r}")

    def type(self, text):
        os.write(self.end, text.encode())

    def ended(self):
        """The exit code."""
        return os.waitstatus_to_exitcode(os.waitpid(self.child, 0)[1])


def check(is_so, what):
    if not is_so:
        sys.exit(what)


terminal = Terminal(sys.argv[1:])
first = terminal.wait(PROMPT)
check("variables don't last" in first, f"nothing is said of variables: {first!r}")
terminal.type("6 * 7\r")
terminal.wait("\n42\n")
terminal.wait(PROMPT)
terminal.type("console.log(\"seen\"); 1\r")
terminal.wait("| info     seen\n1\n")
terminal.wait(PROMPT)
# One that fails does not end it.
terminal.type("null.nothing\r")
terminal.wait("TypeError")
terminal.wait(PROMPT)
# Brackets that are open, and an end by an empty line.
terminal.type("[1,\r")
terminal.wait(MORE)
terminal.type("2].length\r")
terminal.wait("\n2\n")
terminal.wait(PROMPT)
terminal.type("(1\r")
terminal.wait(MORE)
terminal.type("\r")
terminal.wait("SyntaxError")
terminal.wait(PROMPT)
# Ctrl-C drops what is typed, and ends what runs without an end.
terminal.type("[1,\r")
terminal.wait(MORE)
terminal.type("\x03")
terminal.wait(PROMPT)
terminal.type("8 * 8\r")
terminal.wait("\n64\n")
terminal.wait(PROMPT)
terminal.type("await new Promise((done) => setTimeout(done, 9_000))\r")
time.sleep(1)
terminal.type("\x03")
terminal.wait("ended\n")
terminal.wait(PROMPT)
# The line before comes up again.
terminal.type("7 + 70\r")
terminal.wait("\n77\n")
terminal.wait(PROMPT)
terminal.type("\x1b[A\r")
terminal.wait("\n77\n")
terminal.wait(PROMPT)
terminal.type("\x04")
check(terminal.ended() == 0, "ctrl-d is no failure")
print("as it should be")

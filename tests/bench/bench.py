"""What smtpscope costs, beside other tools, in one run: CPU and wall time, round trips, first screen, key to paint,
cancel. Prints numbers and ratios; judges nothing."""
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
from labkit import Lab  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
RUNS = 15


def cost(words):
    """Median CPU of the process itself and wall time, in milliseconds."""
    cpu, wall = [], []
    for _ in range(RUNS):
        start = time.monotonic()
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        _, _, usage = os.wait4(child.pid, 0)
        wall.append((time.monotonic() - start) * 1000)
        cpu.append((usage.ru_utime + usage.ru_stime) * 1000)
    return statistics.median(cpu), statistics.median(wall)


def row(name, *values):
    print(f"  {name:<44}" + "".join(f"{v:>14}" for v in values), flush=True)


class Screen:
    """A program on a pseudo-terminal; only bytes and times matter here."""

    def __init__(self, *words, w=80, h=24, env=None):
        self.start = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update({"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(env or {})})
            os.execvp(words[0], words)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", h, w, 0, 0))
        self.seen = b""

    def until(self, text, limit=20.0):
        """Seconds from now until the bytes hold this; what came before does not count."""
        begin = time.monotonic()
        self.seen = b""
        while time.monotonic() - begin < limit:
            ready, _, _ = select.select([self.fd], [], [], 0.5)
            if ready:
                try:
                    self.seen += os.read(self.fd, 65536)
                except OSError:
                    break
                if text in self.seen:
                    return time.monotonic() - begin
        return float("nan")

    def drain(self):
        while select.select([self.fd], [], [], 0)[0]:
            try:
                if not os.read(self.fd, 65536):
                    return
            except OSError:
                return

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def first_screen(name, words, text, env=None):
    times = []
    for _ in range(RUNS):
        screen = Screen(*words, env=env)
        begin = screen.start
        screen.until(text)
        times.append((time.monotonic() - begin) * 1000)
        screen.end()
    row(name, f"{statistics.median(times):.1f} ms")


def screens():
    print("start to first full screen (fork, exec, first paint)")
    first_screen("smtpscope", [PROGRAM], b"Type SMTP")
    first_screen("smtpscope --demo", [PROGRAM, "--demo=healthy"], b"Quit")
    for other, words, text in (("nano", ["nano"], b"^X"), ("less", ["less", "/etc/passwd"], b"root"), ("htop", ["htop"], b"F10")):
        if shutil.which(other):
            first_screen(other, words, text)
        else:
            row(other, "not installed")


def key_to_paint():
    print("key to paint while lines arrive as fast as they can (--demo=flood)")
    screen = Screen(PROGRAM, "--demo=flood", env={"SMTPSCOPE_PACE": "paced"})
    screen.until(b"Quit")
    os.write(screen.fd, b"i")
    time.sleep(0.1)
    times = []
    for i in range(200):
        screen.drain()
        letter = bytes([ord("A") + i % 26])
        os.write(screen.fd, letter)
        times.append(screen.until(letter, 2.0) * 1000)
        if i % 40 == 39:
            os.write(screen.fd, b"\x15")
    times.sort()
    row("echo of a typed letter, median / p99", f"{times[100]:.1f} ms", f"{times[197]:.1f} ms")
    screen.end()


def cancel():
    print("Ctrl-C to STOP on the screen")
    for scenario in ("port-blocked", "slow-banner", "tls-stall"):
        times = []
        for _ in range(5):
            screen = Screen(PROGRAM, f"--demo={scenario}", "--ascii", env={"SMTPSCOPE_PACE": "paced"})
            screen.until(b"Waiting")
            time.sleep(0.5)
            screen.drain()
            os.write(screen.fd, b"\x03")
            times.append(screen.until(b"STOP") * 1000)
            screen.end()
        row(scenario, f"{statistics.median(times):.1f} ms")


def conversation(lab):
    swaks = shutil.which("swaks")
    print("headless check against Postfix at RTT 0, process start to exit (median of %d)" % RUNS)
    row("", "CPU ms", "wall ms", "CPU ratio")
    for name, ours, theirs in (
            ("no TLS", ["--tls", "none"], []),
            ("STARTTLS", ["--ca-file", lab.ca], ["-tls"])):
        cpu, wall = cost(lab.client(PROGRAM, "--check", "--relay-test", "--host", "192.0.2.25", *ours, "lab.test"))
        base_cpu, base_wall = cost(lab.client("true"))
        row(f"smtpscope, {name}", f"{cpu - base_cpu:.1f}", f"{wall - base_wall:.1f}")
        if swaks:
            s_cpu, s_wall = cost(lab.client("swaks", "--server", "192.0.2.25", "--helo", "client.lab.test", "--from",
                                            "a@client.lab.test", "--to", "x@example.org", "--quit-after", "RCPT", *theirs))
            row(f"swaks, {name}", f"{s_cpu - base_cpu:.1f}", f"{s_wall - base_wall:.1f}",
                f"{(s_cpu - base_cpu) / max(cpu - base_cpu, 0.1):.1f} x")


def far_away(lab):
    print("envelope check with STARTTLS behind 100 ms RTT: connect to end of session")
    here = os.path.dirname(os.path.abspath(__file__))
    proxy = subprocess.Popen(["sh", os.path.join(here, "..", "lab", "lab.sh"), "serve", lab.dir, "python3",
                              os.path.join(here, "delay.py"), "100", "192.0.2.30", "2525", "192.0.2.25", "25"],
                             stdout=subprocess.PIPE, text=True)
    proxy.stdout.readline()
    walls = []
    for _ in range(5):
        done = lab.run("--check", "--json", "--ca-file", lab.ca, "--relay-test", "--host", "192.0.2.30:2525", "lab.test")
        report = json.loads(done.stdout)
        lines = [line for line in report["transcript"] if line["path"] == 1]
        first = next(line["t_ms"] for line in lines if line["dir"] == "S")
        last = max(line["t_ms"] for line in lines if line["dir"] in "CS")
        connect = report["paths"][0]["timings_ms"].get("connect") or 0
        banner = report["paths"][0]["timings_ms"].get("banner") or 0
        walls.append(last - first + banner)
        del connect
    wall = statistics.median(walls)
    row("smtpscope (3 address forms)", f"{wall:.0f} ms", f"{wall / 100:.1f} RTT")
    if shutil.which("swaks"):
        cpu, base = cost(lab.client("true"))
        times = []
        for _ in range(5):
            begin = time.monotonic()
            subprocess.run(lab.client("swaks", "--server", "192.0.2.30:2525", "-tls", "--helo", "client.lab.test",
                                      "--from", "a@client.lab.test", "--to", "x@example.org", "--quit-after", "RCPT"),
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            times.append((time.monotonic() - begin) * 1000 - base)
        row("swaks (1 address form), start-up included", f"{statistics.median(times):.0f} ms",
            f"{statistics.median(times) / 100:.1f} RTT")
    proxy.terminate()


def main():
    screens()
    key_to_paint()
    cancel()
    lab = Lab(PROGRAM)
    conversation(lab)
    far_away(lab)


main()

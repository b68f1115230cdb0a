"""Looks at a process from outside: on a pseudo-terminal, in /proc, and by its resource usage. Times are seconds."""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import termios
import time


class Screen:
    """A program on a pseudo-terminal of its own; only bytes and times matter here."""

    def __init__(self, *words, w=80, h=24, env=None):
        ready, running = os.pipe()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.close(ready)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", h, w, 0, 0))
            os.environ.update({"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **(env or {})})
            os.execvp(words[0], words)
        os.close(running)
        os.read(ready, 1)  # ends when exec closes the other end
        self.start = time.monotonic()
        os.close(ready)

    def _read(self, limit):
        if not select.select([self.fd], [], [], limit)[0]:
            return b""
        try:
            return os.read(self.fd, 65536)
        except OSError:
            return b""

    def until(self, text, limit=20.0, begin=None):
        """How long until the bytes hold this; what came before does not count."""
        begin, seen = begin or time.monotonic(), b""
        while time.monotonic() - begin < limit:
            seen = seen[-len(text):] + self._read(0.5)
            if text in seen:
                return time.monotonic() - begin
        return float("nan")

    def press(self, keys, text):
        """How long from the keys to this text."""
        begin = time.monotonic()
        os.write(self.fd, keys)
        return self.until(text, 5.0, begin)

    def watch(self, seconds):
        """Reads along, so that the program is not held up."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._read(end - time.monotonic())

    def drain(self):
        while self._read(0):
            pass

    def answer(self, keys, pause=0.3, limit=20.0):
        """How long from the keys until the program has painted, and then paints no more."""
        begin = last = time.monotonic()
        seen = False
        os.write(self.fd, keys)
        while time.monotonic() - begin < limit and (not seen or time.monotonic() - last < pause):
            if self._read(pause / 10):
                seen, last = True, time.monotonic()
        return last - begin

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def _number(path, name):
    with open(path) as f:
        return int(re.search(rf"^{name}:\s+(\d+)", f.read(), re.M).group(1))


def switches(pid):
    """How often its threads were put to work so far."""
    tasks = f"/proc/{pid}/task"
    return sum(_number(f"{tasks}/{task}/status", "voluntary_ctxt_switches") for task in os.listdir(tasks))


def system_calls(pid, seconds):
    """Its system calls meanwhile; None where there is no strace."""
    if not shutil.which("strace"):
        return None
    trace = subprocess.Popen(["strace", "-f", "-c", "-p", str(pid)], stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    trace.send_signal(signal.SIGINT)
    total = re.search(r"^\s*100\.00\s.*?(\d+)(?:\s+\d+)?\s+total$", trace.communicate()[1], re.M)
    return int(total.group(1)) if total else 0


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid):
    return _number(f"/proc/{pid}/status", "VmRSS") / 1024


def count_lines(path):
    with open(path, "rb") as f:
        return sum(piece.count(b"\n") for piece in iter(lambda: f.read(1 << 20), b""))


def cost(words, runs):
    """Median CPU of the process and its children, and wall time."""
    cpu, wall = [], []
    for _ in range(runs):
        start = time.monotonic()
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        usage = os.wait4(child.pid, 0)[2]
        wall.append(time.monotonic() - start)
        cpu.append(usage.ru_utime + usage.ru_stime)
    return statistics.median(cpu), statistics.median(wall)


def session(words, runs):
    """Median time of smtpscope's conversation, from the connection to the last line."""
    times = []
    for _ in range(runs):
        done = subprocess.run([*words, "--check", "--json"], capture_output=True, stdin=subprocess.DEVNULL)
        report = json.loads(done.stdout)
        lines = [line["t_ms"] for line in report["transcript"] if line["path"] == 1 and line["dir"] in "CS"]
        banner = report["paths"][0]["timings_ms"]["banner"]
        times.append((lines[-1] - lines[0] + banner) / 1000)
    return statistics.median(times)


def noops(ip, port, runs):
    """Median time of six exchanges that are nothing but a round trip."""
    times = []
    for _ in range(runs):
        with socket.create_connection((ip, port)) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            begin = time.monotonic()
            s.recv(4096)
            for _ in range(5):
                s.sendall(b"NOOP\r\n")
                s.recv(4096)
            times.append(time.monotonic() - begin)
            s.sendall(b"QUIT\r\n")
            s.recv(4096)
    return statistics.median(times)

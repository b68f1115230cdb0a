"""The lab from Python: starts and stops it, runs smtpscope in it, and reads its reports."""
import atexit
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "lab.sh")
PASSWORD = "canary-s3cret-pw"
HIDDEN = ["canary-s3cret-pw", "Y2FuYXJ5LXMzY3JldC1wdw", "czNjcmV0LXB3"]


class Lab:
    def __init__(self, program):
        self.program = os.path.abspath(program)
        check = subprocess.run(["sh", SCRIPT, "check"], capture_output=True, text=True)
        if check.returncode == 77:
            print(check.stdout.strip())
            sys.exit(77)
        self.dir = tempfile.mkdtemp(prefix="smtpscope-lab-")
        os.chmod(self.dir, 0o755)
        atexit.register(self.down)
        up = subprocess.run(["sh", SCRIPT, "up", self.dir], capture_output=True, text=True)
        if up.returncode != 0:
            print(up.stdout, up.stderr)
            for name in sorted(os.listdir(os.path.join(self.dir, "log"))):
                print("--", name)
                print(open(os.path.join(self.dir, "log", name), errors="replace").read()[-2000:])
            sys.exit(1)
        self.ca = os.path.join(self.dir, "tls", "ca.crt")

    def down(self):
        subprocess.run(["sh", SCRIPT, "down", self.dir], capture_output=True)
        subprocess.run(["rm", "-rf", self.dir])

    def client(self, *command):
        """The words that run a command as the client."""
        return ["sh", SCRIPT, "exec", self.dir, *command]

    def server(self, *command):
        return subprocess.run(["sh", SCRIPT, "serve", self.dir, *command], capture_output=True, text=True)

    def run(self, *args, env=None, limit=120):
        """smtpscope with these arguments; returns the completed process, output as text."""
        words = self.client(self.program, *args)
        done = subprocess.run(words, capture_output=True, timeout=limit, stdin=subprocess.DEVNULL,
                              env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})})
        done.stdout = done.stdout.decode("utf-8", "replace")
        done.stderr = done.stderr.decode("utf-8", "replace")
        for secret in HIDDEN:
            assert secret not in done.stdout and secret not in done.stderr, "the password was printed"
        return done

    def report(self, *args, env=None):
        """The JSON report of a headless run, with the exit code beside it."""
        done = self.run("--check", "--json", "--ca-file", self.ca, *args, env=env)
        try:
            report = json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"no JSON: exit {done.returncode}\n{done.stdout[:500]}\n{done.stderr[:2000]}")
        report["exit"] = done.returncode
        return report

    def mails(self, user):
        """Delivered messages, as bytes, oldest first; waits some seconds for the first."""
        folder = os.path.join(self.dir, "mail", user, "new")
        for _ in range(100):
            if os.path.isdir(folder) and os.listdir(folder):
                break
            time.sleep(0.1)
        names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        return [open(os.path.join(folder, name), "rb").read() for name in names]


def findings(report, check=None):
    """Ids of the findings, of one check or of all."""
    return [f["id"] for c in report["checks"] for f in c["findings"] if check in (None, c["id"])]


def verdict(report, check):
    return next(c["verdict"] for c in report["checks"] if c["id"] == check)


def transcript(report):
    return "\n".join(f"{line['dir']}: {line['text']}" for line in report["transcript"])


class Tmux:
    """A terminal of its own, as a person has it."""

    count = 0

    def __init__(self, lab, width, height, *args):
        Tmux.count += 1
        self.name = f"scope{os.getpid()}-{Tmux.count}"
        self.base = ["tmux", "-L", self.name, "-f", "/dev/null"]
        words = " ".join(f"'{w}'" for w in lab.client(lab.program, *args))
        subprocess.run([*self.base, "new-session", "-d", "-x", str(width), "-y", str(height), "-c", lab.dir, words],
                       check=True, env={**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color"})
        atexit.register(self.end)

    def keys(self, *keys):
        subprocess.run([*self.base, "send-keys", *keys], check=True)

    def type(self, text):
        subprocess.run([*self.base, "send-keys", "-l", text], check=True)

    def screen(self):
        done = subprocess.run([*self.base, "capture-pane", "-p"], capture_output=True, text=True)
        return done.stdout

    def sees(self, *texts):
        for _ in range(300):
            screen = self.screen()
            if any(text in screen for text in texts):
                return screen
            time.sleep(0.1)
        raise AssertionError(f"not on the screen: {texts}\n{self.screen()}")

    def end(self):
        subprocess.run([*self.base, "kill-server"], capture_output=True)

"""What another program sees of a scenario: swaks talks to --practice, and hears what the console hears.

usage: swaks.py PROGRAM ROOT. For each scenario the console's engine runs against --demo=NAME, and swaks gives the
same commands to `smtpscope --practice --scenario NAME`. The replies to the same command have to be the same
bytes, but for queue ids, dates and challenges. Exit 77: swaks is missing, nothing was tested.
"""
import json
import os
import re
import shutil
import subprocess
import sys

LIMIT_S = 120  # before something is given up that should have ended long ago
HELO = "client.office.example"

# scenario, the replies that have to be compared (~: under TLS), options of the console, of swaks
CASES = [
    # the greeting
    ("blocklist-554", "banner QUIT", "", ""),
    ("no-mail-521", "banner", "", ""),
    ("slow-banner", "banner EHLO", "", "--quit-after EHLO"),
    ("closed-at-once", "banner", "", ""),
    ("banner-no-name", "banner EHLO", "", "--quit-after EHLO"),
    # EHLO
    ("ehlo-refused", "banner EHLO HELO", "", ""),
    ("ehlo-name-rejected", "banner EHLO", "", ""),
    ("ehlo-closed", "banner EHLO", "", ""),
    ("ehlo-reset", "banner EHLO", "", ""),
    ("helo-only", "banner EHLO HELO", "", "--quit-after HELO"),
    ("shutdown-421", "banner EHLO", "", ""),
    ("masked-banner", "banner EHLO", "", "--quit-after EHLO"),
    # TLS
    ("healthy", "banner EHLO STARTTLS EHLO~", "", "-tls --quit-after EHLO"),
    ("no-starttls", "banner EHLO", "", "-tlso --quit-after EHLO"),
    ("starttls-454", "banner EHLO STARTTLS", "", "-tlso --quit-after EHLO"),
    ("starttls-502", "banner EHLO STARTTLS", "", "-tlso --quit-after EHLO"),
    ("tls-closed", "banner EHLO STARTTLS", "", "-tls"),
    ("tls-garbage", "banner EHLO STARTTLS", "", "-tls"),
    ("tls-no-version", "banner EHLO STARTTLS", "", "-tls"),
    ("expired-cert", "banner EHLO STARTTLS EHLO~", "", "-tls --quit-after EHLO"),
    ("wrong-name", "banner EHLO STARTTLS EHLO~", "", "-tls --quit-after EHLO"),
    ("ehlo-after-tls", "banner EHLO STARTTLS EHLO~", "", "-tls --quit-after EHLO"),
    ("submissions-465", "banner~ EHLO~", "", "-tlsc --quit-after EHLO"),
    # logging in
    ("auth-535", "EHLO~ AUTH~", "--auth-mech PLAIN", "-tls --auth PLAIN"),
    ("auth-454", "EHLO~ AUTH~ response-1~ response-2~", "--auth-mech LOGIN", "-tls --auth LOGIN"),
    ("auth-534", "EHLO~ AUTH~", "--auth-mech PLAIN", "-tls --auth PLAIN"),
    ("auth-disabled", "EHLO~ AUTH~", "--auth-mech PLAIN", "-tls --auth PLAIN"),
    ("auth-refused", "EHLO~ AUTH~", "--auth-mech PLAIN", "-tls --auth PLAIN"),
    ("auth-in-clear", "EHLO AUTH", "--tls none --auth-in-clear --auth-user anna@example.org --auth-mech PLAIN",
     "--auth PLAIN"),
    ("healthy", "EHLO~ AUTH~ response-1~",
     "--host mail.example.org:587 --auth-user anna@example.org --auth-mech CRAM-MD5", "-tls --auth CRAM-MD5"),
    # relaying
    ("open-relay", "EHLO~ MAIL~ RCPT~", "", "-tls --quit-after RCPT"),
    ("relay-denied", "EHLO~ MAIL~ RCPT~", "", "-tls --quit-after RCPT"),
    ("relay-deferred", "EHLO~ MAIL~ RCPT~", "", "-tls --quit-after RCPT"),
    ("relay-sender-refused", "EHLO~ MAIL~", "", "-tls --quit-after RCPT"),
    ("relay-auth-required", "EHLO~ MAIL~", "", "-tls --quit-after RCPT"),
    ("ptr-missing", "EHLO~ MAIL~ RCPT~", "--relay-test", "-tls --quit-after RCPT"),
    # sending
    ("login-send", "EHLO~ AUTH~ MAIL~ RCPT~ DATA~ dot~ QUIT~", "--auth-mech PLAIN", "-tls --auth PLAIN"),
    ("greylist-451", "EHLO~ MAIL~ RCPT~", "", "-tls"),
    ("send-530", "EHLO~ MAIL~", "", "-tls"),
    ("send-user-unknown", "EHLO~ MAIL~ RCPT~", "", "-tls"),
    ("send-sender-refused", "EHLO~ MAIL~", "", "-tls"),
    ("send-deferred", "EHLO~ MAIL~", "", "-tls"),
    ("send-data-refused", "EHLO~ MAIL~ RCPT~ DATA~", "", "-tls"),
    ("send-content-refused", "EHLO~ MAIL~ RCPT~ DATA~ dot~", "", "-tls"),
    ("drop-in-data", "EHLO~ MAIL~ RCPT~ DATA~ dot~", "", "-tls"),
    ("size-552", "banner EHLO STARTTLS EHLO~", "", "-tls --body " + 40 * "0123456789"),
]
# swaks cannot say SIZE with MAIL, so the same limit is met at another place, and what comes from MAIL on differs.
ELSEWHERE = {"size-552": "552 5.3.4"}


class Talk:
    """Commands and the replies to them, by the name of the command; the first of each name stays."""

    def __init__(self):
        self.replies = {}
        self.lines = {}  # of the client, as they were
        self.waiting = ["banner"]
        self.reply = []
        self.asked = 0  # of a login
        self.login = self.text = False

    def client(self, line, tls):
        verb = re.split("[ :]", line)[0].upper()
        if self.text:
            if line != ".":
                return
            self.text = False
            name = "dot"
        elif self.login:
            self.login = False
            self.asked += 1
            name = "response-%d" % self.asked
        else:
            name = verb
        name += "~" if tls else ""
        self.lines.setdefault(name, line)
        self.waiting.append(name)
        self.replies.setdefault(name, None)

    def server(self, line, tls):
        self.reply.append(line)
        if re.match(r"[0-9]{3}-", line) or not re.match("[0-9]{3}", line):
            return
        name = self.waiting.pop(0) if self.waiting else "unasked"
        if name == "banner" and tls:
            name = "banner~"
        if self.replies.get(name) is None:
            self.replies[name] = self.reply
        bare = name.rstrip("~")
        self.login = line.startswith("334") and (bare == "AUTH" or bare.startswith("response"))
        self.text = line.startswith("354") and bare == "DATA"
        self.reply = []

    def connected(self):
        self.waiting = ["banner"]
        self.reply = []
        self.login = self.text = False


def console(program, name, words, env):
    """What the console's engine heard, and the address family is the one that swaks has."""
    done = subprocess.run([program, "--check", "--json", "-4", "--helo", HELO, "--demo=" + name, *words],
                          capture_output=True, text=True, timeout=LIMIT_S, env=env, stdin=subprocess.DEVNULL)
    if not done.stdout:
        sys.exit("%s: %s" % (name, done.stderr))
    talk = Talk()
    for line in json.loads(done.stdout)["transcript"]:
        if line["dir"] == "C":
            talk.client(line["text"], line["tls"])
        elif line["dir"] == "S":
            talk.server(line["text"], line["tls"])
        elif line["text"].startswith("Connected from"):
            talk.connected()
    return talk


def swaks(port, words):
    done = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", port, "--timeout", "60", "--helo", HELO,
                           *words], capture_output=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL)
    out = done.stdout.decode("utf-8", "backslashreplace")
    talk = Talk()
    for line in out.split("\n"):
        mark = line[:3]
        if mark in (" ->", " ~>"):
            talk.client(line[4:], mark == " ~>")
        elif mark in ("<- ", "<~ ", "<**", "<~*"):
            talk.server(line[4:], mark.startswith("<~"))
    return talk, out


def masked(reply):
    """Without what differs each time: ids of queued messages, dates, what CRAM-MD5 asks."""
    if reply is None:
        return None
    text = "\n".join(reply)
    text = re.sub(r"queued as [0-9A-F]+", "queued as ID", text)
    text = re.sub(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", "DATE", text)
    return re.sub(r"^334 PD[A-Za-z0-9+/=]{20,}$", "334 CHALLENGE", text)


def option(words, name):
    for i, word in enumerate(words):
        if word == name and i + 1 < len(words):
            return words[i + 1]
        if word.startswith(name + "="):
            return word[len(name) + 1:]
    return None


def address(line):
    found = re.search("<(.*?)>", line or "")
    return found.group(1) if found else None


def assumed_options(root, name):
    with open(os.path.join(root, "assets", "scenarios", name + ".txt"), encoding="utf-8") as f:
        found = re.search(r"^options +(.*)$", f.read(), re.M)
    return found.group(1).split() if found else []


def swaks_words(own, assumed, extra, heard):
    """The same login and envelope as the console's."""
    words = extra.split()
    if "--auth" in words:
        words += ["--auth-user", option(own + assumed, "--auth-user"),
                  "--auth-password", option(assumed, "--password") or "practice"]
    elif option(assumed, "--auth-user") and "-tls" in words and "--quit-after" not in words:
        words += ["--quit-after", "EHLO"]
    mail = heard.lines.get("MAIL~", heard.lines.get("MAIL"))
    rcpt = heard.lines.get("RCPT~", heard.lines.get("RCPT"))
    return words + ["--from", address(mail) or "test@office.example", "--to", address(rcpt) or "anna@example.org"]


def practise(program, name, own, env):
    """The server, and the port at which it is."""
    words = [program, "--practice", "127.0.0.1:0", "--scenario", name]
    host = option(own, "--host")
    words += ["--host", host] if host else []
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    line = server.stdout.readline()
    found = re.search(r" on 127\.0\.0\.1:(\d+);", line)
    if found is None:
        sys.exit("%s: %s%s" % (name, line, server.stderr.read()))
    return server, found.group(1)


def try_case(program, root, case):
    """What is wrong; an empty list is well."""
    name, needed, own, extra = case
    own = own.split()
    env = {**os.environ, "LC_ALL": "C.UTF-8", "SMTPSCOPE_PACE": "instant", "SMTPSCOPE_DATA": os.path.join(root, "assets"),
           "PASSWORD": "practice"}
    assumed = assumed_options(root, name)
    more = ["--password-env", "PASSWORD"] if option(own, "--auth-user") else []
    heard = console(program, name, own + more, env)
    server, port = practise(program, name, own, env)
    try:
        talk, out = swaks(port, swaks_words(own, assumed, extra, heard))
    finally:
        server.terminate()
        told, complaints = server.communicate(timeout=LIMIT_S)
    wrong = []
    if complaints:
        wrong.append("the server said: " + complaints)
    if any(not line.startswith("DEMO ") for line in told.splitlines()):
        wrong.append("a line without DEMO: " + told)
    if any(re.search(r" C[:~] .*(practice|cHJhY3RpY2U|ByYWN0aWNl|wcmFjdGljZ)", line) for line in told.splitlines()):
        wrong.append("the password was told: " + told)
    both = [key for key in heard.replies if key in talk.replies]
    if name in ELSEWHERE:
        both = [key for key in both if key.rstrip("~") not in ("MAIL", "RCPT", "DATA", "dot")]
        for who, replies in (("the console", heard.replies), ("swaks", talk.replies)):
            if not any(reply and reply[-1].startswith(ELSEWHERE[name]) for reply in replies.values()):
                wrong.append("%s does not hear %s" % (who, ELSEWHERE[name]))
    for key in both:
        if masked(heard.replies[key]) != masked(talk.replies[key]):
            wrong.append("%s\n   console: %.300s\n   swaks:   %.300s" % (key, heard.replies[key], talk.replies[key]))
    for key in needed.split():
        if key not in both and not (key == "banner" and key not in heard.replies and key not in talk.replies):
            wrong.append("%s was not compared: the console has %s, swaks has %s"
                         % (key, list(heard.replies), list(talk.replies)))
    return wrong + [out] if wrong else []


def main():
    program, root = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    if shutil.which("swaks") is None:
        print("SKIP: swaks is not installed, so no other program talks to the practice server")
        return 77
    support = subprocess.run(["swaks", "--support"], capture_output=True, text=True).stdout
    for need, package in (("TLS supported", "Net::SSLeay"), ("CRAM-MD5 supported", "Authen::SASL")):
        if need not in support:
            print("SKIP: swaks lacks %s, so no other program talks to the practice server" % package)
            return 77
    good = 0
    for case in CASES:
        wrong = try_case(program, root, case)
        for text in wrong:
            print("WRONG: %s: %s" % (case[0], text))
        good += not wrong
    print("%d of %d scenarios: swaks sees what the console sees" % (good, len(CASES)))
    return 0 if good == len(CASES) else 1


if __name__ == "__main__":
    sys.exit(main())

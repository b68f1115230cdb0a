"""smtpscope, unchanged, by domain name on the real ports, against real servers."""
import os
import re
import sys
import traceback

from labkit import HIDDEN, PASSWORD, Lab, Tmux, findings, transcript, verdict

CASES = []


def case(function):
    CASES.append(function)
    return function


def has(report, *ids):
    there = findings(report)
    for finding in ids:
        assert finding in there, f"{finding} is missing in {there}\n{transcript(report)}"


def lacks(report, *ids):
    there = findings(report)
    for finding in ids:
        assert finding not in there, f"{finding} should not be in {there}"


LOGIN = {"SCOPE_PASSWORD": PASSWORD}


@case
def a_healthy_domain_is_healthy(lab):
    r = lab.report("lab.test")
    has(r, "dns.mx.found", "dns.address.found", "self.address.found", "self.ptr.confirmed", "net.connect.ok",
        "smtp.banner.ok", "smtp.ehlo.ok", "tls.starttls.ok", "tls.certificate.ok")
    assert r["exit"] == 0, r["exit"]
    assert r["target"]["domain"] == "lab.test"
    path = r["paths"][0]
    assert path["mx"] == "mx.lab.test" and path["preference"] == 10 and path["port"] == 25
    assert path["tls"]["verified"] is True and path["tls"]["version"] == "TLSv1.3"
    assert path["ehlo_name"] == "client.lab.test", path["ehlo_name"]
    assert any(c.startswith("SIZE ") for c in path["capabilities"])
    assert "QUIT" in transcript(r)
    assert "MAIL FROM" not in transcript(r)


@case
def ipv4_and_ipv6_are_both_spoken(lab):
    for option, family, address in (("-4", 4, "192.0.2.25"), ("-6", 6, "2001:db8::25")):
        r = lab.report(option, "lab.test")
        assert r["exit"] == 0, (option, findings(r))
        assert r["paths"][0]["family"] == family and r["paths"][0]["address"] == address, r["paths"][0]
    r = lab.report("six.test")
    assert r["paths"][0]["address"] == "2001:db8::25"
    has(r, "net.connect.ok", "tls.starttls.ok", "tls.certificate.wrong_name")


@case
def relaying_is_denied(lab):
    r = lab.report("--relay-test", "lab.test")
    has(r, "smtp.relay.denied")
    assert "554 5.7.1" in transcript(r) and "RSET" in transcript(r)
    assert not re.search(r"^C: DATA", transcript(r), re.M)
    assert r["exit"] == 0


@case
def an_open_relay_is_found(lab):
    r = lab.report("--relay-test", "open.test")
    has(r, "smtp.relay.open")
    assert r["exit"] == 2 and verdict(r, "smtp.relay") == "fail"
    assert not re.search(r"^C: (DATA|BDAT)", transcript(r), re.M)
    log = open(os.path.join(lab.dir, "log", "mail.log")).read()
    assert "relay-check" not in "".join(re.findall(r"qmgr.*", log)), "the relay test left mail behind"


@case
def without_consent_nothing_is_begun(lab):
    r = lab.report("open.test")
    assert verdict(r, "smtp.relay") == "ask"
    assert "MAIL FROM" not in transcript(r)
    r = lab.report("--read-only", "open.test")
    assert "MAIL FROM" not in transcript(r)


@case
def log_in_with_every_mechanism(lab):
    for target in ("submit.lab.test:587", "smtps://submit.lab.test"):
        for mech in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", None):
            args = ["--auth-user", "alice", "--password-env", "SCOPE_PASSWORD", target]
            if mech is not None:
                args = ["--auth-mech", mech] + args
            r = lab.report(*args, env=LOGIN)
            has(r, "smtp.auth.ok")
            assert r["exit"] == 0, (target, mech, findings(r))
            text = transcript(r)
            assert not any(secret in text for secret in HIDDEN)
            assert "235" in text
            assert mech is None or f"AUTH {mech}" in text, text


@case
def a_wrong_password_is_told(lab):
    for mech in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
        r = lab.report("--auth-mech", mech, "--auth-user", "alice", "--password-env", "SCOPE_WRONG",
                       "submit.lab.test:587", env={"SCOPE_WRONG": "not-the-password"})
        has(r, "smtp.auth.wrong")
        assert r["exit"] == 2
        assert "bm90LXRoZS1wYXNzd29yZA" not in transcript(r)


@case
def no_password_goes_out_in_clear(lab):
    r = lab.report("--tls", "none", "--auth-user", "alice", "--password-env", "SCOPE_PASSWORD", "lab.test",
                   env=LOGIN)
    assert "smtp.auth.ok" not in findings(r)
    assert not re.search(r"^C: AUTH", transcript(r), re.M), transcript(r)


@case
def a_test_mail_arrives(lab):
    r = lab.report("--send", "--from", "probe@client.lab.test", "--to", "alice@lab.test", "lab.test")
    has(r, "smtp.send.ok")
    assert r["exit"] == 0
    mail = lab.mails("alice")[0].decode()
    for header in ("From: ", "To: ", "Subject: ", "Date: ", "Message-ID: "):
        assert re.search("^" + header, mail, re.M | re.I), mail
    queue = re.search(r"queued as (\S+)", transcript(r)).group(1)
    assert queue in mail, "the queue id is not the one of the message that came"


@case
def certificates_are_judged_by_reason(lab):
    for domain, finding, reason, code in (("expired.test", "tls.certificate.expired", "expired", 2),
                                          ("wrong.test", "tls.certificate.wrong_name", "wrong-name", 1),
                                          ("self.test", "tls.certificate.self_signed", "self-signed", 1)):
        r = lab.report(domain)
        has(r, finding)
        assert r["paths"][0]["tls"]["reason"] == reason, r["paths"][0]["tls"]
        assert r["paths"][0]["tls"]["verified"] is False
        assert r["exit"] == code, (domain, r["exit"], findings(r))


@case
def dns_faults_have_names(lab):
    for domain, finding in (("null.test", "dns.mx.null"), ("implicit.test", "dns.mx.implicit"),
                            ("dangling.test", "dns.address.missing"), ("private.test", "dns.address.private"),
                            ("loop.test", "dns.address.loopback"), ("literal.test", "dns.mx.literal"),
                            ("alias.test", "dns.mx.cname"), ("nosuch.test", "dns.mx.nxdomain"),
                            ("refused.test", "dns.mx.refused"), ("turna.test", "dns.mx.servfail")):
        r = lab.report("--timeout", "3", domain)
        has(r, finding)
    r = lab.report("--timeout", "3", "silent.test")
    has(r, "dns.mx.timeout")
    assert r["exit"] == 3, r["exit"]


@case
def refused_and_dropped_are_told_apart(lab):
    r = lab.report("closed.test")
    has(r, "net.connect.refused")
    assert r["exit"] == 2
    if lab.server("nft", "add table inet scope; add chain inet scope in { type filter hook input priority 0; }; "
                  "add rule inet scope in tcp dport 25 ip daddr 192.0.2.25 drop").returncode != 0:
        print("SKIP: dropped packets need nft with its kernel parts")
        return
    try:
        r = lab.report("--timeout", "2", "-4", "--host", "mx.lab.test", "lab.test")
        has(r, "net.connect.blocked_here")
        lacks(r, "net.connect.refused")
    finally:
        lab.server("nft", "delete table inet scope")


@case
def the_schema_holds(lab):
    try:
        import jsonschema
    except ImportError:
        print("SKIP: the schema is checked with python3-jsonschema, which is missing")
        return
    import json
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    schema = json.load(open(os.path.join(root, "assets", "report.schema.json")))
    for args in (["lab.test"], ["--relay-test", "open.test"], ["null.test"], ["expired.test"]):
        r = lab.report(*args)
        del r["exit"]
        jsonschema.validate(r, schema)


@case
def a_message_in_pieces(lab):
    r = lab.report("--send", "--from", "probe@client.lab.test", "--to", "alice@lab.test", "--bdat=150",
                   "--subject", "in pieces", "lab.test")
    has(r, "smtp.send.ok")
    text = transcript(r)
    assert text.count("C: BDAT 150") >= 2 and re.search(r"C: BDAT \d+ LAST", text), text
    assert not re.search(r"^C: DATA$", text, re.M)
    mail = [m.decode() for m in lab.mails("alice") if b"Subject: in pieces" in m]
    assert mail and "Nothing has to be done about it" in mail[0], mail


@case
def a_message_from_a_file(lab):
    path = os.path.join(lab.dir, "own.eml")
    body = ".\n..\nFrom the beginning\n" + "x" * 900 + "\ncaf\u00e9\n"
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write("From: <probe@client.lab.test>\nSubject: my own\n\n" + body)
    r = lab.report("--send", "--from", "probe@client.lab.test", "--to", "alice@lab.test", "--message", path,
                   "--mail-param", "RET=HDRS", "--mail-param", "ENVID=lab1", "--rcpt-param", "NOTIFY=NEVER",
                   "lab.test")
    has(r, "smtp.send.ok")
    text = transcript(r)
    assert "not added: Date, To, Message-ID" in text
    assert "RET=HDRS ENVID=lab1" in text and "NOTIFY=NEVER" in text and "BODY=8BITMIME" in text
    mail = [m.decode() for m in lab.mails("alice") if b"Subject: my own" in m]
    assert mail and mail[0].endswith("\n\n" + body), mail
    # A parameter that Postfix does not offer goes out all the same, and Postfix says what it thinks of it.
    r = lab.report("--send", "--to", "alice@lab.test", "--mail-param", "MT-PRIORITY=3", "lab.test")
    assert "MT-PRIORITY=3 is sent all the same" in transcript(r) and "555 5.5.4" in transcript(r)


@case
def attachments_and_samples_arrive(lab):
    import email
    import email.policy
    path = os.path.join(lab.dir, "Pr\u00fcfung \u20ac.bin")
    with open(path, "wb") as f:
        f.write(bytes(range(256)) * 40)
    r = lab.report("--send", "--to", "alice@lab.test", "--attach", path, "--sample", "eicar", "--subject",
                   "with parts", "lab.test")
    has(r, "smtp.send.ok")
    raw = [m for m in lab.mails("alice") if b"Subject: with parts" in m][0]
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    parts = {p.get_filename(): p.get_content() for p in mail.iter_attachments()}
    assert parts[os.path.basename(path)] == bytes(range(256)) * 40, list(parts)
    assert len(parts["eicar.com"]) == 68
    assert not mail.defects and not any(p.defects for p in mail.walk())


@case
def as_another_client(lab):
    log = os.path.join(lab.dir, "log", "mail.log")
    r = lab.report("--host", "mx.lab.test:2525", "--xclient", "ADDR=203.0.113.9 NAME=spike.example", "--send",
                   "--to", "alice@lab.test", "--subject", "xclient", "lab.test")
    has(r, "smtp.ehlo.xclient", "smtp.send.ok")
    assert "XCLIENT ADDR=203.0.113.9 NAME=spike.example" in transcript(r)
    assert "client=spike.example[203.0.113.9]" in open(log).read()
    # That address may relay here, which ours may not.
    r = lab.report("--host", "mx.lab.test:2525", "--relay-test", "lab.test")
    has(r, "smtp.relay.denied")
    r = lab.report("--host", "mx.lab.test:2525", "--relay-test", "--xclient", "ADDR=203.0.113.9", "lab.test")
    lacks(r, "smtp.relay.denied")
    r = lab.report("--xclient", "ADDR=203.0.113.9", "lab.test")
    has(r, "smtp.ehlo.xclient_not_offered")
    r = lab.report("--host", "mx.lab.test:2525", "--xclient", "ADDR=[UNAVAILABLE]", "lab.test")
    has(r, "smtp.ehlo.xclient")


@case
def behind_a_load_balancer(lab):
    log = os.path.join(lab.dir, "log", "mail.log")
    for version, client in (("v1", "203.0.113.71"), ("v2", "203.0.113.72")):
        r = lab.report("-4", "--host", "mx.lab.test:2526", "--proxy", f"{version}:{client}:4711", "--send", "--to",
                       "alice@lab.test", "lab.test")
        has(r, "smtp.banner.ok", "tls.starttls.ok", "smtp.send.ok")
        assert f"[{client}]" in open(log).read(), client
        r = lab.report("-4", "--host", "mx.lab.test:2527", "--tls", "implicit", "--proxy", f"{version}:{client}",
                       "lab.test")
        has(r, "smtp.banner.ok", "tls.starttls.implicit", "smtp.ehlo.ok")
    r = lab.report("-4", "--host", "mx.lab.test:2526", "--proxy", "v2:local", "lab.test")
    has(r, "smtp.banner.ok")
    r = lab.report("-4", "--timeout", "6", "--host", "mx.lab.test:2526", "lab.test")
    lacks(r, "smtp.banner.ok")


def play(lab, script, *args, env=None):
    path = os.path.join(lab.dir, "script.txt")
    with open(path, "w") as f:
        f.write(script)
    return lab.report("--replay", path, *args, env=env)


@case
def exact_bytes(lab):
    # Postfix takes a bare LF for a line end, and several lines in one packet in their order.
    r = play(lab, "raw EHLO a.example\\nNOOP\\nNOOP\\r\\n\nexpect 250\nQUIT\n", "lab.test")
    text = transcript(r)
    assert r["replay"]["state"] == "done", (r["replay"], text)
    assert "C: NOOP\\n" in text and text.count("S: 250 2.0.0 Ok") >= 1
    raw = [line for line in r["transcript"] if line.get("raw")]
    assert raw and raw[0]["text"] == "EHLO a.example\\n", raw
    r = play(lab, "raw EHLO a.example\\r\\nMAIL FROM:<probe@client.lab.test>\\r\\nRCPT TO:<alice@lab.test>\\r\\nDATA\\r\\n"
             "\nexpect 354\nraw Subject: raw\\r\\n\\r\\n..dot\\r\\n.\\r\\nQUIT\\r\\n\nexpect 221\n", "--send", "lab.test")
    assert r["replay"]["state"] == "done", (r["replay"], transcript(r))
    mail = [m for m in lab.mails("alice") if b"Subject: raw" in m]
    assert mail and mail[0].endswith(b"\n\n.dot\n"), mail
    # NUL and bare CR inside of commands: whatever Postfix makes of it is told, and nothing hangs.
    r = play(lab, "raw NO\\0OP\\r\\nNO\\rOP\\r\\n\nexpect 5\nQUIT\n", "lab.test")
    assert "NO\\0OP\\r\\n" in transcript(r)


@case
def a_saved_session_is_played_again(lab):
    saved = os.path.join(lab.dir, "login.json")
    args = ["--auth-user", "alice", "--password-env", "SCOPE_PASSWORD", "submit.lab.test:587"]
    for mech in ("PLAIN", "SCRAM-SHA-256"):
        done = lab.run("--check", "--ca-file", lab.ca, "--send", "--to", "alice@lab.test", "--subject", "again " + mech,
                       "--auth-mech", mech, "--save", saved, *args, env=LOGIN)
        assert done.returncode == 0, done.stdout
        assert not any(secret in open(saved).read() for secret in HIDDEN)
        r = lab.report("--replay", saved, "--send", *args, env=LOGIN)
        assert r["replay"]["state"] == "done" and r["exit"] == 0, (r["replay"], transcript(r))
        assert len([m for m in lab.mails("alice") if b"again " + mech.encode() in m]) == 2
        done = lab.run("--ca-file", lab.ca, "--replay", saved, "--send", "submit.lab.test:587")
        assert done.returncode == 77 and "--auth-user" in done.stderr, done.stderr
        os.unlink(saved)
    r = play(lab, "EHLO a.example\nVRFY alice@lab.test\nexpect 5\nQUIT\n", "--send", "lab.test")
    assert r["replay"]["state"] == "unexpected" and r["replay"]["got"] == 252 and r["exit"] == 2, r["replay"]


@case
def the_last_step_before_the_mailbox(lab):
    if not os.path.exists(os.path.join(lab.dir, "lmtp")):
        print("SKIP: LMTP needs dovecot-lmtpd, which is not installed")
        return
    r = lab.report("--lmtp", "--tls", "none", "--send", "--to", "alice@lab.test", "--host", "mx.lab.test", "lab.test")
    has(r, "smtp.ehlo.ok")
    text = transcript(r)
    assert "C: LHLO" in text and "C: EHLO" not in text and "C: RCPT TO:<alice@lab.test>" in text, text
    assert verdict(r, "smtp.send") in ("ok", "fail", "warn"), text


@case
def the_console_by_hand(lab):
    """Every step live, then a conversation typed on the same TLS session, saved without a password."""
    for width, height in ((80, 24), (120, 40)):
        t = Tmux(lab, width, height, "--ascii", "--ca-file", lab.ca, "--port", "587", "--host", "submit.lab.test",
                 "lab.test")
        t.sees("Done:")
        t.type("i")
        t.sees("SMTP~>")
        for line, reply in (("NOOP", "250 2.0.0 Ok"), ("EHLO client.lab.test", "250 CHUNKING"),
                            ("AUTH LOGIN", "334")):
            t.type(line)
            t.keys("Enter")
            t.sees(reply)
        for line in ("YWxpY2U=", "Y2FuYXJ5LXMzY3JldC1wdw=="):
            t.type(line)
            t.keys("Enter")
            t.sees("334>", "235")
        t.sees("235 2.7.0")
        for line, reply in (("MAIL FROM:<alice@lab.test>", "250 2.1.0"), ("RCPT TO:<alice@lab.test>", "250 2.1.5")):
            t.type(line)
            t.keys("Enter")
            t.sees(reply)
        t.type(":data")  # DATA alone opens the composer
        t.keys("Enter")
        t.keys("Enter")
        t.sees("354")
        for line in ("Subject: by hand", "From: alice@lab.test", "", "..a line with a dot", "the end", "."):
            t.type(line)
            t.keys("Enter")
        t.sees("queued as")
        t.keys("Escape")
        t.type("s")
        t.sees("File name")
        t.keys("C-u")
        name = f"by-hand-{width}.txt"
        t.type(os.path.join(lab.dir, name))
        t.keys("Enter")
        t.sees("Saved")
        t.type("q")
        saved = open(os.path.join(lab.dir, name)).read()
        for text in ("NOOP", "EHLO client.lab.test", "AUTH LOGIN", "235", "C~ Subject: by hand", "queued as"):
            assert text in saved, f"{text} is not in the saved file:\n{saved}"
        assert not any(secret in saved for secret in HIDDEN), saved
        t.end()
    mail = [m.decode() for m in lab.mails("alice") if b"by hand" in m]
    assert mail and "\n.a line with a dot" in mail[0], mail


def main():
    lab = Lab(sys.argv[1])
    failed = 0
    for function in CASES:
        if len(sys.argv) > 2 and sys.argv[2] not in function.__name__:
            continue
        try:
            function(lab)
            print("ok", function.__name__, flush=True)
        except Exception:
            failed += 1
            print("FAILED", function.__name__)
            traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
    print(f"{len(CASES) - failed} of {len(CASES)} lab cases hold")
    sys.exit(1 if failed else 0)


main()

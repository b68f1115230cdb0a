"""A translation is only a file: makes the pseudo-language and reads it through the program's own code.

usage: check_translate.py ROOT PROBE. Exit 77: gettext's tools are missing, nothing was tested.
"""
import os
import shutil
import subprocess
import sys
import tempfile


def main():
    root, probe = sys.argv[1:3]
    for tool in ("xgettext", "msgfmt"):
        if shutil.which(tool) is None:
            print("skipped: %s is not installed" % tool)
            return 77
    sys.path.insert(0, os.path.join(root, "tests", "screen"))
    sys.dont_write_bytecode = True
    import pseudo

    for text in ("%s of %-10.3s: 5 %% {domain} {{x}", "  a%zu\n", "%2$s %1$*d %lld %02x %.*s", "%"):
        kept = pseudo.KEPT.findall(text)
        if pseudo.KEPT.findall(pseudo.pseudo(text)) != kept:
            print("spoilt:", text, "->", pseudo.pseudo(text))
            return 1

    with tempfile.TemporaryDirectory() as folder:
        pot = os.path.join(folder, "smtpscope.pot")
        catalogue = os.path.join(folder, "locale", "qps", "LC_MESSAGES")
        os.makedirs(catalogue)
        subprocess.run(["sh", os.path.join(root, "assets/po/update.sh"), pot], check=True)
        subprocess.run([sys.executable, os.path.join(root, "tests/screen/pseudo.py"), pot,
                        os.path.join(root, "assets/guide/en.txt"), folder], check=True)
        subprocess.run(["msgfmt", "--check-format", "-o", os.path.join(catalogue, "smtpscope.mo"),
                        os.path.join(folder, "qps.po")], check=True)
        env = dict(os.environ, LC_ALL="C.UTF-8", LANGUAGE="qps")
        out = subprocess.run([probe, os.path.join(folder, "locale"), folder], env=env, check=True,
                             stdout=subprocess.PIPE, encoding="utf-8").stdout

    entries, rest = out.split("\n", 1)
    _, english, own = entries.split()
    failed = 0
    if english != own:
        print("the pseudo-language has", own, "entries, English has", english)
        failed += 1
    text, json_text = rest.split('{"schema"', 1)
    flat = " ".join(text.split())
    expected = [pseudo.pseudo(word) for word in (
        "Target", "Result", "STEPS", "FINDINGS", "TRANSCRIPT", "What it means", "What to do",
        "On the mail server:", "Whoever runs the mail server can fix this.", "STARTTLS",
        "Test mail", "FAIL", "certain")]
    expected += [pseudo.pseudo("transcript lines %s") % "6, 7",
                 pseudo.pseudo("%s [%s], port %u, preference %d") %
                 ("mx1.example.com", "192.0.2.10", 25, 10),
                 pseudo.pseudo("The server offers STARTTLS but cannot start it now: {code} {text}")
                 .replace("{code}", "454").replace("{text}", "not now")]
    for words in expected:
        if words not in flat:
            print("not translated:", words)
            failed += 1
    if "The server offers STARTTLS but cannot start it now: 454 not now" not in json_text:
        print("JSON is not in English")
        failed += 1
    return 1 if failed else 0


sys.exit(main())

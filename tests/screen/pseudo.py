"""Makes the pseudo-language "qps": every sentence accented, in brackets and 40 % longer.

A screen in it shows at a glance what is clipped, what was glued together and what was never given to a
translator, without anybody having to know the language.

usage: pseudo.py POT GUIDE FOLDER
    POT     smtpscope.pot, as xgettext makes it
    GUIDE   assets/guide/en.txt; the other file of the language, en-replies.txt, lies beside it, and the playbooks
            in the folder beside its own
    FOLDER  gets qps.po, guide/qps.txt, guide/qps-replies.txt and playbooks/qps; it lies in a build tree, nothing
            is written elsewhere
"""
import os
import re
import sys

ACCENTS = str.maketrans(
    "ABCDEFGHIJKLNOPRSTUWYZabcdefghijklnoprstuwyz",
    "ÅBÇĎÉFĞĤÎĴĶĻŃÖPŔŠŢÛŴŶŽåbçđéfğĥîĵķļñöpŕšţûŵŷž")
# What must come out as it went in: printf directives, {placeholders} and {{, line ends.
KEPT = re.compile(r"%(?:\d+\$)?[-+ #0']*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|j|z|t|L)?"
                  r"[diouxXeEfFgGaAcspn%]|\{\{|\{[a-z0-9_]+\}|\n")
PADDING = ["öñé", "ţŵö", "ţĥŕéé", "föûŕ", "fîvé", "šîx", "šévéñ", "éîğĥţ", "ñîñé", "ţéñ"]


def pad(length):
    """Words that fill about 40 % of length, at least one character."""
    wanted = max(1, (length * 2 + 4) // 5)
    text = ""
    n = 0
    while len(text) < wanted:
        text += " " + PADDING[n % len(PADDING)]
        n += 1
    return text[:wanted].rstrip() or "~"


def pseudo(text):
    """Blanks and line ends at both ends stay outside the brackets."""
    if not text.strip():
        return text
    lead = text[:len(text) - len(text.lstrip())]
    tail = text[len(text.rstrip()):]
    body = text.strip()
    out = []
    at = 0
    for match in KEPT.finditer(body):
        out.append(body[at:match.start()].translate(ACCENTS))
        out.append(match.group(0))
        at = match.end()
    out.append(body[at:].translate(ACCENTS))
    return lead + "[" + "".join(out) + pad(len(body)) + "]" + tail


ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def unquote(text):
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m.group(1), m.group(1)), text)


def quote(text):
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return '"' + text.replace("\n", "\\n") + '"'


def read_pot(name):
    """Yields (flags, {keyword: text}) for each entry but the header."""
    flags, fields, keyword = [], {}, None
    with open(name, encoding="utf-8") as f:
        lines = f.read().split("\n") + [""]
    for line in lines:
        if not line:
            if fields.get("msgid"):
                yield flags, fields
            flags, fields, keyword = [], {}, None
        elif line.startswith("#,"):
            flags.append(line)
        elif line.startswith("#"):
            continue
        else:
            match = re.fullmatch(r'(?:(msg[a-z_]+(?:\[\d\])?) )?"(.*)"', line)
            if match is None:
                raise SystemExit("%s: cannot read: %s" % (name, line))
            keyword = match.group(1) or keyword
            fields[keyword] = fields.get(keyword, "") + unquote(match.group(2))


def write_po(pot, name):
    header = ("Project-Id-Version: smtpscope\\n", "Language: qps\\n", "MIME-Version: 1.0\\n",
              "Content-Type: text/plain; charset=UTF-8\\n", "Content-Transfer-Encoding: 8bit\\n",
              "Plural-Forms: nplurals=2; plural=(n != 1);\\n")
    count = 0
    with open(name, "w", encoding="utf-8") as f:
        f.write('msgid ""\nmsgstr ""\n' + "".join('"%s"\n' % line for line in header))
        for flags, fields in read_pot(pot):
            f.write("\n" + "".join(line + "\n" for line in flags))
            if "msgctxt" in fields:
                f.write("msgctxt %s\n" % quote(fields["msgctxt"]))
            f.write("msgid %s\n" % quote(fields["msgid"]))
            if "msgid_plural" in fields:
                f.write("msgid_plural %s\n" % quote(fields["msgid_plural"]))
                f.write("msgstr[0] %s\n" % quote(pseudo(fields["msgid"])))
                f.write("msgstr[1] %s\n" % quote(pseudo(fields["msgid_plural"])))
            else:
                f.write("msgstr %s\n" % quote(pseudo(fields["msgid"])))
            count += 1
    return count


GUIDE_KEYS = r"title|name|sign|means|do [a-z-]+"
PLAYBOOK_KEYS = (r"symptom|about|say|why|ask(?: [a-z_]+)?|choice [a-z_]+|explain|end|do [a-z-]+|"
                 r"message")


def write_texts(source, name, keys):
    """One line a field: a line that was continued is joined first."""
    fields = []
    with open(source, encoding="utf-8") as f:
        for line in f.read().split("\n"):
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t") and line.strip():
                fields[-1] += " " + line.strip()
            else:
                fields.append(line.strip())
    count = 0
    with open(name, "w", encoding="utf-8") as f:
        for field in fields:
            match = re.fullmatch("(%s): *(.+)" % keys, field)
            count += 1 if match else 0
            f.write("%s: %s\n" % (match.group(1), pseudo(match.group(2))) if match else field + "\n")
    return count


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 64
    pot, guide, folder = sys.argv[1:]
    os.makedirs(os.path.join(folder, "guide"), exist_ok=True)
    sentences = write_po(pot, os.path.join(folder, "qps.po"))
    texts = 0
    for part in ("", "-replies"):
        texts += write_texts(guide.replace("en.txt", "en%s.txt" % part),
                             os.path.join(folder, "guide", "qps%s.txt" % part), GUIDE_KEYS)
    os.makedirs(os.path.join(folder, "playbooks", "qps"), exist_ok=True)
    playbooks = os.path.join(os.path.dirname(guide), "..", "playbooks", "en")
    for name in os.listdir(playbooks):
        texts += write_texts(os.path.join(playbooks, name),
                             os.path.join(folder, "playbooks", "qps", name), PLAYBOOK_KEYS)
    print("%d sentences, %d texts of the guide" % (sentences, texts))
    return 0 if sentences and texts else 1


if __name__ == "__main__":
    sys.exit(main())

"""Validates the sample reports against the published schema, and checks that the schema is strict.

usage: check_schema.py PROGRAM SCHEMA. Exit 77: the package jsonschema is missing, nothing was tested.
"""
import copy
import glob
import json
import os
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:
    print("skipped: the Python package jsonschema is not installed")
    sys.exit(77)


def spoilt(report):
    """The same report with one thing wrong at a time."""
    def change(what, function):
        other = copy.deepcopy(report)
        function(other)
        return what, other

    yield change("unknown key", lambda r: r.update(extra=1))
    yield change("unknown key in a check", lambda r: r["checks"][0].update(extra=1))
    yield change("unknown verdict", lambda r: r.update(verdict="green"))
    yield change("unknown check", lambda r: r["checks"][0].update(id="dns.mxx"))
    yield change("missing check", lambda r: r["checks"].pop())
    yield change("missing transcript", lambda r: r.pop("transcript"))
    yield change("wrong schema", lambda r: r.update(schema="smtpscope.report/2"))
    yield change("time without zone", lambda r: r.update(started="2026-11-23T12:09:44"))
    yield change("evidence line 0", lambda r: r["checks"][7]["findings"][0].update(evidence=[0]))
    yield change("unknown side", lambda r: r["checks"][2].update(side="both"))
    yield change("unknown class", lambda r: r["checks"][7]["findings"][0].update({"class": "x"}))
    yield change("unknown reason", lambda r: r["paths"][0]["tls"].update(reason="bad"))
    yield change("port out of range", lambda r: r["paths"][0].update(port=70000))
    yield change("unknown direction", lambda r: r["transcript"][0].update(dir="X"))
    yield change("unknown result of DNS", lambda r: r["dns"][0].update(result="maybe"))
    yield change("unknown key of an answer", lambda r: r["dns"][0].update(extra=1))
    yield change("unknown result of connecting", lambda r: r["connections"][0].update(result="x"))
    yield change("unknown flag", lambda r: r["transcript"][6].update(flags=["x"]))
    yield change("unknown step of a line", lambda r: r["transcript"][6].update(check="x.y"))
    yield change("password in the options", lambda r: r["options"].update(password="x"))
    yield change("bytes of a file in the options", lambda r: r["options"].update(message="x"))
    yield change("unknown proxy", lambda r: r["options"].update(proxy="v3"))
    yield change("argument that is no text",
                 lambda r: r["checks"][7]["findings"][0]["args"].update(code=454))
    yield change("no base64", lambda r: r["transcript"][1].update(base64="***"))


def main():
    program, schema_file = sys.argv[1:3]
    with open(schema_file, encoding="utf-8") as f:
        schema = json.load(f)
    validator_class = jsonschema.validators.validator_for(schema)
    validator_class.check_schema(schema)
    validator = validator_class(schema)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, folder], check=True)
        files = sorted(glob.glob(os.path.join(folder, "*.json")))
        if len(files) < 5:
            print("there should be five samples, got", files)
            return 1
        for name in files:
            with open(name, encoding="ascii") as f:
                report = json.load(f)
            errors = list(validator.iter_errors(report))
            for error in errors[:5]:
                print(os.path.basename(name), "/".join(map(str, error.path)), error.message)
            failed += len(errors)
            if name.endswith("plain.json"):
                for what, bad in spoilt(report):
                    if validator.is_valid(bad):
                        print("the schema lets through:", what)
                        failed += 1
    print(len(files), "reports validated")
    return 1 if failed else 0


sys.exit(main())

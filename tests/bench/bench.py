"""What smtpscope costs, beside other tools, in one run. Prints numbers and ratios; judges nothing.

usage: bench.py PROGRAM             everything
       bench.py PROGRAM DIR CA      called by itself, as a client in the lab at DIR
"""
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lab"))
import watch  # noqa: E402
from labkit import Lab  # noqa: E402

PROGRAM = os.path.abspath(sys.argv[1])
RUNS = 15
RTT_MS = 100
CTRL_C, CTRL_U = b"\x03", b"\x15"
FLOOD_AFTER_S = 2.5  # --demo=flood first lets the steps pass

# One server that stands still where a line is put in; and one that says a million lines.
WORLD = """title A bench
theme bench
story None.
goal None.
target example.org
me
    name desk.office.example
    address 198.51.100.7
{resolver}zone example.org
    @ MX 10 mx1
host mx1.example.org
    address 192.0.2.10
    latency 2ms
    port 25 {port}
server mx
    local example.org
    mailbox postmaster
    {server}
"""
PHASES = (
    ("name server", {"resolver": "    resolver 192.0.2.53 timeout\n"}, ()),
    ("connect", {"port": "drop"}, ()),
    ("greeting", {"server": "on connect: stall"}, ()),
    ("EHLO", {"server": "on EHLO: stall"}, ()),
    ("STARTTLS", {"server": "on STARTTLS: stall"}, ()),
    ("TLS handshake", {"server": "tls stall"}, ()),
    ("MAIL", {"server": "on MAIL: stall"}, ("--relay-test",)),
    ("end of the message", {"server": "on message: stall"}, ("--send", "--to", "postmaster@example.org")),
)


def row(name, *values):
    print(f"  {name:<46}" + "".join(f"{v:>14}" for v in values), flush=True)


def ms(seconds):
    return f"{seconds * 1000:.1f} ms"


def scenario(folder, name, **words):
    with open(os.path.join(folder, "scenarios", name + ".txt"), "w") as f:
        f.write(WORLD.format(**{"resolver": "", "port": "mx", "server": "", **words}))


def first_screen(name, words, text):
    times = []
    for _ in range(RUNS):
        screen = watch.Screen(*words)
        screen.until(text)
        times.append(time.monotonic() - screen.start)
        screen.end()
    row(name, ms(statistics.median(times)), ms(max(times)))


def screens():
    print(f"exec to the first full screen (median and worst of {RUNS})")
    first_screen("smtpscope", [PROGRAM], b"Type SMTP >")
    first_screen("smtpscope --demo", [PROGRAM, "--demo=healthy"], b"Quit")
    for words, text in ((["nano"], b"^X"), (["less", "/etc/passwd"], b"root"), (["htop"], b"F10")):
        if shutil.which(words[0]):
            first_screen(words[0], words, text)
        else:
            row(words[0], "not installed")


def idle_row(name, screen):
    time.sleep(0.5)
    screen.drain()
    before = watch.switches(screen.pid)
    time.sleep(3)
    wakes = watch.switches(screen.pid) - before
    calls = watch.system_calls(screen.pid, 3)
    row(name, f"{wakes / 3:.1f}", "not installed" if calls is None else f"{calls / 3:.1f}")


def idle():
    print("idle for 3 s: wake-ups a second, and system calls a second (strace)")
    screen = watch.Screen(PROGRAM)
    screen.until(b"Type SMTP >")
    idle_row("start screen", screen)
    screen.end()
    screen = watch.Screen(PROGRAM, "--demo=healthy")
    screen.until(b"Done:")
    idle_row("after a run", screen)
    screen.end()


def flood(folder):
    log = os.path.join(folder, "flood.log")
    screen = watch.Screen(PROGRAM, "--demo=flood", "--tee", log)
    screen.watch(FLOOD_AFTER_S)
    start, lines, cpu = time.monotonic(), watch.count_lines(log), watch.cpu_s(screen.pid)
    screen.watch(4)
    passed = time.monotonic() - start
    lines, cpu = watch.count_lines(log) - lines, watch.cpu_s(screen.pid) - cpu
    screen.end()
    print("a server that does not stop talking (--demo=flood)")
    row("lines a second, and CPU", f"{lines / passed:,.0f}", f"{cpu / passed * 100:.0f} %")


def echo_times(screen, before=b""):
    """Keys into the SMTP line, each from its press to its echo."""
    times = []
    os.write(screen.fd, before)
    for i in range(400):
        # Greek, so that nothing else on the screen is taken for the echo.
        letter = chr(0x3b1 + i % 17).encode()
        screen.watch(0.003 + 0.001 * (i % 7))
        times.append(screen.press(letter, letter))
        if i % 17 == 16:
            os.write(screen.fd, CTRL_U + before)
            screen.watch(0.1)
    os.write(screen.fd, CTRL_U)
    times.sort()
    return ms(times[len(times) // 2]), ms(times[len(times) * 99 // 100])


def key_to_paint():
    screen = watch.Screen(PROGRAM, "--demo=flood")
    screen.watch(FLOOD_AFTER_S)
    os.write(screen.fd, b"i")
    screen.watch(0.2)
    row("key to paint meanwhile, median and p99", *echo_times(screen))
    # Here the hint reads the server's offer at every key.
    row("the same behind MAIL FROM:<...>", *echo_times(screen, b"MAIL FROM:<a@example.org> "))
    os.write(screen.fd, b":")
    screen.watch(0.2)
    row("two Tabs to the list", ms(screen.press(b"\t\t", b":starttls")))
    screen.end()


def cancel(folder):
    print("Ctrl-C to STOP on the screen (median and worst of 5)")
    for name, words, options in PHASES:
        scenario(folder, "phase", **words)
        times = []
        for _ in range(5):
            screen = watch.Screen(PROGRAM, "--demo=phase", *options, env={"SMTPSCOPE_DATA": folder})
            screen.until(b"Quit")
            screen.watch(0.7)
            times.append(screen.press(CTRL_C, b"STOP"))
            screen.end()
        row(name, ms(statistics.median(times)), ms(max(times)))


def million(folder):
    print("a transcript of 1,000,000 lines on the screen")
    scenario(folder, "million", server='on idle 1s first 1: repeat 1000000 "250 {n}"')
    screen = watch.Screen(PROGRAM, "--demo=million", env={"SMTPSCOPE_DATA": folder, "SMTPSCOPE_PACE": "instant"})
    screen.until(b"Quit")
    before = watch.memory_mib(screen.pid)
    cpu = -1.0
    while cpu != watch.cpu_s(screen.pid):
        cpu = watch.cpu_s(screen.pid)
        screen.watch(1)
    row("memory of the program, before and after", f"{before:.1f} MiB", f"{watch.memory_mib(screen.pid):.1f} MiB")
    for name, keys in (("find what is nowhere", b"/nowhere"), ("find what is everywhere", b"/250"),
                       ("find an expression", b"/re:^2.*x$"), ("filter what is nowhere", b"fnowhere")):
        os.write(screen.fd, keys)
        screen.watch(0.3)
        row(name, ms(screen.answer(b"\r")))
    screen.end()


def headless(ca):
    swaks = shutil.which("swaks")
    print(f"headless check against Postfix, process start to exit (median of {RUNS})")
    row("", "CPU", "wall", "CPU ratio")
    row("true, a program that does nothing", *map(ms, watch.cost(["true"], RUNS)))
    ours = [PROGRAM, "--check", "--relay-test", "--host", "192.0.2.25"]
    theirs = ["swaks", "--server", "192.0.2.25", "--helo", "client.lab.test", "--from", "a@client.lab.test",
              "--to", "x@example.org", "--quit-after", "RCPT"]
    for name, more, tls in (("no TLS", ["--tls", "none"], []),
                            ("STARTTLS, --ca-file", ["--ca-file", ca], ["-tls"]),
                            ("STARTTLS, the system's store", [], None)):
        cpu, wall = watch.cost([*ours, *more, "lab.test"], RUNS)
        row(f"smtpscope, {name}", ms(cpu), ms(wall))
        if swaks and tls is not None:
            s_cpu, s_wall = watch.cost([*theirs, *tls], RUNS)
            row(f"swaks, {name.split(',')[0]}", ms(s_cpu), ms(s_wall), f"{s_cpu / cpu:.1f} x")


def far_away(ca):
    print(f"envelope check with STARTTLS behind {RTT_MS} ms RTT (median of 5)")
    row("", "near", "far", "round trips", "the rest")

    def line(name, near, far):
        trips = round((far - near) * 1000 / RTT_MS)
        row(name, ms(near), ms(far), trips, ms(far - trips * RTT_MS / 1000))

    here = ["--ca-file", ca, "--relay-test", "lab.test"]
    line("the greeting and five NOOP, without TLS", *(watch.noops("192.0.2.30", port, 5) for port in (2525, 2526)))
    line("smtpscope, connect to end", *(watch.session([PROGRAM, "--host", f"192.0.2.30:{port}", *here], 5)
                                         for port in (2525, 2526)))
    if shutil.which("swaks"):
        line("swaks, start to end", *(watch.cost(
            ["swaks", "--server", f"192.0.2.30:{port}", "-tls", "--helo", "client.lab.test", "--from",
             "a@client.lab.test", "--to", "x@example.org", "--quit-after", "RCPT"], 5)[1] for port in (2525, 2526)))


def in_lab(ca):
    headless(ca)
    far_away(ca)


def with_lab():
    try:
        lab = Lab(PROGRAM)
    except SystemExit:
        return  # it has said why it cannot run here
    relays = []
    for rtt, port in ((0, 2525), (RTT_MS, 2526)):
        relays.append(subprocess.Popen(
            ["sh", os.path.join(HERE, "..", "lab", "lab.sh"), "serve", lab.dir, "python3",
             os.path.join(HERE, "delay.py"), str(rtt), "192.0.2.30", str(port), "192.0.2.25", "25"],
            stdout=subprocess.PIPE, text=True))
    for relay in relays:
        relay.stdout.readline()
    subprocess.run(lab.client("python3", os.path.abspath(__file__), PROGRAM, lab.dir, lab.ca), check=False)
    for relay in relays:
        relay.send_signal(signal.SIGTERM)
        relay.wait()


def main():
    if len(sys.argv) == 4:
        in_lab(sys.argv[3])
        return
    with tempfile.TemporaryDirectory(prefix="smtpscope-bench-") as folder:
        os.mkdir(os.path.join(folder, "scenarios"))
        os.chdir(folder)
        screens()
        idle()
        flood(folder)
        key_to_paint()
        cancel(folder)
        million(folder)
        os.chdir("/")
    with_lab()


main()

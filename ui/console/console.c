#include "console.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "exit_code.h"
#include "terminal.h"
#include "text.h"

#define EVENTS_A_TURN 4000       /* then keys are looked at again */
#define PAINT_EVERY_US (33 * US_PER_MS) /* at most 30 paints a second for what the network brings */

struct console {
    struct terminal terminal;
    struct app app;
    struct canvas canvas;
    bool dirty;         /* something changed since the last paint */
    bool at_once;       /* what a key did does not wait for its turn to be painted */
    bool gone;          /* the terminal is not there any more */
    int64_t painted_us; /* when what the network brought was painted */
};

static void paint(struct console *con)
{
    int w = 0, h = 0;
    terminal_size(&con->terminal, &w, &h);
    if ((w != con->canvas.w || h != con->canvas.h) && canvas_resize(&con->canvas, w, h) != ST_OK) {
        return;
    }
    app_draw(&con->app, &con->canvas);
    terminal_paint(&con->terminal, &con->canvas);
    /* What comes of a key, as a stop that was asked for, does not wait either. */
    con->painted_us = con->at_once ? 0 : clock_monotonic_us();
    con->dirty = con->at_once = false;
}

static void suspend(struct console *con)
{
    int64_t stood = terminal_suspend(&con->terminal);
    if (con->app.engine != NULL) {
        engine_suspended(con->app.engine, stood);
    }
    con->dirty = true;
}

static void serve_requests(struct console *con)
{
    struct app *a = &con->app;
    if (a->requests & APP_REDRAW) {
        terminal_repaint(&con->terminal);
    }
    if (a->requests & APP_MOUSE) {
        terminal_mouse(&con->terminal, a->mouse);
    }
    if (a->requests & APP_SUSPEND) {
        suspend(con);
    }
    a->requests &= APP_QUIT | APP_REPORT;
}

static void read_keys(struct console *con)
{
    for (;;) {
        uint32_t key = terminal_key(&con->terminal);
        if (key == UKEY_NONE) {
            return;
        }
        if (key == UKEY_PASTE_BEGIN) {
            struct buf text;
            buf_init(&text, 512 * 1024);
            if (terminal_paste(&con->terminal, &text) != ST_OK) {
                app_say(&con->app, true, "%s", _("The pasted text is too long; its end was left out."));
            }
            app_paste(&con->app, buf_str(&text), text.len);
            buf_wipe(&text);
        } else if (key == UKEY_MOUSE) {
            struct mouse_event event;
            if (terminal_mouse_event(&con->terminal, &event)) {
                app_mouse(&con->app, &event);
            }
        } else {
            app_key(&con->app, key);
        }
        con->dirty = con->at_once = true;
        serve_requests(con);
        if (con->app.requests & APP_QUIT) {
            return;
        }
    }
}

static void serve_signals(struct console *con)
{
    unsigned seen = terminal_signals();
    if (seen & (SIGNALLED_RESIZE | SIGNALLED_CONTINUE)) {
        con->dirty = con->at_once = true;
    }
    if (seen & SIGNALLED_CONTINUE) {
        terminal_repaint(&con->terminal);
    }
    if (seen & SIGNALLED_STOP) {
        suspend(con);
    }
}

/* How long poll may sleep: until the spinner turns, or until a change may be painted. */
static int poll_time(const struct console *con, int64_t now)
{
    int64_t due = app_next_tick(&con->app);
    if (con->dirty) {
        due = deadline_earlier(due, con->painted_us + PAINT_EVERY_US);
    }
    return deadline_poll_ms(due, now);
}

static void loop(struct console *con)
{
    while (!(con->app.requests & APP_QUIT) && terminal_end_signal() == 0) {
        int64_t now = clock_monotonic_us();
        if (app_tick(&con->app, now)) {
            con->dirty = true;
        }
        if (con->dirty && (con->at_once || now - con->painted_us >= PAINT_EVERY_US)) {
            paint(con);
        }
        struct pollfd fds[3] = {{STDIN_FILENO, POLLIN, 0},
                                {terminal_signal_fd(), POLLIN, 0},
                                {app_events_fd(&con->app), POLLIN, 0}};
        if (poll(fds, 3, poll_time(con, now)) < 0) {
            continue; /* EINTR: the signal's flag and wake-up are there */
        }
        con->app.now_us = clock_monotonic_us();
        if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) {
            con->gone = true;
            return;
        }
        if (fds[1].revents != 0) {
            serve_signals(con);
        }
        if (fds[0].revents & POLLIN) {
            read_keys(con);
        }
        if (fds[2].revents != 0 && app_events(&con->app, EVENTS_A_TURN)) {
            con->dirty = true;
        }
    }
}

/* What stays on the screen of the shell: one line, or the whole report. */
static void farewell(struct console *con)
{
    struct app *a = &con->app;
    unsigned ok = 0, warn = 0, fail = 0, skip = 0, ask = 0;
    if (!a->record.started) {
        return;
    }
    if (a->requests & APP_REPORT) {
        struct buf out;
        buf_init(&out, REPORT_MAX);
        struct report_options o = {REPORT_TEXT, a->ascii, &a->plan, a->guide, a->english, NULL};
        if (report_build(&a->record, &o, &out) == ST_OK) {
            fwrite(out.p, 1, out.len, stdout);
        }
        buf_free(&out);
    }
    char target[200];
    const char *input = a->plan.input != NULL ? a->plan.input : "";
    escape_copy(target, sizeof(target), input, strlen(input), a->ascii ? ESCAPE_ASCII : 0);
    record_counts(&a->record, &ok, &warn, &fail, &skip, &ask);
    printf(_("%s%s: %u ok, %u warned, %u failed."), a->demo ? "DEMO " : "", target, ok, warn, fail);
    if (a->saved_name[0] != '\0') {
        char name[520];
        escape_copy(name, sizeof(name), a->saved_name, strlen(a->saved_name),
                    a->ascii ? ESCAPE_ASCII : 0);
        printf(_(" Saved: %s"), name);
    }
    putchar('\n');
    fflush(stdout);
}

int console_run(const struct console_options *options)
{
    struct console con;
    struct error error = {0};
    memset(&con, 0, sizeof(con));
    enum status status = terminal_open(&con.terminal, options, &error);
    if (status != ST_OK) {
        terminal_close(&con.terminal);
        fprintf(stderr, "smtpscope: %s\n", error.text);
        return status == ST_DENIED ? EXIT_CODE_USAGE : EXIT_CODE_INTERNAL;
    }
    bool ascii = options->glyphs == GLYPHS_ASCII || options->app.ascii ||
                 (options->glyphs == GLYPHS_AUTO && !canvas_glyphs_usable());
    int w = 0, h = 0;
    terminal_size(&con.terminal, &w, &h);
    status = app_init(&con.app, &options->app, ascii, &error);
    if (status == ST_OK && canvas_init(&con.canvas, w, h, ascii) != ST_OK) {
        status = error_set(&error, ST_NOMEM, 0, "%s", _("Not enough memory."));
    }
    if (status != ST_OK) {
        terminal_close(&con.terminal);
        app_free(&con.app);
        fprintf(stderr, "smtpscope: %s\n", error.text);
        return (int)(status == ST_NOMEM ? EXIT_CODE_INTERNAL : exit_code_of_file(status));
    }
    con.app.now_us = clock_monotonic_us();
    paint(&con);
    if (options->mouse) {
        con.app.mouse = true;
        terminal_mouse(&con.terminal, true);
    }
    app_begin(&con.app);
    con.dirty = true;
    loop(&con);
    int end = con.gone ? SIGHUP : terminal_end_signal();
    terminal_close(&con.terminal);
    if ((con.gone || end == SIGHUP) && con.app.engine != NULL) {
        engine_cancel(con.app.engine, CANCEL_HARD);
    }
    app_finish(&con.app);
    int code = con.app.exit_code;
    if (end == 0) {
        farewell(&con);
    }
    if (code >= EXIT_CODE_USAGE) {
        fprintf(stderr, "smtpscope: %s\n", con.app.status);
    }
    app_free(&con.app);
    canvas_free(&con.canvas);
    if (end != 0 && !con.gone) {
        signal(end, SIG_DFL);
        raise(end);
    }
    return code;
}

#include "headless.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine.h"
#include "escape.h"
#include "exit_code.h"
#include "report.h"
#include "savefile.h"
#include "signals.h"
#include "spoken.h"
#include "text.h"

#define EVENTS_A_TURN 1000
/* What a server gets to answer a QUIT with, before the connection is cut. */
#define POLITE_MS 2000

struct headless {
    const struct headless_options *o;
    struct engine *engine;
    struct record record;
    struct out out;
    struct spoken spoken;
    struct tee tee;
    bool tee_open;
    uint32_t run;
    int64_t cut_at_us; /* when politeness ends; NO_DEADLINE while nobody asked to stop */
    int exit_code;
    int jobs; /* that are still to end */
};

static void tee_text(struct headless *h, const struct buf *text)
{
    struct error error;
    if (tee_add(&h->tee, buf_str(text), text->len, &error) != ST_OK) {
        complain(h->o->ascii, "%s", error.text);
        tee_close(&h->tee);
        h->tee_open = false;
        h->exit_code = EXIT_CODE_IO;
    }
}

static void tee_demo(struct headless *h)
{
    const char *sentence = report_demo_sentence();
    struct buf text;
    buf_init(&text, OUT_MAX);
    if (buf_add_str(&text, "DEMO: ") == ST_OK &&
        escape_add(&text, sentence, strlen(sentence), h->o->ascii ? ESCAPE_ASCII : 0) == ST_OK &&
        buf_add_char(&text, '\n') == ST_OK) {
        tee_text(h, &text);
    }
    buf_free(&text);
}

static void tee_line(struct headless *h, const struct event *e)
{
    struct line line = {.t_us = e->t_us,
                        .dir = (uint8_t)e->u.line.dir,
                        .flags = e->u.line.flags,
                        .tls = e->u.line.tls,
                        .text = e->u.line.text,
                        .len = e->u.line.len};
    struct buf text;
    buf_init(&text, OUT_MAX);
    if (report_line(&line, h->o->ascii, &text) == ST_OK && buf_add_char(&text, '\n') == ST_OK) {
        tee_text(h, &text);
    }
    buf_free(&text);
}

static void take_events(struct headless *h)
{
    struct event *e = engine_events(h->engine, EVENTS_A_TURN);
    while (e != NULL) {
        struct event *next = (struct event *)(void *)e->item.next;
        if (!h->o->json) {
            spoken_event(&h->spoken, e);
        }
        if (h->tee_open && e->kind == EVENT_RUN_STARTED && e->u.started.demo) {
            tee_demo(h);
        }
        if (h->tee_open && e->kind == EVENT_LINE) {
            tee_line(h, e);
        }
        h->jobs -= e->kind == EVENT_RUN_DONE && e->run == h->run ? 1 : 0;
        (void)record_apply(&h->record, e);
        event_free(e);
        e = next;
    }
    if (!out_flush(&h->out)) {
        /* Nobody hears what would come. */
        engine_cancel(h->engine, CANCEL_HARD);
    }
}

static void take_signals(struct headless *h)
{
    signals_drain();
    if (*signals_count() == 0) {
        return;
    }
    if (h->cut_at_us == NO_DEADLINE) {
        h->cut_at_us = deadline_in_ms(clock_monotonic_us(), POLITE_MS);
        engine_cancel(h->engine, CANCEL_POLITE);
    } else {
        engine_cancel(h->engine, CANCEL_HARD);
    }
}

static void run(struct headless *h)
{
    while (h->jobs > 0) {
        struct pollfd fds[2] = {{.fd = engine_fd(h->engine), .events = POLLIN},
                                {.fd = signals_fd(), .events = POLLIN}};
        int64_t now = clock_monotonic_us();
        int rc = poll(fds, 2, deadline_poll_ms(h->cut_at_us, now));
        if (rc < 0 && errno != EINTR) {
            complain(h->o->ascii, _("Waiting failed: %s."), strerror(errno));
            h->exit_code = EXIT_CODE_INTERNAL;
            return;
        }
        if (rc > 0 && fds[1].revents != 0) {
            take_signals(h);
        }
        if (rc > 0 && fds[0].revents != 0) {
            take_events(h);
        }
        if (h->cut_at_us != NO_DEADLINE && clock_monotonic_us() >= h->cut_at_us) {
            engine_cancel(h->engine, CANCEL_HARD);
            h->cut_at_us = deadline_in_ms(clock_monotonic_us(), POLITE_MS);
        }
    }
}

static struct guide *load_guide(const struct headless *h, const char *lang)
{
    struct guide *guide = NULL;
    struct error error = {.text = ""};
    /* Reading the same texts twice would be most of the work of a short check. */
    bool built_in = strcmp(lang, "en") == 0 && !h->o->own_english;
    if (guide_load(&guide, built_in ? NULL : h->o->data_dir, lang, &error) == ST_OK) {
        return guide;
    }
    complain(h->o->ascii, "%s", error.text);
    /* A broken file must not take the advice away: the built-in texts are always right. */
    return guide_load(&guide, NULL, "en", &error) == ST_OK ? guide : NULL;
}

static bool build_report(struct headless *h, enum report_format format, struct buf *out)
{
    struct guide *english = load_guide(h, "en");
    struct guide *guide = format == REPORT_JSON ? NULL : load_guide(h, h->o->lang);
    const struct report_options options = {.format = format,
                                           .ascii = h->o->ascii,
                                           .plan = h->o->plan,
                                           .guide = guide != NULL ? guide : english,
                                           .english_guide = english};
    enum status st = english != NULL ? report_build(&h->record, &options, out) : ST_NOMEM;
    guide_free(guide);
    guide_free(english);
    if (st != ST_OK) {
        complain(h->o->ascii, _("The report cannot be written: %s."), status_word(st));
        h->exit_code = EXIT_CODE_INTERNAL;
    }
    return st == ST_OK;
}

static void print_json(struct headless *h)
{
    struct buf text;
    buf_init(&text, REPORT_MAX);
    if (build_report(h, REPORT_JSON, &text)) {
        out_raw(&h->out, buf_str(&text), text.len);
        if (text.len == 0 || text.p[text.len - 1] != '\n') {
            out_raw(&h->out, "\n", 1);
        }
    }
    buf_free(&text);
}

static void print_end(struct headless *h)
{
    struct guide *guide = load_guide(h, h->o->lang);
    if (guide != NULL) {
        spoken_findings(&h->spoken, &h->record, guide);
    }
    spoken_summary(&h->spoken, &h->record);
    guide_free(guide);
}

static void save(struct headless *h)
{
    enum report_format format = REPORT_TEXT;
    struct buf text, name;
    struct error error = {.text = ""};
    (void)report_format_of(h->o->save_path, &format);
    buf_init(&text, REPORT_MAX);
    buf_init(&name, 8192);
    if (build_report(h, format, &text)) {
        enum status st =
            savefile_write(h->o->save_path, buf_str(&text), text.len, 0, &name, &error);
        if (st != ST_OK) {
            complain(h->o->ascii, "%s", error.text);
            h->exit_code = (int)exit_code_of_file(st);
        } else if (!h->o->quiet) {
            complain(h->o->ascii, _("The report is in %s."), buf_str(&name));
        }
    }
    buf_free(&text);
    buf_free(&name);
}

/* Before the run and not after it: nobody wants to test twice because of a file name. */
static int check_files(struct headless *h)
{
    const char *path = h->o->save_path;
    struct stat st;
    struct error error = {.text = ""};
    if (path != NULL && lstat(path, &st) == 0) {
        complain(h->o->ascii, _("The file %s exists already, and is not overwritten."), path);
        return EXIT_CODE_CREATE;
    }
    if (h->o->tee_path != NULL) {
        enum status s = tee_open(&h->tee, h->o->tee_path, &error);
        if (s != ST_OK) {
            complain(h->o->ascii, "%s", error.text);
            return (int)exit_code_of_file(s);
        }
        h->tee_open = true;
    }
    return 0;
}

static int start(struct headless *h)
{
    struct error error = {.text = ""};
    int code = check_files(h);
    if (code != 0) {
        net_network_close(h->o->net);
        return code;
    }
    if (signals_catch() != ST_OK) {
        complain(h->o->ascii, _("There are not enough resources to start."));
        net_network_close(h->o->net);
        return EXIT_CODE_INTERNAL;
    }
    if (engine_new(&h->engine, h->o->net, &error) != ST_OK) {
        complain(h->o->ascii, "%s", error.text);
        net_network_close(h->o->net);
        return EXIT_CODE_INTERNAL;
    }
    if (h->o->script != NULL) {
        enum status st = engine_replay(h->engine, h->o->plan, h->o->script, false);
        h->run = st == ST_OK ? engine_generation(h->engine) : 0;
        h->jobs = 2; /* a run that connects, and the script */
    } else {
        h->run = engine_start(h->engine, h->o->plan);
        h->jobs = 1;
    }
    if (h->run == 0 || record_init(&h->record, h->run) != ST_OK) {
        complain(h->o->ascii, _("There is not enough memory."));
        return EXIT_CODE_INTERNAL;
    }
    return 0;
}

static int result_code(const struct headless *h)
{
    int code = record_exit_code(&h->record, h->o->strict);
    if (h->o->script == NULL) {
        return code;
    }
    switch (h->record.replay.state) {
    case REPLAY_DONE:
        return code;
    case REPLAY_UNEXPECTED:
        return EXIT_CODE_FAIL;
    case REPLAY_BROKEN:
        return code != EXIT_CODE_OK && code != EXIT_CODE_WARN ? code : EXIT_CODE_FAIL;
    case REPLAY_ASKING:
        return EXIT_CODE_DENIED;
    default:
        return EXIT_CODE_UNTESTED;
    }
}

static void finish(struct headless *h)
{
    h->exit_code = h->exit_code != 0 ? h->exit_code : result_code(h);
    if (h->o->json) {
        print_json(h);
    } else {
        print_end(h);
    }
    if (!out_flush(&h->out) && !h->out.closed) {
        complain(h->o->ascii, _("Writing failed: %s."), strerror(h->out.sys));
        h->exit_code = EXIT_CODE_IO;
    }
    if (h->o->save_path != NULL) {
        save(h);
    }
}

int headless_run(const struct headless_options *options)
{
    struct headless *h = calloc(1, sizeof(*h));
    if (h == NULL) {
        net_network_close(options->net);
        return EXIT_CODE_INTERNAL;
    }
    h->o = options;
    h->cut_at_us = NO_DEADLINE;
    out_init(&h->out, STDOUT_FILENO, options->ascii);
    h->out.interrupts = signals_count();
    h->spoken =
        (struct spoken){.out = &h->out, .quiet = options->quiet, .verbose = options->verbose};
    int code = start(h);
    if (code == 0) {
        run(h);
        engine_free(h->engine);
        h->engine = NULL;
        finish(h);
        code = h->exit_code;
    }
    engine_free(h->engine);
    if (h->tee_open) {
        tee_close(&h->tee);
    }
    bool closed = h->out.closed;
    record_free(&h->record);
    out_free(&h->out);
    free(h);
    signals_die();
    if (closed) {
        signals_die_by(SIGPIPE);
    }
    return code;
}

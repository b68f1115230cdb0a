#include "serve.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "exit_code.h"
#include "out.h"
#include "savefile.h"
#include "signals.h"
#include "text.h"

/* Of a command; what is longer is cut. */
#define COMMAND_SHOWN_MAX 400
#define FILE_NAME_MAX 8192

struct serving {
    const struct serve_options *o;
    struct out out;
};

static const char *end_words(enum serve_end end)
{
    switch (end) {
    case SERVE_END_CLIENT:
        return _("Closed by the client");
    case SERVE_END_CLIENT_RESET:
        return _("Reset by the client");
    case SERVE_END_SERVER:
        return _("Closed by the server");
    case SERVE_END_SERVER_RESET:
        return _("Reset by the server");
    case SERVE_END_STOPPED:
        break;
    }
    return _("Closed, because the practice ends");
}

static void tell(void *ctx, const struct serve_event *e)
{
    struct serving *s = ctx;
    char head[64], text[COMMAND_SHOWN_MAX];
    unsigned flags = s->o->ascii ? ESCAPE_ASCII : 0;
    long long ms = (long long)(e->at_us / US_PER_MS);
    snprintf(head, sizeof(head), "DEMO %4lld.%03lld #%u", ms / 1000, ms % 1000, e->client);
    switch (e->kind) {
    case SERVE_CONNECTED:
        net_address_format_port(&e->peer, text, sizeof(text));
        out_line(&s->out, _("%s -- Connected from %s"), head, text);
        break;
    case SERVE_COMMAND:
        escape_copy(text, sizeof(text), e->text, e->len, flags);
        out_line(&s->out, "%s %s %s", head, e->tls ? "C~" : "C:", text);
        break;
    case SERVE_CLOSED:
        out_line(&s->out, "%s -- %s", head, end_words(e->end));
        break;
    }
    /* Nobody has to read it: a script that waited for the first line may have closed the pipe. */
    (void)out_flush(&s->out);
}

/* Before anything is announced: whoever reads the announcement may use the file. */
static int write_ca(const struct serve_options *o)
{
    struct buf text, name;
    struct error error = {.text = ""};
    if (o->ca_path == NULL) {
        return EXIT_CODE_OK;
    }
    buf_init(&text, OUT_MAX);
    buf_init(&name, FILE_NAME_MAX);
    enum status st =
        buf_addf(&text, "# DEMO: made for one run of smtpscope --practice\n%s", o->net->ca_pem);
    if (st == ST_OK) {
        st = savefile_write(o->ca_path, buf_str(&text), text.len, 0, &name, &error);
    } else {
        error_set(&error, st, 0, _("There is not enough memory."));
    }
    if (st != ST_OK) {
        complain(o->ascii, "%s", error.text);
    }
    buf_free(&text);
    buf_free(&name);
    return st == ST_OK ? EXIT_CODE_OK : (int)exit_code_of_file(st);
}

static int announce(struct serving *s, const struct serve_offer *offer)
{
    char at[NET_ADDRESS_TEXT];
    net_address_format_port(&offer->listen, at, sizeof(at));
    if (offer->tls) {
        out_line(
            &s->out,
            _("Practice server DEMO: scenario %s as %s:%u (TLS from the first byte) on %s; ends "
              "with Ctrl-C"),
            s->o->scenario, offer->host, offer->address.port, at);
    } else {
        out_line(&s->out, _("Practice server DEMO: scenario %s as %s:%u on %s; ends with Ctrl-C"),
                 s->o->scenario, offer->host, offer->address.port, at);
    }
    if (!out_flush(&s->out) && !s->out.closed) {
        complain(s->o->ascii, _("Writing failed: %s."), strerror(s->out.sys));
        return EXIT_CODE_IO;
    }
    return EXIT_CODE_OK;
}

static int serve(struct serving *s, struct practice_serve *server)
{
    struct error error = {.text = ""};
    int code = write_ca(s->o);
    if (code == EXIT_CODE_OK) {
        code = announce(s, practice_serve_offer(server));
    }
    if (code != EXIT_CODE_OK || s->out.closed) {
        return code;
    }
    if (practice_serve_run(server, signals_fd(), s->o->quiet ? NULL : tell, s, &error) != ST_OK) {
        complain(s->o->ascii, "%s", error.text);
        return EXIT_CODE_INTERNAL;
    }
    return EXIT_CODE_OK;
}

int serve_run(const struct serve_options *options)
{
    struct serving s = {.o = options};
    struct practice_serve *server = NULL;
    struct error error = {.text = ""};
    if (signals_catch() != ST_OK) {
        complain(options->ascii, _("There are not enough resources to start."));
        return EXIT_CODE_INTERNAL;
    }
    if (practice_serve_open(options->net, &options->wish, &server, &error) != ST_OK) {
        complain(options->ascii, "%s", error.text);
        return (int)exit_code_of_input(error.code);
    }
    out_init(&s.out, STDOUT_FILENO, options->ascii);
    s.out.interrupts = signals_count();
    int code = serve(&s, server);
    bool unheard = s.out.closed && code == EXIT_CODE_OK && *signals_count() == 0;
    practice_serve_close(server);
    out_free(&s.out);
    signals_die();
    if (unheard) {
        signals_die_by(SIGPIPE);
    }
    return code;
}

#include "control.h"

#include <stdlib.h>
#include <string.h>

#include "check_tools.h"
#include "text.h"

enum status control_pause(struct check_context *c, int ms)
{
    c->sink->wait(c->sink->ctx, WAIT_PAUSE, ms);
    enum status st =
        net_wait(c->net, NULL, 0, deadline_in_ms(net_now_us(c->net), ms), c->cancel, false);
    c->sink->wait(c->sink->ctx, WAIT_NONE, 0);
    return st;
}

enum status control_again(struct check_context *c, enum session_level level, uint32_t *line,
                          struct error *error)
{
    *line = check_note(c, _("For comparison: a second connection, after %d seconds"),
                       CONTROL_PAUSE_MS / 1000);
    smtp_quit(&c->smtp);
    enum status st = control_pause(c, CONTROL_PAUSE_MS);
    return st == ST_TIMEOUT ? session_open(c, level, error) : st;
}

/* One connection of its own up to the end of the handshake. */
static enum status try_handshake(struct check_context *c)
{
    struct error error = {.text = ""};
    struct tls_config config;
    struct reply reply;
    struct buf injected;
    if (strcmp(c->facts.mode, "implicit") == 0) {
        return session_open(c, SESSION_GREETED, &error);
    }
    enum status st = session_open(c, SESSION_CLEAR, &error);
    if (st != ST_OK) {
        return st;
    }
    check_tls_config(c, &config);
    reply_init(&reply);
    buf_init(&injected, REPLY_TEXT_MAX);
    st = smtp_starttls(&c->smtp, &config, &reply, &injected, &error);
    st = st == ST_OK && reply.code != 220 ? ST_REFUSED : st;
    buf_free(&injected);
    reply_free(&reply);
    return st;
}

enum status control_handshake(struct check_context *c, const char **word, uint32_t *line)
{
    static const struct {
        struct tls_limits limits;
        const char *note, *word;
    } ways[] = {
        {{.no_sni = true},
         N_("For comparison: a handshake that does not name the host (no SNI)"),
         N_("without the name of the host (SNI)")},
        {{.only_tls_1_2 = true}, N_("For comparison: a handshake with TLS 1.2"),
         N_("with TLS 1.2")},
    };
    const int limit_ms = c->smtp.limits.tls;
    enum status st = ST_TLS;
    c->smtp.limits.tls = limit_ms < CONTROL_TLS_MS ? limit_ms : CONTROL_TLS_MS;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        *word = ways[i].word;
        check_note(c, "%s", _(ways[i].note));
        st = control_pause(c, CONTROL_PAUSE_MS);
        if (st != ST_TIMEOUT) {
            break;
        }
        c->tls_limits = ways[i].limits;
        st = try_handshake(c);
        if (st == ST_OK || st == ST_CANCELLED || st == ST_NOMEM) {
            break;
        }
        st = ST_TLS;
    }
    c->tls_limits = (struct tls_limits){.no_sni = false};
    c->smtp.limits.tls = limit_ms;
    if (st == ST_OK) {
        *line = c->tls_line;
        smtp_quit(&c->smtp);
    } else if (st != ST_CANCELLED) {
        smtp_close(&c->smtp, ST_OK);
    }
    return st;
}

enum status control_ungroup(struct check_context *c, enum status broken,
                            const struct reply *replies, size_t count)
{
    struct error error = {.text = ""};
    uint32_t line = 0;
    bool lost = broken == ST_EOF || broken == ST_RESET || broken == ST_TIMEOUT;
    bool answered = c->smtp.unasked_code == 421;
    for (size_t i = 0; i < count; i++) {
        answered = answered || replies[i].line_count > 0;
    }
    if (!lost || answered || !caps_has(&c->smtp.caps, CAP_PIPELINING)) {
        return ST_INVALID;
    }
    return control_again(c, SESSION_READY, &line, &error);
}

enum verdict control_group_broken(struct check_context *c, enum status broken)
{
    struct finding f;
    const struct cap *cap = caps_find(&c->smtp.caps, CAP_PIPELINING);
    finding_init(&f, "smtp.ehlo.pipelining_broken");
    finding_arg_word(&f, "result", status_name(broken));
    finding_evidence(&f, cap != NULL ? cap->line : 0);
    finding_evidence(&f, c->smtp.last_client_line);
    return check_report(c, &f);
}

#include "smtp.h"

#include <stdio.h>
#include <string.h>

#include "compose.h"
#include "smtp_impl.h"
#include "text.h"

/* What the transcript keeps of the octets of one BDAT. */
#define SHOWN_LINES 24

void chunk_tell(struct smtp *s, const struct outgoing *out)
{
    const char *p = out->data.p;
    size_t len = out->data.len;
    size_t at = 0;
    for (int i = 0; i < out->data_lines && at < len; i++) {
        const char *lf = memchr(p + at, '\n', len - at);
        size_t n = lf != NULL ? (size_t)(lf - p) + 1 - at : len - at;
        size_t end = lf == NULL ? 0 : n >= 2 && lf[-1] == '\r' ? 2 : 1;
        wire_tell(s, DIR_CLIENT, LINE_BODY | out->flags, p + at, n - end);
        at += n;
    }
    if (at < len) {
        wire_note(s, DIR_NOTE,
                  Q_("%zu byte of the message is not shown.",
                     "%zu bytes of the message are not shown.", len - at),
                  len - at);
    }
}

enum status smtp_typed_chunk(struct smtp *s, const char *line, size_t len, const char *data,
                             size_t data_len, struct reply *reply, struct error *error)
{
    reply_reset(reply);
    s->typed = (struct smtp_typed){.verb = VERB_OTHER, .before = s->state};
    if (s->conn == NULL) {
        return error_set(error, smtp_gone(s), 0, _("There is no connection."));
    }
    if (s->write_end || s->state == SMTP_TEXT || s->state == SMTP_CONTINUATION ||
        s->raw_tail.len > 0) {
        return error_set(error, ST_INVALID, 0, _("BDAT has no place here."));
    }
    enum smtp_verb verb = smtp_verb_of(line, len);
    if (verb != VERB_BDAT && verb != VERB_BDAT_LAST) {
        return error_set(error, ST_INVALID, 0,
                         _("Only BDAT takes octets along: BDAT NUMBER [LAST]"));
    }
    if (memchr(line, '\r', len) != NULL || memchr(line, '\n', len) != NULL ||
        len > SMTP_COMMAND_MAX) {
        return error_set(error, ST_INVALID, 0, _("A line cannot hold a line end."));
    }
    struct outgoing out = {.verb = verb,
                           .wait = verb_wait(verb),
                           .line = line,
                           .len = len,
                           .flags = LINE_MANUAL,
                           .data = {data, data_len},
                           .data_lines = SHOWN_LINES};
    uint64_t octets = 0;
    bool last = false;
    s->typed.verb = verb;
    bool honest = smtp_bdat_size(line, len, &octets, &last) && octets == data_len;
    enum status st = smtp_exchange(s, &out, reply);
    s->typed.sent = reply->command_line != 0 || st == ST_OK;
    s->typed.line = reply->command_line;
    /* With another number of octets than it says, part of them is a command, or the next one is
       part of them. */
    s->unsure = s->unsure || (!honest && s->conn != NULL);
    s->raw_used = s->raw_used || (!honest && s->conn != NULL);
    if (st != ST_OK) {
        return error_set(error, st, 0, _("There is no answer: %s."), status_word(st));
    }
    return ST_OK;
}

enum status chunk_begin(struct smtp *s, const char *line, size_t len, uint64_t octets, bool last,
                        struct error *error)
{
    char wire[SMTP_COMMAND_MAX + 2];
    size_t put = 0;
    if (len > SMTP_COMMAND_MAX) {
        return error_set(error, ST_INVALID, 0, _("The line is longer than %d bytes."),
                         SMTP_COMMAND_MAX);
    }
    if (wire_cancelled(s)) {
        return error_set(error, ST_CANCELLED, 0, _("Stopped."));
    }
    enum status st = smtp_before_sending(s);
    if (st == ST_OK) {
        memcpy(wire, line, len);
        memcpy(wire + len, "\r\n", 2);
        s->typed.verb = last ? VERB_BDAT_LAST : VERB_BDAT;
        s->typed.sent = true;
        s->last_client_line = wire_tell(s, DIR_CLIENT, LINE_MANUAL, line, len);
        s->typed.line = s->last_client_line;
        st = wire_write(s, wire, len + 2, deadline_in_ms(net_now_us(s->net), s->limits.data), &put);
    }
    if (st != ST_OK) {
        if (s->conn != NULL) {
            smtp_close(s, st);
        }
        return error_set(error, st, 0, _("The line could not be sent: %s."), status_word(st));
    }
    s->chunk_left = octets;
    s->chunk_last = last;
    s->chunk_line = s->last_client_line;
    s->before_chunk = s->state;
    s->state = SMTP_TEXT;
    wire_owe(s, last ? VERB_BDAT_LAST : VERB_BDAT);
    return ST_OK;
}

enum status chunk_end(struct smtp *s, struct reply *reply, bool *expects_reply, struct error *error)
{
    enum smtp_verb verb = s->chunk_last ? VERB_BDAT_LAST : VERB_BDAT;
    enum smtp_wait wait = verb_wait(verb);
    s->state = s->before_chunk;
    s->typed.verb = verb;
    s->typed.line = s->chunk_line;
    if (s->owed != 1 || s->stray.line_count > 0 || s->stray.state != 0) {
        return ST_OK; /* it has come already, or is coming */
    }
    *expects_reply = true;
    s->owed = 0;
    int64_t now = net_now_us(s->net);
    enum status st = wire_reply(s, wait, now, deadline_in_ms(now, smtp_limit_ms(s, wait)), reply);
    reply->command_line = s->chunk_line;
    wire_redact(s, reply);
    if (st != ST_OK) {
        return error_set(error, st, 0, _("There is no answer: %s."), status_word(st));
    }
    if (s->conn != NULL) {
        smtp_track(s, verb, reply);
    }
    return ST_OK;
}

/* Who does not know BDAT reads its octets as commands, and what comes back is no answer to us. */
static bool is_unknown(const struct reply *reply)
{
    return reply->code == 500 || reply->code == 502;
}

static enum status send_chunk(struct smtp *s, const char *p, size_t len, bool first, bool last,
                              struct reply *reply)
{
    char line[64];
    int n = snprintf(line, sizeof(line), "BDAT %zu%s", len, last ? " LAST" : "");
    enum smtp_verb verb = last ? VERB_BDAT_LAST : VERB_BDAT;
    struct outgoing out = {.verb = verb,
                           .wait = verb_wait(verb),
                           .line = line,
                           .len = (size_t)n,
                           .data = {p, len},
                           .data_lines = first ? SHOWN_LINES : 0};
    return smtp_exchange(s, &out, reply);
}

static enum status send_chunks(struct smtp *s, const char *p, size_t len, size_t chunk,
                               struct reply *reply)
{
    enum status st;
    size_t at = 0;
    do {
        size_t n = len - at < chunk ? len - at : chunk;
        st = send_chunk(s, p + at, n, at == 0, at + n == len, reply);
        at += n;
    } while (st == ST_OK && reply->code / 100 == 2 && at < len && s->conn != NULL);
    if (st == ST_OK && is_unknown(reply) && s->conn != NULL) {
        wire_note(s, DIR_NOTE,
                  _("The server takes the message for commands; the connection was closed."));
        smtp_close(s, ST_OK);
    }
    return st;
}

enum status smtp_bdat(struct smtp *s, const char *p, size_t len, size_t chunk, bool exact,
                      struct reply *reply)
{
    struct buf wire;
    reply_reset(reply);
    if (s->conn == NULL) {
        return smtp_gone(s);
    }
    if (s->state == SMTP_TEXT || s->state == SMTP_CONTINUATION || chunk == 0 ||
        chunk > SMTP_CHUNK_MAX) {
        return ST_INVALID;
    }
    if (exact) {
        return send_chunks(s, p, len, chunk, reply);
    }
    buf_init(&wire, len < SIZE_MAX / 4 ? 2 * len + 2 : len);
    enum status st = compose_lines(&wire, p, len);
    if (st == ST_OK) {
        st = send_chunks(s, buf_str(&wire), wire.len, chunk, reply);
    }
    buf_free(&wire);
    return st;
}

#include "smtp.h"

#include <string.h>

#include "sasl.h"
#include "smtp_impl.h"
#include "text.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The next word of the line from *at on. */
static struct span word_at(const char *line, size_t len, size_t *at)
{
    while (*at < len && is_blank(line[*at])) {
        (*at)++;
    }
    struct span word = {line + *at, 0};
    while (*at < len && !is_blank(line[*at])) {
        (*at)++;
        word.len++;
    }
    return word;
}

/*
 * A word behind AUTH that may be shown. Who forgets the mechanism types the secret in its place, so
 * only what is known or looks like the name of one counts: base64 of any length has small letters.
 */
static bool is_mechanism(const struct smtp *s, struct span word)
{
    char name[32];
    bool plain = true;
    if (word.len == 0 || word.len > 20) {
        return false;
    }
    for (size_t i = 0; i < word.len; i++) {
        char c = word.p[i];
        plain = plain && ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_');
    }
    memcpy(name, word.p, word.len);
    name[word.len] = '\0';
    return sasl_mech_find(name) != MECH_NONE || caps_has_mech(&s->caps, name) ||
           (plain && memchr(word.p, '-', word.len) != NULL) || str_equal_nocase(name, "NTLM") ||
           str_equal_nocase(name, "GSSAPI") || str_equal_nocase(name, "ANONYMOUS");
}

/* "AUTH mechanism response" */
static size_t visible_auth(struct smtp *s, const char *line, size_t len, size_t at)
{
    char name[32] = "";
    size_t before = at;
    struct span mech = word_at(line, len, &at);
    if (mech.len < sizeof(name)) {
        memcpy(name, mech.p, mech.len);
    }
    s->auth_mech = (unsigned)sasl_mech_find(name);
    /* The first answer in LOGIN is the user name, which also stands in addresses that are shown. */
    s->asks_user = s->auth_mech == MECH_LOGIN;
    if (mech.len == 0) {
        return len;
    }
    if (!is_mechanism(s, mech)) {
        return before + 1;
    }
    size_t shown = at;
    struct span initial = word_at(line, len, &at);
    bool empty = initial.len == 0 || (initial.len == 1 && initial.p[0] == '=');
    return empty && at == len ? len : shown + 1;
}

size_t typed_visible(struct smtp *s, const char *line, size_t len, enum smtp_verb verb)
{
    bool star = len == 1 && line[0] == '*';
    size_t at = 0;
    struct span word = word_at(line, len, &at);
    switch (verb) {
    case VERB_DOT:
        return len;
    case VERB_AUTH_LINE:
        return star ? len : 0;
    case VERB_AUTH:
        return visible_auth(s, line, len, at);
    default:
        break;
    }
    bool lone = word.len > 0 && word.len == len;
    s->auth_tail = s->auth_tail && verb == VERB_OTHER && lone;
    return s->auth_tail && !star ? 0 : len;
}

/*
 * The words that are hidden are learnt one by one: a server may quote any of them. "PLAIN=secret"
 * is a slip that hides one word in another.
 */
enum status learn_typed(struct smtp *s, const char *p, size_t len, bool user_name)
{
    size_t at = 0;
    enum status st = learn_bytes(s, p, len);
    while (at < len && st == ST_OK) {
        struct span word = word_at(p, len, &at);
        const char *equals = word.len > 0 ? memchr(word.p, '=', word.len) : NULL;
        if (word.len > 0) {
            st = learn_response(s, word.p, word.len, user_name);
        }
        if (st == ST_OK && equals != NULL) {
            size_t rest = word.len - (size_t)(equals + 1 - word.p);
            st = learn_response(s, equals + 1, rest, user_name);
        }
    }
    return st;
}

static enum status text_failed(struct smtp *s, enum status st, struct error *error)
{
    if (st == ST_CANCELLED) {
        /* A line that was cut would join the next one. */
        smtp_close(s, st);
    } else {
        st = wire_fail(s, st, WAIT_BLOCK);
    }
    return error_set(error, st, 0, _("The line could not be sent: %s."), status_word(st));
}

static enum status typed_text(struct smtp *s, const char *line, size_t len, struct error *error)
{
    struct buf wire;
    size_t put = 0;
    if (wire_cancelled(s)) {
        return error_set(error, ST_CANCELLED, 0, _("Stopped."));
    }
    buf_init(&wire, SMTP_RAW_MAX + 2);
    enum status st = buf_add(&wire, line, len);
    if (st == ST_OK) {
        st = buf_add(&wire, "\r\n", 2);
    }
    if (st == ST_OK) {
        s->typed.sent = true;
        s->last_client_line = wire_tell(s, DIR_CLIENT, LINE_BODY | LINE_MANUAL, line, len);
        st = wire_write(s, wire.p, wire.len, deadline_in_ms(net_now_us(s->net), s->limits.block),
                        &put);
    }
    buf_wipe(&wire);
    return st == ST_OK ? ST_OK : text_failed(s, st, error);
}

/* The line is part of the octets that a BDAT announced (RFC 3030 2). */
static enum status typed_octets(struct smtp *s, const char *line, size_t len, struct reply *reply,
                                bool *expects_reply, struct error *error)
{
    uint64_t octets = (uint64_t)len + 2;
    if (octets > s->chunk_left) {
        return error_set(
            error, ST_INVALID, 0,
            Q_("%llu octet of the BDAT is left, and the line with its end has %llu.",
               "%llu octets of the BDAT are left, and the line with its end has %llu.",
               (unsigned long)s->chunk_left),
            (unsigned long long)s->chunk_left, (unsigned long long)octets);
    }
    *expects_reply = false;
    enum status st = typed_text(s, line, len, error);
    if (st != ST_OK) {
        return st;
    }
    s->chunk_left -= octets;
    return s->chunk_left > 0 ? ST_OK : chunk_end(s, reply, expects_reply, error);
}

static enum status check_typed(const struct smtp *s, const char *line, size_t len,
                               struct error *error)
{
    if (memchr(line, '\r', len) != NULL || memchr(line, '\n', len) != NULL) {
        return error_set(error, ST_INVALID, 0, _("A line cannot hold a line end."));
    }
    if (len > SMTP_RAW_MAX) {
        return error_set(error, ST_INVALID, 0, _("The line is longer than %d bytes."),
                         SMTP_RAW_MAX);
    }
    if (s->conn == NULL) {
        return error_set(error, smtp_gone(s), 0, _("There is no connection."));
    }
    if (s->write_end) {
        return error_set(error, ST_INVALID, 0,
                         _("Our direction of the connection was ended; nothing more can be sent."));
    }
    return ST_OK;
}

static enum status typed_hidden(struct smtp *s, struct outgoing *out, size_t visible,
                                struct buf *shown, struct error *error)
{
    size_t hidden = out->len - visible;
    if (hidden > SMTP_SECRET_MAX) {
        return error_set(error, ST_INVALID, 0, _("A line of a login is longer than %d bytes."),
                         SMTP_SECRET_MAX);
    }
    enum status st = buf_add(shown, out->line, visible);
    if (st == ST_OK) {
        st = buf_addf(shown, "<hidden %zu bytes>", hidden);
    }
    if (st == ST_OK) {
        st = learn_typed(s, out->line + visible, hidden, s->asks_user);
    }
    if (st != ST_OK) {
        return error_set(error, st, 0, _("The line cannot be kept out of the transcript."));
    }
    out->shown = buf_str(shown);
    out->shown_len = shown->len;
    out->flags |= LINE_REDACTED;
    return ST_OK;
}

static void after_typed(struct smtp *s, enum smtp_verb verb, bool initial,
                        const struct reply *reply)
{
    if (verb != VERB_AUTH && verb != VERB_AUTH_LINE) {
        return;
    }
    bool first = verb == VERB_AUTH && !initial;
    bool user = note_challenge(s, reply);
    s->asks_user = user && first && s->auth_mech == MECH_LOGIN;
    s->auth_tail = reply->code != 334 && reply->code != 235;
}

/* RFC 3207 4.2 forbids a second layer. The server now waits for a handshake that we do not begin.
 */
static void end_nested(struct smtp *s, const struct reply *reply)
{
    if (reply->code == 220) {
        wire_note(s, DIR_NOTE,
                  _("The server wants to encrypt the encrypted connection again; it was closed."));
        smtp_close(s, ST_PROTO);
    }
}

enum smtp_verb typed_verb(const struct smtp *s, const char *line, size_t len)
{
    size_t at = 0;
    struct span word = word_at(line, len, &at);
    if (s->state == SMTP_CONTINUATION) {
        return VERB_AUTH_LINE;
    }
    if (s->state == SMTP_TEXT || s->raw_text) {
        return VERB_DOT;
    }
    /* Blanks before it make it no command, but what follows is still a secret. */
    return span_equal_nocase(word, "AUTH") ? VERB_AUTH : smtp_verb_of(line, len);
}

static enum status typed_handshake(struct smtp *s, const struct tls_config *config,
                                   const struct reply *reply, struct error *error)
{
    struct buf injected;
    buf_init(&injected, REPLY_TEXT_MAX);
    enum status st = smtp_after_starttls(s, config, reply, &injected, error);
    s->typed.injected = injected.len;
    s->typed.handshake = reply->code == 220 && injected.len == 0;
    buf_free(&injected);
    return st;
}

/* Behind an unfinished line of raw mode nobody knows what this one is, and how it is answered. */
static enum status typed_behind_raw(struct smtp *s, const char *line, size_t len,
                                    struct error *error)
{
    struct buf bytes;
    buf_init(&bytes, SMTP_RAW_MAX + 2);
    enum status st = buf_add(&bytes, line, len);
    if (st == ST_OK) {
        st = buf_add(&bytes, "\r\n", 2);
    }
    if (st == ST_OK) {
        st = smtp_raw(s, bytes.p, bytes.len, 0, error);
    } else {
        error_set(error, st, 0, _("The line could not be sent: %s."), status_word(st));
    }
    buf_wipe(&bytes);
    return st;
}

static enum status typed_command(struct smtp *s, const char *line, size_t len,
                                 const struct tls_config *config, struct reply *reply,
                                 struct error *error)
{
    struct buf shown;
    struct outgoing out = {.line = line, .len = len, .flags = LINE_MANUAL};
    out.verb = typed_verb(s, line, len);
    out.wait = verb_wait(out.verb);
    out.flags |= out.verb == VERB_DOT ? LINE_BODY : 0u;
    bool nested = out.verb == VERB_STARTTLS && s->tls;
    s->typed.verb = out.verb;
    if (out.verb == VERB_STARTTLS && config == NULL && !nested) {
        return error_set(error, ST_INVALID, 0, _("STARTTLS cannot be typed here."));
    }
    buf_init(&shown, SMTP_RAW_MAX + 64);
    enum status st = ST_OK;
    size_t visible = typed_visible(s, line, len, out.verb);
    if (visible < len) {
        st = typed_hidden(s, &out, visible, &shown, error);
    }
    if (st == ST_OK) {
        st = smtp_exchange(s, &out, reply);
        s->typed.sent = reply->command_line != 0 || st == ST_OK;
        s->typed.line = reply->command_line;
        if (st != ST_OK) {
            error_set(error, st, 0, _("There is no answer: %s."), status_word(st));
        }
    }
    buf_free(&shown);
    if (st != ST_OK) {
        return st;
    }
    after_typed(s, out.verb, visible < len, reply);
    if (nested) {
        end_nested(s, reply);
    } else if (out.verb == VERB_STARTTLS) {
        st = typed_handshake(s, config, reply, error);
    }
    return st;
}

enum status smtp_typed(struct smtp *s, const char *line, size_t len,
                       const struct tls_config *config, struct reply *reply, bool *expects_reply,
                       struct error *error)
{
    reply_reset(reply);
    *expects_reply = true;
    s->typed = (struct smtp_typed){.verb = VERB_OTHER, .before = s->state};
    enum status st = check_typed(s, line, len, error);
    if (st != ST_OK) {
        return st;
    }
    if (s->raw_used) {
        /* What was answered to raw bytes decides what this line is. */
        st = smtp_before_sending(s);
        if (st != ST_OK) {
            return error_set(error, st, 0, _("There is no connection."));
        }
        s->typed.before = s->state;
    }
    if (s->raw_tail.len > 0) {
        *expects_reply = false;
        return typed_behind_raw(s, line, len, error);
    }
    if (s->chunk_left > 0) {
        return typed_octets(s, line, len, reply, expects_reply, error);
    }
    bool in_text = s->state == SMTP_TEXT || s->raw_text;
    if (in_text && !(len == 1 && line[0] == '.')) {
        *expects_reply = false;
        return typed_text(s, line, len, error);
    }
    uint64_t octets = 0;
    bool last = false;
    if (s->state != SMTP_CONTINUATION && smtp_bdat_size(line, len, &octets, &last) && octets > 0) {
        *expects_reply = false;
        return chunk_begin(s, line, len, octets, last, error);
    }
    return typed_command(s, line, len, config, reply, error);
}

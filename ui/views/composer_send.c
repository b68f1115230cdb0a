#include <stdio.h>
#include <string.h>

#include "app.h"
#include "compose.h"
#include "composer_parts.h"
#include "text.h"
#include "typehint_verbs.h"
#include "wireform.h"

#define WIRE_MAX (2 * TEXTAREA_MAX + 1024)
#define RAW_PIECE ((size_t)32 * 1024)
#define CHUNK_PIECE ((size_t)64 * 1024)

const struct caps *composer_caps(const struct app *a, struct caps *room)
{
    return typehint_caps(&a->record, room) ? room : NULL;
}

static enum status add_param(struct buf *out, const char *name, const char *value)
{
    return buf_addf(out, "%s%s%s%s", out->len > 0 ? " " : "", name, value[0] != '\0' ? "=" : "",
                    value);
}

/* What is left to the program: SIZE, and BODY where the text asks for it. */
static void automatic_value(const struct app *a, const struct caps *caps, enum envelope_param_id id,
                            char *value, size_t size)
{
    struct wireform w;
    wireform_measure(&a->hand.composer.text, false, &w);
    if (id == PARAM_SIZE) {
        (void)snprintf(value, size, "%zu", w.content);
    } else if ((w.flags & (WIRE_EIGHT_BIT | WIRE_HEADER_UTF8)) != 0 &&
               caps_has(caps, CAP_8BITMIME)) {
        str_copy(value, size, "8BITMIME");
    }
}

enum status composer_params(const struct app *a, enum envelope_command command, struct buf *out)
{
    const struct composer *m = &a->hand.composer;
    struct caps room;
    const struct caps *caps = composer_caps(a, &room);
    enum status st = ST_OK;
    for (int i = 0; i < PARAM_COUNT && st == ST_OK && caps != NULL; i++) {
        const struct envelope_param *param = &envelope_params[i];
        char value[COMPOSER_VALUE_MAX];
        str_copy(value, sizeof(value), m->params[i]);
        bool wanted = value[0] != '\0' || m->flags[i];
        if (param->command != command || !envelope_offered(param, caps, a->record.session_tls)) {
            continue;
        }
        if (value[0] == '\0' && (i == PARAM_BODY || (i == PARAM_SIZE && wanted))) {
            automatic_value(a, caps, (enum envelope_param_id)i, value, sizeof(value));
            wanted = value[0] != '\0';
        }
        st = wanted ? add_param(out, param->name, value) : ST_OK;
    }
    return st;
}

static enum status add_envelope(struct app *a)
{
    struct composer *m = &a->hand.composer;
    struct buf params, line;
    enum status st = ST_OK;
    buf_init(&params, PARAM_COUNT * COMPOSER_VALUE_MAX);
    buf_init(&line, PARAM_COUNT * COMPOSER_VALUE_MAX + 1024);
    for (int i = 0; i < 2 && st == ST_OK; i++) {
        enum envelope_command command = i == 0 ? ENVELOPE_MAIL : ENVELOPE_RCPT;
        buf_clear(&params);
        buf_clear(&line);
        st = composer_params(a, command, &params);
        if (st == ST_OK) {
            st = envelope_line(command, i == 0 ? m->from : m->to, buf_str(&params), &line);
        }
        if (st == ST_OK) {
            st = feed_add(&a->hand.feed, FEED_LINE, 0, line.p, line.len);
        }
    }
    buf_free(&params);
    buf_free(&line);
    return st;
}

static enum status add_chunks(struct app *a, const struct buf *text)
{
    char line[64];
    enum status st = ST_OK;
    size_t at = 0;
    do {
        size_t n = text->len - at < CHUNK_PIECE ? text->len - at : CHUNK_PIECE;
        bool last = at + n == text->len;
        int len = snprintf(line, sizeof(line), "BDAT %zu%s", n, last ? " LAST" : "");
        st = feed_add_chunk(&a->hand.feed, line, (size_t)len, buf_str(text) + at, n);
        at += n;
    } while (st == ST_OK && at < text->len);
    return st;
}

/* Each line is typed; its dots are doubled already. */
static enum status add_typed(struct app *a, const struct buf *wire)
{
    enum status st = ST_OK;
    size_t at = 0;
    while (at < wire->len && st == ST_OK) {
        const char *end = memchr(wire->p + at, '\n', wire->len - at);
        size_t n = (size_t)(end - wire->p) - at; /* compose_stuff ends every line by CR LF */
        st = n - 1 > SMTP_RAW_MAX
                 ? ST_LIMIT
                 : feed_add(&a->hand.feed, FEED_LINE, FEED_QUIET, wire->p + at, n - 1);
        at += n + 1;
    }
    return st;
}

/* As it is, but for the dots, in pieces that end behind a line where they can. */
static enum status add_raw(struct app *a, const struct buf *text)
{
    struct buf wire;
    enum status st = ST_OK;
    buf_init(&wire, WIRE_MAX);
    bool begins = true;
    for (size_t i = 0; i < text->len && st == ST_OK; i++) {
        st = begins && text->p[i] == '.' ? buf_add_char(&wire, '.') : ST_OK;
        st = st == ST_OK ? buf_add_char(&wire, text->p[i]) : st;
        begins = text->p[i] == '\n';
        if (st == ST_OK && wire.len >= RAW_PIECE && (begins || wire.len >= SMTP_RAW_MAX - 2)) {
            st = feed_add(&a->hand.feed, FEED_RAW, 0, wire.p, wire.len);
            buf_clear(&wire);
        }
    }
    if (st == ST_OK && wire.len > 0) {
        st = feed_add(&a->hand.feed, FEED_RAW, 0, wire.p, wire.len);
    }
    buf_wipe(&wire);
    return st;
}

static enum status add_data(struct app *a, const struct buf *text)
{
    struct buf wire;
    enum status st = feed_add(&a->hand.feed, FEED_LINE, 0, "DATA", 4);
    buf_init(&wire, WIRE_MAX);
    if (st == ST_OK && a->hand.composer.exact) {
        st = add_raw(a, text);
    } else if (st == ST_OK) {
        st = compose_stuff(&wire, buf_str(text), text->len);
        st = st == ST_OK ? add_typed(a, &wire) : st;
    }
    buf_free(&wire);
    return st == ST_OK ? feed_add(&a->hand.feed, FEED_LINE, 0, ".", 1) : st;
}

bool composer_send(struct app *a, struct error *error)
{
    struct composer *m = &a->hand.composer;
    struct buf text;
    buf_init(&text, TEXTAREA_MAX + 2 * TEXTAREA_LINES_MAX + 2);
    enum status st = textarea_text(&m->text, m->exact, &text);
    if (st == ST_OK && m->own_envelope) {
        st = add_envelope(a);
    }
    if (st == ST_OK) {
        st = m->bdat ? add_chunks(a, &text) : add_data(a, &text);
    }
    if (st == ST_OK && m->own_envelope) {
        /* What it began it ends, so that it can be tried again. */
        st = feed_add(&a->hand.feed, FEED_LINE, FEED_TIDY, "RSET", 4);
    }
    buf_free(&text);
    if (st != ST_OK) {
        feed_clear(&a->hand.feed);
        (void)error_set(error, st, 0, "%s",
                        st == ST_INVALID
                            ? _("The text holds a NUL, which only exact bytes can carry.")
                        : st == ST_LIMIT ? _("The message is too long to be sent by hand.")
                                         : _("Not enough memory."));
        return false;
    }
    hand_feed(a, HAND_MESSAGE);
    return true;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue_id.h"
#include "recorded.h"
#include "reply.h"

#define DELAY_MIN_US (300 * US_PER_MS) /* less is the network's */
#define DELAY_STEP_US (10 * US_PER_MS)
#define SERIES_MIN 3   /* lines that are worth a repeat */
#define LINES_MAX 4096 /* of one turn that are looked at */
#define LAST_LINE_MAX 512
#define LAST_LINE_ROOM (4 * LAST_LINE_MAX) /* all of it may be escaped */
#define ENDLESS_TIMES 8                    /* until the client's patience is at its end */
#define ALERT_WAIT "1s" /* what comes with the 220 would be taken for an injection */

/* What of the client's words a reply repeats, and the placeholder for it. */
struct echo {
    char text[512];
    const char *field;
};

static void echo_set(struct echo *e, const char *p, size_t len, const char *field)
{
    if (len >= 3 && len < sizeof(e->text)) {
        memcpy(e->text, p, len);
        e->text[len] = '\0';
        e->field = field;
    }
}

static void find_echo(const struct recorded *x, const struct talk_turn *turn, const char *p,
                      size_t len, struct echo *e)
{
    struct line line;
    char id[QUEUE_ID_MAX];
    e->field = NULL;
    if ((turn->event == TALK_MESSAGE || turn->last_chunk) &&
        queue_id_find((struct span){p, len}, id)) {
        echo_set(e, id, strlen(id), "{id}");
        return;
    }
    if (turn->event != TALK_COMMAND || !lines_get(x->r->lines, turn->command, &line)) {
        return;
    }
    const char *blank = memchr(line.text, ' ', line.len);
    const char *open = memchr(line.text, '<', line.len);
    const char *close = line.len > 0 ? memrchr(line.text, '>', line.len) : NULL;
    bool path = strcmp(turn->verb, "MAIL") == 0 || strcmp(turn->verb, "RCPT") == 0;
    bool hello = talk_is_hello(turn) || strcmp(turn->verb, "HELO") == 0;
    if (path && open != NULL && close != NULL && close > open) {
        echo_set(e, open + 1, (size_t)(close - open - 1), "{address}");
    } else if (hello && blank != NULL) {
        echo_set(e, blank + 1, line.len - (size_t)(blank + 1 - line.text), "{helo}");
    }
}

static enum status add_mapped(struct recorded *x, const char *p, size_t len, unsigned flags,
                              struct buf *out)
{
    struct buf example;
    buf_init(&example, SHARE_TEXT_MAX);
    enum status st = share_safe_text(x->share, p, len, flags, &example);
    if (st == ST_OK) {
        st = recorded_escape(out, buf_str(&example), example.len);
    }
    buf_free(&example);
    return st;
}

/*
 * A reply's code and what parts it from the text: it would stick to what follows. 0 where a number
 * goes on, because a line without a code may begin with an address.
 */
static size_t code_len(const char *p, size_t len)
{
    for (size_t i = 0; i < 3; i++) {
        if (len < 4 || p[i] < '0' || p[i] > '9') {
            return 0;
        }
    }
    return p[3] == '.' || p[3] == ':' || (p[3] >= '0' && p[3] <= '9') ? 0 : 4;
}

enum status recorded_line(struct recorded *x, const struct talk_turn *turn, const char *p,
                          size_t len, unsigned flags, struct buf *out)
{
    struct echo echo;
    enum status st = ST_OK;
    size_t head = code_len(p, len);
    st = recorded_escape(out, p, head);
    p += head;
    len -= head;
    find_echo(x, turn, p, len, &echo);
    size_t n = echo.field != NULL ? strlen(echo.text) : 0;
    for (size_t at = 0; st == ST_OK && n > 0 && at + n <= len;) {
        struct span here = {p + at, n};
        if (!span_equal_nocase(here, echo.text)) {
            at++;
            continue;
        }
        st = add_mapped(x, p, at, flags, out);
        st = st == ST_OK ? buf_add_str(out, echo.field) : st;
        p += at + n;
        len -= at + n;
        at = 0;
    }
    return st == ST_OK ? add_mapped(x, p, len, flags, out) : st;
}

/* The server's lines of one turn, by reference. */
struct said {
    struct line *lines;
    size_t count;
};

static enum status collect(const struct recorded *x, const struct talk_turn *turn, struct said *s)
{
    struct line line;
    uint32_t n = 0;
    *s = (struct said){NULL, 0};
    while (s->count < LINES_MAX && talk_line(x->r, turn, n, &line)) {
        struct line *grown = realloc(s->lines, (s->count + 1) * sizeof(*grown));
        if (grown == NULL) {
            free(s->lines);
            return ST_NOMEM;
        }
        s->lines = grown;
        /* A longer one was told up to here as well (reply.h). */
        line.len = line.len < REPLY_LINE_KEPT ? line.len : REPLY_LINE_KEPT;
        s->lines[s->count++] = line;
        n = line.number;
    }
    return ST_OK;
}

/* Lines that are the same, or the same but for a number that counts up from 1. */
struct series {
    size_t count;      /* of lines */
    size_t at, digits; /* where the number stands in the first line; digits 0: there is none */
};

/* Whether the line is the first one with `number` in the place of its own. */
static bool continues(const struct line *first, const struct series *s, const struct line *line,
                      size_t number)
{
    char text[24];
    int n = s->digits > 0 ? snprintf(text, sizeof(text), "%zu", number) : 0;
    size_t tail = first->len - s->at - s->digits;
    return n >= 0 && line->len == s->at + (size_t)n + tail &&
           memcmp(first->text, line->text, s->at) == 0 &&
           memcmp(line->text + s->at, text, (size_t)n) == 0 &&
           memcmp(first->text + s->at + s->digits, line->text + s->at + (size_t)n, tail) == 0;
}

static struct series find_series(const struct said *said, size_t from)
{
    const struct line *a = &said->lines[from];
    struct series s = {.count = 1, .at = a->len};
    if (from + 1 == said->count) {
        return s;
    }
    const struct line *b = &said->lines[from + 1];
    size_t at = 0;
    while (at < a->len && at < b->len && a->text[at] == b->text[at]) {
        at++;
    }
    /* "line 1", "line 2": the first difference is the number. */
    if (at < a->len && a->text[at] == '1') {
        s.at = at;
        s.digits = 1;
    }
    while (from + s.count < said->count &&
           continues(a, &s, &said->lines[from + s.count], s.count + 1)) {
        s.count++;
    }
    return s;
}

/* A rule's actions as they grow. */
struct writing {
    struct recorded *x;
    const struct talk_turn *turn;
    struct buf *out;
    size_t words;
    bool replying; /* the last action is a reply, and more texts may follow */
};

static enum status begin_action(struct writing *w, const char *name)
{
    enum status st = w->out->len > 0 ? buf_add_str(w->out, ", ") : ST_OK;
    w->replying = false;
    w->words += 2;
    return st == ST_OK ? buf_add_str(w->out, name) : st;
}

static unsigned flags_of(const struct writing *w, const struct line *line, bool first)
{
    bool hello = talk_is_hello(w->turn);
    return hello && !first && line->len > 0 && line->text[0] == '2' ? SHARE_KEYWORDS : 0;
}

static enum status add_reply(struct writing *w, const struct line *line, bool first)
{
    enum status st = w->replying ? ST_OK : begin_action(w, "reply");
    st = st == ST_OK ? buf_add_str(w->out, " \"") : st;
    if (st == ST_OK) {
        st = recorded_line(w->x, w->turn, line->text, line->len, flags_of(w, line, first), w->out);
    }
    w->replying = true;
    w->words++;
    return st == ST_OK ? buf_add_char(w->out, '"') : st;
}

static enum status add_series(struct writing *w, const struct line *line, const struct series *s,
                              size_t times, bool first)
{
    char head[48];
    unsigned flags = flags_of(w, line, first);
    snprintf(head, sizeof(head), "repeat %zu \"", s->count * times);
    enum status st = begin_action(w, head);
    w->words += 2;
    if (s->digits == 0) {
        st = st == ST_OK ? recorded_line(w->x, w->turn, line->text, line->len, flags, w->out) : st;
        return st == ST_OK ? buf_add_char(w->out, '"') : st;
    }
    const char *tail = line->text + s->at + s->digits;
    st = st == ST_OK ? recorded_line(w->x, w->turn, line->text, s->at, flags, w->out) : st;
    st = st == ST_OK ? buf_add_str(w->out, "{n}") : st;
    st = st == ST_OK ? add_mapped(w->x, tail, line->len - s->at - s->digits, flags, w->out) : st;
    return st == ST_OK ? buf_add_char(w->out, '"') : st;
}

/* Whether a line of this length still fits; the last line of a reply always has to. */
static bool has_room(const struct writing *w, const struct line *line)
{
    return w->out->len + line->len < RECORDED_LINE_MAX - LAST_LINE_ROOM &&
           w->words < RECORDED_WORDS_MAX - 8;
}

static struct line shortened(const struct line *line)
{
    struct line cut = *line;
    cut.len = cut.len < LAST_LINE_MAX ? cut.len : LAST_LINE_MAX;
    return cut;
}

static enum status add_lines(struct writing *w, const struct said *said)
{
    enum status st = ST_OK;
    bool endless = w->turn->end == TALK_ENDLESS;
    for (size_t i = 0; st == ST_OK && i < said->count;) {
        const struct line *line = &said->lines[i];
        struct series s = find_series(said, i);
        size_t n = s.count >= SERIES_MIN ? s.count : 1;
        bool last = i + n == said->count;
        if (!last && !has_room(w, line)) {
            i += n; /* the middle goes */
            continue;
        }
        struct line shown = has_room(w, line) ? *line : shortened(line);
        if (n > 1 || (endless && last)) {
            s = n > 1 ? s : (struct series){.count = 1, .at = shown.len};
            st = add_series(w, &shown, &s, endless && last ? ENDLESS_TIMES : 1, i == 0);
            endless = false;
        } else {
            st = add_reply(w, &shown, i == 0);
        }
        i += n;
    }
    return st;
}

static enum status add_end(struct writing *w, enum talk_end end)
{
    switch (end) {
    case TALK_STOPPED:
        /* The time for the whole run was over, and is again. */
        return w->x->plan->deadline_s > 0 ? begin_action(w, "stall") : ST_OK;
    case TALK_CLOSED:
        return begin_action(w, "close");
    case TALK_RESET:
        return begin_action(w, "reset");
    case TALK_SILENT:
        return begin_action(w, "stall");
    case TALK_ENDLESS:
    case TALK_GOES_ON:
        break;
    }
    return ST_OK;
}

/* RFC 8446 6: a record of two bytes, fatal and the alert's number. */
static enum status add_alert(struct writing *w, int alert)
{
    enum status st = begin_action(w, "wait " ALERT_WAIT);
    st = st == ST_OK ? begin_action(w, "send ") : st;
    st = st == ST_OK
             ? buf_addf(w->out, "\"\\x15\\x03\\x03\\x00\\x02\\x02\\x%02x\"", (unsigned)alert & 0xff)
             : st;
    return st == ST_OK ? begin_action(w, "close") : st;
}

/* How it failed, where the server's own kind of TLS does not say it. */
static enum status add_handshake(struct writing *w, const struct recorded_server *server)
{
    int alert = recorded_alert(server);
    const char *kind = recorded_failed_kind(w->x, server);
    if (alert >= 0) {
        return add_alert(w, alert);
    }
    enum status st = kind != NULL ? begin_action(w, "tls ") : ST_OK;
    return st == ST_OK && kind != NULL ? buf_add_str(w->out, kind) : st;
}

enum status recorded_actions(struct recorded *x, const struct recorded_server *server,
                             const struct talk_turn *turn, struct buf *out)
{
    struct writing w = {.x = x, .turn = turn, .out = out};
    struct said said;
    char delay[48];
    char time[32];
    bool known = turn->first != 0 || turn->end != TALK_GOES_ON;
    enum status st = ST_OK;
    if (known && turn->delay_us >= DELAY_MIN_US) {
        recorded_time(turn->delay_us / DELAY_STEP_US * DELAY_STEP_US, time, sizeof(time));
        snprintf(delay, sizeof(delay), "wait %s", time);
        st = begin_action(&w, delay);
    }
    if (st == ST_OK) {
        st = collect(x, turn, &said);
    }
    if (st != ST_OK) {
        return st;
    }
    st = add_lines(&w, &said);
    free(said.lines);
    bool secures =
        turn->event == TALK_COMMAND && strcmp(turn->verb, "STARTTLS") == 0 && turn->code == 220;
    if (st == ST_OK && secures && !turn->secured) {
        return add_handshake(&w, server);
    }
    /* What follows a 220 is the handshake, and TLS has kinds of its own to fail. */
    bool spoilt = secures || (turn->tls && recorded_wants_certificate(x, server));
    return st == ST_OK && !spoilt ? add_end(&w, turn->end) : st;
}

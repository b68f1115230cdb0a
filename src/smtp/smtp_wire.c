#include "smtp.h"

#include <stdio.h>
#include <string.h>

#include "base64.h"
#include "smtp_impl.h"
#include "text.h"

#define READ_SIZE (16 * 1024)
/* Longer than any line that is kept, with room for what takes the place of secrets. */
#define TOLD_MAX (2 * SMTP_RAW_MAX)
/* While leaving, how often a hard cancel is looked for, and how long a polite one lets us go on. */
#define LEAVING_SLICE_MS 50
#define LEAVING_MS 2000

bool wire_cancelled(const struct smtp *s)
{
    if (s->cancel == NULL) {
        return false;
    }
    return cancel_level(s->cancel) > (s->leaving ? CANCEL_POLITE : CANCEL_NONE);
}

/* RFC 5802 7: with the server's signature a reader of the transcript could try passwords. */
static bool is_server_signature(const char *p, size_t len)
{
    struct buf decoded;
    buf_init(&decoded, 256);
    bool found = base64_decode(&decoded, p, len) == ST_OK && decoded.len > 2 &&
                 memcmp(decoded.p, "v=", 2) == 0;
    buf_wipe(&decoded);
    return found;
}

/* Where the signature begins in a server's line, or len. */
static size_t signature_at(const char *p, size_t len)
{
    if (len < 8 || (memcmp(p, "334", 3) != 0 && memcmp(p, "235", 3) != 0)) {
        return len;
    }
    size_t begin = len;
    while (begin > 4 && p[begin - 1] != ' ') {
        begin--;
    }
    return is_server_signature(p + begin, len - begin) ? begin : len;
}

/*
 * The line as it may be told. False: it may not be told at all, for want of memory; then its place
 * is taken by a fixed word.
 */
static bool mask(const struct smtp *s, enum smtp_dir dir, const char *p, size_t len,
                 struct buf *out)
{
    size_t keep = dir == DIR_SERVER ? signature_at(p, len) : len;
    struct buf first;
    buf_init(&first, TOLD_MAX);
    enum status st = buf_add(&first, p, keep);
    if (st == ST_OK && keep < len) {
        st = buf_addf(&first, "<hidden %zu bytes>", len - keep);
    }
    if (st == ST_OK && s->redactor != NULL && s->redactor->count > 0) {
        struct buf second;
        buf_init(&second, TOLD_MAX);
        st = redactor_apply(s->redactor, buf_str(&first), first.len, &second);
        buf_wipe(&first);
        first = second;
    }
    if (st == ST_OK) {
        st = redactor_apply(&s->learned, buf_str(&first), first.len, out);
    }
    buf_wipe(&first);
    return st == ST_OK;
}

static bool can_hold_secret(const struct smtp *s, enum smtp_dir dir, const char *p, size_t len)
{
    return s->learned.count > 0 || (s->redactor != NULL && s->redactor->count > 0) ||
           (dir == DIR_SERVER && signature_at(p, len) < len);
}

uint32_t wire_tell(struct smtp *s, enum smtp_dir dir, unsigned flags, const char *p, size_t len)
{
    if (s->tap.line == NULL) {
        return 0;
    }
    flags |= s->line_flags;
    if (!can_hold_secret(s, dir, p, len)) {
        return s->tap.line(s->tap.ctx, dir, s->tls, flags, p, len);
    }
    struct buf told;
    buf_init(&told, TOLD_MAX);
    const char *text = "<hidden>";
    size_t text_len = strlen(text);
    if (mask(s, dir, p, len, &told)) {
        text = buf_str(&told);
        text_len = told.len;
    }
    if (text_len != len || memcmp(text, p, len) != 0) {
        flags |= LINE_REDACTED;
    }
    uint32_t number = s->tap.line(s->tap.ctx, dir, s->tls, flags, text, text_len);
    buf_wipe(&told);
    return number;
}

void wire_note(struct smtp *s, enum smtp_dir dir, const char *fmt, ...)
{
    struct buf text;
    va_list ap;
    buf_init(&text, TOLD_MAX);
    va_start(ap, fmt);
    enum status st = buf_addv(&text, fmt, ap);
    va_end(ap);
    if (st == ST_OK) {
        wire_tell(s, dir, 0, buf_str(&text), text.len);
    }
    buf_wipe(&text);
}

static void forget_text(struct reply *reply)
{
    buf_wipe(&reply->text);
    for (size_t i = 0; i < reply->line_count; i++) {
        reply->lines[i].off = reply->lines[i].len = reply->lines[i].text_off = 0;
    }
}

void wire_redact(struct smtp *s, struct reply *reply)
{
    bool needed = false;
    for (size_t i = 0; i < reply->line_count && !needed; i++) {
        struct span line = reply_line_whole(reply, i);
        needed = can_hold_secret(s, DIR_SERVER, line.p, line.len);
    }
    if (!needed) {
        return;
    }
    struct buf text;
    buf_init(&text, 2 * REPLY_TEXT_MAX);
    enum status st = ST_OK;
    for (size_t i = 0; i < reply->line_count && st == ST_OK; i++) {
        struct span line = reply_line_whole(reply, i);
        struct buf masked;
        buf_init(&masked, TOLD_MAX);
        bool ok = mask(s, DIR_SERVER, line.p, line.len, &masked);
        if (i > 0) {
            st = buf_add_char(&text, '\n');
        }
        reply->lines[i].off = text.len;
        reply->lines[i].len = ok ? masked.len : 0;
        if (reply->lines[i].text_off > reply->lines[i].len) {
            reply->lines[i].text_off = reply->lines[i].len;
        }
        if (st == ST_OK && ok) {
            st = buf_add(&text, buf_str(&masked), masked.len);
        }
        buf_wipe(&masked);
    }
    buf_wipe(&reply->text);
    if (st != ST_OK) {
        buf_wipe(&text);
        forget_text(reply);
        return;
    }
    reply->text.p = text.p;
    reply->text.len = text.len;
    reply->text.cap = text.cap;
    reply->text.max = text.max;
}

/*
 * A polite cancel must not end the farewell that it asks for, so the token is not handed to the
 * wait then; the wait is cut into slices instead, to see a hard one.
 */
static enum status wait_for(struct smtp *s, unsigned want, int64_t deadline)
{
    struct net_wait_item item = {.conn = s->conn, .want = want};
    if (!s->leaving) {
        return net_wait(s->net, &item, 1, deadline, s->cancel, false);
    }
    for (;;) {
        int64_t now = net_now_us(s->net);
        if (wire_cancelled(s)) {
            return ST_CANCELLED;
        }
        if (s->leave_by == NO_DEADLINE && s->cancel != NULL &&
            cancel_level(s->cancel) != CANCEL_NONE) {
            s->leave_by = deadline_in_ms(now, LEAVING_MS);
        }
        int64_t limit = deadline_earlier(deadline, s->leave_by);
        int64_t slice = deadline_earlier(limit, deadline_in_ms(now, LEAVING_SLICE_MS));
        enum status st = net_wait(s->net, &item, 1, slice, NULL, false);
        if (st != ST_TIMEOUT || net_now_us(s->net) >= limit) {
            return st;
        }
    }
}

struct span wire_in(const struct smtp *s)
{
    struct span in = {buf_str(&s->in) + s->in_at, s->in.len - s->in_at};
    return in;
}

/*
 * Parsed bytes stay where they are until room is needed: moving the rest for every reply would let
 * a server that sends thousands of tiny ones keep us busy.
 */
static void take_in(struct smtp *s, size_t len)
{
    s->in_at += len;
    if (s->in_at == s->in.len) {
        s->in_at = 0;
        buf_clear(&s->in);
    }
}

enum status wire_poll(struct smtp *s)
{
    char bytes[READ_SIZE];
    size_t got = 0;
    if (s->in_at > 0) {
        buf_drop_front(&s->in, s->in_at);
        s->in_at = 0;
    }
    size_t room = s->in.max - s->in.len;
    if (room == 0) {
        return ST_AGAIN;
    }
    enum status st =
        s->conn->ops->read(s->conn, bytes, room < sizeof(bytes) ? room : sizeof(bytes), &got);
    if (st == ST_OK) {
        st = buf_add(&s->in, bytes, got);
        s->session_bytes += got;
        if (st == ST_OK && s->session_bytes > SMTP_SESSION_MAX) {
            st = ST_LIMIT;
        }
        /* A server may echo a secret. */
        secret_wipe(bytes, got);
    }
    return st;
}

enum status wire_poll_all(struct smtp *s)
{
    enum status st;
    do {
        st = wire_poll(s);
    } while (st == ST_OK);
    return st;
}

/* Waits until something could be read. */
static enum status wire_fill(struct smtp *s, int64_t deadline)
{
    bool late = false;
    for (;;) {
        if (wire_cancelled(s)) {
            return ST_CANCELLED;
        }
        enum status st = wire_poll(s);
        if (st != ST_AGAIN) {
            return st;
        }
        /* A layer that is always readable but never has a byte for us lets no wait time out. */
        if (late) {
            return ST_TIMEOUT;
        }
        late = net_now_us(s->net) >= deadline;
        st = wait_for(s, NET_READ, deadline);
        if (st != ST_OK) {
            return st;
        }
    }
}

/*
 * Goes on reading while the other side does not take what we write: a server that has refused and
 * stopped reading must be heard, and one that waits for us to read must not hold us up for ever.
 */
static enum status write_some(struct smtp *s, const char *p, size_t len, int64_t deadline,
                              size_t *put)
{
    while (*put < len) {
        size_t n = 0;
        if (wire_cancelled(s)) {
            return ST_CANCELLED;
        }
        if (net_now_us(s->net) > deadline) {
            return ST_TIMEOUT;
        }
        enum status st = s->conn->ops->write(s->conn, p + *put, len - *put, &n);
        if (st == ST_OK) {
            *put += n;
            continue;
        }
        if (st != ST_AGAIN) {
            return st;
        }
        bool room = wire_in(s).len < s->in.max;
        st = wait_for(s, room ? NET_READ | NET_WRITE : NET_WRITE, deadline);
        if (st == ST_OK && room) {
            st = wire_poll(s);
            st = st == ST_AGAIN ? ST_OK : st;
        }
        if (st != ST_OK) {
            return st;
        }
    }
    return ST_OK;
}

enum status wire_write(struct smtp *s, const char *p, size_t len, int64_t deadline, size_t *put)
{
    *put = 0;
    if (s->out.len > 0) {
        size_t done = 0;
        enum status st = write_some(s, s->out.p, s->out.len, deadline, &done);
        buf_drop_front(&s->out, done);
        if (st != ST_OK) {
            return st;
        }
        buf_wipe(&s->out);
    }
    return write_some(s, p, len, deadline, put);
}

static void tell_lines(struct smtp *s, struct reply *r, size_t from, unsigned flags)
{
    for (size_t i = from; i < r->line_count; i++) {
        struct reply_line *line = &r->lines[i];
        struct span text = reply_line_whole(r, i);
        unsigned own = flags;
        own |= line->flags != 0 ? LINE_ODD : 0u;
        own |= line->cut ? LINE_CUT : 0u;
        line->number = wire_tell(s, DIR_SERVER, own, text.p, text.len);
        s->lines_read++;
    }
}

/* Line by line, so that each is told when it is there. ST_AGAIN: nothing is left to parse. */
static enum status feed(struct smtp *s, struct reply *r, unsigned flags)
{
    enum status st = ST_AGAIN;
    struct span in = wire_in(s);
    while (st == ST_AGAIN && in.len > 0) {
        const char *lf = memchr(in.p, '\n', in.len);
        size_t len = lf != NULL ? (size_t)(lf - in.p) + 1 : in.len;
        size_t before = r->line_count;
        size_t used = 0;
        st = reply_feed(r, in.p, len, &used);
        take_in(s, used);
        tell_lines(s, r, before, flags);
        in = wire_in(s);
    }
    return st;
}

static bool stray_begun(const struct smtp *s)
{
    return s->stray.line_count > 0 || s->stray.state != 0;
}

void wire_owe(struct smtp *s, enum smtp_verb verb)
{
    if (s->owed < SMTP_OWED_MAX) {
        s->owed_verb[s->owed] = (unsigned char)verb;
    }
    s->owed++;
}

static enum smtp_verb take_owed(struct smtp *s)
{
    enum smtp_verb verb = (enum smtp_verb)s->owed_verb[0];
    memmove(s->owed_verb, s->owed_verb + 1, SMTP_OWED_MAX - 1);
    s->owed_verb[SMTP_OWED_MAX - 1] = VERB_OTHER;
    s->owed--;
    return verb;
}

static void stray_done(struct smtp *s)
{
    bool owed = s->owed > 0;
    s->stray_code = s->stray.code;
    if (owed || s->raw_used) {
        enum smtp_verb verb = owed ? take_owed(s) : VERB_OTHER;
        /* The only thing that 235 ever means (RFC 4954 6), however late it comes. */
        if (s->stray.code == 235) {
            s->authenticated = true;
            s->state = s->state == SMTP_CONTINUATION ? s->before_auth : s->state;
        } else {
            raw_track(s, verb, &s->stray);
        }
    } else {
        s->unasked++;
        s->unasked_code = s->stray.code;
        s->unasked_line = s->stray.line_count > 0 ? s->stray.lines[0].number : 0;
    }
    buf_wipe(&s->stray.text);
    reply_reset(&s->stray);
}

/*
 * RFC 5321 3.8: a 421 may come at any time. All else that nobody asked for is odd. The first line
 * decides before it is complete.
 */
static unsigned stray_flags(const struct smtp *s)
{
    char code[3] = "";
    struct span in = wire_in(s);
    size_t begun = s->stray.text.len;
    for (size_t i = 0; i < sizeof(code); i++) {
        if (i < begun) {
            code[i] = s->stray.text.p[i];
        } else if (i - begun < in.len) {
            code[i] = in.p[i - begun];
        }
    }
    return s->owed > 0 || s->raw_used || memcmp(code, "421", 3) == 0 ? 0u : LINE_ODD;
}

/* Reads on in a reply that no call waits for. ST_OK when it is complete. */
static enum status feed_stray(struct smtp *s, unsigned flags)
{
    enum status st = feed(s, &s->stray, flags | stray_flags(s));
    if (st == ST_OK) {
        stray_done(s);
    }
    return st;
}

enum status wire_unasked(struct smtp *s, unsigned flags)
{
    enum status st;
    bool full;
    do {
        st = wire_poll_all(s);
        full = s->in.len == s->in.max;
        while (wire_in(s).len > 0) {
            enum status fed = feed_stray(s, flags);
            if (fed != ST_OK && fed != ST_AGAIN) {
                return fed;
            }
        }
    } while (full && st == ST_AGAIN);
    if (st != ST_AGAIN && stray_begun(s)) {
        size_t before = s->stray.line_count;
        unsigned own = flags | stray_flags(s);
        reply_end(&s->stray);
        tell_lines(s, &s->stray, before, own);
        stray_done(s);
    }
    return st;
}

/* Speakers of other protocols never end a reply; waiting for minutes would teach nobody anything.
 */
static bool is_other_protocol(const struct reply *r)
{
    static const char *const starts[] = {"HTTP/", "+OK", "-ERR", "* OK", "* BYE", "SSH-", "RFB "};
    if (r->code != 0 || r->text.len < 2) {
        return false;
    }
    const unsigned char *p = (const unsigned char *)r->text.p;
    if ((p[0] == 0x15 || p[0] == 0x16) && p[1] == 0x03) {
        return true; /* a TLS record */
    }
    for (size_t i = 0; i < ARRAY_LEN(starts) && r->line_count > 0; i++) {
        size_t n = strlen(starts[i]);
        if (r->lines[0].len >= n && memcmp(p, starts[i], n) == 0) {
            return true;
        }
    }
    return false;
}

static enum status read_until(struct smtp *s, int64_t deadline, struct reply *reply)
{
    bool past = false;
    for (;;) {
        while (wire_in(s).len > 0 && (s->owed > 0 || stray_begun(s))) {
            enum status st = feed_stray(s, 0);
            if (st != ST_OK && st != ST_AGAIN) {
                return st;
            }
        }
        if (wire_in(s).len > 0) {
            enum status st = feed(s, reply, 0);
            if (st != ST_AGAIN) {
                return st;
            }
            if (is_other_protocol(reply)) {
                return ST_PROTO;
            }
        }
        /* A server that drips faster than we read never lets the wait time out. */
        if (past) {
            return ST_TIMEOUT;
        }
        past = net_now_us(s->net) >= deadline;
        enum status st = wire_fill(s, deadline);
        if (st != ST_OK) {
            return st;
        }
    }
}

/* The call is over but its reply is not: the parser's state stays here, the caller gets a copy. */
static void leave_behind(struct smtp *s, struct reply *reply)
{
    if (!stray_begun(s) && s->owed == 0) {
        struct buf text;
        buf_init(&text, REPLY_TEXT_MAX);
        bool copied = buf_add(&text, buf_str(&reply->text), reply->text.len) == ST_OK;
        buf_wipe(&s->stray.text);
        s->stray = *reply;
        reply->text = text;
        if (!copied) {
            forget_text(reply);
        }
    }
    wire_owe(s, VERB_OTHER);
}

static void tell_end(struct smtp *s, enum status st, enum smtp_wait wait)
{
    const char *what = smtp_wait_name(wait);
    int limit_ms = s->leave_by != NO_DEADLINE ? LEAVING_MS : smtp_limit_ms(s, wait);
    switch (st) {
    case ST_TIMEOUT:
        wire_note(s, DIR_NOTE, _("The time for %s is over (%.1f s)."), what, limit_ms / 1000.0);
        break;
    case ST_EOF:
        wire_note(s, DIR_NOTE, _("The server closed the connection before %s was complete."), what);
        break;
    case ST_RESET:
        wire_note(s, DIR_NOTE, _("The connection was reset before %s was complete."), what);
        break;
    case ST_LIMIT:
        wire_note(s, DIR_NOTE, _("The server sends without end; the connection was closed."));
        break;
    case ST_PROTO:
        wire_note(s, DIR_NOTE, _("The other side does not speak SMTP; the connection was closed."));
        break;
    default:
        wire_note(s, DIR_NOTE, _("The connection broke: %s."), status_word(st));
        break;
    }
}

enum status wire_fail(struct smtp *s, enum status st, enum smtp_wait wait)
{
    if (wait == WAIT_NONE && st == ST_EOF) {
        wire_note(s, DIR_NOTE, _("The server closed the connection."));
    } else if (wait == WAIT_NONE && st == ST_RESET) {
        wire_note(s, DIR_NOTE, _("The connection was reset."));
    } else {
        tell_end(s, st, wait);
    }
    smtp_close(s, st);
    return st;
}

enum status wire_reply(struct smtp *s, enum smtp_wait wait, int64_t sent_us, int64_t deadline,
                       struct reply *reply)
{
    reply->answers = wait;
    if (s->tap.wait != NULL) {
        s->tap.wait(s->tap.ctx, wait, smtp_limit_ms(s, wait));
    }
    enum status st = read_until(s, deadline, reply);
    if (s->tap.wait != NULL) {
        s->tap.wait(s->tap.ctx, WAIT_NONE, 0);
    }
    reply->elapsed_us = net_now_us(s->net) - sent_us;
    if (st == ST_OK) {
        return ST_OK;
    }
    if (st == ST_CANCELLED) {
        leave_behind(s, reply);
        return st;
    }
    size_t before = reply->line_count;
    reply_end(reply);
    tell_lines(s, reply, before, LINE_ODD);
    return wire_fail(s, st, wait);
}

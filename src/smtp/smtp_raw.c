#include "smtp.h"

#include <string.h>

#include "raw_text.h"
#include "smtp_impl.h"
#include "text.h"

/* RFC 5321 4.5.3.1.4 and 4.5.3.1.6, line ends included. */
#define COMMAND_OCTETS 512
#define TEXT_OCTETS 1000
/* What makes a line one that a plain transcript line could not show. */
#define UNSHOWN (RAW_BARE_LF | RAW_BARE_CR | RAW_NUL | RAW_UNFINISHED)
/* What servers read in more than one way. */
#define AMBIGUOUS (RAW_BARE_LF | RAW_BARE_CR | RAW_NUL)

/* One call of smtp_raw. */
struct burst {
    struct smtp *s;
    const char *p;
    size_t len;
    struct buf joined; /* the unfinished line of the calls before, and all of p */
    size_t before;     /* how much of it was sent before */
    size_t hide_from;  /* in joined; SIZE_MAX: nothing is hidden */
    bool first;        /* the line is the first of the burst */
};

static bool in_text(const struct smtp *s)
{
    return s->state == SMTP_TEXT || s->raw_text;
}

/* A line as the most lenient server reads it: any of CR, LF and NUL ends it. */
static size_t lenient_line(const char *p, size_t len)
{
    size_t n = 0;
    while (n < len && p[n] != '\r' && p[n] != '\n' && p[n] != '\0') {
        n++;
    }
    return n;
}

static bool is_auth(const char *p, size_t len)
{
    size_t at = 0;
    while (at < len && (p[at] == ' ' || p[at] == '\t')) {
        at++;
    }
    return smtp_verb_of(p + at, len - at) == VERB_AUTH;
}

/*
 * Where secrets begin, from `at` on: behind the mechanism of the first AUTH. What follows a whole
 * "AUTH LOGIN" are the answers to questions that are not asked yet.
 */
static size_t find_secret(struct smtp *s, const char *p, size_t len, size_t at)
{
    for (bool first = true; at < len; first = false) {
        size_t n = lenient_line(p + at, len - at);
        bool login = is_auth(p + at, n);
        enum smtp_verb verb = login ? VERB_AUTH : smtp_verb_of(p + at, n);
        size_t shown = login || first ? typed_visible(s, p + at, n, verb) : n;
        if (shown < n) {
            return at + shown;
        }
        at += n;
        while (login && at < len && lenient_line(p + at, len - at) == 0) {
            at++;
        }
        if (login) {
            return at;
        }
        at++;
    }
    return SIZE_MAX;
}

/* Behind the first line that somebody could take for the end of the message. */
static size_t find_dot(const char *p, size_t len)
{
    size_t at = 0;
    while (at < len) {
        size_t n = lenient_line(p + at, len - at);
        if (n == 1 && p[at] == '.') {
            return at;
        }
        at += n + 1;
    }
    return len;
}

/* Inside a login, all of it; "*" alone takes the login back (RFC 4954 4). */
static size_t hidden_from(struct burst *b, unsigned flags)
{
    struct smtp *s = b->s;
    const char *p = buf_str(&b->joined);
    bool star = b->joined.len == 3 && memcmp(p, "*\r\n", 3) == 0;
    if ((flags & SMTP_RAW_HIDDEN) != 0) {
        return b->before;
    }
    if (s->state == SMTP_CONTINUATION) {
        return star ? SIZE_MAX : 0;
    }
    /* Text that the server has not asked for yet may become commands. */
    size_t begin = s->state == SMTP_TEXT ? find_dot(p, b->joined.len) : 0;
    if (s->chunk_left > 0) {
        begin = b->before + (size_t)s->chunk_left; /* SMTP_CHUNK_MAX at most */
    }
    return find_secret(s, p, b->joined.len, begin);
}

static enum status learn_hidden(struct burst *b)
{
    enum status st = ST_OK;
    size_t at = b->hide_from;
    while (at < b->joined.len && st == ST_OK) {
        size_t n = lenient_line(b->joined.p + at, b->joined.len - at);
        if (n > SMTP_SECRET_MAX) {
            return ST_LIMIT;
        }
        if (n > 0) {
            st = learn_typed(b->s, b->joined.p + at, n, b->s->asks_user);
            b->s->asks_user = false;
        }
        at += n + 1;
    }
    return st;
}

static bool is_odd(const struct burst *b, const struct raw_line *line, size_t octets)
{
    const struct smtp *s = b->s;
    if ((line->odd & UNSHOWN) != 0) {
        return true;
    }
    if (in_text(s)) {
        return octets > TEXT_OCTETS;
    }
    bool early = s->state == SMTP_CONNECTED;
    bool grouped = !b->first || s->owed > 0;
    return octets > COMMAND_OCTETS || (line->odd & RAW_EIGHT_BIT) != 0 || early ||
           (grouped && !caps_has(&s->caps, CAP_PIPELINING));
}

/* The part of a line that this call sends, as it may be seen. */
static enum status tell_piece(struct burst *b, const struct raw_line *line, size_t begin,
                              size_t end, unsigned flags)
{
    struct buf text;
    struct smtp *s = b->s;
    buf_init(&text, 8 * SMTP_RAW_MAX + 64);
    enum status st = ST_OK;
    size_t seen = b->hide_from < end ? b->hide_from : end;
    const char *p = b->joined.p;
    if (seen < end) {
        size_t text_end = (size_t)(line->text.p + line->text.len - p);
        size_t shown = seen > begin ? seen - begin : 0;
        size_t from = begin + shown;
        if (shown > 0) {
            st = buf_add(&text, p + begin, shown);
        }
        if (st == ST_OK && text_end > from) {
            st = buf_addf(&text, "<hidden %zu bytes>", text_end - from);
        }
        flags |= LINE_REDACTED;
    } else if ((line->odd & UNSHOWN) != 0 || begin < b->before || line->whole.p != p + begin) {
        st = raw_text_write(p + begin, end - begin, &text);
        flags |= LINE_RAW;
    } else {
        st = buf_add(&text, line->text.p, line->text.len);
    }
    if (st == ST_OK) {
        s->last_client_line = wire_tell(s, DIR_CLIENT, flags, buf_str(&text), text.len);
    }
    buf_wipe(&text);
    return st;
}

/* What the line, which is whole now, makes of the conversation. */
static void follow(struct burst *b, const struct raw_line *line)
{
    struct smtp *s = b->s;
    bool unclear = (line->odd & AMBIGUOUS) != 0;
    bool dot = line->text.len == 1 && line->text.p[0] == '.';
    s->unsure = s->unsure || unclear;
    if (s->chunk_left > 0) {
        return; /* octets of a BDAT: no dot ends them */
    }
    if (in_text(s)) {
        if (s->raw_text) {
            s->raw_text_lines++;
        }
        if (dot && !unclear) {
            wire_owe(s, VERB_DOT);
            s->state = s->state == SMTP_TEXT ? SMTP_RCPT : s->state;
            s->raw_text = false;
        }
        return;
    }
    enum smtp_verb verb = typed_verb(s, line->text.p, line->text.len);
    if ((line->odd & RAW_BARE_LF) != 0) {
        /* Whether this ends a line is the server's opinion; what comes next may be meant for it. */
        s->auth_tail = s->auth_tail || verb == VERB_AUTH;
        return;
    }
    wire_owe(s, unclear ? VERB_OTHER : verb);
    switch (verb) {
    case VERB_AUTH:
        /* Whatever comes next may be the answer to its question. */
        s->before_auth = s->state;
        s->state = SMTP_CONTINUATION;
        break;
    case VERB_DATA:
        s->raw_text = !unclear;
        s->raw_text_lines = 0;
        break;
    case VERB_STARTTLS:
        s->unsure = true; /* the server waits for a handshake, or not */
        break;
    case VERB_BDAT:
    case VERB_BDAT_LAST:
        s->unsure = true; /* octets that look like lines may follow */
        break;
    default:
        break;
    }
}

static enum status tell_burst(struct burst *b)
{
    struct raw_line line;
    enum status st = ST_OK;
    size_t at = 0;
    size_t begin = b->before;
    b->first = true;
    while (st == ST_OK && raw_next_line(b->joined.p, b->joined.len, &at, &line)) {
        unsigned flags = LINE_MANUAL | (in_text(b->s) ? LINE_BODY : 0u);
        flags |= is_odd(b, &line, line.whole.len) ? LINE_ODD : 0u;
        st = tell_piece(b, &line, begin, at, flags);
        if ((line.odd & RAW_UNFINISHED) == 0) {
            follow(b, &line);
        }
        begin = at;
        b->first = false;
    }
    return st;
}

/* The line that has begun and not ended. */
static enum status keep_tail(struct burst *b)
{
    size_t begin = b->joined.len;
    while (begin > 0 && b->joined.p[begin - 1] != '\n') {
        begin--;
    }
    buf_wipe(&b->s->raw_tail);
    return begin < b->joined.len
               ? buf_add(&b->s->raw_tail, b->joined.p + begin, b->joined.len - begin)
               : ST_OK;
}

static enum status send_burst(struct burst *b)
{
    struct smtp *s = b->s;
    size_t put = 0;
    int64_t deadline = deadline_in_ms(net_now_us(s->net), s->limits.block);
    return wire_write(s, b->p, b->len, deadline, &put);
}

/* Of a BDAT that was typed these are octets; what goes beyond them may be commands. */
static void count_octets(struct smtp *s, size_t len)
{
    uint64_t used = len < s->chunk_left ? len : s->chunk_left;
    if (used == 0) {
        return;
    }
    s->chunk_left -= used;
    s->unsure = s->unsure || len > used;
    if (s->chunk_left == 0) {
        size_t beyond = len - (size_t)used;
        s->state = s->before_chunk;
        if (s->raw_tail.len > beyond) {
            buf_drop_front(&s->raw_tail, s->raw_tail.len - beyond);
        }
    }
}

static enum status raw_failed(struct smtp *s, enum status st, struct error *error)
{
    if (st == ST_CANCELLED) {
        /* How much of it has gone out is of no use to anybody. */
        smtp_close(s, st);
    } else if (s->conn != NULL) {
        st = wire_fail(s, st, WAIT_BLOCK);
    }
    return error_set(error, st, 0, _("The bytes could not be sent: %s."), status_word(st));
}

static enum status check_raw(struct smtp *s, size_t len, struct error *error)
{
    if (s->conn == NULL) {
        return error_set(error, smtp_gone(s), 0, _("There is no connection."));
    }
    if (s->write_end) {
        return error_set(error, ST_INVALID, 0,
                         _("Our direction of the connection was ended; nothing more can be sent."));
    }
    if (len > SMTP_RAW_MAX || s->raw_tail.len + len > 2 * (size_t)SMTP_RAW_MAX) {
        return error_set(error, ST_INVALID, 0, _("These are more than %d bytes."), SMTP_RAW_MAX);
    }
    if (wire_cancelled(s)) {
        return error_set(error, ST_CANCELLED, 0, _("Stopped."));
    }
    return ST_OK;
}

enum status smtp_raw(struct smtp *s, const char *p, size_t len, unsigned flags, struct error *error)
{
    struct burst b = {.s = s, .p = p, .len = len};
    enum status st = check_raw(s, len, error);
    if (st != ST_OK || len == 0) {
        return st;
    }
    st = smtp_before_sending(s);
    if (st != ST_OK) {
        return error_set(error, st, 0, _("The bytes could not be sent: %s."), status_word(st));
    }
    buf_init(&b.joined, 3 * (size_t)SMTP_RAW_MAX);
    b.before = s->raw_tail.len;
    st = buf_add(&b.joined, buf_str(&s->raw_tail), s->raw_tail.len);
    if (st == ST_OK) {
        st = buf_add(&b.joined, p, len);
    }
    if (st == ST_OK) {
        b.hide_from = hidden_from(&b, flags);
        st = b.hide_from < b.joined.len ? learn_hidden(&b) : ST_OK;
    }
    if (st != ST_OK) {
        buf_wipe(&b.joined);
        return error_set(error, st, 0, _("The line cannot be kept out of the transcript."));
    }
    s->raw_used = true;
    st = tell_burst(&b);
    if (st == ST_OK) {
        st = keep_tail(&b);
    }
    if (st == ST_OK) {
        st = send_burst(&b);
    }
    buf_wipe(&b.joined);
    if (st == ST_OK) {
        count_octets(s, len);
    }
    return st == ST_OK ? ST_OK : raw_failed(s, st, error);
}

/* The message was not wanted: what was sent as its text was taken for commands. */
static void text_refused(struct smtp *s)
{
    for (unsigned i = 0; i < s->owed && i < SMTP_OWED_MAX; i++) {
        if (s->owed_verb[i] == VERB_DOT) {
            s->owed_verb[i] = VERB_OTHER;
        }
    }
    for (unsigned i = 1; i < s->raw_text_lines; i++) {
        wire_owe(s, VERB_OTHER);
    }
    s->unsure = s->unsure || s->raw_text_lines > 0;
    s->raw_text = false;
}

static void track_data(struct smtp *s, const struct reply *reply)
{
    if (reply_class(reply) != 3) {
        text_refused(s);
    } else if (s->raw_text) {
        s->raw_text = false;
        s->state = SMTP_TEXT;
    }
}

static void track_chunk(struct smtp *s, enum smtp_verb verb, const struct reply *reply)
{
    uint64_t left = s->chunk_left;
    if (left > 0) {
        s->chunk_left = 0;
        s->unsure = true;
        s->state = s->before_chunk;
        wire_note(s, DIR_NOTE,
                  Q_("The server answered before the last octet; %llu was not sent.",
                     "The server answered before the last octets; %llu were not sent.",
                     (unsigned long)left),
                  (unsigned long long)left);
    }
    smtp_track(s, verb, reply);
}

void raw_track(struct smtp *s, enum smtp_verb verb, const struct reply *reply)
{
    if (verb == VERB_GREETING) {
        smtp_track(s, verb, reply);
        return;
    }
    if (verb == VERB_BDAT || verb == VERB_BDAT_LAST) {
        track_chunk(s, verb, reply);
        return;
    }
    if (!s->raw_used) {
        return;
    }
    /* These two say what comes next, whatever they answer. */
    if (reply->code == 334) {
        smtp_track(s, VERB_AUTH, reply);
        (void)note_challenge(s, reply);
        return;
    }
    if (reply->code == 354 && verb != VERB_DATA) {
        s->unsure = true;
        s->state = SMTP_TEXT;
        return;
    }
    if (s->state == SMTP_TEXT && verb != VERB_DATA) {
        /* The server has seen the end of the message where we did not put it. */
        s->unsure = true;
        s->state = SMTP_READY;
    }
    switch (verb) {
    case VERB_DATA:
        track_data(s, reply);
        break;
    case VERB_AUTH:
    case VERB_AUTH_LINE:
        smtp_track(s, verb, reply);
        s->auth_tail = true;
        break;
    case VERB_QUIT:
        break; /* the end shows by itself */
    default:
        smtp_track(s, verb, reply);
        break;
    }
}

enum status smtp_settle(struct smtp *s, int limit_ms, int *code)
{
    enum status st = ST_OK;
    int64_t deadline = deadline_in_ms(net_now_us(s->net), limit_ms);
    s->stray_code = *code = 0;
    while (st == ST_OK && s->conn != NULL) {
        st = smtp_listen(s);
        *code = s->stray_code != 0 ? s->stray_code : *code;
        bool settled = s->owed == 0 && (*code != 0 || in_text(s) || s->raw_tail.len > 0);
        if (s->conn == NULL || (st != ST_OK && st != ST_AGAIN) || settled) {
            break;
        }
        struct net_wait_item item = {.conn = s->conn, .want = NET_READ};
        st = net_wait(s->net, &item, 1, deadline, s->cancel, false);
    }
    if (st == ST_TIMEOUT || st == ST_AGAIN) {
        return ST_OK;
    }
    return st == ST_CANCELLED || *code == 0 ? st : ST_OK;
}

enum status smtp_half_close(struct smtp *s, struct error *error)
{
    if (s->conn == NULL) {
        return error_set(error, smtp_gone(s), 0, _("There is no connection."));
    }
    if (s->write_end) {
        return error_set(error, ST_INVALID, 0, _("It was ended before."));
    }
    enum status st = smtp_before_sending(s);
    if (st != ST_OK) {
        return error_set(error, st, 0, _("There is no connection."));
    }
    s->write_end = true;
    s->raw_used = true;
    s->conn->ops->shut_write(s->conn);
    wire_note(s, DIR_NOTE, _("Our direction of the connection was ended; reading on."));
    return ST_OK;
}

enum status smtp_handshake(struct smtp *s, const struct tls_config *config, struct error *error)
{
    if (s->conn == NULL) {
        return error_set(error, smtp_gone(s), 0, _("There is no connection."));
    }
    if (s->tls || s->write_end) {
        return error_set(error, ST_INVALID, 0, _("A handshake has no place here."));
    }
    enum smtp_state state = s->state;
    /* What is here was said in clear, and is told as that. */
    enum status st = smtp_before_sending(s);
    if (st == ST_OK) {
        wire_note(s, DIR_TLS, _("Beginning a TLS handshake"));
        st = smtp_secure(s, config, error);
    } else {
        (void)error_set(error, st, 0, _("There is no connection."));
    }
    if (st == ST_OK) {
        s->caps_clear = s->caps;
        caps_clear(&s->caps);
        s->owed = 0;
        s->authenticated = false;
        s->raw_text = false;
        s->chunk_left = 0;
        buf_wipe(&s->raw_tail);
        s->greeting_read = state != SMTP_CONNECTED;
        s->state = state == SMTP_CONNECTED ? SMTP_CONNECTED : SMTP_GREETED;
    }
    return st;
}

enum status smtp_send_first(struct smtp *s, const char *p, size_t len, struct error *error)
{
    struct raw_line line;
    size_t at = 0;
    size_t put = 0;
    if (s->conn == NULL) {
        return error_set(error, smtp_gone(s), 0, _("There is no connection."));
    }
    struct buf text;
    buf_init(&text, 8 * SMTP_RAW_MAX);
    /* One line of text, or else bytes that are no lines at all. */
    bool plain = raw_next_line(p, len, &at, &line) && at == len && line.odd == 0;
    enum status st =
        plain ? buf_add(&text, line.text.p, line.text.len) : raw_text_write(p, len, &text);
    if (st == ST_OK) {
        s->last_client_line =
            wire_tell(s, DIR_CLIENT, plain ? 0u : LINE_RAW, buf_str(&text), text.len);
    }
    buf_free(&text);
    if (st == ST_OK) {
        st = wire_write(s, p, len, deadline_in_ms(net_now_us(s->net), s->limits.other), &put);
    }
    if (st == ST_OK) {
        return ST_OK;
    }
    smtp_close(s, st);
    return error_set(error, st, 0, _("The first bytes could not be sent: %s."), status_word(st));
}

#include "smtp_impl.h"

#include <string.h>

#include "text.h"

const struct smtp_limits smtp_limits_rfc5321 = {
    .connect = 30 * 1000,
    .banner = 5 * 60 * 1000,
    .ehlo = 5 * 60 * 1000,
    .starttls = 2 * 60 * 1000,
    .tls = 60 * 1000,
    .auth = 2 * 60 * 1000,
    .mail = 5 * 60 * 1000,
    .rcpt = 5 * 60 * 1000,
    .data = 2 * 60 * 1000,
    .block = 3 * 60 * 1000,
    .dot = 10 * 60 * 1000,
    .quit = 5 * 1000,
    .other = 5 * 60 * 1000,
};

static const char *const wait_names[] = {
    [WAIT_NONE] = "",
    [WAIT_CONNECT] = N_("the connection"),
    [WAIT_BANNER] = N_("the greeting"),
    [WAIT_EHLO] = N_("the reply to EHLO"),
    [WAIT_STARTTLS] = N_("the reply to STARTTLS"),
    [WAIT_TLS] = N_("the TLS handshake"),
    [WAIT_AUTH] = N_("the reply to AUTH"),
    [WAIT_MAIL] = N_("the reply to MAIL"),
    [WAIT_RCPT] = N_("the reply to RCPT"),
    [WAIT_DATA] = N_("the reply to DATA"),
    [WAIT_BLOCK] = N_("the sending of the message text"),
    [WAIT_DOT] = N_("the reply to the message"),
    [WAIT_QUIT] = N_("the reply to QUIT"),
    [WAIT_OTHER] = N_("the reply"),
    [WAIT_DNS] = N_("the answer of the DNS"),
    [WAIT_PAUSE] = N_("a second try, after a pause"),
};

const char *smtp_wait_name(enum smtp_wait wait)
{
    size_t i = (size_t)wait;
    return i > 0 && i < ARRAY_LEN(wait_names) ? _(wait_names[i]) : "";
}

int smtp_limit_ms(const struct smtp *s, enum smtp_wait wait)
{
    const struct smtp_limits *l = &s->limits;
    const int limits[] = {
        [WAIT_CONNECT] = l->connect,   [WAIT_BANNER] = l->banner, [WAIT_EHLO] = l->ehlo,
        [WAIT_STARTTLS] = l->starttls, [WAIT_TLS] = l->tls,       [WAIT_AUTH] = l->auth,
        [WAIT_MAIL] = l->mail,         [WAIT_RCPT] = l->rcpt,     [WAIT_DATA] = l->data,
        [WAIT_BLOCK] = l->block,       [WAIT_DOT] = l->dot,       [WAIT_QUIT] = l->quit,
    };
    size_t i = (size_t)wait;
    return i > 0 && i < ARRAY_LEN(limits) ? limits[i] : l->other;
}

struct verb_info {
    const char *word;
    enum smtp_verb verb;
    enum smtp_wait wait;
    bool ends_group;
};

/* RFC 2920 3.1 names those that end a group; AUTH is a dialogue (RFC 4954 4). */
static const struct verb_info verbs[] = {
    {"EHLO", VERB_EHLO, WAIT_EHLO, true},
    {"HELO", VERB_HELO, WAIT_EHLO, true},
    {"LHLO", VERB_LHLO, WAIT_EHLO, true},
    {"STARTTLS", VERB_STARTTLS, WAIT_STARTTLS, true},
    {"AUTH", VERB_AUTH, WAIT_AUTH, true},
    {"MAIL", VERB_MAIL, WAIT_MAIL, false},
    {"RCPT", VERB_RCPT, WAIT_RCPT, false},
    {"DATA", VERB_DATA, WAIT_DATA, true},
    {"BDAT", VERB_BDAT, WAIT_DATA, true},
    {"RSET", VERB_RSET, WAIT_OTHER, false},
    {"NOOP", VERB_NOOP, WAIT_OTHER, true},
    {"VRFY", VERB_VRFY, WAIT_OTHER, true},
    {"EXPN", VERB_EXPN, WAIT_OTHER, true},
    {"HELP", VERB_HELP, WAIT_OTHER, true},
    {"ETRN", VERB_ETRN, WAIT_OTHER, true},
    {"TURN", VERB_TURN, WAIT_OTHER, true},
    {"XCLIENT", VERB_XCLIENT, WAIT_BANNER, true},
    {"XFORWARD", VERB_XFORWARD, WAIT_OTHER, false},
    {"QUIT", VERB_QUIT, WAIT_QUIT, true},
};

enum smtp_verb smtp_verb_of(const char *line, size_t len)
{
    struct span word = {line, 0};
    while (word.len < len && line[word.len] != ' ' && line[word.len] != '\t') {
        word.len++;
    }
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (span_equal_nocase(word, verbs[i].word)) {
            uint64_t octets;
            bool last = false;
            bool ends = verbs[i].verb == VERB_BDAT && smtp_bdat_size(line, len, &octets, &last);
            return ends && last ? VERB_BDAT_LAST : verbs[i].verb;
        }
    }
    return VERB_OTHER;
}

static size_t skip_blanks(const char *line, size_t len, size_t at)
{
    while (at < len && (line[at] == ' ' || line[at] == '\t')) {
        at++;
    }
    return at;
}

bool smtp_bdat_size(const char *line, size_t len, uint64_t *octets, bool *last)
{
    uint64_t n = 0;
    size_t at = skip_blanks(line, len, 4);
    size_t begin = at;
    struct span verb = {line, len < 4 ? len : 4};
    if (len < 6 || at == 4 || !span_equal_nocase(verb, "BDAT")) {
        return false;
    }
    for (; at < len && line[at] >= '0' && line[at] <= '9'; at++) {
        n = 10 * n + (uint64_t)(line[at] - '0');
        if (n > SMTP_CHUNK_MAX) {
            return false;
        }
    }
    size_t end = skip_blanks(line, len, at);
    struct span rest = {line + end, len - end};
    while (rest.len > 0 && (rest.p[rest.len - 1] == ' ' || rest.p[rest.len - 1] == '\t')) {
        rest.len--;
    }
    *last = rest.len > 0 && span_equal_nocase(rest, "LAST");
    *octets = n;
    return at > begin && (rest.len == 0 || (*last && end > at));
}

enum smtp_wait verb_wait(enum smtp_verb verb)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (verbs[i].verb == verb) {
            return verbs[i].wait;
        }
    }
    switch (verb) {
    case VERB_AUTH_LINE:
        return WAIT_AUTH;
    case VERB_DOT:
    case VERB_BDAT_LAST:
        return WAIT_DOT;
    case VERB_GREETING:
        return WAIT_BANNER;
    default:
        return WAIT_OTHER;
    }
}

bool verb_ends_group(enum smtp_verb verb)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (verbs[i].verb == verb) {
            return verbs[i].ends_group;
        }
    }
    return true;
}

static void track_auth(struct smtp *s, const struct reply *reply)
{
    if (reply->code == 334) {
        if (s->state != SMTP_CONTINUATION) {
            s->before_auth = s->state;
        }
        s->state = SMTP_CONTINUATION;
        return;
    }
    if (s->state == SMTP_CONTINUATION) {
        s->state = s->before_auth;
    }
    s->authenticated = s->authenticated || reply->code == 235;
}

/* RFC 2033 4.2: one reply for each recipient. */
static void end_message(struct smtp *s)
{
    for (unsigned i = 1; s->lmtp && i < s->recipients; i++) {
        wire_owe(s, VERB_OTHER);
    }
    s->recipients = 0;
    s->state = SMTP_READY;
}

static void greet_again(struct smtp *s)
{
    caps_clear(&s->caps);
    s->authenticated = false;
    s->identified = true;
    s->recipients = 0;
    s->state = SMTP_GREETED;
}

void smtp_track(struct smtp *s, enum smtp_verb verb, const struct reply *reply)
{
    int class = reply_class(reply);
    switch (verb) {
    case VERB_GREETING:
        s->state = reply->code == 220 && s->state == SMTP_CONNECTED ? SMTP_GREETED : s->state;
        break;
    case VERB_EHLO:
    case VERB_HELO:
    case VERB_LHLO:
        if (class == 2) {
            caps_parse(&s->caps, reply, verb != VERB_HELO);
            s->lmtp = verb == VERB_LHLO;
            s->recipients = 0;
            s->state = SMTP_READY;
        }
        break;
    case VERB_AUTH:
    case VERB_AUTH_LINE:
        track_auth(s, reply);
        break;
    case VERB_MAIL:
        s->state = class == 2 ? SMTP_MAIL : s->state;
        break;
    case VERB_RCPT:
        s->state = class == 2 ? SMTP_RCPT : s->state;
        s->recipients += class == 2 ? 1 : 0;
        break;
    case VERB_DATA:
        s->state = class == 3 ? SMTP_TEXT : s->state;
        break;
    case VERB_DOT:
        /* RFC 5321 4.1.1.4: accepted or not, the transaction is over. */
        end_message(s);
        break;
    case VERB_BDAT_LAST:
        /* RFC 3030 2: after a refusal only RSET helps. */
        if (class == 2) {
            end_message(s);
        }
        break;
    case VERB_RSET:
        if (class == 2 && (s->state == SMTP_MAIL || s->state == SMTP_RCPT)) {
            s->state = SMTP_READY;
            s->recipients = 0;
        }
        break;
    case VERB_XCLIENT:
        /* The server begins anew, as for the client that was named. */
        if (class == 2) {
            greet_again(s);
        }
        break;
    case VERB_QUIT:
        /* RFC 5321 4.1.1.10: whatever it says, we said that we leave. */
        smtp_close(s, ST_OK);
        break;
    default:
        break;
    }
}

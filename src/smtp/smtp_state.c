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
            return verbs[i].verb;
        }
    }
    return VERB_OTHER;
}

enum smtp_wait verb_wait(enum smtp_verb verb)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (verbs[i].verb == verb) {
            return verbs[i].wait;
        }
    }
    return verb == VERB_AUTH_LINE ? WAIT_AUTH : verb == VERB_DOT ? WAIT_DOT : WAIT_OTHER;
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

void smtp_track(struct smtp *s, enum smtp_verb verb, const struct reply *reply)
{
    int class = reply_class(reply);
    switch (verb) {
    case VERB_EHLO:
    case VERB_HELO:
        if (class == 2) {
            caps_parse(&s->caps, reply, verb == VERB_EHLO);
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
        break;
    case VERB_DATA:
        s->state = class == 3 ? SMTP_TEXT : s->state;
        break;
    case VERB_DOT:
        /* RFC 5321 4.1.1.4: accepted or not, the transaction is over. */
        s->state = SMTP_READY;
        break;
    case VERB_RSET:
        if (class == 2 && (s->state == SMTP_MAIL || s->state == SMTP_RCPT)) {
            s->state = SMTP_READY;
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

#include "typehint_verbs.h"

#include <string.h>

#define STATE(s) (1u << (s))
#define ANY_STATE (STATE(SMTP_GREETED) | STATE(SMTP_READY) | STATE(SMTP_MAIL) | STATE(SMTP_RCPT))

/* In the order in which they are offered. */
const struct verb typehint_verbs[] = {
    {"EHLO", "EHLO host.name", ANY_STATE, false, false, NULL, "250"},
    {"LHLO", "LHLO host.name", ANY_STATE, false, false, NULL, "250"},
    {"MAIL FROM:", "MAIL FROM:<address> [SIZE=n] [BODY=8BITMIME]", STATE(SMTP_READY), false, true,
     NULL, "250 | 4xx 5xx"},
    {"RCPT TO:", "RCPT TO:<address> [NOTIFY=...]", STATE(SMTP_MAIL) | STATE(SMTP_RCPT), false, true,
     NULL, "250 | 450 550 554"},
    {"DATA", "DATA", STATE(SMTP_RCPT), true, false, NULL, "354"},
    {"STARTTLS", "STARTTLS", STATE(SMTP_READY), false, false, "STARTTLS", "220 | 454"},
    {"AUTH", "AUTH mechanism [base64]", STATE(SMTP_READY), false, false, "AUTH", "334 235 | 535"},
    {"RSET", "RSET", ANY_STATE, false, false, NULL, "250"},
    {"NOOP", "NOOP [text]", ANY_STATE, false, false, NULL, "250"},
    {"QUIT", "QUIT", ANY_STATE, false, false, NULL, "221"},
    {"HELO", "HELO host.name", ANY_STATE, false, false, NULL, "250"},
    {"HELP", "HELP [verb]", ANY_STATE, false, false, NULL, "214 | 502"},
    {"VRFY", "VRFY address", ANY_STATE, true, false, NULL, "250 252 | 502 550"},
    {"EXPN", "EXPN list", ANY_STATE, true, false, NULL, "250 | 502 550"},
    {"BDAT", "BDAT octets [LAST]", STATE(SMTP_RCPT), true, false, "CHUNKING", "250"},
    {"XCLIENT", "XCLIENT ADDR=... [NAME=...] [PORT=...]", STATE(SMTP_READY), false, false,
     "XCLIENT", "220 | 550"},
    {"ETRN", "ETRN domain", STATE(SMTP_READY), true, false, "ETRN", "250 | 458"},
};
const size_t typehint_verb_count = ARRAY_LEN(typehint_verbs);

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

bool typehint_starts(const char *line, const char *prefix)
{
    for (; *prefix != '\0'; line++, prefix++) {
        if (upper(*line) != upper(*prefix)) {
            return false;
        }
    }
    return true;
}

const struct verb *typehint_verb(const char *line)
{
    for (size_t i = 0; i < typehint_verb_count; i++) {
        char word[16];
        str_copy(word, sizeof(word), typehint_verbs[i].name);
        word[strcspn(word, " ")] = '\0';
        size_t n = strlen(word);
        if (typehint_starts(line, word) && (line[n] == '\0' || line[n] == ' ' || line[n] == ':')) {
            return &typehint_verbs[i];
        }
    }
    return NULL;
}

enum envelope_command typehint_envelope(const char *line)
{
    return typehint_starts(line, "MAIL") ? ENVELOPE_MAIL : ENVELOPE_RCPT;
}

bool typehint_in_order(const struct record *r, unsigned mode, const struct verb *verb)
{
    bool lmtp = (mode & TYPEHINT_LMTP) != 0;
    bool greets = strcmp(verb->name, "EHLO") == 0 || strcmp(verb->name, "HELO") == 0;
    if ((lmtp && greets) || (!lmtp && strcmp(verb->name, "LHLO") == 0)) {
        return false; /* RFC 2033 4.1 */
    }
    if ((strcmp(verb->name, "STARTTLS") == 0 && r->session_tls) ||
        (strcmp(verb->name, "AUTH") == 0 && r->session_authenticated)) {
        return false;
    }
    return (verb->states & STATE(r->session)) != 0;
}

const char *typehint_capabilities(const struct record *r)
{
    const struct facts *path = record_path(r);
    return path != NULL ? path->capabilities : NULL;
}

bool typehint_next(const char **at, char *out, size_t size)
{
    if (*at == NULL || **at == '\0') {
        return false;
    }
    size_t n = strcspn(*at, "\n");
    size_t keep = n < size - 1 ? n : size - 1;
    memcpy(out, *at, keep);
    out[keep] = '\0';
    *at += n;
    *at += **at == '\n' ? 1 : 0;
    return true;
}

bool typehint_offers(const struct record *r, const char *keyword)
{
    const char *at = typehint_capabilities(r);
    char cap[CAP_TEXT_MAX];
    size_t n = strlen(keyword);
    while (typehint_next(&at, cap, sizeof(cap))) {
        /* "AUTH=LOGIN" is the old form of that offer. */
        if (typehint_starts(cap, keyword) && (cap[n] == '\0' || cap[n] == ' ' || cap[n] == '=')) {
            return true;
        }
    }
    return false;
}

bool typehint_caps(const struct record *r, struct caps *out)
{
    const char *at = typehint_capabilities(r);
    char cap[CAP_TEXT_MAX];
    struct reply reply;
    enum status st = ST_OK;
    caps_clear(out);
    if (at == NULL) {
        return false;
    }
    reply_init(&reply);
    struct buf wire;
    buf_init(&wire, REPLY_TEXT_MAX);
    st = buf_add_str(&wire, "250-\r\n");
    while (st == ST_OK && typehint_next(&at, cap, sizeof(cap))) {
        st = buf_addf(&wire, "250%c%s\r\n", *at != '\0' ? '-' : ' ', cap);
    }
    size_t used = 0;
    if (st == ST_OK) {
        st = reply_feed(&reply, wire.p, wire.len, &used);
    }
    if (st == ST_OK) {
        caps_parse(out, &reply, true);
    }
    buf_free(&wire);
    reply_free(&reply);
    return st == ST_OK;
}

/* The next word, cut off with a NUL; NULL at the end. */
static char *next_word(char **rest)
{
    char *word = *rest + strspn(*rest, " ");
    if (*word == '\0') {
        return NULL;
    }
    size_t n = strcspn(word, " ");
    *rest = word + n + (word[n] == ' ' ? 1 : 0);
    word[n] = '\0';
    return word;
}

/* RFC 4422, 3.1. What the server calls a mechanism may be offered for typing only when it is one.
 */
static bool is_mechanism(const char *word)
{
    size_t n = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    return n > 0 && n <= MECHANISM_MAX && word[n] == '\0';
}

size_t typehint_mechanisms(const struct record *r, char out[][MECHANISM_MAX + 1], size_t max)
{
    const char *at = typehint_capabilities(r);
    char cap[CAP_TEXT_MAX];
    size_t count = 0;
    while (typehint_next(&at, cap, sizeof(cap))) {
        if (!typehint_starts(cap, "AUTH ") && !typehint_starts(cap, "AUTH=")) {
            continue;
        }
        char *rest = cap + 5;
        for (char *word = next_word(&rest); word != NULL && count < max; word = next_word(&rest)) {
            if (is_mechanism(word)) {
                str_copy(out[count++], MECHANISM_MAX + 1, word);
            }
        }
    }
    return count;
}

bool typehint_attribute(const struct record *r, size_t index, char *out, size_t size)
{
    const char *at = typehint_capabilities(r);
    char cap[CAP_TEXT_MAX];
    while (typehint_next(&at, cap, sizeof(cap))) {
        if (!typehint_starts(cap, "XCLIENT ")) {
            continue;
        }
        char *rest = cap + 8;
        char *word = next_word(&rest);
        for (; word != NULL && index > 0; index--) {
            word = next_word(&rest);
        }
        return word != NULL && is_mechanism(word) && str_copy(out, size, word);
    }
    return false;
}

#include "typehint_verbs.h"

#include <string.h>

#define STATE(s) (1u << (s))
#define ANY_STATE (STATE(SMTP_GREETED) | STATE(SMTP_READY) | STATE(SMTP_MAIL) | STATE(SMTP_RCPT))

/* In the order in which they are offered. */
const struct verb typehint_verbs[] = {
    {"EHLO", "EHLO host.name", ANY_STATE, false, false, NULL},
    {"MAIL FROM:", "MAIL FROM:<address> [SIZE=n] [BODY=8BITMIME]", STATE(SMTP_READY), false, true,
     NULL},
    {"RCPT TO:", "RCPT TO:<address> [NOTIFY=...]", STATE(SMTP_MAIL) | STATE(SMTP_RCPT), false, true,
     NULL},
    {"DATA", "DATA", STATE(SMTP_RCPT), true, false, NULL},
    {"STARTTLS", "STARTTLS", STATE(SMTP_READY), false, false, "STARTTLS"},
    {"AUTH", "AUTH mechanism [base64]", STATE(SMTP_READY), false, false, "AUTH"},
    {"RSET", "RSET", ANY_STATE, false, false, NULL},
    {"NOOP", "NOOP [text]", ANY_STATE, false, false, NULL},
    {"QUIT", "QUIT", ANY_STATE, false, false, NULL},
    {"HELO", "HELO host.name", ANY_STATE, false, false, NULL},
    {"HELP", "HELP [verb]", ANY_STATE, false, false, NULL},
    {"VRFY", "VRFY address", ANY_STATE, true, false, NULL},
    {"EXPN", "EXPN list", ANY_STATE, true, false, NULL},
    {"BDAT", "BDAT octets [LAST]", STATE(SMTP_RCPT), true, false, "CHUNKING"},
    {"ETRN", "ETRN domain", STATE(SMTP_READY), true, false, "ETRN"},
};
const size_t typehint_verb_count = ARRAY_LEN(typehint_verbs);

const struct parameter typehint_parameters[] = {
    {"MAIL", "SIZE", "SIZE="},
    {"MAIL", "8BITMIME", "BODY=8BITMIME"},
    {"MAIL", "BINARYMIME", "BODY=BINARYMIME"},
    {"MAIL", "SMTPUTF8", "SMTPUTF8"},
    {"MAIL", "DSN", "RET=HDRS"},
    {"MAIL", "DSN", "ENVID="},
    {"MAIL", "AUTH", "AUTH=<>"},
    {"MAIL", "REQUIRETLS", "REQUIRETLS"},
    {"MAIL", "FUTURERELEASE", "HOLDFOR="},
    {"MAIL", "MT-PRIORITY", "MT-PRIORITY="},
    {"MAIL", "DELIVERBY", "BY="},
    {"RCPT", "DSN", "NOTIFY=SUCCESS,FAILURE,DELAY"},
    {"RCPT", "DSN", "ORCPT=rfc822;"},
};
const size_t typehint_parameter_count = ARRAY_LEN(typehint_parameters);

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

bool typehint_in_order(const struct record *r, const struct verb *verb)
{
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

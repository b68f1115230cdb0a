#include "typehint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define STATE(s) (1u << (s))
#define ANY_STATE                                                                                  \
    (STATE(SMTP_GREETED) | STATE(SMTP_READY) | STATE(SMTP_MAIL) | STATE(SMTP_RCPT))
#define ADDRESSES_SEARCHED 2000 /* transcript lines looked through for addresses, newest first */

/* A verb with its grammar (RFC 5321 4.1.1 and extensions), and the states in which it is in order. */
struct verb {
    const char *name, *grammar;
    unsigned states;
    bool dangerous; /* has consequences on the other side: takes a second Enter */
    bool path;      /* takes an address in angle brackets behind a colon */
};

static const struct verb verbs[] = {
    {"EHLO", "EHLO host.name", ANY_STATE, false, false},
    {"MAIL FROM:", "MAIL FROM:<address> [SIZE=n] [BODY=8BITMIME]", STATE(SMTP_READY), false, true},
    {"RCPT TO:", "RCPT TO:<address> [NOTIFY=...]", STATE(SMTP_MAIL) | STATE(SMTP_RCPT), false, true},
    {"DATA", "DATA", STATE(SMTP_RCPT), true, false},
    {"STARTTLS", "STARTTLS", STATE(SMTP_READY), false, false},
    {"AUTH", "AUTH mechanism [base64]", STATE(SMTP_READY), false, false},
    {"RSET", "RSET", ANY_STATE, false, false},
    {"NOOP", "NOOP [text]", ANY_STATE, false, false},
    {"QUIT", "QUIT", ANY_STATE, false, false},
    {"HELO", "HELO host.name", ANY_STATE, false, false},
    {"HELP", "HELP [verb]", ANY_STATE, false, false},
    {"VRFY", "VRFY address", ANY_STATE, true, false},
    {"EXPN", "EXPN list", ANY_STATE, true, false},
    {"BDAT", "BDAT octets [LAST]", STATE(SMTP_RCPT), true, false},
    {"ETRN", "ETRN domain", STATE(SMTP_READY), true, false},
};

static bool starts_nocase(const char *line, const char *prefix)
{
    for (; *prefix != '\0'; line++, prefix++) {
        char a = *line >= 'a' && *line <= 'z' ? (char)(*line - 32) : *line;
        char b = *prefix >= 'a' && *prefix <= 'z' ? (char)(*prefix - 32) : *prefix;
        if (a != b) {
            return false;
        }
    }
    return true;
}

/* The verb that the line begins with; NULL for none. "MAIL" alone counts as MAIL FROM:. */
static const struct verb *verb_of(const char *line)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        char word[16];
        str_copy(word, sizeof(word), verbs[i].name);
        word[strcspn(word, " ")] = '\0';
        size_t n = strlen(word);
        if (starts_nocase(line, word) && (line[n] == '\0' || line[n] == ' ' || line[n] == ':')) {
            return &verbs[i];
        }
    }
    return NULL;
}

static void add(struct typehint_candidates *out, const char *text)
{
    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->text[i], text) == 0) {
            return;
        }
    }
    if (out->count < TYPEHINT_CANDIDATES_MAX) {
        str_copy(out->text[out->count++], sizeof(out->text[0]), text);
    }
}

static void complete_verbs(const struct record *r, const char *line, struct typehint_candidates *out)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
            bool legal = (verbs[i].states & STATE(r->session)) != 0;
            if (legal == (pass == 0) && starts_nocase(verbs[i].name, line)) {
                add(out, verbs[i].name);
            }
        }
        if (out->count > 0) {
            return; /* what is out of order is offered only when nothing else fits */
        }
    }
}

/* One capability line of the server: keyword and parameters. */
static bool next_capability(const char **at, char *out, size_t size)
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

static bool offers(const struct record *r, const char *keyword)
{
    const struct facts *path = record_path(r);
    const char *at = path != NULL ? path->capabilities : NULL;
    char cap[CAP_TEXT_MAX];
    while (next_capability(&at, cap, sizeof(cap))) {
        size_t n = strlen(keyword);
        if (starts_nocase(cap, keyword) && (cap[n] == '\0' || cap[n] == ' ')) {
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

static void complete_auth(const struct record *r, const char *line, struct typehint_candidates *out)
{
    const struct facts *path = record_path(r);
    const char *at = path != NULL ? path->capabilities : NULL;
    char cap[CAP_TEXT_MAX], whole[256];
    while (next_capability(&at, cap, sizeof(cap))) {
        if (!starts_nocase(cap, "AUTH ")) {
            continue;
        }
        char *rest = cap + 5;
        for (char *mech = next_word(&rest); mech != NULL; mech = next_word(&rest)) {
            snprintf(whole, sizeof(whole), "AUTH %.100s", mech);
            if (starts_nocase(whole, line)) {
                add(out, whole);
            }
        }
    }
}

/* Parameters of MAIL and RCPT that need the server's offer. */
static const struct {
    const char *verb, *keyword, *parameter;
} parameters[] = {
    {"MAIL", "SIZE", "SIZE="},           {"MAIL", "8BITMIME", "BODY=8BITMIME"},
    {"MAIL", "SMTPUTF8", "SMTPUTF8"},    {"MAIL", "DSN", "RET=HDRS"},
    {"MAIL", "DSN", "ENVID="},           {"MAIL", "REQUIRETLS", "REQUIRETLS"},
    {"MAIL", "BINARYMIME", "BODY=BINARYMIME"},
    {"RCPT", "DSN", "NOTIFY=SUCCESS,FAILURE,DELAY"}, {"RCPT", "DSN", "ORCPT=rfc822;"},
};

static void complete_parameters(const struct record *r, const char *line,
                                struct typehint_candidates *out)
{
    const char *last = strrchr(line, ' ') + 1;
    for (size_t i = 0; i < ARRAY_LEN(parameters); i++) {
        if (starts_nocase(line, parameters[i].verb) && offers(r, parameters[i].keyword) &&
            starts_nocase(parameters[i].parameter, last)) {
            char whole[256];
            snprintf(whole, sizeof(whole), "%.*s%s", (int)(last - line), line, parameters[i].parameter);
            add(out, whole);
        }
    }
}

/* Addresses that were used in this session already, newest first. */
static void complete_addresses(const struct record *r, const char *line,
                               struct typehint_candidates *out)
{
    const char *open = strchr(line, '<');
    const char *typed = open != NULL ? open + 1 : line + strlen(line);
    int head = (int)(open != NULL ? open + 1 - line : (ptrdiff_t)strlen(line));
    uint32_t last = lines_last(r->lines);
    uint32_t stop = last > ADDRESSES_SEARCHED ? last - ADDRESSES_SEARCHED : 0;
    for (uint32_t n = last; n > stop; n--) {
        struct line l;
        if (!lines_get(r->lines, n, &l) || l.dir != DIR_CLIENT) {
            continue;
        }
        const char *from = memchr(l.text, '<', l.len);
        const char *to = from != NULL ? memchr(from, '>', l.len - (size_t)(from - l.text)) : NULL;
        if (to == NULL || to - from < 2 || to - from > 200) {
            continue;
        }
        char address[201], whole[256];
        memcpy(address, from + 1, (size_t)(to - from - 1));
        address[to - from - 1] = '\0';
        if (strchr(address, '@') == NULL || !starts_nocase(address, typed)) {
            continue;
        }
        snprintf(whole, sizeof(whole), "%.*s%s%.150s>", head < 80 ? head : 80, line,
                 open != NULL ? "" : "<", address);
        add(out, whole);
    }
}

void typehint_complete(const struct record *r, const char *line, struct typehint_candidates *out)
{
    out->count = 0;
    if (r->expects_text || r->session == SMTP_CONTINUATION) {
        return;
    }
    const struct verb *verb = verb_of(line);
    const char *end = strchr(line, '>');
    if (starts_nocase(line, "AUTH ")) {
        complete_auth(r, line, out);
    } else if (verb != NULL && verb->path && end != NULL && strrchr(line, ' ') > end) {
        complete_parameters(r, line, out);
    } else if (verb != NULL && verb->path && strchr(line, ':') != NULL && end == NULL) {
        complete_addresses(r, line, out);
        if (out->count == 0 && strchr(line, '<') == NULL) {
            char whole[256];
            snprintf(whole, sizeof(whole), "%.200s<", line);
            add(out, whole);
        }
    } else if (starts_nocase(line, "EHLO ") || starts_nocase(line, "HELO ")) {
        const struct facts *path = record_path(r);
        if (path != NULL && path->ehlo_name != NULL && starts_nocase(path->ehlo_name, line + 5)) {
            char whole[256];
            snprintf(whole, sizeof(whole), "%.5s%.200s", line, path->ehlo_name);
            add(out, whole);
        }
    } else {
        complete_verbs(r, line, out);
    }
}

static const char *path_fault(const char *line)
{
    const char *colon = strchr(line, ':');
    if (colon == NULL) {
        return _("The ':' is missing.");
    }
    if (colon[1] == ' ') {
        return _("No space belongs behind the colon (RFC 5321, 3.3).");
    }
    if (colon[1] == '\0') {
        return "";
    }
    if (colon[1] != '<') {
        return _("'<' is missing before the address.");
    }
    return strchr(colon, '>') == NULL ? _("'>' is missing at the end.") : "";
}

static const char *order_fault(const struct record *r, const struct verb *verb)
{
    if ((verb->states & STATE(r->session)) != 0) {
        return "";
    }
    switch (r->session) {
    case SMTP_CLOSED:
        return _("There is no connection; Enter opens one.");
    case SMTP_CONNECTED:
        return _("The server has not greeted yet.");
    case SMTP_GREETED:
        return _("Out of order: EHLO comes first.");
    case SMTP_READY:
        return _("Out of order: MAIL FROM comes first.");
    case SMTP_MAIL:
        return _("Out of order now: RCPT TO comes next.");
    default:
        return _("Out of order in this transaction; RSET ends it.");
    }
}

void typehint_hint(const struct record *r, const char *line, char *out, size_t size)
{
    out[0] = '\0';
    if (r->expects_text) {
        str_copy(out, size, _("Message text. A dot alone in a line ends it; a line that begins with a dot needs one more."));
        return;
    }
    if (r->session == SMTP_CONTINUATION) {
        str_copy(out, size, _("The server waits for base64. It is hidden everywhere. * gives up."));
        return;
    }
    if (line[0] == '\0') {
        return;
    }
    const struct verb *verb = verb_of(line);
    if (verb == NULL) {
        struct typehint_candidates *found = calloc(1, sizeof(*found));
        if (found != NULL) {
            complete_verbs(r, line, found);
            if (found->count == 0) {
                str_copy(out, size, _("No verb of SMTP that is known here; it is sent as it is."));
            }
            free(found);
        }
        return;
    }
    const char *fault = verb->path ? path_fault(line) : "";
    if (fault[0] == '\0') {
        fault = order_fault(r, verb);
    }
    snprintf(out, size, "%s%s%s", verb->grammar, fault[0] != '\0' ? "   " : "", fault);
}

const char *typehint_prompt(const struct record *r)
{
    if (r->session == SMTP_CLOSED) {
        return _("(off)>");
    }
    if (r->expects_text) {
        return "DATA>";
    }
    if (r->session == SMTP_CONTINUATION) {
        return "334>";
    }
    return r->session_tls ? "SMTP~>" : "SMTP>";
}

bool typehint_secret(const struct record *r, const char *line)
{
    if (r->session == SMTP_CONTINUATION) {
        return strcmp(line, "*") != 0;
    }
    if (r->expects_text || !starts_nocase(line, "AUTH ")) {
        return false;
    }
    const char *mech = line + 5;
    while (*mech == ' ') {
        mech++;
    }
    const char *initial = strchr(mech, ' ');
    return initial != NULL && initial[1] != '\0';
}

bool typehint_dangerous(const struct record *r, const char *line)
{
    if (r->expects_text || r->session == SMTP_CONTINUATION) {
        return false;
    }
    const struct verb *verb = verb_of(line);
    bool auth_in_clear = starts_nocase(line, "AUTH ") && !r->session_tls;
    return auth_in_clear || (verb != NULL && verb->dangerous);
}

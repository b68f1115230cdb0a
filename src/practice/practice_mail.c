#include "practice_session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* "FROM:<address> PARAMETERS": the address into s->address, *rest behind it. False: bad syntax. */
static bool read_path(struct session *s, const char *word, const char **rest)
{
    const char *p = session_argument(s);
    size_t n = strlen(word);
    char head[8];
    str_copy(head, sizeof(head), p);
    if (strlen(p) < n || n >= sizeof(head)) {
        return false;
    }
    head[n] = '\0';
    if (!str_equal_nocase(head, word)) {
        return false;
    }
    p += n;
    p += strspn(p, " ");
    const char *end = strchr(p, '>');
    if (*p != '<' || end == NULL || (end[1] != '\0' && end[1] != ' ')) {
        return false;
    }
    session_set(&s->address, p + 1, (size_t)(end - p - 1));
    *rest = end + 1 + strspn(end + 1, " ");
    return true;
}

void session_read_address(struct session *s)
{
    const char *rest;
    buf_clear(&s->address);
    if (session_is(s, "MAIL")) {
        (void)read_path(s, "FROM:", &rest);
    } else if (session_is(s, "RCPT")) {
        (void)read_path(s, "TO:", &rest);
    }
}

/*
 * A parameter, with its value behind an equals sign or without one, and the offer that it needs. In
 * any case (RFC 5321 4.1.1.11): smtplib of Python writes "size=".
 */
struct parameter {
    const char *word, *keyword;
    bool only_tls;
};

static const struct parameter mail_words[] = {
    {"BODY=7BIT", "8BITMIME", false},      {"BODY=8BITMIME", "8BITMIME", false},
    {"BODY=BINARYMIME", "BINARYMIME", false}, {"SMTPUTF8", "SMTPUTF8", false},
    {"RET=", "DSN", false},                {"ENVID=", "DSN", false},
    {"AUTH=", "AUTH", false},              {"REQUIRETLS", "REQUIRETLS", true},
    {"BY=", "DELIVERBY", false},           {"HOLDFOR=", "FUTURERELEASE", false},
    {"HOLDUNTIL=", "FUTURERELEASE", false}, {"MT-PRIORITY=", "MT-PRIORITY", false},
};

static const struct parameter rcpt_words[] = {
    {"NOTIFY=", "DSN", false},
    {"ORCPT=", "DSN", false},
};

static bool is_known(const struct session *s, const struct parameter *list, size_t count,
                     const char *word)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(list[i].word);
        bool same = strncasecmp(word, list[i].word, n) == 0 &&
                    (list[i].word[n - 1] == '=' ? word[n] != '\0' : word[n] == '\0');
        if (same && (s->secured || !list[i].only_tls) &&
            session_offers(s, list[i].keyword, NULL)) {
            return true;
        }
    }
    return false;
}

/* One parameter of MAIL. False: it was answered with a refusal. */
static bool take_parameter(struct session *s, const char *word)
{
    const char *rest = "";
    if (strncasecmp(word, "SIZE=", 5) == 0 && session_offers(s, "SIZE", &rest)) {
        unsigned long long limit = strtoull(rest, NULL, 10);
        unsigned long long size = strtoull(word + 5, NULL, 10);
        if (limit > 0 && size > limit) {
            session_reply(s, "552 5.3.4 Message size exceeds fixed limit");
            return false;
        }
        return true;
    }
    if (!is_known(s, mail_words, ARRAY_LEN(mail_words), word)) {
        session_reply(s, "555 5.5.4 Unsupported option: %s", word);
        return false;
    }
    return true;
}

/* One parameter of RCPT. */
static bool take_rcpt_parameter(struct session *s, const char *word)
{
    if (!is_known(s, rcpt_words, ARRAY_LEN(rcpt_words), word)) {
        session_reply(s, "555 5.5.4 Unsupported option: %s", word);
        return false;
    }
    return true;
}

static bool take_parameters(struct session *s, const char *rest,
                            bool (*take)(struct session *s, const char *word))
{
    while (*rest != '\0') {
        char word[256];
        size_t n = strcspn(rest, " ");
        size_t kept = n < sizeof(word) ? n : sizeof(word) - 1;
        memcpy(word, rest, kept);
        word[kept] = '\0';
        if (!take(s, word)) {
            return false;
        }
        rest += n;
        rest += strspn(rest, " ");
    }
    return true;
}

void session_mail(struct session *s)
{
    const char *rest = "";
    if (!s->said_hello) {
        session_reply(s, "503 5.5.1 Error: send HELO/EHLO first");
    } else if (s->server->require_tls && !s->secured) {
        session_reply(s, "530 5.7.0 Must issue a STARTTLS command first");
    } else if (s->server->require_login && !s->logged_in) {
        session_reply(s, "530 5.7.0 Authentication required");
    } else if (s->in_mail) {
        session_reply(s, "503 5.5.1 Error: nested MAIL command");
    } else if (!read_path(s, "FROM:", &rest)) {
        session_reply(s, "501 5.5.4 Syntax: MAIL FROM:<address>");
    } else if (take_parameters(s, rest, take_parameter)) {
        session_reply(s, "250 2.1.0 Ok");
    }
}

/* True when the name is one of the list; without a list, the host's own domain and its parent. */
static bool is_local(const struct session *s, const char *domain)
{
    for (size_t i = 0; i < s->server->local.count; i++) {
        if (str_equal_nocase(domain, s->server->local.p[i])) {
            return true;
        }
    }
    const char *dot = strchr(s->host, '.');
    return s->server->local.count == 0 && (str_equal_nocase(domain, s->host) ||
                                           (dot != NULL && str_equal_nocase(domain, dot + 1)));
}

/* Boxes are named by their local part or in full; without a list, every box exists. */
static bool box_exists(const struct session *s, const char *address, size_t local_len)
{
    const struct scenario_strings *boxes = &s->server->mailboxes;
    char local[256];
    if (local_len >= sizeof(local)) {
        return false;
    }
    memcpy(local, address, local_len);
    local[local_len] = '\0';
    /* RFC 5321 4.5.1: postmaster always, in any case. */
    if (boxes->count == 0 || str_equal_nocase(local, "postmaster")) {
        return true;
    }
    for (size_t i = 0; i < boxes->count; i++) {
        if (str_equal_nocase(boxes->p[i], local) || str_equal_nocase(boxes->p[i], address)) {
            return true;
        }
    }
    return false;
}

/* Old ways to write a second hop into a local part; a Postfix treats them as relaying. */
static bool is_routed(const char *address, size_t local_len)
{
    return memchr(address, '%', local_len) != NULL || memchr(address, '!', local_len) != NULL ||
           memchr(address, '@', local_len) != NULL || address[0] == '@';
}

void session_rcpt(struct session *s)
{
    const char *rest = "";
    if (!s->in_mail) {
        session_reply(s, "503 5.5.1 Error: need MAIL command");
        return;
    }
    if (!read_path(s, "TO:", &rest) || s->address.len == 0) {
        session_reply(s, "501 5.5.4 Syntax: RCPT TO:<address>");
        return;
    }
    if (s->recipients >= SESSION_RECIPIENTS_MAX) {
        session_reply(s, "452 4.5.3 Error: too many recipients");
        return;
    }
    const char *address = buf_str(&s->address);
    const char *at = strrchr(address, '@');
    size_t local_len = at != NULL ? (size_t)(at - address) : s->address.len;
    bool bare = at == NULL && str_equal_nocase(address, "postmaster");
    bool ours = bare || (at != NULL && is_local(s, at + 1) && !is_routed(address, local_len));
    if (at == NULL && !bare) {
        session_reply(s, "504 5.5.2 <%s>: Recipient address rejected: need fully-qualified address",
                      address);
    } else if (!ours && !s->server->relay_open && !s->logged_in) {
        session_reply(s, "554 5.7.1 <%s>: Relay access denied", address);
    } else if (ours && !box_exists(s, address, local_len)) {
        session_reply(s,
                      "550 5.1.1 <%s>: Recipient address rejected: User unknown in local "
                      "recipient table",
                      address);
    } else if (take_parameters(s, rest, take_rcpt_parameter)) {
        session_reply(s, "250 2.1.5 Ok");
    }
}
